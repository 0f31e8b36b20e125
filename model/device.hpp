// A device: a GPU, one of its MIG parts, the host CPU, or a partition of a Slurm cluster. It has slots (how many batches may run at
// once) and memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

enum class device_kind { cpu, gpu };

[[nodiscard]] constexpr std::string_view to_string(device_kind k) { return k == device_kind::gpu ? "gpu" : "cpu"; }

inline constexpr const char* node_label = "node";

struct device {
  // "cpu", or the UUID that NVML gives ("GPU-…", "MIG-…"): what CUDA_VISIBLE_DEVICES is set to. Of a node's device the node's name
  // stands before it: "alpha:cpu".
  std::string id;
  device_kind kind = device_kind::cpu;
  std::string name; // for people: "NVIDIA H100 80GB HBM3"
  int slots = 1;
  std::int64_t memory_mib = 0;                            // what leases may share
  int threads = 1;                                        // host threads that its slots share
  std::optional<std::vector<std::string>> job_types = {}; // that can run there, sorted; not set: all
  std::map<std::string, std::string> labels = {};         // "node": the machine; others as its configuration says
  std::int64_t lease_memory_mib_max = 0;                  // of the memory, what one lease may have; 0: all of it

  [[nodiscard]] std::int64_t memory_of_one_lease_mib() const {
    return lease_memory_mib_max > 0 ? lease_memory_mib_max : memory_mib;
  }

  [[nodiscard]] bool runs(std::string_view job_type) const {
    return !job_types || std::binary_search(job_types->begin(), job_types->end(), job_type);
  }
  friend bool operator==(const device&, const device&) = default;
};

// The node whose device this is; empty: of this machine.
[[nodiscard]] constexpr std::string_view node_of(std::string_view device_id) {
  const auto colon = device_id.find(':');
  return colon == std::string_view::npos ? std::string_view() : device_id.substr(0, colon);
}
// What the device is called on its own machine.
[[nodiscard]] constexpr std::string_view local_id(std::string_view device_id) {
  const auto colon = device_id.find(':');
  return colon == std::string_view::npos ? device_id : device_id.substr(colon + 1);
}

// The partition of a Slurm cluster, as one device: batches for it are submitted there.
inline constexpr std::string_view slurm_device = "slurm";
// What runs on it is followed by files alone: nothing of it is sure to be in the process table of this machine.
[[nodiscard]] constexpr bool is_elsewhere(std::string_view device_id) {
  return device_id == slurm_device || !node_of(device_id).empty();
}

// A process that holds memory of a GPU.
struct device_process {
  int pid = 0;
  std::optional<std::int64_t> memory_mib = {}; // where the driver tells
};

// What a device is doing, as far as it can be told.
struct device_reading {
  std::optional<std::int64_t> memory_used_mib = {};
  std::optional<std::int64_t> memory_foreign_mib = {}; // of that, by programs that are not ferry's
  std::optional<int> utilization_percent = {};
  std::optional<int> temperature_c = {};
  std::optional<std::vector<device_process>> processes = {};
  std::string trouble = {}; // why it cannot be used; empty: it works
};

} // namespace ferry
