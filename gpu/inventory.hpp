// The devices of this machine. NVML is loaded at run time; without it there is the host CPU alone. The daemon holds no CUDA
// context: everything here is NVML and /proc.
#pragma once

#include "config/settings.hpp"
#include "model/device.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ferry::gpu {

class nvml;
class host_meter;
struct gpu_part;
struct known_errors;

class inventory {
public:
  // Finds the devices, GPUs first in PCI bus order (which is CUDA's with CUDA_DEVICE_ORDER=PCI_BUS_ID; ids are UUIDs, so that order
  // never matters), a MIG-enabled GPU as its parts, then the host CPU with id "cpu". Never fails: where NVML cannot be loaded or
  // answers with an error, `notes()` says why and the CPU remains.
  [[nodiscard]] static inventory discover(const config::settings& settings);

  [[nodiscard]] const std::vector<device>& devices() const { return devices_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  // One reading per device, in the order of devices(). Thread-safe. What a device cannot tell is left empty. A GPU that told of an
  // Xid error that makes it unusable stays in trouble as long as this inventory lives: it needs a reset.
  [[nodiscard]] std::vector<device_reading> read() const;

private:
  std::vector<device> devices_;
  std::vector<std::string> notes_;
  std::shared_ptr<const nvml> nvml_;                   // none: no GPU
  std::shared_ptr<const std::vector<gpu_part>> parts_; // the GPUs among devices_, in their order
  std::shared_ptr<const host_meter> host_;
  std::shared_ptr<known_errors> errors_;
};

} // namespace ferry::gpu
