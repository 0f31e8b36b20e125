#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"
#include "runners/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ferry::cli {
namespace {

constexpr std::chrono::milliseconds stop_within{30'000}; // it takes two seconds at most; a slow disk may hold the last commit up

// A process that cannot become another one while it is held.
class held_process {
public:
  explicit held_process(pid_t pid) : descriptor_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

  [[nodiscard]] bool send(int signal) const {
    return descriptor_ && ::syscall(SYS_pidfd_send_signal, descriptor_.get(), signal, nullptr, 0) == 0;
  }
  [[nodiscard]] bool ends_within(std::chrono::milliseconds limit) const {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd ended{descriptor_.get(), POLLIN, 0};
      if (::poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) > 0)
        return true;
      if (left.count() <= 0)
        return false;
    }
  }

private:
  runners::descriptor descriptor_;
};

class down final : public action {
public:
  void declare(arguments&) override {}

  result<int> run(context& c) override {
    const auto first = c.daemon().process();
    if (!first)
      return fail(first.error());
    if (!*first) {
      if (c.wants_json())
        c.print_json(to_text({{"stopped", false}, {"pid", nullptr}, {"running", nullptr}}));
      else
        c.print("no daemon runs\n");
      return exit_completed;
    }
    const pid_t pid = **first;
    const held_process daemon(pid);
    // It answers after it was taken hold of, on the same connection: so that is the process that we hold, whoever had this number
    // before.
    const auto status = c.ask({.method = "GET", .path = "/status"});
    if (!status)
      return fail(status.error());
    if (const auto second = c.daemon().process(); !second || *second != *first)
      return fail(error_code::conflict, "another daemon has just taken the place of the one with pid " + std::to_string(pid),
                  "try again");
    if (!daemon.send(SIGTERM))
      return fail(errno == EPERM ? error_code::unauthorized : error_code::io,
                  "the daemon (pid " + std::to_string(pid) + ") cannot be told to stop: " + std::strerror(errno));
    if (!daemon.ends_within(stop_within))
      return fail(error_code::unavailable, "the daemon (pid " + std::to_string(pid) + ") was told to stop and still runs after " +
                                               std::to_string(stop_within.count() / 1000) + " s");
    const auto running = integer_field(object_field(*status, "counts"), "running").value_or(0);
    if (c.wants_json())
      c.print_json(to_text({{"stopped", true}, {"pid", pid}, {"running", running}}));
    else
      c.print("the daemon (pid " + std::to_string(pid) + ") has stopped" +
              (running == 0 ? std::string("\n")
                            : "; " + count_of(running, "running job goes", "running jobs go") +
                                  " on, and the next daemon takes up what came of it\n"));
    return exit_completed;
  }
};

} // namespace

std::unique_ptr<action> make_down() { return std::make_unique<down>(); }

} // namespace ferry::cli
