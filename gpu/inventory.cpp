#include "gpu/inventory.hpp"

#include "gpu/host.hpp"
#include "gpu/nvml.hpp"
#include "gpu/xid.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace ferry::gpu {

// What made a GPU unusable, by GPU.
struct known_errors {
  std::mutex mutex;
  std::map<abi::device_t, std::string> troubles;
};

inventory inventory::discover(const config::settings& settings) {
  inventory found;
  std::vector<gpu_part> parts;
  const auto& wanted = settings.devices;
  if (wanted.gpu.enabled) {
    auto opened = nvml::open(wanted.gpu.nvml_library.empty() ? nvml::default_library : wanted.gpu.nvml_library);
    if (opened) {
      parts = (*opened)->find_parts(found.notes_);
      (*opened)->watch_for_errors(parts);
      found.nvml_ = std::move(*opened);
    } else {
      found.notes_.push_back("no GPUs: " + opened.error().what +
                             (opened.error().hint.empty() ? "" : " (" + opened.error().hint + ")"));
    }
  } else {
    found.notes_.push_back("no GPUs: devices.gpu.enabled is false");
  }

  const host_facts host = read_host_facts();
  const int threads = wanted.cpu.threads > 0 ? wanted.cpu.threads : host.cores;
  for (const gpu_part& part : parts) {
    const std::int64_t memory_mib = std::max<std::int64_t>(0, part.memory_mib - wanted.gpu.memory_reserve_mib);
    const int share = std::max(1, threads / static_cast<int>(parts.size())); // each GPU's jobs need cores of their own
    found.devices_.push_back({part.uuid, device_kind::gpu, part.name, wanted.gpu.slots, memory_mib, share});
    if (part.memory_mib == 0)
      found.notes_.push_back("the memory of " + part.uuid + " cannot be read: jobs that reserve memory will not run on it");
    else if (memory_mib == 0)
      found.notes_.push_back("devices.gpu.memory_reserve_mib " + std::to_string(wanted.gpu.memory_reserve_mib) +
                             " leaves nothing of the " + std::to_string(part.memory_mib) + " MiB of " + part.uuid);
  }
  found.devices_.push_back({"cpu", device_kind::cpu, host.name,
                            wanted.cpu.slots > 0 ? wanted.cpu.slots : std::max(1, host.cores / 2),
                            wanted.cpu.memory_mib > 0 ? wanted.cpu.memory_mib : host.memory_mib, threads});
  for (device& d : found.devices_) {
    d.labels = wanted.labels;
    d.labels[node_label] = settings.node.name;
  }
  found.parts_ = std::make_shared<const std::vector<gpu_part>>(std::move(parts));
  found.host_ = std::make_shared<const host_meter>();
  found.errors_ = std::make_shared<known_errors>();
  return found;
}

std::vector<device_reading> inventory::read() const {
  std::vector<device_reading> readings;
  if (parts_ && !parts_->empty()) {
    const std::lock_guard lock(errors_->mutex);
    for (const auto& [gpu, number] : nvml_->take_errors())
      if (auto trouble = trouble_of_xid(number))
        errors_->troubles.emplace(gpu, std::move(*trouble));
    for (const gpu_part& part : *parts_) {
      readings.push_back(nvml_->read(part));
      if (const auto known = errors_->troubles.find(part.whole); known != errors_->troubles.end())
        readings.back().trouble = known->second;
    }
  }
  if (host_)
    readings.push_back(host_->read());
  return readings;
}

} // namespace ferry::gpu
