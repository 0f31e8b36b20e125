#include "tests/integration/raw_http.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace ferry::tests {
namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

template <class Address>
int connect_to(int family, const Address& address) {
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return descriptor;
}

} // namespace

std::string raw_answer::header(const std::string& name) const {
  const auto lines = lower(head);
  const auto at = lines.find("\r\n" + lower(name) + ": ");
  if (at == std::string::npos)
    return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

raw_connection::raw_connection(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  descriptor_ = connect_to(AF_UNIX, address);
}

raw_connection::raw_connection(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  descriptor_ = connect_to(AF_INET, address);
}

raw_connection::raw_connection(raw_connection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), rest_(std::move(other.rest_)) {}

raw_connection::~raw_connection() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void raw_connection::send(const std::string& bytes) const {
  REQUIRE(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

bool raw_connection::try_to_send(const std::string& bytes) const {
  return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

void raw_connection::finish_sending() const { ::shutdown(descriptor_, SHUT_WR); }

bool raw_connection::is_closed_by_peer(int patience_ms) const {
  pollfd what{.fd = descriptor_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&what, 1, patience_ms) == 1;
}

std::string raw_connection::read() const {
  char buffer[65536];
  const auto n = ::read(descriptor_, buffer, sizeof buffer);
  REQUIRE((n >= 0 || errno == ECONNRESET));
  return {buffer, static_cast<std::size_t>(std::max<ssize_t>(0, n))};
}

std::string raw_connection::read_until(const std::string& mark) {
  std::size_t at = 0;
  while ((at = rest_.find(mark)) == std::string::npos) {
    const auto more = read();
    if (more.empty())
      return std::exchange(rest_, {});
    rest_ += more;
  }
  auto found = rest_.substr(0, at + mark.size());
  rest_.erase(0, at + mark.size());
  return found;
}

raw_answer raw_connection::ask(const std::string& method, const std::string& target, const std::vector<std::string>& headers,
                               const std::string& body) {
  std::string request = method + " " + target + " HTTP/1.1\r\n";
  for (const auto& header : headers)
    request += header + "\r\n";
  if (std::none_of(headers.begin(), headers.end(), [](const std::string& one) { return one.starts_with("Host:"); }))
    request += "Host: localhost\r\n";
  if (method != "GET" && method != "HEAD")
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(request + "\r\n" + body);
  raw_answer answer;
  answer.head = read_until(std::string(end_of_head));
  REQUIRE(answer.head.starts_with("HTTP/1.1 "));
  answer.status = std::stoi(answer.head.substr(9));
  if (method == "HEAD")
    return answer;
  if (const auto length = answer.header("Content-Length"); !length.empty()) {
    while (rest_.size() < std::stoul(length)) {
      const auto more = read();
      REQUIRE_FALSE(more.empty());
      rest_ += more;
    }
    answer.body = rest_.substr(0, std::stoul(length));
    rest_.erase(0, answer.body.size());
  } else if (answer.header("Transfer-Encoding") == "chunked") {
    for (;;) {
      const auto size = std::stoul(read_until("\r\n"), nullptr, 16);
      std::string chunk;
      while (rest_.size() < size + 2)
        rest_ += read();
      answer.body += rest_.substr(0, size);
      rest_.erase(0, size + 2);
      if (size == 0)
        break;
    }
  }
  return answer;
}

event_reader::event_reader(raw_connection connection, const std::string& query, const std::string& last_event_id)
    : connection_(std::move(connection)) {
  connection_.send("GET /api/v1/events" + query + " HTTP/1.1\r\nHost: localhost\r\n" +
                   (last_event_id.empty() ? "" : "Last-Event-ID: " + last_event_id + "\r\n") + "\r\n");
  head_ = connection_.read_until(std::string(end_of_head));
}

std::string event_reader::line() {
  std::size_t end = 0;
  while ((end = text_.find('\n')) == std::string::npos) {
    const auto size_line = connection_.read_until("\r\n");
    REQUIRE_FALSE(size_line.empty());
    auto left = std::stoul(size_line, nullptr, 16);
    REQUIRE(left > 0);
    while (left > 0) { // all of the chunk, and the end of the line behind it
      const auto piece = connection_.read_until("\n");
      REQUIRE_FALSE(piece.empty());
      text_ += piece.substr(0, std::min<std::size_t>(left, piece.size()));
      left -= std::min<std::size_t>(left, piece.size());
    }
    REQUIRE(connection_.read_until("\r\n") == "\r\n");
  }
  auto found = text_.substr(0, end);
  text_.erase(0, end + 1);
  return found;
}

server_event event_reader::next() {
  server_event event;
  for (;;) {
    const auto one = line();
    if (one.empty() && !event.name.empty())
      return event;
    if (one.starts_with("id: "))
      event.id = one.substr(4);
    if (one.starts_with("event: "))
      event.name = one.substr(7);
    if (one.starts_with("data: "))
      event.data = json::parse(one.substr(6));
  }
}

server_event event_reader::next(const std::string& name, const std::function<bool(const json&)>& fits) {
  for (;;)
    if (auto event = next(); event.name == name && (!fits || fits(event.data)))
      return event;
}

} // namespace ferry::tests
