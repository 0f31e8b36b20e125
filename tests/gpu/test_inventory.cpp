#include "gpu/inventory.hpp"
#include "gpu/nvml.hpp"
#include "gpu/xid.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <unistd.h>

using namespace ferry;
using namespace ferry::gpu;

namespace {

// The stand-in library, with the machine that a test describes.
class stand_in {
public:
  explicit stand_in(const std::vector<json>& gpus, json machine = json::object(), const char* library = STAND_IN_NVML)
      : library_(library) {
    machine["gpus"] = gpus;
    std::string name = (std::filesystem::temp_directory_path() / "ferry-nvml-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    file_ = name;
    std::ofstream(file_) << machine;
    ::setenv("FERRY_STAND_IN_NVML", file_.c_str(), 1);
  }
  stand_in(const stand_in&) = delete;
  stand_in& operator=(const stand_in&) = delete;
  ~stand_in() {
    ::unsetenv("FERRY_STAND_IN_NVML");
    for (const char* ending : {"", ".xid", ".lost", ".processes"})
      std::filesystem::remove(file_.string() + ending);
  }
  void happens(const char* kind, const std::string& line) const {
    std::ofstream(file_.string() + kind, std::ios::app) << line << "\n";
  }
  [[nodiscard]] config::settings settings() const {
    config::settings s;
    s.devices.gpu.nvml_library = library_;
    return s;
  }

private:
  std::string library_;
  std::filesystem::path file_;
};

json plain_gpu(const char* uuid, int bus) {
  return {{"name", "NVIDIA Test"}, {"uuid", uuid},      {"bus", bus},     {"total_mib", 81920}, {"used_mib", 1024},
          {"utilization", 37},     {"temperature", 41}, {"processes", 2}, {"mig_mode", 0}};
}

std::vector<std::string> ids(const inventory& found) {
  std::vector<std::string> all;
  for (const device& d : found.devices())
    all.push_back(d.id);
  return all;
}

bool noted(const inventory& found, const std::string& text) {
  for (const std::string& note : found.notes())
    if (note.find(text) != std::string::npos)
      return true;
  return false;
}

// What holds for any machine's inventory.
void check_contract(const inventory& found) {
  REQUIRE_FALSE(found.devices().empty());
  std::set<std::string> seen;
  for (const device& d : found.devices()) {
    CAPTURE(d.id, d.name);
    CHECK(seen.insert(d.id).second);
    CHECK_FALSE(d.name.empty());
    CHECK(d.slots >= 1);
    CHECK(d.threads >= 1);
    CHECK(d.memory_mib >= 0);
    if (d.kind == device_kind::gpu)
      CHECK((d.id.starts_with("GPU-") || d.id.starts_with("MIG-")));
    else
      CHECK(d.id == "cpu");
  }
  CHECK(found.devices().back().id == "cpu");
  CHECK(found.devices().back().memory_mib > 0);
  const auto readings = found.read();
  REQUIRE(readings.size() == found.devices().size());
  for (const device_reading& r : readings) {
    CHECK((!r.utilization_percent || (*r.utilization_percent >= 0 && *r.utilization_percent <= 100)));
    CHECK((!r.temperature_c || (*r.temperature_c > 0 && *r.temperature_c < 120)));
    CHECK((!r.memory_used_mib || *r.memory_used_mib >= 0));
    for (const auto& process : r.processes.value_or(std::vector<device_process>{}))
      CHECK((process.pid > 0 && process.memory_mib.value_or(0) >= 0));
  }
  CHECK(readings.back().memory_used_mib);
}

} // namespace

TEST_CASE("GPUs come in PCI order whatever NVML's order, then the CPU") {
  json second_domain = plain_gpu("GPU-d", 1);
  second_domain["domain"] = 1;
  const stand_in nvml(std::vector<json>{plain_gpu("GPU-c", 9), second_domain, plain_gpu("GPU-a", 1), plain_gpu("GPU-b", 4)});
  const inventory found = inventory::discover(nvml.settings());
  check_contract(found);
  CHECK(ids(found) == std::vector<std::string>{"GPU-a", "GPU-b", "GPU-c", "GPU-d", "cpu"});
  CHECK(found.notes().empty());
  const device& first = found.devices().front();
  CHECK(first.kind == device_kind::gpu);
  CHECK(first.name == "NVIDIA Test");
  CHECK(first.slots == 1);
  CHECK(first.memory_mib == 81920 - 512);
}

TEST_CASE("a GPU is read: memory, use, temperature, processes") {
  json busy = plain_gpu("GPU-b", 2);
  busy["used_mib"] = 70000;
  busy["processes"] = 300;
  const stand_in nvml(std::vector<json>{busy, plain_gpu("GPU-a", 1)});
  const inventory found = inventory::discover(nvml.settings());
  const auto readings = found.read();
  REQUIRE(readings.size() == 3);
  CHECK(readings[0].memory_used_mib == 1024);
  CHECK(readings[0].utilization_percent == 37);
  CHECK(readings[0].temperature_c == 41);
  REQUIRE(readings[0].processes);
  CHECK(readings[0].processes->size() == 2);
  CHECK(readings[1].memory_used_mib == 70000);
  REQUIRE(readings[1].processes);
  CHECK(readings[1].processes->size() == 300);
  CHECK(readings[1].processes->back().pid == 399);
}

TEST_CASE("each process is told with its memory, once, whether it computes, draws or does both") {
  json gpu = plain_gpu("GPU-a", 1);
  gpu["processes"] = 0;
  const stand_in nvml(std::vector<json>{gpu});
  const inventory found = inventory::discover(nvml.settings());
  CHECK(found.read().front().processes.value().empty());
  for (const char* line : {"GPU-a 11 300", "GPU-a 12 -", "GPU-b 13 5", "GPU-a 11 400 drawing", "GPU-a 14 50 drawing"})
    nvml.happens(".processes", line);
  const auto processes = found.read().front().processes.value();
  REQUIRE(processes.size() == 3);
  CHECK((processes[0].pid == 11 && processes[0].memory_mib == 400));
  CHECK((processes[1].pid == 12 && !processes[1].memory_mib));
  CHECK((processes[2].pid == 14 && processes[2].memory_mib == 50));
}

TEST_CASE("what a GPU cannot tell is left empty") {
  const json odd = {{"name", "Odd"}, {"uuid", "GPU-a"}};
  const stand_in nvml(std::vector<json>{odd});
  const inventory found = inventory::discover(nvml.settings());
  check_contract(found);
  CHECK(found.devices().front().memory_mib == 0);
  CHECK(noted(found, "the memory of GPU-a cannot be read"));
  const device_reading reading = found.read().front();
  CHECK_FALSE(reading.memory_used_mib);
  CHECK_FALSE(reading.utilization_percent);
  CHECK_FALSE(reading.temperature_c);
  CHECK_FALSE(reading.processes);
}

TEST_CASE("a GPU that told of a critical error, or that the driver lost, says so in its readings") {
  const stand_in nvml(std::vector<json>{plain_gpu("GPU-a", 1), plain_gpu("GPU-b", 2), plain_gpu("GPU-c", 3)});
  const inventory found = inventory::discover(nvml.settings());
  for (const auto& reading : found.read())
    CHECK(reading.trouble.empty());
  nvml.happens(".xid", "GPU-a 31"); // a program's own fault
  nvml.happens(".xid", "GPU-b 48");
  nvml.happens(".lost", "GPU-c");
  for (int again = 0; again < 2; ++again) { // the error is told once and stays
    const auto readings = found.read();
    REQUIRE(readings.size() == 4);
    CHECK(readings[0].trouble.empty());
    CHECK(readings[1].trouble == "Xid 48: double-bit memory error");
    CHECK(readings[2].trouble.find("the driver has lost the GPU") == 0);
    CHECK(readings[3].trouble.empty());
  }
}

TEST_CASE("which Xid errors make a GPU unusable") {
  for (const unsigned harmless : {13U, 31U, 43U, 45U, 63U, 68U, 92U, 94U, 109U})
    CHECK_FALSE(trouble_of_xid(harmless));
  CHECK(trouble_of_xid(79) == "Xid 79: it has fallen off the bus");
  CHECK(trouble_of_xid(4711) == "Xid 4711");
}

TEST_CASE("a GPU split by MIG is its parts, each with its own memory") {
  const auto part = [](const char* uuid, int total, int used) {
    return json{{"name", "NVIDIA Test MIG 3g.40gb"}, {"uuid", uuid}, {"total_mib", total}, {"used_mib", used}, {"processes", 1}};
  };
  json split = plain_gpu("GPU-a", 1);
  split["mig_mode"] = 1;
  split["mig"] = {part("MIG-1", 40000, 10), nullptr, part("MIG-2", 20000, 20), nullptr};
  const stand_in nvml(std::vector<json>{plain_gpu("GPU-b", 2), split});
  const inventory found = inventory::discover(nvml.settings());
  check_contract(found);
  CHECK(ids(found) == std::vector<std::string>{"MIG-1", "MIG-2", "GPU-b", "cpu"});
  CHECK(found.devices()[0].name == "NVIDIA Test MIG 3g.40gb");
  CHECK(found.devices()[0].memory_mib == 40000 - 512);
  const auto readings = found.read();
  CHECK(readings[1].memory_used_mib == 20);
  CHECK(readings[1].processes.value().size() == 1);
  CHECK_FALSE(readings[1].utilization_percent);
  CHECK(readings[1].temperature_c == 41); // of the whole GPU
}

TEST_CASE("a GPU split by MIG without parts is said and not used") {
  json split = plain_gpu("GPU-a", 1);
  split["mig_mode"] = 1;
  split["mig"] = {nullptr, nullptr};
  json unlisted = plain_gpu("GPU-b", 2);
  unlisted["mig_mode"] = 1;
  unlisted["fails"] = {{"mig_count", 3}};
  json faulty = plain_gpu("GPU-c", 3);
  faulty["mig_mode"] = 1;
  faulty["mig"] = json::array({{{"name", "x"}, {"uuid", "MIG-x"}, {"fails", {{"uuid", 15}}}}});
  const stand_in nvml(std::vector<json>{split, unlisted, faulty});
  const inventory found = inventory::discover(nvml.settings());
  CHECK(ids(found) == std::vector<std::string>{"cpu"});
  CHECK(noted(found, "NVIDIA Test GPU-a is split by MIG but has no part that can be used"));
  CHECK(noted(found, "GPU-b is split by MIG, but its parts cannot be listed: Not Supported"));
  CHECK(noted(found, "MIG part 0 of NVIDIA Test GPU-c cannot be used: its UUID cannot be read: GPU is lost"));
}

TEST_CASE("a faulty GPU is said and does not take the others with it") {
  json lost = plain_gpu("GPU-a", 1), nameless = plain_gpu("GPU-b", 2), unreachable = plain_gpu("GPU-c", 3),
       busless = plain_gpu("GPU-d", 0);
  lost["fails"] = {{"uuid", 15}};
  nameless["fails"] = {{"name", 3}};
  unreachable["fails"] = {{"handle", 15}};
  busless["fails"] = {{"bus", 3}};
  const stand_in nvml(std::vector<json>{lost, busless, unreachable, nameless});
  const inventory found = inventory::discover(nvml.settings());
  check_contract(found);
  CHECK(ids(found) == std::vector<std::string>{"GPU-b", "GPU-d", "cpu"});
  CHECK(found.devices()[0].name == "NVIDIA GPU");
  CHECK(noted(found, "GPU 0 cannot be used: its UUID cannot be read: GPU is lost"));
  CHECK(noted(found, "GPU 2 cannot be used: GPU is lost"));
}

TEST_CASE("where NVML does not answer, the CPU remains and a note says why") {
  const auto only_cpu = [](const config::settings& settings, const char* note) {
    const inventory found = inventory::discover(settings);
    check_contract(found);
    CHECK(ids(found) == std::vector<std::string>{"cpu"});
    INFO((found.notes().empty() ? "no note" : found.notes().front()));
    CHECK(noted(found, note));
  };
  {
    const stand_in nvml({}, {{"init", 9}});
    only_cpu(nvml.settings(), "cannot be started: Driver Not Loaded");
  }
  {
    const stand_in nvml({}, {{"count", 15}});
    only_cpu(nvml.settings(), "no GPUs: they cannot be counted: GPU is lost");
  }
  config::settings settings;
  settings.devices.gpu.nvml_library = "/nonexistent/libnvml.so";
  only_cpu(settings, "no GPUs: /nonexistent/libnvml.so cannot be loaded");
  settings.devices.gpu.nvml_library = "libc.so.6";
  only_cpu(settings, "libc.so.6 is not an NVIDIA management library");
  settings.devices.gpu.enabled = false;
  only_cpu(settings, "devices.gpu.enabled is false");
}

TEST_CASE("an older NVML is used as far as it goes") {
  json split = plain_gpu("GPU-a", 1);
  split["mig_mode"] = 1; // nobody can ask
  const stand_in nvml(std::vector<json>{split}, json::object(), STAND_IN_OLD_NVML);
  const inventory found = inventory::discover(nvml.settings());
  check_contract(found);
  CHECK(ids(found) == std::vector<std::string>{"GPU-a", "cpu"});
  CHECK(found.devices().front().memory_mib == 81920 - 512);
  CHECK(found.read().front().processes.value().size() == 2);
}

TEST_CASE("memory is asked the old way where the new one is refused") {
  json old = plain_gpu("GPU-a", 1);
  old["only_memory_v1"] = true;
  const stand_in nvml(std::vector<json>{old});
  const inventory found = inventory::discover(nvml.settings());
  CHECK(found.devices().front().memory_mib == 81920 - 512);
  CHECK(found.read().front().memory_used_mib == 1024);
}

TEST_CASE("the configuration decides slots, memory and threads") {
  const stand_in nvml(std::vector<json>{plain_gpu("GPU-a", 1), plain_gpu("GPU-b", 2)});
  config::settings settings = nvml.settings();
  settings.devices.gpu.slots = 3;
  settings.devices.gpu.memory_reserve_mib = 1920;
  settings.devices.cpu = {5, 2048, 9};
  inventory found = inventory::discover(settings);
  CHECK(found.devices()[0].slots == 3);
  CHECK(found.devices()[0].memory_mib == 80000);
  CHECK(found.devices()[0].threads == 4); // half of nine
  CHECK(found.devices()[2].slots == 5);
  CHECK(found.devices()[2].memory_mib == 2048);
  CHECK(found.devices()[2].threads == 9);
  settings.devices.gpu.memory_reserve_mib = 100'000;
  settings.devices.cpu.threads = 1;
  found = inventory::discover(settings);
  CHECK(found.devices()[0].memory_mib == 0);
  CHECK(found.devices()[0].threads == 1);
  CHECK(noted(found, "devices.gpu.memory_reserve_mib 100000 leaves nothing of the 81920 MiB of GPU-a"));
}

TEST_CASE("NVML is shut down when the last inventory goes, and serves many threads until then") {
  const stand_in nvml(std::vector<json>{plain_gpu("GPU-a", 1)});
  void* library = ::dlopen(STAND_IN_NVML, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  auto* users = reinterpret_cast<int (*)()>(::dlsym(library, "stand_in_users"));
  REQUIRE(users != nullptr);
  const int before = users();
  {
    const inventory found = inventory::discover(nvml.settings());
    const inventory copy = found;
    CHECK(users() == before + 1);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&copy] {
        for (int i = 0; i < 100; ++i)
          static_cast<void>(copy.read());
      });
    for (std::thread& thread : threads)
      thread.join();
  }
  CHECK(users() == before);
  ::dlclose(library);
}

TEST_CASE("this machine's own GPUs keep the contract") {
  const auto real = gpu::nvml::open(gpu::nvml::default_library);
  if (!real)
    SKIP("no NVML here: " << real.error().what);
  const inventory found = inventory::discover(config::settings{});
  for (const std::string& note : found.notes())
    WARN(note);
  check_contract(found);
  REQUIRE(found.devices().size() > 1);
  const auto readings = found.read();
  for (std::size_t i = 0; i + 1 < readings.size(); ++i) {
    const device& d = found.devices()[i];
    CAPTURE(d.id, d.name);
    CHECK(d.memory_mib > 1024);
    REQUIRE(readings[i].memory_used_mib);
    CHECK(*readings[i].memory_used_mib <= d.memory_mib + 512);
    CHECK(readings[i].temperature_c);
    CHECK(readings[i].processes);
  }
}

TEST_CASE("this machine's own CPU keeps the contract") {
  config::settings settings;
  settings.devices.gpu.enabled = false;
  const inventory found = inventory::discover(settings);
  check_contract(found);
  CHECK(found.devices().front().threads <= static_cast<int>(std::thread::hardware_concurrency()));
  CHECK(*found.read().front().memory_used_mib < 100'000'000);
}
