#include "gpu/host.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string_view>
#include <vector>

namespace ferry::gpu {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t bytes_per_mib = 1024 * 1024;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end != text.data() && value >= 0 ? std::optional{value} : std::nullopt;
}

// The number after `key` in a file of "key value" lines.
std::optional<std::int64_t> entry(const fs::path& file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) {
      const std::size_t at = line.find_first_not_of(" \t", key.size());
      return at == std::string::npos ? std::nullopt : number(std::string_view(line).substr(at));
    }
  return std::nullopt;
}

// The folders of this process's control group and those above it, innermost first; `version_1` is its memory controller of old.
std::vector<fs::path> control_groups(const host_roots& roots, bool version_1) {
  std::vector<fs::path> folders;
  std::ifstream in(roots.proc / "self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (version_1 ? controllers.find(",memory,") == std::string::npos : controllers != ",,")
      continue;
    const fs::path root = version_1 ? roots.cgroup / "memory" : roots.cgroup;
    const fs::path inside = fs::path(line.substr(second + 1)).relative_path();
    for (fs::path at = inside; !at.empty(); at = at.parent_path())
      folders.push_back(root / at);
    folders.push_back(root); // in a container the root may itself be a group with bounds
  }
  return folders;
}

struct bounded_group {
  fs::path folder;
  std::int64_t bytes = 0;
  bool version_1 = false;
};

// The group whose memory bound is the tightest, where there is one.
std::optional<bounded_group> memory_bound(const host_roots& roots) {
  std::optional<bounded_group> tightest;
  for (const bool version_1 : {false, true})
    for (const fs::path& folder : control_groups(roots, version_1)) {
      const auto bytes = number(first_line(folder / (version_1 ? "memory.limit_in_bytes" : "memory.max"))); // "max": none
      if (bytes && (!tightest || *bytes < tightest->bytes))
        tightest = bounded_group{folder, *bytes, version_1};
    }
  return tightest;
}

// Cores that the tightest processor quota amounts to, rounded up.
std::optional<int> core_quota(const host_roots& roots) {
  std::optional<int> least;
  for (const fs::path& folder : control_groups(roots, false)) {
    std::istringstream line(first_line(folder / "cpu.max")); // "200000 100000" or "max 100000"
    std::int64_t quota = 0, period = 0;
    if (line >> quota >> period && quota > 0 && period > 0) {
      const int cores = static_cast<int>(std::clamp<std::int64_t>((quota + period - 1) / period, 1, 1 << 20));
      least = std::min(least.value_or(cores), cores);
    }
  }
  return least;
}

int cores_of_affinity() {
  // The kernel's mask may be larger than cpu_set_t, and it refuses a buffer that is too small.
  for (int bits = 1024; bits <= 1 << 18; bits *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(bits));
    if (set == nullptr)
      break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(bits));
    const int cores = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (cores > 0)
      return cores;
  }
  return 1;
}

std::string processor_name(const fs::path& proc) {
  std::ifstream in(proc / "cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const std::size_t at = line.find(": "); at != std::string::npos)
        return line.substr(at + 2);
  return "CPU";
}

} // namespace

host_facts read_host_facts(const host_roots& roots) {
  host_facts facts;
  facts.name = processor_name(roots.proc);
  facts.cores = cores_of_affinity();
  if (const auto quota = core_quota(roots))
    facts.cores = std::min(facts.cores, *quota);
  facts.memory_mib = entry(roots.proc / "meminfo", "MemTotal:").value_or(0) / 1024;
  if (const auto bound = memory_bound(roots); bound && (facts.memory_mib == 0 || bound->bytes / bytes_per_mib < facts.memory_mib))
    facts.memory_mib = bound->bytes / bytes_per_mib;
  return facts;
}

host_meter::host_meter(host_roots roots) : roots_(std::move(roots)) { last_ = read_ticks().value_or(ticks{}); }

std::optional<host_meter::ticks> host_meter::read_ticks() const {
  std::istringstream line(first_line(roots_.proc / "stat")); // cpu user nice system idle iowait irq softirq steal …
  std::string cpu;
  if (!(line >> cpu) || cpu != "cpu")
    return std::nullopt;
  constexpr int idle_column = 3, iowait_column = 4, counted_columns = 8; // guest time is in user already
  ticks sum;
  unsigned long long value = 0;
  int column = 0;
  for (; column < counted_columns && line >> value; ++column) {
    sum.total += value;
    if (column != idle_column && column != iowait_column)
      sum.busy += value;
  }
  return column > iowait_column ? std::optional{sum} : std::nullopt;
}

device_reading host_meter::read() const {
  device_reading reading;
  const auto total = entry(roots_.proc / "meminfo", "MemTotal:"), available = entry(roots_.proc / "meminfo", "MemAvailable:");
  if (total && available)
    reading.memory_used_mib = std::max<std::int64_t>(0, *total - *available) / 1024;
  if (const auto bound = memory_bound(roots_); bound && total && bound->bytes / 1024 < *total) {
    // The page cache of a group counts as used, but gives way.
    const auto used = number(first_line(bound->folder / (bound->version_1 ? "memory.usage_in_bytes" : "memory.current")));
    const auto cache = entry(bound->folder / "memory.stat", bound->version_1 ? "total_inactive_file " : "inactive_file ");
    if (used)
      reading.memory_used_mib = std::max<std::int64_t>(0, *used - cache.value_or(0)) / bytes_per_mib;
  }
  const std::lock_guard lock(mutex_);
  if (const auto now = read_ticks(); now && now->total > last_.total && now->busy >= last_.busy) {
    last_percent_ = static_cast<int>((now->busy - last_.busy) * 100 / (now->total - last_.total));
    last_ = *now;
  }
  reading.utilization_percent = last_percent_; // two readings within a tick say the same
  return reading;
}

} // namespace ferry::gpu
