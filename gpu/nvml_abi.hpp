// The part of NVIDIA's management library that ferry uses, declared here so that no NVIDIA header is needed at build time. Names,
// numbers and layouts follow the NVML API reference (https://docs.nvidia.com/deploy/nvml-api/), whose ABI only ever grows: a
// changed function gets a new suffix (_v2, _v3) and the old one stays.
#pragma once

namespace ferry::gpu::abi {

using return_t = int; // nvmlReturn_t
inline constexpr return_t success = 0;
inline constexpr return_t error_invalid_argument = 2;
inline constexpr return_t error_not_supported = 3;
inline constexpr return_t error_not_found = 6;
inline constexpr return_t error_insufficient_size = 7;
inline constexpr return_t error_driver_not_loaded = 9;
inline constexpr return_t error_timeout = 10;
inline constexpr return_t error_gpu_is_lost = 15;

using device_t = struct opaque_device*; // nvmlDevice_t

inline constexpr unsigned text_bytes = 96;     // NVML_DEVICE_NAME_V2_BUFFER_SIZE, NVML_DEVICE_UUID_V2_BUFFER_SIZE
inline constexpr unsigned temperature_gpu = 0; // NVML_TEMPERATURE_GPU
inline constexpr unsigned mig_enabled = 1;     // NVML_DEVICE_MIG_ENABLE

struct pci_info { // nvmlPciInfo_t
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(pci_info) == 68);

struct memory { // nvmlMemory_t, bytes
  unsigned long long total, free, used;
};

struct memory_v2 { // nvmlMemory_v2_t, bytes; `used` does not count what the driver reserves
  unsigned version;
  unsigned long long total, reserved, free, used;
};
static_assert(sizeof(memory_v2) == 40);
inline constexpr unsigned memory_v2_version = unsigned{sizeof(memory_v2)} | (2U << 24U);

struct utilization { // nvmlUtilization_t, percent
  unsigned gpu, memory;
};

struct process_info { // nvmlProcessInfo_v2_t; functions _v2 and _v3
  unsigned pid;
  unsigned long long used_gpu_memory;
  unsigned gpu_instance_id, compute_instance_id;
};
static_assert(sizeof(process_info) == 24);

struct event_data { // nvmlEventData_t
  device_t device;
  unsigned long long type, data; // of an Xid error the data is its number
  unsigned gpu_instance_id, compute_instance_id;
};
static_assert(sizeof(event_data) == 32);
inline constexpr unsigned long long event_xid = 8; // nvmlEventTypeXidCriticalError
using event_set_t = struct opaque_event_set*;      // nvmlEventSet_t

using event_set_create_fn = return_t(event_set_t*);                             // nvmlEventSetCreate
using event_set_free_fn = return_t(event_set_t);                                // nvmlEventSetFree
using register_events_fn = return_t(device_t, unsigned long long, event_set_t); // nvmlDeviceRegisterEvents
using event_wait_fn = return_t(event_set_t, event_data*, unsigned);             // nvmlEventSetWait_v2, milliseconds

using init_fn = return_t();                                        // nvmlInit_v2
using shutdown_fn = return_t();                                    // nvmlShutdown
using error_string_fn = const char*(return_t);                     // nvmlErrorString
using count_fn = return_t(unsigned*);                              // nvmlDeviceGetCount_v2
using handle_fn = return_t(unsigned, device_t*);                   // nvmlDeviceGetHandleByIndex_v2
using text_fn = return_t(device_t, char*, unsigned);               // nvmlDeviceGetName, nvmlDeviceGetUUID
using pci_fn = return_t(device_t, pci_info*);                      // nvmlDeviceGetPciInfo_v3
using memory_fn = return_t(device_t, memory*);                     // nvmlDeviceGetMemoryInfo
using memory_v2_fn = return_t(device_t, memory_v2*);               // nvmlDeviceGetMemoryInfo_v2
using utilization_fn = return_t(device_t, utilization*);           // nvmlDeviceGetUtilizationRates
using temperature_fn = return_t(device_t, unsigned, unsigned*);    // nvmlDeviceGetTemperature
inline constexpr unsigned long long memory_not_told = ~0ULL;       // NVML_VALUE_NOT_AVAILABLE
using processes_fn = return_t(device_t, unsigned*, process_info*); // nvmlDeviceGet{Compute,Graphics}RunningProcesses_v2, _v3
using mig_mode_fn = return_t(device_t, unsigned*, unsigned*);      // nvmlDeviceGetMigMode: current, pending
using mig_count_fn = return_t(device_t, unsigned*);                // nvmlDeviceGetMaxMigDeviceCount
using mig_handle_fn = return_t(device_t, unsigned, device_t*);     // nvmlDeviceGetMigDeviceHandleByIndex

} // namespace ferry::gpu::abi
