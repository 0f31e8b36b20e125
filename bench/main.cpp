// ferry-bench: measures this machine's limits and then ferry against them. scripts/bench builds and calls it.
#include "bench/figures.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <sys/utsname.h>
#include <thread>

namespace {

using namespace ferry::bench;

constexpr const char* usage = R"(ferry-bench: measures the limits of this machine and ferry against them
  --work DIR        where data is written; on the disk that is to be measured (default: ./bench-data)
  --output FILE     write the report there as well
  --only NAMES      of submitting,starting,reading,scale,adopting,storing,peers; with commas
  --jobs-max N      queue at most N jobs (default 1000000)
  --seconds S       for each rate (default 2)
  --slots N         of the daemon that is measured (default 8)
  --shims N         started ahead of need (default 2)
  --patience S      wait so long for a quiet machine (default 60), then go on and say so
  --quick           --jobs-max 100000 --seconds 0.5, fewer repetitions
)";

struct part {
  const char* name;
  const char* title; // empty: rows of the table of figures
  void (*measure)(bench_run&);
};
constexpr part parts[] = {{"submitting", "", submitting},
                          {"starting", "", starting},
                          {"reading", "", reading},
                          {"scale", "", scale},
                          {"adopting", "", adopting},
                          {"storing", "", storing},
                          {"peers", "Peers on the same machine", peers}};

struct choices {
  std::filesystem::path work = "bench-data", output;
  std::set<std::string, std::less<>> only;
  std::int64_t jobs_max = 1'000'000;
  double seconds = 2, patience = 60;
  int slots = 8, shims = 2, repetitions = 300;
};

std::set<std::string, std::less<>> split(const std::string& names) {
  std::set<std::string, std::less<>> all;
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    all.insert(names.substr(at, end - at));
    at = end + 1;
  }
  for (const std::string& name : all)
    if (std::none_of(std::begin(parts), std::end(parts), [&](const part& p) { return p.name == name; }))
      throw std::invalid_argument("--only: there is no part \"" + name + "\"");
  return all;
}

choices read_choices(int argc, char** argv) {
  choices c;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> std::string {
      if (++i >= argc)
        throw std::invalid_argument(option + " needs a value");
      return argv[i];
    };
    if (option == "--work")
      c.work = value();
    else if (option == "--output")
      c.output = value();
    else if (option == "--only")
      c.only = split(value());
    else if (option == "--jobs-max")
      c.jobs_max = std::stoll(value());
    else if (option == "--seconds")
      c.seconds = std::stod(value());
    else if (option == "--slots")
      c.slots = std::stoi(value());
    else if (option == "--shims")
      c.shims = std::stoi(value());
    else if (option == "--patience")
      c.patience = std::stod(value());
    else if (option == "--quick")
      c.jobs_max = 100'000, c.seconds = 0.5, c.repetitions = 100;
    else
      throw std::invalid_argument("unknown option " + option + "\n" + usage);
  }
  return c;
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name"))
      return line.substr(line.find(':') + 2);
  return "unknown processor";
}

void describe_machine(report& out, double patience) {
  utsname system{};
  ::uname(&system);
  out.line("# ferry's figures");
  out.line("");
  out.line(processor() + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, Linux " + system.release + ".");
  const auto start = clock::now();
  auto found = measure_disturbance(1);
  while (!found.is_quiet() && seconds_since(start) < patience)
    found = measure_disturbance(1);
  out.line(std::string(found.is_quiet() ? "Quiet" : "NOT QUIET, so take latencies with care") + ": a spinning core lost " +
           number(found.lost_percent) + "% of its time, at most " + number(found.longest_ms) + " ms at once.");
}

void put_limits(report& out, const machine_limits& limits) {
  out.heading("Limits, measured in this run");
  out.columns({"limit", "measured"});
  out.row({"fdatasync after an appended 4 KiB", number(limits.syncs) + "/s"});
  out.row({"fdatasync in place", number(limits.syncs_in_place) + "/s"});
  out.row({"posix_spawn and wait, one after the other; two in parallel",
           number(limits.spawns) + "/s; " + number(limits.spawns_two) + "/s"});
  out.row({"SQLite rows, WAL, synchronous=FULL, 1 / 10 / 100 a transaction",
           number(limits.rows_1) + " / " + number(limits.rows_10) + " / " + number(limits.rows_100) + " a second"});
}

// What daemons that were measured have left: see ~daemon_under_test.
void remove_put_aside(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (int i = 1; std::filesystem::remove_all(folder.string() + "-" + std::to_string(i), ignored) > 0; ++i) {}
}

int measure(const choices& chosen) {
  report out;
  std::filesystem::create_directories(chosen.work);
  describe_machine(out, chosen.patience);
  bench_run run{.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path(),
                .folder = std::filesystem::canonical(chosen.work),
                .seconds = chosen.seconds,
                .repetitions = chosen.repetitions,
                .jobs_max = chosen.jobs_max,
                .slots = chosen.slots,
                .shims_ready = chosen.shims,
                .limits = measure_limits(std::filesystem::canonical(chosen.work), chosen.seconds),
                .out = out};
  put_limits(out, run.limits);
  out.heading("Figures");
  out.columns({"figure", "measured", "goal", "verdict"});
  for (const part& p : parts) {
    if (!chosen.only.empty() && !chosen.only.contains(p.name))
      continue;
    if (*p.title)
      out.heading(p.title);
    p.measure(run);
  }
  const auto after = measure_disturbance(1);
  out.line("");
  out.line(std::to_string(out.missed()) + " goals missed. At the end the machine was " +
           (after.is_quiet() ? "quiet" : "NOT QUIET") + ".");
  remove_put_aside(run.daemon().folder);
  if (!chosen.output.empty())
    std::ofstream(chosen.output) << out.text();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2 && (std::string(argv[1]) == "--help" || std::string(argv[1]) == "-h")) {
      std::fputs(usage, stdout);
      return 0;
    }
    return measure(read_choices(argc, argv));
  } catch (const std::invalid_argument& e) {
    std::cerr << "ferry-bench: " << e.what() << "\n";
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "ferry-bench: " << e.what() << "\n";
    return 1;
  }
}
