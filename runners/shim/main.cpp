// ferry-shim: the small process above a run, started by ferryd, which it outlives; or by Slurm, for a run on one of its nodes.
#include "runners/shim/lone_run.hpp"
#include "runners/shim/supervisor.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace ferry::runners;
  if (argc == 3 && std::strcmp(argv[1], "--run") == 0)
    return run_alone(argv[2]);
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(launcher_fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
    std::fputs("ferry-shim: started by ferryd for its runs; it does nothing by itself\n", stderr);
    return 64;
  }
  ::fcntl(launcher_fd, F_SETFD, FD_CLOEXEC);
  ::syscall(SYS_close_range, launcher_fd + 1, ~0U, 0U);
  // Nothing but SIGKILL and the end of its work ends a shim: not the terminal, not a service manager that stops the daemon.
  sigset_t all, children;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
  descriptor child_signals(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  supervisor(descriptor(launcher_fd), std::move(child_signals)).serve();
  return 0;
}
