// Two GPUs of a stand-in NVML under a real daemon: one fails, its jobs go on with the other.
#include "tests/integration/daemon_process.hpp"

#include <cstdlib>
#include <fstream>

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
  machine() : file_(folder_.path() / "machine") {
    std::ofstream(file_) << json{{"gpus", {gpu("GPU-a", 1), gpu("GPU-b", 2)}}};
    ::setenv("FERRY_STAND_IN_NVML", file_.c_str(), 1);
  }
  ~machine() { ::unsetenv("FERRY_STAND_IN_NVML"); }
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
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
