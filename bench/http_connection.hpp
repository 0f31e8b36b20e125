// One kept-alive HTTP connection over a Unix socket: as little as a client can do.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ferry::bench {

class http_connection {
public:
  // Throws where nobody listens.
  explicit http_connection(const std::filesystem::path& socket);
  ~http_connection();
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;

  // The whole request as bytes, to be sent many times.
  [[nodiscard]] static std::string request(std::string_view method, std::string_view path, std::string_view body = {});

  // Sends it and reads the whole answer, whose status must be 2xx. The body is valid until the next call.
  std::string_view send(std::string_view request);
  std::string_view get(std::string_view path) { return send(request("GET", path)); }
  std::string_view post(std::string_view path, std::string_view body = {}) { return send(request("POST", path, body)); }

private:
  void read_more();

  int descriptor_ = -1;
  std::string received_;
};

// Connects to a stream socket. -1 where nobody listens.
[[nodiscard]] int connect_to(const std::filesystem::path& socket);

} // namespace ferry::bench
