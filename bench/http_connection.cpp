#include "bench/http_connection.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ferry::bench {

int connect_to(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& path = socket.native();
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error("too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor >= 0 && ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  if (descriptor >= 0)
    ::close(descriptor);
  return -1;
}

http_connection::http_connection(const std::filesystem::path& socket) : descriptor_(connect_to(socket)) {
  if (descriptor_ < 0)
    throw std::runtime_error("nobody listens on " + socket.string());
}

http_connection::~http_connection() { ::close(descriptor_); }

std::string http_connection::request(std::string_view method, std::string_view path, std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: ferry\r\n");
  if (!body.empty())
    text += "Content-Type: application/json\r\n";
  if (!body.empty() || method == "POST")
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append("\r\n").append(body);
}

void http_connection::read_more() {
  const std::size_t before = received_.size();
  constexpr std::size_t piece = 64 * 1024;
  received_.resize(before + piece);
  const ssize_t got = ::recv(descriptor_, received_.data() + before, piece, 0);
  if (got <= 0)
    throw std::runtime_error(got == 0 ? "the connection was closed" : std::string("recv: ") + std::strerror(errno));
  received_.resize(before + static_cast<std::size_t>(got));
}

std::string_view http_connection::send(std::string_view request) {
  while (!request.empty()) {
    const ssize_t sent = ::send(descriptor_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0)
      throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  received_.clear();
  std::size_t head = std::string::npos;
  while ((head = received_.find("\r\n\r\n")) == std::string::npos)
    read_more();
  std::size_t length = 0;
  bool has_length = false;
  for (std::size_t line = 0; line < head; line = received_.find("\r\n", line) + 2) {
    constexpr std::string_view name = "Content-Length:";
    if (::strncasecmp(received_.data() + line, name.data(), name.size()) == 0) {
      length = std::stoul(received_.substr(line + name.size(), 20));
      has_length = true;
    }
  }
  if (!has_length)
    throw std::runtime_error("an answer without Content-Length: " + received_.substr(0, head));
  const std::size_t body = head + 4;
  while (received_.size() < body + length)
    read_more();
  if (received_.compare(0, 10, "HTTP/1.1 2") != 0)
    throw std::runtime_error("refused: " + received_.substr(0, 500));
  return std::string_view(received_).substr(body, length);
}

} // namespace ferry::bench
