// CUDA's run-time library in C++: every call checked, everything it hands out given back.
#pragma once

#include "model/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <memory>
#include <string>
#include <type_traits>

namespace ferry::upscale::cuda {

// `what` says what was attempted, as in "allocate 12 bytes". Codes: `out_of_memory`, `unavailable` (no driver or no device), else
// `internal`.
[[nodiscard]] result<void> checked(cudaError_t status, const std::string& what);

// Whether the process's work on the device is at an end: after such a fault every further call fails.
[[nodiscard]] bool is_fatal(cudaError_t status);

template <class Handle, cudaError_t (*Release)(Handle)>
struct release_with {
  using pointer = Handle;
  void operator()(Handle handle) const {
    static_cast<void>(Release(handle));
  } // nothing can be done where a thing cannot be given back
};
using device_memory = std::unique_ptr<void, release_with<void*, cudaFree>>;
using pinned_memory = std::unique_ptr<void, release_with<void*, cudaFreeHost>>;
using stream = std::unique_ptr<std::remove_pointer_t<cudaStream_t>, release_with<cudaStream_t, cudaStreamDestroy>>;
using event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, release_with<cudaEvent_t, cudaEventDestroy>>;
using graph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, release_with<cudaGraph_t, cudaGraphDestroy>>;
using graph_run = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, release_with<cudaGraphExec_t, cudaGraphExecDestroy>>;

[[nodiscard]] result<device_memory> allocate_device(std::uint64_t bytes);
[[nodiscard]] result<pinned_memory> allocate_pinned(std::uint64_t bytes);
[[nodiscard]] result<stream> make_stream();
[[nodiscard]] result<event> make_event(bool timed);

struct device_facts {
  std::string name;
  int major = 0; // compute capability
  int minor = 0;
  int multiprocessors = 0;
  int clock_khz = 0;
  int memory_clock_khz = 0;
  int memory_bus_bits = 0;
  std::uint64_t cache_bytes = 0; // second level
};
[[nodiscard]] result<device_facts> read_facts(int device);

} // namespace ferry::upscale::cuda
