// A daemon that starts above running jobs, and what the shim above each of them takes.
#include "bench/figures.hpp"

#include <fstream>
#include <sstream>
#include <thread>

namespace ferry::bench {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr int running = 100;
constexpr std::int64_t queued = 100'000;

void wait_for_running(const daemon_under_test& daemon, std::int64_t wanted) {
  const auto connection = daemon.connect();
  const std::string question = http_connection::request("GET", "/api/v1/status");
  while (json::parse(connection->send(question))["counts"]["running"] != wanted)
    std::this_thread::sleep_for(1ms);
}

// Private memory of a process, in MiB: what would be free were it gone.
double own_memory_mib(std::int64_t pid) {
  std::ifstream lines("/proc/" + std::to_string(pid) + "/smaps_rollup");
  double kib = 0;
  for (std::string line; std::getline(lines, line);)
    for (const char* key : {"Private_Clean:", "Private_Dirty:"})
      if (line.starts_with(key))
        kib += std::stod(line.substr(std::string(key).size()));
  return kib / 1024;
}

samples shim_memory(const daemon_under_test& daemon) {
  samples taken;
  for (const auto& run : std::filesystem::directory_iterator(daemon.folder() / "data" / "runs")) {
    const json shim = json::parse(std::ifstream(run.path() / "shim.json"), nullptr, false);
    if (shim.is_object())
      taken.add(own_memory_mib(shim.value("pid", std::int64_t{0})));
  }
  return taken;
}

} // namespace

void adopting(bench_run& run) {
  auto options = run.daemon();
  options.slots = running;
  daemon_under_test daemon(options);
  daemon.start();
  const auto go = daemon.folder() / "go";
  const auto connection = daemon.connect();
  for (int i = 0; i < running; ++i)
    connection->post("/api/v1/jobs", command_job({"sh", "-c", "while ! test -e " + go.string() + "; do sleep 0.2; done"}));
  wait_for_running(daemon, running);
  const auto memory = shim_memory(daemon);
  run.out.figure("a shim's own memory above a running job, " + std::to_string(memory.count()) + " shims",
                 "p50 " + number(memory.p50()) + " MiB", "≤ 2 MiB", {{memory.p50(), 2, better::less}});
  daemon.pause();
  daemon.fill_to(queued);
  samples serving;
  for (int i = 0; i < 3; ++i) {
    daemon.kill();
    serving.add(daemon.start());
    wait_for_running(daemon, running);
  }
  run.out.figure("serving again after kill -9, 100 running, 100,000 queued", number(serving.p50() / 1000) + " s", "");
  daemon.kill();
  std::ofstream(go) << "";
  std::this_thread::sleep_for(1s); // all have ended while nobody looked
  const auto began = clock::now();
  daemon.start();
  wait_for_running(daemon, 0);
  run.out.figure("from the start until 100 jobs that ended meanwhile are harvested, 100,000 queued",
                 number(seconds_since(began)) + " s", "");
}

} // namespace ferry::bench
