// The sockets that the server listens on.
#pragma once

#include "model/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <optional>
#include <string>

namespace ferry::http {

class listeners {
public:
  listeners() = default;
  ~listeners(); // removes the Unix socket
  listeners(const listeners&) = delete;
  listeners& operator=(const listeners&) = delete;

  // Mode 0600. A socket that a dead daemon left behind is replaced. Errors: locked (somebody answers on it), io.
  [[nodiscard]] result<void> open_unix(boost::asio::io_context& context, const std::filesystem::path& path);
  // `address` is "127.0.0.1:7878" or "[::1]:7878"; the configuration has made sure that it may be listened on. Errors: io.
  [[nodiscard]] result<void> open_tcp(boost::asio::io_context& context, const std::string& address);

  std::optional<boost::asio::local::stream_protocol::acceptor> unix_acceptor;
  std::optional<boost::asio::ip::tcp::acceptor> tcp_acceptor;
  unsigned short tcp_port = 0;

private:
  std::filesystem::path unix_path_;
};

// The token of the daemon's owner, made (mode 0600) when the file is missing. Errors: io.
[[nodiscard]] result<std::string> read_or_make_token(const std::filesystem::path& file);

} // namespace ferry::http
