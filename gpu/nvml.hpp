// NVML, loaded at run time and initialised for as long as the object lives. Functions that an older driver lacks are done without.
#pragma once

#include "gpu/nvml_abi.hpp"
#include "model/device.hpp"
#include "model/error.hpp"

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ferry::gpu {

// A GPU that jobs may be given, or one of its MIG parts.
struct gpu_part {
  abi::device_t handle = nullptr;
  abi::device_t whole = nullptr; // the GPU it is a part of, else itself
  std::string uuid;
  std::string name;
  std::int64_t memory_mib = 0; // in all
};

class nvml {
public:
  inline static const std::string default_library = "libnvidia-ml.so.1";

  // Errors: unavailable, when the library or its driver cannot be used.
  [[nodiscard]] static result<std::shared_ptr<nvml>> open(const std::string& library);
  ~nvml();
  nvml(const nvml&) = delete;
  nvml& operator=(const nvml&) = delete;

  // What jobs may run on, in PCI bus order; what cannot be used is said in `notes`.
  [[nodiscard]] std::vector<gpu_part> find_parts(std::vector<std::string>& notes) const;
  // Thread-safe, as NVML itself is. `trouble` is set where the driver has lost the GPU.
  [[nodiscard]] device_reading read(const gpu_part& part) const;

  // Asks the driver to tell of critical (Xid) errors of these GPUs from now on; to be called once. A driver that cannot is done
  // without.
  void watch_for_errors(const std::vector<gpu_part>& parts);
  // The Xid errors since the last call, without waiting: the whole GPU and the number. Not thread-safe.
  [[nodiscard]] std::vector<std::pair<abi::device_t, unsigned>> take_errors() const;

private:
  struct functions;
  struct memory_bytes {
    unsigned long long total = 0, used = 0;
  };
  struct found_gpu;

  nvml();
  [[nodiscard]] std::string message(abi::return_t code) const;
  [[nodiscard]] result<std::string> text_of(abi::device_t device, abi::text_fn* function, const char* what) const;
  [[nodiscard]] std::optional<memory_bytes> memory_of(abi::device_t device) const;
  // Whoever computes or draws on it; a process that does both is there once.
  [[nodiscard]] std::optional<std::vector<device_process>> processes_of(abi::device_t device) const;
  [[nodiscard]] result<gpu_part> describe(abi::device_t device, abi::device_t whole) const;
  [[nodiscard]] std::vector<found_gpu> in_pci_order(std::vector<std::string>& notes) const;
  void add_mig_parts(abi::device_t gpu, const std::string& name, std::vector<gpu_part>& out, std::vector<std::string>& notes) const;

  void* library_ = nullptr;
  abi::event_set_t events_ = nullptr;
  bool is_initialised_ = false;
  std::unique_ptr<functions> call_;
};

} // namespace ferry::gpu
