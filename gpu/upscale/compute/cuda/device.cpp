#include "gpu/upscale/compute/cuda/device.hpp"

namespace ferry::upscale::cuda {

result<void> checked(cudaError_t status, const std::string& what) {
  if (status == cudaSuccess)
    return {};
  static_cast<void>(cudaGetLastError()); // else a later call that is in order would be answered with this fault
  const std::string text = "CUDA could not " + what + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")";
  switch (status) {
  case cudaErrorMemoryAllocation: return fail(error_code::out_of_memory, text, "use smaller tiles or allow more memory");
  case cudaErrorNoDevice:
  case cudaErrorInsufficientDriver:
  case cudaErrorStubLibrary:
  case cudaErrorInvalidDevice:
  case cudaErrorDevicesUnavailable:
  case cudaErrorSystemNotReady:
  case cudaErrorSystemDriverMismatch:
  case cudaErrorCompatNotSupportedOnDevice:
  case cudaErrorInitializationError:
  case cudaErrorNoKernelImageForDevice: return fail(error_code::unavailable, text, "check `nvidia-smi`, or compute on the CPU");
  default: return fail(error_code::internal, text);
  }
}

bool is_fatal(cudaError_t status) {
  switch (status) {
  case cudaErrorIllegalAddress:
  case cudaErrorLaunchTimeout:
  case cudaErrorLaunchFailure:
  case cudaErrorAssert:
  case cudaErrorHardwareStackError:
  case cudaErrorIllegalInstruction:
  case cudaErrorMisalignedAddress:
  case cudaErrorInvalidAddressSpace:
  case cudaErrorInvalidPc:
  case cudaErrorECCUncorrectable:
  case cudaErrorNvlinkUncorrectable:
  case cudaErrorContained:
  case cudaErrorExternalDevice:
  case cudaErrorUnknown: return true;
  default: return false;
  }
}

result<device_memory> allocate_device(std::uint64_t bytes) {
  void* memory = nullptr;
  if (auto done = checked(cudaMalloc(&memory, bytes), "allocate " + std::to_string(bytes) + " bytes of the device"); !done)
    return fail(done.error());
  return device_memory(memory);
}

result<pinned_memory> allocate_pinned(std::uint64_t bytes) {
  void* memory = nullptr;
  if (auto done = checked(cudaMallocHost(&memory, bytes), "allocate " + std::to_string(bytes) + " pinned bytes of the host"); !done)
    return fail(done.error());
  return pinned_memory(memory);
}

result<stream> make_stream() {
  cudaStream_t made = nullptr;
  if (auto done = checked(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "create a stream"); !done)
    return fail(done.error());
  return stream(made);
}

result<event> make_event(bool timed) {
  cudaEvent_t made = nullptr;
  if (auto done = checked(cudaEventCreateWithFlags(&made, timed ? cudaEventDefault : cudaEventDisableTiming), "create an event");
      !done)
    return fail(done.error());
  return event(made);
}

result<device_facts> read_facts(int device) {
  device_facts facts;
  int cache_bytes = 0;
  const struct {
    cudaDeviceAttr attribute;
    int* to;
  } wanted[] = {
      {cudaDevAttrComputeCapabilityMajor, &facts.major},
      {cudaDevAttrComputeCapabilityMinor, &facts.minor},
      {cudaDevAttrMultiProcessorCount, &facts.multiprocessors},
      {cudaDevAttrClockRate, &facts.clock_khz},
      {cudaDevAttrMemoryClockRate, &facts.memory_clock_khz},
      {cudaDevAttrGlobalMemoryBusWidth, &facts.memory_bus_bits},
      {cudaDevAttrL2CacheSize, &cache_bytes},
  };
  for (const auto& one : wanted) {
    const std::string what = "read attribute " + std::to_string(one.attribute) + " of device " + std::to_string(device);
    if (auto done = checked(cudaDeviceGetAttribute(one.to, one.attribute, device), what); !done)
      return fail(done.error());
  }
  cudaDeviceProp properties{};
  if (auto done = checked(cudaGetDeviceProperties(&properties, device), "read the name of device " + std::to_string(device)); !done)
    return fail(done.error());
  facts.name = properties.name;
  facts.cache_bytes = static_cast<std::uint64_t>(cache_bytes);
  return facts;
}

} // namespace ferry::upscale::cuda
