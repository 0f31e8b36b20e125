#include "gpu/upscale/program/batch.hpp"
#include "gpu/upscale/program/devices.hpp"
#include "gpu/upscale/program/event_reporter.hpp"
#include "gpu/upscale/program/options.hpp"
#include "gpu/upscale/program/signals.hpp"
#include "gpu/upscale/program/text_reporter.hpp"
#include "gpu/upscale/program/worker.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

using namespace ferry;
using namespace ferry::upscale;

namespace {

constexpr int all_done = 0, some_failed = 1, bad_usage = 2;

int complain(const error& why, int status) {
  std::fprintf(stderr, "ferry-upscale: %s\n", to_string(why).c_str());
  return status;
}

// The file that $FERRY_EVENTS names, or -1.
int open_events() {
  const char* name = std::getenv("FERRY_EVENTS");
  if (name == nullptr || *name == '\0')
    return -1;
  const int fd = ::open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    std::fprintf(stderr, "ferry-upscale: FERRY_EVENTS=%s cannot be written: %s\n", name,
                 std::generic_category().message(errno).c_str());
  return fd;
}

batch_outcome run(std::vector<batch_entry> jobs, const compute_options& compute, reporter& says) {
  engines networks(compute, [&says](const std::string& text) { says.log(0, text); });
  return run_batch(std::move(jobs), networks, says, {[] { return stop_signal() != 0; }, [](std::int64_t) { return false; }});
}

int run_direct(const options& chosen) {
  text_reporter says(true);
  std::vector<batch_entry> jobs;
  jobs.push_back({chosen.job.id, chosen.job});
  const batch_outcome outcome = run(std::move(jobs), chosen.compute, says);
  return outcome.stopped ? 128 + stop_signal() : outcome.failed == 0 ? all_done : some_failed;
}

// The exit status speaks of the whole batch: one that is not 0 fails those of its jobs too that are done. So where the queue was
// told of each job's end, it is 0 as soon as one is done.
int status_of(const batch_outcome& outcome, bool queue_was_told, bool was_heard) {
  if (outcome.stopped)
    return 128 + stop_signal();
  if (!was_heard)
    return some_failed;
  return outcome.failed == 0 || (queue_was_told && outcome.done > 0) ? all_done : some_failed;
}

int run_spec(const options& chosen) {
  const int events = open_events();
  auto spec = read_spec(chosen.spec_file);
  if (!spec) {
    if (events >= 0)
      event_reporter(events).all_failed(spec.error());
    return complain(spec.error(), bad_usage);
  }
  compute_options compute = chosen.compute;
  if (spec->on_cpu && compute.device == device_choice::automatic)
    compute.device = device_choice::cpu;
  std::vector<std::unique_ptr<reporter>> both;
  // A progress line on the terminal is for `ferry run`; the queue's log needs none.
  both.push_back(std::make_unique<text_reporter>(events < 0 || ::isatty(STDERR_FILENO) == 1));
  if (events >= 0)
    both.push_back(std::make_unique<event_reporter>(events));
  const auto says = all_of(std::move(both));
  const batch_outcome outcome = run(std::move(spec->jobs), compute, *says);
  return status_of(outcome, events >= 0, says->is_heard());
}

} // namespace

int main(int count, char** words) {
  const auto chosen = parse_options(count, words);
  if (!chosen)
    return complain(chosen.error(), bad_usage);
  catch_stop_signals();
  switch (chosen->what) {
  case options::purpose::print: std::fputs(chosen->text.c_str(), stdout); return all_done;
  case options::purpose::devices: std::fputs(describe_devices().c_str(), stdout); return all_done;
  case options::purpose::direct: return run_direct(*chosen);
  case options::purpose::spec: return run_spec(*chosen);
  case options::purpose::worker: return run_worker(STDIN_FILENO, STDOUT_FILENO, chosen->compute);
  }
  return bad_usage;
}
