#include "runners/shim/lone_run.hpp"

#include "runners/run_claim.hpp"
#include "runners/shim/supervised_run.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

extern char** environ; // NOLINT: POSIX names it so

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;
using clock = shim_run::clock;

constexpr auto look_pause = 1s; // between two looks at stop.json

// Blocked, and read from a descriptor: children's ends and the wish to end. All others are blocked for good.
descriptor take_signals() {
  sigset_t all, taken;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::sigemptyset(&taken);
  ::sigaddset(&taken, SIGCHLD);
  ::sigaddset(&taken, SIGTERM);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
  return descriptor(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Which devices it was given Slurm alone knows, and says in the environment. Where it says nothing a run with a GPU sees all of the
// node's, and one without sees none.
void take_over_environment(run_spec& spec) {
  if (const auto visible = spec.environment.find("CUDA_VISIBLE_DEVICES");
      visible != spec.environment.end() && !visible->second.empty())
    spec.environment.erase(visible);
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK"})
    if (const char* value = std::getenv(name))
      spec.environment[name] = value;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (const std::string_view assignment(*entry); assignment.starts_with("SLURM_"))
      if (const auto equals = assignment.find('='); equals != std::string_view::npos)
        spec.environment[std::string(assignment.substr(0, equals))] = assignment.substr(equals + 1);
}

bool terminate_came(const descriptor& signals) {
  bool came = false;
  signalfd_siginfo which{};
  while (::read(signals.get(), &which, sizeof which) == static_cast<ssize_t>(sizeof which))
    came = came || which.ssi_signo == SIGTERM;
  return came;
}

int milliseconds_until(clock::time_point due) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min(due, clock::now() + look_pause) - clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds>(left, 0ms, look_pause).count());
}

void supervise(shim_run& run, const descriptor& signals, std::chrono::milliseconds grace) {
  std::optional<std::chrono::milliseconds> asked; // the grace that the daemon gave last
  while (!run.is_over()) {
    pollfd source{signals.get(), POLLIN, 0};
    ::poll(&source, 1, milliseconds_until(run.next_due()));
    const bool came = terminate_came(signals);
    if (const auto wish = read_stop(run.directory(), run.batch()); wish && (!asked || wish->grace < *asked)) {
      asked = wish->grace;
      run.stop(*wish);
    } else if (came && !asked) {
      run.stop({run.batch(), ended_by_slurm, grace, {}});
    }
    run.proceed();
  }
}

std::int64_t slurm_job() {
  const char* id = std::getenv("SLURM_JOB_ID");
  return id ? std::atoll(id) : 0;
}

} // namespace

int run_alone(const std::filesystem::path& path) {
  descriptor directory = open_directory(path);
  descriptor lock(directory ? ::openat(directory.get(), run_file::lock, O_RDWR | O_CLOEXEC) : -1);
  if (!lock) {
    std::fprintf(stderr, "ferry-shim: %s is no run directory that this machine sees\n", path.c_str());
    return 66;
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || read_shim_identity(directory.get()))
    return 0;
  const descriptor signals = take_signals();
  const auto claimed = claim_run(directory.get(), {.by_shim = true, .slurm_job = slurm_job()});
  if (!claimed || !*claimed) {
    if (!claimed)
      std::fprintf(stderr, "ferry-shim: %s\n", to_string(claimed.error()).c_str());
    return claimed ? 0 : 74;
  }
  auto spec = read_spec(directory.get());
  const auto grace = spec ? spec->grace : 0ms;
  const std::string fault = !spec          ? spec.error().what
                            : spec->worker ? std::string("it is to run on a worker, and there are none here")
                                           : std::string();
  if (spec)
    take_over_environment(*spec);
  supervised_run run(spec ? std::move(*spec) : run_spec(), lease_watch(), std::move(lock), std::move(directory),
                     [](const notice&) {});
  shim_record identity;
  if (!fault.empty())
    run.refuse({.kind = failure_kind::launch, .message = fault}, {});
  else if (!run.start(identity))
    return 74; // nothing was started, and nothing could be written down
  supervise(run, signals, grace);
  if (const descriptor record = run.take_record())
    ::fsync(record.get());
  return 0;
}

} // namespace ferry::runners
