#include "http/listeners.hpp"

#include "http/token_store.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ferry::http {
namespace asio = boost::asio;
namespace {

constexpr int backlog = 1024;

tl::unexpected<error> cannot_listen(const std::string& where, const std::string& why, std::string hint = {}) {
  return fail(error_code::io, "cannot listen on " + where + ": " + why, std::move(hint));
}

// A daemon that was killed while it started a shim leaves a copy of its socket in the child until that has become the shim, and
// such a socket still takes connections: somebody is there only if it goes on doing so.
bool somebody_answers(asio::io_context& context, const asio::local::stream_protocol::endpoint& endpoint) {
  constexpr auto patience = std::chrono::milliseconds(500), pause = std::chrono::milliseconds(10);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    boost::system::error_code failed;
    asio::local::stream_protocol::socket probe(context);
    probe.connect(endpoint, failed);
    if (failed || std::chrono::steady_clock::now() >= deadline)
      return !failed;
    std::this_thread::sleep_for(pause);
  }
}

} // namespace

listeners::~listeners() {
  if (!unix_path_.empty())
    ::unlink(unix_path_.c_str());
}

result<void> listeners::open_unix(asio::io_context& context, const std::filesystem::path& path) {
  boost::system::error_code failed;
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  asio::local::stream_protocol::endpoint endpoint;
  try {
    endpoint = asio::local::stream_protocol::endpoint(path.string());
  } catch (const std::exception&) {
    return fail(error_code::invalid_argument,
                "http.socket is " + std::to_string(path.string().size()) + " bytes long; at most 107 are allowed",
                "choose a shorter path");
  }
  if (somebody_answers(context, endpoint))
    return fail(error_code::locked, "another daemon answers on " + path.string(), "stop it, or set http.socket to another path");
  if (std::filesystem::is_socket(path, ignored))
    ::unlink(path.c_str()); // a dead daemon left it behind

  asio::local::stream_protocol::acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), failed);
  const auto old_mask = ::umask(0177);
  if (!failed)
    acceptor.bind(endpoint, failed);
  ::umask(old_mask);
  if (!failed)
    acceptor.listen(backlog, failed);
  if (failed)
    return cannot_listen(path.string(), failed.message());
  unix_path_ = path;
  unix_acceptor = std::move(acceptor);
  return {};
}

result<void> listeners::open_tcp(asio::io_context& context, const std::string& address) {
  const auto colon = address.rfind(':');
  auto host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  unsigned short port = 0;
  const char* end = address.data() + address.size();
  const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
  boost::system::error_code failed;
  const auto ip = asio::ip::make_address(host, failed);
  if (colon == std::string::npos || failed || parsed.ec != std::errc{} || parsed.ptr != end)
    return fail(error_code::invalid_argument,
                "http.tcp.listen must be an address and a port such as 127.0.0.1:7878, is '" + address + "'");
  const asio::ip::tcp::endpoint endpoint(ip, port);
  asio::ip::tcp::acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed)
    acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed)
    acceptor.bind(endpoint, failed);
  if (!failed)
    acceptor.listen(backlog, failed);
  if (failed)
    return cannot_listen(address, failed.message(), "set http.tcp.listen to a free port");
  tcp_port = acceptor.local_endpoint(failed).port();
  tcp_acceptor = std::move(acceptor);
  return {};
}

result<std::string> read_or_make_token(const std::filesystem::path& file) {
  if (std::ifstream in(file); in) {
    std::string token;
    in >> token;
    if (token.size() < 32)
      return fail(error_code::io, "the token in " + file.string() + " is shorter than 32 characters",
                  "remove the file to have one made");
    return token;
  }
  const auto token = make_token();
  if (!token)
    return fail(token.error());
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const auto text = *token + "\n";
  const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int why = errno;
  if (fd >= 0)
    ::close(fd);
  if (!written)
    return fail(error_code::io, "cannot write the token to " + file.string() + ": " + std::strerror(why));
  return token;
}

} // namespace ferry::http
