#include "runners/shim_pool.hpp"

#include "runners/packets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>

namespace ferry::runners {
namespace {

constexpr std::chrono::seconds window{10};

} // namespace

result<shim_process> start_shim(const std::filesystem::path& program) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail(error_code::io, std::string("cannot make a socket for a shim: ") + std::strerror(errno));
  shim_process shim{descriptor(pair[0])};
  const descriptor theirs(pair[1]);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  ::sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
  // Standard error too: whoever reads the daemon's waits for its end, and a shim may live for weeks longer.
  ::posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), launcher_fd);
  ::posix_spawn_file_actions_addchdir_np(&actions, "/");
  std::string name = "ferry-shim";
  std::array<char*, 2> argv{name.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  const std::string path = std::filesystem::absolute(program).string();
  const int refused = ::posix_spawn(&shim.pid, path.c_str(), &actions, &attributes, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (refused == 0)
    return shim;
  const std::string what = "cannot start " + path + ": " + std::strerror(refused);
  return fail(refused == ENOENT ? error_code::not_found : error_code::io, what, "ferry-shim is installed beside ferryd");
}

void idle_shims::remove(std::uint64_t shim) {
  std::erase(waiting_, shim);
  least_ = std::min(least_, waiting_.size());
}

std::uint64_t idle_shims::take() {
  if (waiting_.empty())
    return 0;
  const std::uint64_t shim = waiting_.front();
  waiting_.pop_front();
  least_ = std::min(least_, waiting_.size());
  return shim;
}

std::uint64_t idle_shims::take_surplus(clock::time_point now) {
  if (now >= window_end_) {
    surplus_ = least_ > ready_ ? least_ - ready_ : 0;
    least_ = waiting_.size();
    window_end_ = now + window;
  }
  if (surplus_ == 0 || waiting_.size() <= ready_)
    return 0;
  --surplus_;
  return take();
}

idle_shims::clock::time_point idle_shims::surplus_due() const {
  return waiting_.size() > ready_ ? window_end_ : clock::time_point::max();
}

} // namespace ferry::runners
