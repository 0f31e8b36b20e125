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
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ferry::cli {

struct response;

struct request {
  std::string method;    // "GET"
  std::string path;      // below /api/v1, with its query: "/jobs/42?wait=60"
  std::string body = {}; // JSON, or the bytes of an upload; empty: none
  std::string idempotency_key = {};
  std::chrono::seconds wait{0};                                  // how long the daemon may take on purpose (a long poll)
  std::vector<std::pair<std::string, std::string>> headers = {}; // further ones
  bool harmless = false;                                         // twice does no more than once
  // Takes the body of a good answer piece by piece, as it comes, in place of response::body. An error ends the request.
  std::function<result<void>(const response& head, std::string_view piece)> take = {};
  // May be sent again after the connection broke.
  [[nodiscard]] bool repeatable() const { return method == "GET" || method == "HEAD" || harmless || !idempotency_key.empty(); }
};

struct response {
  int status = 0;
  std::string body;
  std::string etag;
  std::int64_t length = -1;    // Content-Length; -1: not told
  std::int64_t range_from = 0; // of Content-Range
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

  // The process that listens at the socket, as the kernel knows it; nothing: none does. Errors: as of send(), and unavailable where
  // it lies outside of what can be seen from here (another container).
  [[nodiscard]] result<std::optional<int>> process();

private:
  struct setback {
    error why;
    bool passing; // may go by itself
  };

  [[nodiscard]] result<void> connect();
  void disconnect();
  void drop_if_closed(); // a connection that the daemon closed while it was idle
  [[nodiscard]] tl::expected<response, setback> try_once(const request& what);
  [[nodiscard]] tl::expected<response, setback> receive(const request& what);
  [[nodiscard]] error no_daemon(const std::string& why) const;

  std::filesystem::path socket_;
  std::chrono::milliseconds patience_{10'000};
  int descriptor_ = -1;
  bool absent_ = false; // nobody listened when connect() failed
  bool met_ = false;    // this daemon, or an earlier one, was there since we began
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
