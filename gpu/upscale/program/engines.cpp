#include "gpu/upscale/program/engines.hpp"

#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "gpu/upscale/network/load.hpp"

#include <charconv>
#include <cstdlib>
#include <sched.h>
#include <string_view>
#include <thread>

namespace ferry::upscale {

int usual_threads() {
  if (const char* told = std::getenv("OMP_NUM_THREADS")) {
    const std::string_view text = told;
    int count = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (problem == std::errc{} && end == text.data() + text.size() && count > 0)
      return count;
  }
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
    return CPU_COUNT(&allowed);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

engines::engines(const compute_options& options, std::function<void(const std::string&)> say)
    : options_(options), say_(std::move(say)) {}

result<void> engines::choose_device() {
  if (on_gpu_)
    return {};
  if (options_.device == device_choice::cpu) {
    on_gpu_ = false;
    return {};
  }
  const auto count = cuda_device_count();
  if (count && *count > 0) {
    on_gpu_ = true;
    return {};
  }
  const error why = count ? error{error_code::unavailable, "no GPU can be seen"} : count.error();
  if (options_.device == device_choice::cuda)
    return fail(error_code::unavailable, "no GPU can be used: " + why.what,
                why.hint.empty() ? "--device auto takes the CPU" : why.hint);
  on_gpu_ = false;
  // Nothing to be told of where there is no driver, or where the queue hides all GPUs from a job that it has put on the CPU.
  std::error_code unknown;
  const bool driver = std::filesystem::exists("/proc/driver/nvidia", unknown);
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"); driver && (visible == nullptr || *visible != '\0'))
    say_("the CPU computes: " + why.what);
  return {};
}

result<std::unique_ptr<engine>> engines::make(const std::string& model, int scale) {
  const auto folder = find_network(model, scale, options_.models_folder);
  if (!folder)
    return fail(folder.error());
  auto loaded = load_network(*folder, model, scale);
  if (!loaded)
    return fail(std::move(loaded.error()));
  if (!*on_gpu_)
    return make_cpu_engine(std::move(*loaded), {.threads = options_.threads});
  const cuda_options gpu{.precision = options_.precision, .memory_bytes = options_.memory_bytes.value_or(0)};
  if (options_.device == device_choice::cuda)
    return make_cuda_engine(std::move(*loaded), gpu);
  auto made = make_cuda_engine(*loaded, gpu);
  if (made || made.error().code == error_code::out_of_memory)
    return made;
  say_("the CPU computes: " + made.error().what);
  on_gpu_ = false;
  return make_cpu_engine(std::move(*loaded), {.threads = options_.threads});
}

result<loaded_engine> engines::get(const std::string& model, int scale) {
  if (held_ && model_ == model && scale_ == scale)
    return loaded_engine{held_.get(), *on_gpu_};
  if (auto chosen = choose_device(); !chosen)
    return fail(std::move(chosen.error()));
  held_.reset(); // before the next is loaded: there may not be room for both
  auto made = make(model, scale);
  if (!made)
    return fail(std::move(made.error()));
  held_ = std::move(*made);
  model_ = model;
  scale_ = scale;
  return loaded_engine{held_.get(), *on_gpu_};
}

} // namespace ferry::upscale
