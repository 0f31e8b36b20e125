// HTTP as bytes, for what the clients of ferry do not do: headers of one's own, broken requests, streams of events.
#pragma once

#include "model/job.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ferry::tests {

struct raw_answer {
  int status = 0;
  std::string head, body;
  // The value of a header; empty where there is none.
  [[nodiscard]] std::string header(const std::string& name) const;
};

// One connection, to a Unix socket or to a TCP port on loopback. Reading fails the test after a minute without a byte.
class raw_connection {
public:
  explicit raw_connection(const std::filesystem::path& socket);
  explicit raw_connection(int port);
  ~raw_connection();
  raw_connection(raw_connection&& other) noexcept;
  raw_connection(const raw_connection&) = delete;
  raw_connection& operator=(const raw_connection&) = delete;

  void send(const std::string& bytes) const;
  // False: the peer has closed.
  bool try_to_send(const std::string& bytes) const;
  // Nothing more will be sent; the other half of the connection stays open.
  void finish_sending() const;
  // Whether the peer has closed its half, whatever of it is still to be read. With `patience` in milliseconds, else at once.
  [[nodiscard]] bool is_closed_by_peer(int patience_ms = 0) const;
  // More bytes; empty: the peer has closed.
  [[nodiscard]] std::string read() const;
  [[nodiscard]] std::string read_until(const std::string& mark);
  // Sends a request and reads the whole answer. `headers`: lines without their end.
  raw_answer ask(const std::string& method, const std::string& target, const std::vector<std::string>& headers = {},
                 const std::string& body = {});

private:
  int descriptor_ = -1;
  std::string rest_; // read, and not yet taken
};

struct server_event {
  std::string id, name;
  json data;
};

// GET /events, as a browser reads it.
class event_reader {
public:
  event_reader(raw_connection connection, const std::string& query = {}, const std::string& last_event_id = {});
  [[nodiscard]] const std::string& head() const { return head_; }
  // The next event; fails the test when the stream ends.
  server_event next();
  // The next one of that name that fits; the others are passed over.
  server_event next(const std::string& name, const std::function<bool(const json&)>& fits = {});

private:
  [[nodiscard]] std::string line(); // of the body, its chunks undone
  raw_connection connection_;
  std::string head_, text_;
};

} // namespace ferry::tests
