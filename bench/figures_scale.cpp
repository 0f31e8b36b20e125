#include "bench/figures.hpp"

#include <map>

namespace ferry::bench {
namespace {

struct look_times {
  samples status, queue, show;
};

look_times look(const bench_run& run, const daemon_under_test& daemon, bool any_job) {
  const auto time_of = [&](const std::vector<std::string>& words) {
    prepared_program command(daemon.ferry(words));
    samples taken;
    for (int i = 0; i < run.repetitions; ++i) {
      const auto start = clock::now();
      command.run();
      taken.add(seconds_since(start) * 1000);
    }
    return taken;
  };
  return {time_of({"status"}), time_of({"queue"}), any_job ? time_of({"show", "1"}) : samples{}};
}

void put_look(bench_run& run, const std::string& queued, const look_times& now, const look_times* empty, bool has_goal) {
  const auto put = [&](const std::string& name, const samples& times, const samples* base, double bound) {
    std::vector<goal> goals;
    std::string wanted, ratio;
    if (has_goal) {
      wanted = "p50 ≤ " + number(bound) + " ms";
      goals.push_back({times.p50(), bound, better::less});
    }
    if (base && base->count() > 0) {
      ratio = "; " + number(times.p50() / base->p50()) + " × empty";
      if (has_goal) {
        wanted += ", ≤ 1.3 × empty";
        goals.push_back({times.p50() / base->p50(), 1.3, better::less});
      }
    }
    run.out.figure("`ferry " + name + "`, " + queued + " queued",
                   "p50 " + number(times.p50()) + " ms, p99 " + number(times.p99()) + " ms" + ratio, wanted, goals);
  };
  put("status", now.status, empty ? &empty->status : nullptr, 3);
  put("queue", now.queue, empty ? &empty->queue : nullptr, 4);
  if (now.show.count() > 0)
    run.out.figure("`ferry show`, " + queued + " queued",
                   "p50 " + number(now.show.p50()) + " ms, p99 " + number(now.show.p99()) + " ms", "≤ 50 ms",
                   {{now.show.p50(), 50, better::less}});
}

struct scale_goals {
  double memory_mib = 0; // 0: none
  double restart_s = 0;
};
const std::map<std::int64_t, scale_goals>& goals_of_scale() {
  static const std::map<std::int64_t, scale_goals> goals{
      {0, {20, 0}}, {10'000, {0, 0.1}}, {100'000, {40, 0.25}}, {1'000'000, {150, 2}}};
  return goals;
}

void put_memory(bench_run& run, const std::string& name, const daemon_under_test& daemon, double bound_mib) {
  const auto memory = daemon.read_memory();
  run.out.figure(name, number(memory.rss_mib) + " MiB (Pss " + number(memory.pss_mib) + ")", "≤ " + number(bound_mib) + " MiB",
                 {{memory.rss_mib, bound_mib, better::less}});
}

void restart(bench_run& run, daemon_under_test& daemon, std::int64_t queued, double bound_s) {
  samples taken;
  for (int i = 0; i < 3; ++i) {
    daemon.kill();
    taken.add(daemon.start());
    if (const std::int64_t found = daemon.status()["counts"]["queued"]; found != queued)
      throw std::runtime_error("after kill -9 " + std::to_string(found) + " jobs are queued instead of " + std::to_string(queued));
  }
  run.out.figure("serving again after kill -9, " + number(static_cast<double>(queued)) + " queued",
                 number(taken.p50() / 1000) + " s", "≤ " + number(bound_s) + " s", {{taken.p50() / 1000, bound_s, better::less}});
}

} // namespace

void scale(bench_run& run) {
  daemon_under_test daemon(run.daemon());
  run.out.figure("first start, on an empty folder", number(daemon.start() / 1000) + " s", "");
  daemon.pause();
  look_times empty;
  for (const auto& [queued, goals] : goals_of_scale()) {
    if (queued > run.jobs_max)
      break;
    const std::string count = number(static_cast<double>(queued));
    daemon.fill_to(queued);
    if (goals.memory_mib > 0) {
      put_memory(run, "memory, " + count + " queued", daemon, goals.memory_mib);
      const auto now = look(run, daemon, queued > 0);
      put_look(run, count, now, queued > 0 ? &empty : nullptr, queued > 0 && queued <= 100'000);
      if (queued == 0)
        empty = now;
    }
    if (goals.restart_s > 0) {
      restart(run, daemon, queued, goals.restart_s);
      if (goals.memory_mib > 0)
        put_memory(run, "memory after a restart, " + count + " queued", daemon, goals.memory_mib);
    }
  }
}

} // namespace ferry::bench
