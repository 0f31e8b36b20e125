#include "bench/crowd.hpp"
#include "bench/figures.hpp"

namespace ferry::bench {
namespace {

// A client that sends the same submit again and again over one connection.
auto submitter(const daemon_under_test& daemon, std::string body) {
  return [&daemon, request = http_connection::request("POST", "/api/v1/jobs", body)] {
    return [connection = std::shared_ptr<http_connection>(daemon.connect()), &request] { connection->send(request); };
  };
}

crowd_result submit_by_socket(const bench_run& run, int clients, int jobs_a_request) {
  daemon_under_test daemon(run.daemon());
  daemon.start();
  daemon.pause();
  const std::string body = jobs_a_request == 1 ? command_job({"true"}) : no_op_jobs(jobs_a_request);
  return run_crowd(clients, run.seconds, submitter(daemon, body));
}

crowd_result submit_by_command_line(const bench_run& run, int clients) {
  daemon_under_test daemon(run.daemon());
  daemon.start();
  daemon.pause();
  const program submit = daemon.ferry({"submit", "--quiet", "command", "--", "true"});
  return run_crowd(clients, run.seconds, [&] { return [one = std::make_shared<prepared_program>(submit)] { one->run(); }; });
}

} // namespace

void submitting(bench_run& run) {
  double syncs = 0;
  const auto beside_syncs = [&](auto figure) {
    return beside(
        syncs, [&] { return measure_syncs(run.folder, false, run.seconds / 2); }, figure);
  };
  const auto alone = beside_syncs([&] { return submit_by_socket(run, 1, 1); });
  run.out.figure("durable submits/s over the socket, 1 client",
                 number(alone.rate) + "/s = " + number(alone.rate / syncs) + " × fdatasync; p50 " + number(alone.each.p50()) +
                     " ms, p99 " + number(alone.each.p99()) + " ms",
                 "≥ 1.0 × fdatasync (" + number(syncs) + "/s beside it), p50 ≤ 0.45 ms",
                 {{alone.rate / syncs, 1.0, better::more}, {alone.each.p50(), 0.45, better::less}});
  const auto eight = beside_syncs([&] { return submit_by_socket(run, 8, 1); });
  run.out.figure("durable submits/s over the socket, 8 clients",
                 number(eight.rate) + "/s = " + number(eight.rate / syncs) + " × fdatasync; p50 " + number(eight.each.p50()) +
                     " ms, p99 " + number(eight.each.p99()) + " ms",
                 "≥ 3.2 × fdatasync (" + number(syncs) + "/s beside it)", {{eight.rate / syncs, 3.2, better::more}});
  for (const int many : {100, 1000}) {
    const auto bulk = submit_by_socket(run, 1, many);
    run.out.figure("bulk submit, " + number(many) + " a request", number(bulk.rate * many) + " jobs/s", "≥ 60,000 jobs/s",
                   {{bulk.rate * many, 60'000, better::more}});
  }
  const auto command = submit_by_command_line(run, 1);
  run.out.figure("`ferry submit`, one at a time",
                 "p50 " + number(command.each.p50()) + " ms, p99 " + number(command.each.p99()) + " ms",
                 "p50 ≤ 2, p99 ≤ 7 ms (spawn alone: " + number(1000 / run.limits.spawns) + " ms)",
                 {{command.each.p50(), 2, better::less}, {command.each.p99(), 7, better::less}});
  const auto commands = submit_by_command_line(run, 8);
  run.out.figure("`ferry submit`, 8 at once", number(commands.rate) + "/s",
                 "≥ 1,000/s (spawn, two in parallel: " + number(run.limits.spawns_two) + "/s)",
                 {{commands.rate, 1000, better::more}});
}

} // namespace ferry::bench
