// The HTTP client: blocking, over the daemon's Unix socket, one kept-alive connection for all requests of the process.
//
// Errors: unavailable when there is no daemon (with a hint that says how to start one), when it vanished for longer than the
// patience, or when it did not answer in time; what the daemon answers otherwise comes back with its own code, sentence, hint and
// problems.
#pragma once

#include "model/error.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ferry::cli {

struct request {
  std::string method;    // "GET"
  std::string path;      // below /api/v1, with its query: "/jobs/42?wait=60"
  std::string body = {}; // JSON; empty: none
  std::string idempotency_key = {};
  std::chrono::seconds wait{0}; // how long the daemon may take on purpose (a long poll)
  // May be sent again after the connection broke: a GET, or a request with a key.
  [[nodiscard]] bool repeatable() const { return method == "GET" || !idempotency_key.empty(); }
};

struct response {
  std::string body;
  std::int64_t log_offset = 0; // Ferry-Log-…, of log requests only
  std::int64_t log_next = 0;
  bool log_complete = false;
};

class client {
public:
  explicit client(std::filesystem::path socket) : socket_(std::move(socket)) {}
  ~client() { disconnect(); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  // A daemon that was there and went away (a restart, an upgrade) is waited for this long by repeatable requests.
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

  [[nodiscard]] result<response> send(const request& what);

private:
  struct setback {
    error why;
    bool passing; // may go by itself
  };
  struct exchange;

  [[nodiscard]] result<void> connect();
  void disconnect();
  void drop_if_closed(); // a connection that the daemon closed while it was idle
  [[nodiscard]] tl::expected<response, setback> try_once(const request& what);
  [[nodiscard]] tl::expected<exchange, setback> receive();
  [[nodiscard]] error no_daemon(const std::string& why) const;

  std::filesystem::path socket_;
  std::chrono::milliseconds patience_{10'000};
  int descriptor_ = -1;
  bool met_ = false; // this daemon, or an earlier one, was there since we began
};

// The exit status that stands for an error, as docs/api.md lists them.
[[nodiscard]] int exit_status_of(error_code code);

// What the daemon's error document says; internal when it is not one. `http_status` is named where the document does not help.
[[nodiscard]] error error_from(int http_status, const std::string& body);
// The same document, for `--format json`.
[[nodiscard]] std::string error_document(const error& e);

// "a b" as it stands in a query.
[[nodiscard]] std::string query_escape(const std::string& text);

} // namespace ferry::cli
