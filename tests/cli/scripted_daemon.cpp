#include "scripted_daemon.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <stdexcept>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ferry::cli::test {
namespace http = boost::beast::http;

namespace {

int peer_of(int connection) {
  ucred who{};
  socklen_t size = sizeof who;
  ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size);
  return who.pid;
}

} // namespace

scripted_daemon::scripted_daemon(script answer) : answer_(std::move(answer)) {
  std::string name = (std::filesystem::temp_directory_path() / "ferry-cli-test-XXXXXX").string();
  if (!::mkdtemp(name.data()))
    throw std::runtime_error("no temporary folder");
  folder_ = name;
  socket_ = folder_ / "ferry.sock";
  listen();
  thread_ = std::thread([this] { serve(); });
}

scripted_daemon::~scripted_daemon() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (talking_to_ >= 0)
      ::shutdown(talking_to_, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void scripted_daemon::listen() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket_.string(), address.sun_path);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 16) != 0)
    throw std::runtime_error("the test's socket cannot be bound");
}

void scripted_daemon::serve() {
  for (;;) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0)
      return;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        ::close(connection);
        return;
      }
      talking_to_ = connection;
      ++connections_;
    }
    talk(connection);
  }
}

void scripted_daemon::talk(int connection) {
  boost::asio::io_context io;
  boost::asio::local::stream_protocol::socket socket(io, boost::asio::local::stream_protocol(), connection);
  boost::beast::flat_buffer buffer;
  boost::system::error_code problem;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(64 * 1024 * 1024);
    http::read(socket, buffer, parser, problem);
    if (problem)
      break;
    const auto& message = parser.get();
    const asked what{message.method_string(),    message.target(),         message.body(),
                     message["Idempotency-Key"], message["Upload-Offset"], peer_of(connection)};
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(what);
    }
    const reply said = answer_(what);
    if (said.hang_up)
      break;
    http::response<http::string_body> response(static_cast<http::status>(said.status), 11);
    for (const auto& [name, value] : said.headers)
      response.set(name, value);
    response.body() = said.body;
    response.prepare_payload();
    http::write(socket, response, problem);
    if (problem)
      break;
  }
  const std::lock_guard lock(mutex_);
  talking_to_ = -1;
}

std::vector<asked> scripted_daemon::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int scripted_daemon::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

} // namespace ferry::cli::test
