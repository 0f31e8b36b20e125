#include "bench/figures.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <poll.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::bench {

stamp_reader::stamp_reader(std::filesystem::path fifo) : fifo_(std::move(fifo)) {
  std::filesystem::remove(fifo_);
  if (::mkfifo(fifo_.c_str(), 0600) == 0)
    descriptor_ = ::open(fifo_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC); // for writing too: no end of file between two writers
  if (descriptor_ < 0)
    throw std::runtime_error(fifo_.string() + ": " + std::strerror(errno));
}

stamp_reader::~stamp_reader() {
  ::close(descriptor_);
  std::error_code ignored;
  std::filesystem::remove(fifo_, ignored);
}

std::int64_t stamp_reader::next() {
  pollfd readable{descriptor_, POLLIN, 0};
  std::int64_t stamp = 0;
  if (::poll(&readable, 1, 10'000) != 1 || ::read(descriptor_, &stamp, sizeof stamp) != static_cast<ssize_t>(sizeof stamp))
    throw std::runtime_error("a job that should have started did not say so within 10 s");
  return stamp;
}

namespace {

samples starts(const bench_run& run, const daemon_under_test& daemon, stamp_reader& stamps, const std::function<void()>& submit) {
  samples taken;
  for (int i = 0; i < run.repetitions; ++i) {
    const std::int64_t before = monotonic_ns();
    submit();
    taken.add(static_cast<double>(stamps.next() - before) / 1e6);
    daemon.wait_until_idle();
  }
  return taken;
}

void from_submit_to_start(bench_run& run) {
  daemon_under_test daemon(run.daemon());
  daemon.start();
  stamp_reader stamps(daemon.folder() / "stamps");
  const std::vector<std::string> argv{daemon.stamp_program(), stamps.path()};

  const auto connection = daemon.connect();
  const std::string request = http_connection::request("POST", "/api/v1/jobs", command_job(argv));
  const auto by_socket = starts(run, daemon, stamps, [&] { connection->send(request); });
  run.out.figure("submit to process start, by socket",
                 "p50 " + number(by_socket.p50()) + " ms, p99 " + number(by_socket.p99()) + " ms", "p50 ≤ 2, p99 ≤ 6 ms",
                 {{by_socket.p50(), 2, better::less}, {by_socket.p99(), 6, better::less}});

  prepared_program submit(daemon.ferry({"submit", "--quiet", "command", "--", argv[0], argv[1]}));
  const auto by_command = starts(run, daemon, stamps, [&] { submit.run(); });
  run.out.figure("submit to process start, by command line",
                 "p50 " + number(by_command.p50()) + " ms, p99 " + number(by_command.p99()) + " ms", "p50 ≤ 3.5, p99 ≤ 10 ms",
                 {{by_command.p50(), 3.5, better::less}, {by_command.p99(), 10, better::less}});
}

double no_op_rate(const bench_run& run, std::int64_t jobs) {
  daemon_under_test daemon(run.daemon());
  daemon.start();
  daemon.pause();
  daemon.fill_to(jobs);
  const auto start = clock::now();
  daemon.unpause();
  daemon.wait_until_idle();
  const double rate = static_cast<double>(jobs) / seconds_since(start);
  if (const std::int64_t completed = daemon.status()["counts"]["completed"]; completed != jobs)
    throw std::runtime_error(std::to_string(completed) + " of " + std::to_string(jobs) + " jobs completed");
  return rate;
}

void jobs_that_do_nothing(bench_run& run) {
  const std::int64_t jobs = std::max<std::int64_t>(200, static_cast<std::int64_t>(run.seconds * 1000));
  double spawns = 0;
  const double rate = beside(
      spawns, [&] { return measure_spawns(2, run.seconds / 2); }, [&] { return no_op_rate(run, jobs); });
  run.out.figure("no-op process jobs/s, queued before (" + number(static_cast<double>(jobs)) + " jobs, " +
                     std::to_string(run.slots) + " slots)",
                 number(rate) + "/s = " + number(rate / spawns) + " × spawn",
                 "≥ 0.44 × spawn, two in parallel (" + number(spawns) + "/s beside it)", {{rate / spawns, 0.44, better::more}});
}

} // namespace

void starting(bench_run& run) {
  from_submit_to_start(run);
  jobs_that_do_nothing(run);
}

} // namespace ferry::bench
