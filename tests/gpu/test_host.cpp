#include "gpu/host.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>

using namespace ferry;
using namespace ferry::gpu;

namespace {

// A /proc and a /sys/fs/cgroup of a test's own.
class kernel {
public:
  kernel() {
    std::string name = (std::filesystem::temp_directory_path() / "ferry-host-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:         1000000 kB\nMemAvailable:    8388608 kB\n");
    write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n");
    write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Test CPU 9000\n");
  }
  kernel(const kernel&) = delete;
  kernel& operator=(const kernel&) = delete;
  ~kernel() { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] host_roots roots() const { return {folder_ / "proc", folder_ / "cgroup"}; }

private:
  std::filesystem::path folder_;
};

} // namespace

TEST_CASE("the host's name, cores and memory are read") {
  const kernel k;
  const host_facts facts = read_host_facts(k.roots());
  CHECK(facts.name == "Test CPU 9000");
  CHECK(facts.memory_mib == 16384);
  CHECK(facts.cores >= 1);
}

TEST_CASE("the tightest bound of a control group counts, wherever it stands") {
  const kernel k;
  const auto memory = [&] { return read_host_facts(k.roots()).memory_mib; };
  k.write("proc/self/cgroup", "0::/user.slice/ferry.service\n");
  CHECK(memory() == 16384);
  k.write("cgroup/user.slice/ferry.service/memory.max", "max\n");
  CHECK(memory() == 16384);
  k.write("cgroup/user.slice/memory.max", "4294967296\n");
  CHECK(memory() == 4096);
  k.write("cgroup/user.slice/ferry.service/memory.max", "8589934592\n");
  CHECK(memory() == 4096);
  k.write("cgroup/memory.max", "1073741824\n");
  CHECK(memory() == 1024);
  k.write("cgroup/memory.max", "99999999999999\n");
  CHECK(memory() == 4096);
}

TEST_CASE("control groups of version 1 bound memory too") {
  const kernel k;
  k.write("proc/self/cgroup", "9:cpu,cpuacct:/other\n4:memory:/docker/abc\n1:name=systemd:/\n");
  k.write("cgroup/memory/docker/abc/memory.limit_in_bytes", "2147483648\n");
  k.write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(read_host_facts(k.roots()).memory_mib == 2048);
  k.write("cgroup/memory/docker/abc/memory.usage_in_bytes", "209715200\n");
  k.write("cgroup/memory/docker/abc/memory.stat", "inactive_file 1\ntotal_inactive_file 104857600\n");
  CHECK(host_meter(k.roots()).read().memory_used_mib == 100);
}

TEST_CASE("a processor quota bounds the cores, rounded up") {
  const kernel k;
  k.write("proc/self/cgroup", "0::/box\n");
  k.write("cgroup/box/cpu.max", "max 100000\n");
  const int all = read_host_facts(k.roots()).cores;
  k.write("cgroup/box/cpu.max", "50000 100000\n");
  CHECK(read_host_facts(k.roots()).cores == 1);
  k.write("cgroup/box/cpu.max", "150000 100000\n");
  CHECK(read_host_facts(k.roots()).cores == std::min(all, 2));
  k.write("cgroup/box/cpu.max", "9000000000 100000\n");
  CHECK(read_host_facts(k.roots()).cores == all);
  k.write("cgroup/box/cpu.max", "nonsense\n");
  CHECK(read_host_facts(k.roots()).cores == all);
}

TEST_CASE("the host's use is what happened between two readings") {
  const kernel k;
  const host_meter meter(k.roots());
  CHECK_FALSE(meter.read().utilization_percent); // nothing has happened yet
  CHECK(meter.read().memory_used_mib == 8192);
  k.write("proc/stat", "cpu  150 0 125 825 100 0 0 0 0 0\n"); // 75 busy of 200, waiting for disks is idle
  CHECK(meter.read().utilization_percent == 37);
  CHECK(meter.read().utilization_percent == 37);                  // no tick later
  k.write("proc/stat", "cpu  250 0 125 825 100 0 0 0 999 999\n"); // guest time is in user already
  CHECK(meter.read().utilization_percent == 100);
}

TEST_CASE("a control group's use is told instead of the machine's, without its page cache") {
  const kernel k;
  k.write("proc/self/cgroup", "0::/box\n");
  k.write("cgroup/box/memory.max", "1073741824\n");
  k.write("cgroup/box/memory.current", "524288000\n");
  k.write("cgroup/box/memory.stat", "anon 1\ninactive_file 104857600\nactive_file 5\n");
  CHECK(host_meter(k.roots()).read().memory_used_mib == 400);
}

TEST_CASE("a kernel that tells nothing, or nonsense, leaves everything empty") {
  const host_roots nowhere{"/nonexistent/proc", "/nonexistent/cgroup"};
  const host_facts facts = read_host_facts(nowhere);
  CHECK(facts.name == "CPU");
  CHECK(facts.cores >= 1);
  CHECK(facts.memory_mib == 0);
  CHECK_FALSE(host_meter(nowhere).read().memory_used_mib);
  CHECK_FALSE(host_meter(nowhere).read().utilization_percent);
  const kernel k;
  for (const char* text : {"", "cpu", "cpu 1 2", "cpu0 1 2 3 4 5", "cpu a b c d e", "\n"}) {
    CAPTURE(text);
    k.write("proc/stat", text);
    k.write("proc/meminfo", std::string("MemTotal: ") + text);
    k.write("proc/self/cgroup", text);
    CHECK_FALSE(host_meter(k.roots()).read().utilization_percent);
    CHECK_FALSE(host_meter(k.roots()).read().memory_used_mib);
    CHECK(read_host_facts(k.roots()).cores >= 1);
  }
}
