// A device: a GPU, one of its MIG parts, or the host CPU. It has slots (how many batches may run at once) and memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

enum class device_kind { cpu, gpu };

[[nodiscard]] constexpr std::string_view to_string(device_kind k) { return k == device_kind::gpu ? "gpu" : "cpu"; }

struct device {
  std::string id; // "cpu", or the UUID that NVML gives ("GPU-…", "MIG-…"); what CUDA_VISIBLE_DEVICES is set to
  device_kind kind = device_kind::cpu;
  std::string name; // for people: "NVIDIA H100 80GB HBM3"
  int slots = 1;
  std::int64_t memory_mib = 0; // what leases may share
  int threads = 1;             // host threads that its slots share
};

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
