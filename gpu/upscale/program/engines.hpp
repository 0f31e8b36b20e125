// Chooses what computes, loads networks, and keeps the one that was used last: the next job with the same model and scale finds it
// ready.
#pragma once

#include "gpu/upscale/compute/cuda/cuda_engine.hpp"
#include "gpu/upscale/compute/engine.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ferry::upscale {

enum class device_choice { automatic, cpu, cuda };

struct compute_options {
  device_choice device = device_choice::automatic;
  enum precision precision = precision::fp16; // of a GPU
  int threads = 1;                            // of the CPU
  std::optional<std::uint64_t> memory_bytes;  // of the host for the CPU, of the device for a GPU; empty: what usually fits
  std::filesystem::path models_folder;        // empty: the usual places
};

// As many threads as this process may use: $OMP_NUM_THREADS where the queue has set it, otherwise the processors it may run on.
[[nodiscard]] int usual_threads();

struct loaded_engine {
  engine* compute = nullptr; // null: none is needed
  bool on_gpu = false;
};

class engines {
public:
  // `say` is told why the CPU stands in for a GPU.
  engines(const compute_options& options, std::function<void(const std::string&)> say);

  // Valid until the next call. Errors: not_found and damaged (of the network), unavailable (device=cuda and none), out_of_memory.
  [[nodiscard]] result<loaded_engine> get(const std::string& model, int scale);

  [[nodiscard]] const compute_options& options() const { return options_; }

private:
  [[nodiscard]] result<void> choose_device();
  [[nodiscard]] result<std::unique_ptr<engine>> make(const std::string& model, int scale);

  compute_options options_;
  std::function<void(const std::string&)> say_;
  std::optional<bool> on_gpu_; // once chosen
  std::string model_;
  int scale_ = 0;
  std::unique_ptr<engine> held_;
};

} // namespace ferry::upscale
