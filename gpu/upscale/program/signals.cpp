#include "gpu/upscale/program/signals.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ferry::upscale {
namespace {

std::atomic<int> first_signal{0};
std::atomic<int> descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free); // a handler may wait for nothing

extern "C" void on_stop_signal(int signal) {
  const int before = errno;
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
  const unsigned long long one = 1;
  (void)!::write(descriptor, &one, sizeof one);
  errno = before;
}

} // namespace

void catch_stop_signals() {
  descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

int stop_signal() { return first_signal; }

int stop_descriptor() { return descriptor; }

} // namespace ferry::upscale
