#include "remote/connecting.hpp"

#include <caf/openssl/remote_actor.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ferry::remote {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr int tries = 5;
constexpr auto look_max = 4s; // the kernel asks at once, after 1 s and after 3 s
constexpr auto stop_look = 100ms;

struct socket_closer {
  explicit socket_closer(int s) : socket(s) {}
  ~socket_closer() { ::close(socket); }
  socket_closer(const socket_closer&) = delete;
  socket_closer& operator=(const socket_closer&) = delete;
  int socket;
};

bool takes_connections(const addrinfo& where, clock::time_point until, const std::atomic<bool>& stop) {
  const socket_closer one(::socket(where.ai_family, where.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, where.ai_protocol));
  if (one.socket < 0)
    return false;
  if (::connect(one.socket, where.ai_addr, where.ai_addrlen) == 0)
    return true;
  if (errno != EINPROGRESS)
    return false;
  while (!stop && clock::now() < until) {
    pollfd wanted{one.socket, POLLOUT, 0};
    if (::poll(&wanted, 1, static_cast<int>(stop_look / 1ms)) <= 0)
      continue;
    int failure = 0;
    socklen_t size = sizeof failure;
    return ::getsockopt(one.socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
  }
  return false;
}

bool is_there(const std::string& host, std::uint16_t port, const std::atomic<bool>& stop) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  const auto until = clock::now() + look_max;
  for (const addrinfo* one = all.get(); one != nullptr; one = one->ai_next)
    if (takes_connections(*one, until, stop))
      return true;
  return false;
}

} // namespace

caf::expected<gateway_actor> connect(caf::actor_system& system, const std::string& host, std::uint16_t port,
                                     const std::atomic<bool>& stop) {
  for (int left = tries;;) {
    if (!is_there(host, port, stop))
      return caf::make_error(caf::sec::cannot_connect_to_node, "nobody takes connections there", host, port);
    auto found = caf::openssl::remote_actor<gateway_actor>(system, host, port);
    if (found || found.error() != caf::sec::connection_timeout || --left == 0 || stop)
      return found;
  }
}

caf::expected<gateway_actor> connect(caf::actor_system& system, const std::string& host, std::uint16_t port) {
  const std::atomic<bool> never = false;
  return connect(system, host, port, never);
}

} // namespace ferry::remote
