// Two GPUs of a stand-in NVML under a real daemon: one fails, its jobs go on with the other.
#include "tests/integration/daemon_process.hpp"

#include <cstdlib>
#include <fstream>
#include <unistd.h>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

json gpu(const char* uuid, int bus) {
  return {{"name", "NVIDIA Test"}, {"uuid", uuid},     {"bus", bus},     {"total_mib", 8192}, {"used_mib", 1024},
          {"utilization", 0},      {"temperature", 4}, {"processes", 1}, {"mig_mode", 0}};
}

// The machine is described by a file, and what happens to it while it runs by two more beside it.
class machine {
public:
  explicit machine(const json& gpus = {gpu("GPU-a", 1), gpu("GPU-b", 2)}) : file_(folder_.path() / "machine") {
    std::ofstream(file_) << json{{"gpus", gpus}};
    ::setenv("FERRY_STAND_IN_NVML", file_.c_str(), 1);
  }
  ~machine() { ::unsetenv("FERRY_STAND_IN_NVML"); }
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  // Processes that hold memory from now on: "UUID PID MIB" each.
  void is_used_by(const std::vector<std::string>& lines) const {
    const auto file = file_.string() + ".processes";
    std::ofstream out(file + ".new"); // whole, whenever it is read
    for (const auto& line : lines)
      out << line << "\n";
    out.close();
    std::filesystem::rename(file + ".new", file);
  }
  void happens(const char* kind, const std::string& line) const {
    std::ofstream(file_.string() + kind, std::ios::app) << line << "\n";
  }

private:
  tests::scratch_directory folder_;
  std::filesystem::path file_;
};

const std::string types =
    "[job_types.infer]\ncommand = [\"sh\", \"-c\", 'test $FERRY_BATCH_ID != 1 || sleep 1000']\ndevice = \"gpu\"\n"
    "grace = \"1s\"\nretry = { device = 1, delay = \"10ms\" }\n";

json device_of(daemon_process& daemon, const std::string& id) {
  const json status = daemon.get("/status");
  for (const json& device : status["devices"])
    if (device["id"] == id)
      return device;
  FAIL("no device " << id);
  return nullptr;
}

} // namespace

TEST_CASE("a GPU with a critical error leaves the service, and its jobs are tried again elsewhere") {
  const machine with_gpus;
  daemon_process daemon(types, 2, {}, {}, STAND_IN_NVML);
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "infer"}})["id"];
  const std::string path = "/jobs/" + std::to_string(id);
  eventually([&] { return daemon.get(path)["phase"] == "running"; });
  const std::string bad = daemon.get(path)["device"];
  with_gpus.happens(".xid", bad + " 13"); // a program's own fault: nothing
  with_gpus.happens(".xid", bad + " 79");
  const json job = daemon.finished(id);
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 2);
  CHECK(job["device"] != bad);
  bool told = false;
  for (const json& entry : job["history"])
    told = told || (entry["what"] == "attempt_ended" && entry["detail"]["failure"]["kind"] == "device" &&
                    entry["detail"]["failure"]["message"] == "its device failed: Xid 79: it has fallen off the bus");
  CHECK(told);
  CHECK(device_of(daemon, bad)["out_of_service"] == "Xid 79: it has fallen off the bus");
  const std::string good = job["device"];
  CHECK(device_of(daemon, good)["out_of_service"].is_null());

  // Without any GPU left jobs wait, and say why.
  with_gpus.happens(".lost", good);
  eventually([&] { return device_of(daemon, good)["out_of_service"].is_string(); });
  const std::int64_t waits = daemon.post("/jobs", {{"type", "infer"}})["id"];
  const std::string why = daemon.get("/jobs/" + std::to_string(waits))["waiting_for"];
  CHECK(why.find("is out of service") != std::string::npos);
}

TEST_CASE("a job that holds a GPU's memory and leaves it idle is found") {
  const machine with_gpus;
  daemon_process daemon(
      "[job_types.infer]\ncommand = [\"sleep\", \"1000\"]\ndevice = \"gpu\"\ngrace = \"1s\"\nidle_gpu = \"100ms\"\n"
      "on_idle_gpu = \"fail\"\n",
      2, {}, {}, STAND_IN_NVML);
  daemon.start();
  const json job = daemon.finished(daemon.post("/jobs", {{"type", "infer"}})["id"]);
  CHECK(job["failure"]["kind"] == "timeout");
  CHECK(job["failure"]["message"].get<std::string>().find("idle_gpu") != std::string::npos);
}

TEST_CASE("memory that other programs take of a GPU is told apart, and nothing is started that would not fit beside them") {
  json alone = gpu("GPU-a", 1);
  alone["processes"] = 0;
  const machine with_gpu(json::array({alone}));
  daemon_process daemon("[job_types.infer]\ncommand = [\"sleep\", \"1000\"]\ndevice = \"gpu\"\nmemory_mib = 6000\ngrace = \"1s\"\n",
                        2, {}, {}, STAND_IN_NVML);
  daemon.start();
  CHECK(device_of(daemon, "GPU-a")["memory_foreign_mib"] == 0);
  CHECK(device_of(daemon, "cpu")["memory_foreign_mib"].is_null());

  // This very process is not ferry's. 512 MiB are kept free for such as it, and it takes 3,000.
  with_gpu.is_used_by({"GPU-a " + std::to_string(::getpid()) + " 3000"});
  eventually([&] { return device_of(daemon, "GPU-a")["memory_taken_mib"] != 0; });
  const auto told = device_of(daemon, "GPU-a");
  CHECK(told["memory_taken_mib"] == 2496);
  eventually([&] { return device_of(daemon, "GPU-a")["memory_foreign_mib"] == 3000; });
  const std::int64_t id = daemon.post("/jobs", {{"type", "infer"}})["id"];
  const std::string path = "/jobs/" + std::to_string(id);
  const auto why = daemon.get(path + "/explanation")["devices"][0]["why"].get<std::string>();
  INFO(why);
  CHECK(why.find("needs 6000 MiB; 5184 MiB of 7680 MiB are free; other programs take 2496 MiB") != std::string::npos);
  CHECK(daemon.get(path)["status"] == "queued");

  with_gpu.is_used_by({});
  eventually([&] { return daemon.get(path)["phase"] == "running"; });
  // What it holds itself is not another program's, neither is that of what it starts.
  const int pid = tests::pid_in(daemon.get(path));
  with_gpu.is_used_by({"GPU-a " + std::to_string(pid) + " 5900", "GPU-a " + std::to_string(::getpid()) + " 100"});
  eventually([&] { return device_of(daemon, "GPU-a")["memory_foreign_mib"] == 100; });
  CHECK(device_of(daemon, "GPU-a")["memory_leased_mib"] == 6000);
  // Who is out of sight may be a job of ours, as it looks from outside of a container.
  with_gpu.is_used_by({"GPU-a 4194304 700"});
  eventually([&] { return device_of(daemon, "GPU-a")["memory_foreign_mib"].is_null(); });
}
