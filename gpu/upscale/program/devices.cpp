#include "gpu/upscale/program/devices.hpp"

#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "gpu/upscale/program/engines.hpp"
#include "gpu/upscale/video/child_process.hpp"

namespace ferry::upscale {
namespace {

std::string name_of(instruction_set set) {
  switch (set) {
  case instruction_set::portable: return "no vector instructions that are used here";
  case instruction_set::avx2: return "AVX2 with FMA";
  case instruction_set::avx512: return "AVX-512";
  }
  return {};
}

std::string describe_gpus() {
  const auto count = cuda_device_count();
  if (!count)
    return "none: " + to_string(count.error());
  if (*count == 0)
    return "none can be seen";
  return std::to_string(*count);
}

std::string describe_ffmpeg() {
  const auto told = output_of({"ffmpeg", "-version"});
  return told ? told->substr(0, told->find(" Copyright")) : to_string(told.error());
}

} // namespace

std::string describe_devices() {
  const int threads = usual_threads();
  return "CPU:    " + name_of(best_instruction_set()) + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads") +
         "\nGPUs:   " + describe_gpus() + "\nvideos: " + describe_ffmpeg() + "\n";
}

} // namespace ferry::upscale
