// A library with NVML's ABI whose GPUs are described by the JSON file that FERRY_STAND_IN_NVML names, read at nvmlInit_v2:
//   {"init": 0, "count": 0, "gpus": [{"name", "uuid", "domain", "bus", "total_mib", "used_mib", "utilization", "temperature",
//     "processes", "fails": {"uuid": 15, …}, "mig": [part or null, …], "mig_mode": 1}]}
// What happens while it runs stands in three more files: FILE.xid, whose lines "UUID NUMBER" are errors that are told once,
// FILE.lost, the UUIDs of GPUs that the driver has lost, and FILE.processes, whose lines "UUID PID MIB" are processes beside the
// number above; "-" for MIB is what the driver does not tell, and "drawing" behind it one that draws. Built a second time with
// STAND_IN_IS_OLD it lacks what drivers before 2022 lack.
#include "gpu/nvml_abi.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace ferry::gpu::abi;
using nlohmann::json;

namespace ferry::gpu::abi {

struct opaque_device {
  json facts;
  std::vector<std::unique_ptr<opaque_device>> parts; // null where a MIG slot is empty
};

} // namespace ferry::gpu::abi

namespace {

int initialised = 0;
json machine;
std::vector<std::unique_ptr<opaque_device>> gpus;
std::vector<device_t> watched_for_errors;
std::size_t errors_told = 0;

std::vector<std::string> lines_of(const char* ending) {
  std::vector<std::string> lines;
  const char* file = std::getenv("FERRY_STAND_IN_NVML");
  std::ifstream in(file == nullptr ? std::string() : file + std::string(ending));
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

bool is_lost(const json& facts) {
  const auto lost = lines_of(".lost");
  return std::find(lost.begin(), lost.end(), facts.value("uuid", "")) != lost.end();
}

return_t failure_of(const json& facts, const char* what) {
  if (is_lost(facts))
    return error_gpu_is_lost;
  const auto fails = facts.find("fails");
  return fails == facts.end() ? success : fails->value(what, success);
}

return_t write_text(const json& facts, const char* what, char* out, unsigned bytes) {
  if (const auto code = failure_of(facts, what); code != success)
    return code;
  const std::string text = facts.at(what);
  if (text.size() >= bytes)
    return error_insufficient_size;
  std::memcpy(out, text.c_str(), text.size() + 1);
  return success;
}

// A number of the device's, or "not supported" where the file does not give one.
template <class T>
return_t read_number(device_t device, const char* what, T& out, unsigned long long unit = 1) {
  if (const auto code = failure_of(device->facts, what); code != success)
    return code;
  if (!device->facts.contains(what))
    return error_not_supported;
  out = static_cast<T>(device->facts.at(what).get<unsigned long long>() * unit);
  return success;
}

} // namespace

extern "C" {

int stand_in_users() { return initialised; } // initialised and not shut down

return_t nvmlInit_v2() {
  const char* file = std::getenv("FERRY_STAND_IN_NVML");
  if (file == nullptr)
    return error_driver_not_loaded;
  machine = json::parse(std::ifstream(file));
  if (const auto code = machine.value("init", success); code != success)
    return code;
  gpus.clear();
  watched_for_errors.clear();
  errors_told = 0;
  for (const json& facts : machine.at("gpus")) {
    auto gpu = std::make_unique<opaque_device>();
    gpu->facts = facts;
    for (const json& part : facts.value("mig", json::array())) {
      gpu->parts.push_back(part.is_null() ? nullptr : std::make_unique<opaque_device>());
      if (!part.is_null())
        gpu->parts.back()->facts = part;
    }
    gpus.push_back(std::move(gpu));
  }
  ++initialised;
  return success;
}

return_t nvmlShutdown() {
  --initialised;
  return success;
}

const char* nvmlErrorString(return_t code) {
  return code == error_gpu_is_lost         ? "GPU is lost"
         : code == error_driver_not_loaded ? "Driver Not Loaded"
         : code == error_not_supported     ? "Not Supported"
                                           : "Unknown Error";
}

return_t nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(gpus.size());
  return machine.value("count", success);
}

return_t nvmlDeviceGetHandleByIndex_v2(unsigned index, device_t* out) {
  if (index >= gpus.size())
    return error_invalid_argument;
  *out = gpus[index].get();
  return failure_of(gpus[index]->facts, "handle");
}

return_t nvmlDeviceGetName(device_t device, char* out, unsigned bytes) { return write_text(device->facts, "name", out, bytes); }
return_t nvmlDeviceGetUUID(device_t device, char* out, unsigned bytes) { return write_text(device->facts, "uuid", out, bytes); }

return_t nvmlDeviceGetPciInfo_v3(device_t device, pci_info* out) {
  *out = {};
  if (const auto code = read_number(device, "bus", out->bus); code != success)
    return code;
  out->domain = device->facts.value("domain", 0U);
  std::snprintf(out->bus_id, sizeof out->bus_id, "%08X:%02X:00.0", out->domain, out->bus);
  return success;
}

return_t nvmlDeviceGetMemoryInfo(device_t device, memory* out) {
  const auto code = read_number(device, "total_mib", out->total, 1024 * 1024);
  return code == success ? read_number(device, "used_mib", out->used, 1024 * 1024) : code;
}

return_t nvmlDeviceGetUtilizationRates(device_t device, utilization* out) { return read_number(device, "utilization", out->gpu); }
return_t nvmlDeviceGetTemperature(device_t device, unsigned sensor, unsigned* out) {
  return sensor == temperature_gpu ? read_number(device, "temperature", *out) : error_invalid_argument;
}

static return_t running_processes(device_t device, bool drawing, unsigned* count, process_info* out) {
  unsigned running = 0;
  if (const auto code = read_number(device, "processes", running); code != success)
    return code;
  std::vector<process_info> all;
  for (unsigned i = 0; i < running && !drawing; ++i)
    all.push_back({100 + i, 1024, 0, 0});
  for (const auto& line : lines_of(".processes")) {
    std::istringstream words(line);
    std::string uuid, pid, mib, kind;
    words >> uuid >> pid >> mib >> kind;
    if (uuid == device->facts.value("uuid", "") && (kind == "drawing") == drawing)
      all.push_back({static_cast<unsigned>(std::stoul(pid)), mib == "-" ? memory_not_told : std::stoull(mib) << 20U, 0, 0});
  }
  const std::size_t room = *count;
  *count = static_cast<unsigned>(all.size());
  if (room < all.size())
    return error_insufficient_size;
  std::copy(all.begin(), all.end(), out);
  return success;
}

return_t nvmlDeviceGetComputeRunningProcesses_v2(device_t device, unsigned* count, process_info* out) {
  return running_processes(device, false, count, out);
}

#ifndef STAND_IN_IS_OLD
return_t nvmlEventSetCreate(event_set_t* out) {
  *out = reinterpret_cast<event_set_t>(&machine);
  return success;
}
return_t nvmlEventSetFree(event_set_t) { return success; }
return_t nvmlDeviceRegisterEvents(device_t device, unsigned long long types, event_set_t) {
  watched_for_errors.push_back(device);
  return types == event_xid ? success : error_not_supported;
}
return_t nvmlEventSetWait_v2(event_set_t, event_data* out, unsigned) {
  const auto lines = lines_of(".xid");
  if (errors_told >= lines.size())
    return error_timeout;
  const auto& line = lines[errors_told++];
  const auto space = line.find(' ');
  for (const device_t device : watched_for_errors)
    if (device->facts.value("uuid", "") == line.substr(0, space)) {
      *out = {device, event_xid, std::stoull(line.substr(space + 1)), 0, 0};
      return success;
    }
  return error_invalid_argument;
}

return_t nvmlDeviceGetComputeRunningProcesses_v3(device_t device, unsigned* count, process_info* out) {
  return running_processes(device, false, count, out);
}
return_t nvmlDeviceGetGraphicsRunningProcesses_v3(device_t device, unsigned* count, process_info* out) {
  return running_processes(device, true, count, out);
}

return_t nvmlDeviceGetMemoryInfo_v2(device_t device, memory_v2* out) {
  if (out->version != memory_v2_version || device->facts.value("only_memory_v1", false))
    return error_invalid_argument;
  const auto code = read_number(device, "total_mib", out->total, 1024 * 1024);
  return code == success ? read_number(device, "used_mib", out->used, 1024 * 1024) : code;
}

return_t nvmlDeviceGetMigMode(device_t device, unsigned* current, unsigned* pending) {
  *pending = 0;
  return read_number(device, "mig_mode", *current);
}

return_t nvmlDeviceGetMaxMigDeviceCount(device_t device, unsigned* count) {
  *count = static_cast<unsigned>(device->parts.size());
  return failure_of(device->facts, "mig_count");
}

return_t nvmlDeviceGetMigDeviceHandleByIndex(device_t device, unsigned index, device_t* out) {
  if (index >= device->parts.size())
    return error_invalid_argument;
  if (device->parts[index] == nullptr)
    return error_not_found;
  *out = device->parts[index].get();
  return success;
}
#endif

} // extern "C"
