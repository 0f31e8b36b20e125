// The engine of cuda_engine.hpp, as its tests and benchmark see it. Built only with CUDA.
#pragma once

#include "gpu/upscale/compute/cuda/cuda_engine.hpp"
#include "gpu/upscale/compute/cuda/device.hpp"
#include "gpu/upscale/compute/cuda/launch_plan.hpp"

#include <optional>

namespace ferry::upscale::cuda {

struct device_timing {
  int launches = 0;
  double median_ms = 0; // of one batch, from the plane of the input to the picture, without copies between host and device
  double least_ms = 0;
};

class device_engine final : public engine {
public:
  [[nodiscard]] static result<std::unique_ptr<device_engine>> make(network model, const cuda_options& options);
  ~device_engine() override;
  device_engine(const device_engine&) = delete;
  device_engine& operator=(const device_engine&) = delete;

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] const network& model() const override { return compiled_.model; }
  [[nodiscard]] std::uint64_t memory_bytes(int width, int height, int at_once) const override;
  [[nodiscard]] result<void> enlarge(std::span<const tile> inputs, std::span<tile> outputs,
                                     const std::function<bool(std::size_t)>& on_tile) override;

  [[nodiscard]] const device_facts& facts() const { return facts_; }
  [[nodiscard]] std::uint64_t memory_limit() const { return memory_limit_; }
  [[nodiscard]] std::uint64_t memory_held() const { return constants_held_ + workspace_held_; }
  [[nodiscard]] std::size_t graphs_held() const { return graphs_.size(); }
  // How many of these tiles it would compute at once: 0 where not one fits.
  [[nodiscard]] int count_at_once(int width, int height, std::size_t tiles) const;
  // For measuring: at most so many at once, and no fewer unless memory forbids; 0: as it sees fit.
  void set_count_at_once(int count) { wanted_count_ = count; }
  // Whether a kernel may begin before the one before it ends (sm_90 and newer), up to where it needs that one's results.
  void set_overlapping_launches(bool wanted);
  [[nodiscard]] result<device_timing> measure(const tile_batch& batch, int repeats);

private:
  // What one of the two batches under way has for itself, on host and device.
  struct slot_memory {
    pinned_memory input;
    pinned_memory output;
    event copied_in;
    event computed;
    event copied_out;
  };
  struct captured_graph {
    tile_batch batch;
    int slot = 0;
    std::uint64_t last_use = 0;
    graph_run run;
  };
  struct tile_group { // of tiles computed together
    std::size_t first = 0;
    tile_batch batch;
    int slot = 0;
  };

  device_engine(compiled_network compiled, device_facts facts, const cuda_options& options);
  [[nodiscard]] result<void> prepare_device(std::uint64_t memory_bytes);
  [[nodiscard]] result<void> prepare_kernels();
  [[nodiscard]] result<void> reserve(const tile_batch& batch);
  void release_workspace();
  [[nodiscard]] result<cudaGraphExec_t> graph_for(const tile_batch& batch, int slot);
  [[nodiscard]] result<graph_run> capture(const tile_batch& batch, int slot);
  [[nodiscard]] result<void> launch_all(const tile_batch& batch, int slot);
  [[nodiscard]] result<void> launch_kernel(const void* function, unsigned blocks, unsigned threads, unsigned shared_bytes,
                                           void* parameters, bool first);
  [[nodiscard]] result<void> begin(const tile_group& group, std::span<const tile> inputs);
  [[nodiscard]] result<bool> finish(const tile_group& group, std::span<tile> outputs,
                                    const std::function<bool(std::size_t)>& on_tile);
  [[nodiscard]] result<void> enlarge_in_groups(std::span<const tile> inputs, std::span<tile> outputs, int count,
                                               const std::function<bool(std::size_t)>& on_tile);
  [[nodiscard]] result<void> call(cudaError_t status, const std::string& what);
  [[nodiscard]] error too_large(const tile_batch& batch) const;
  void settle();

  compiled_network compiled_;
  device_facts facts_;
  int device_ = 0;
  std::uint64_t memory_limit_ = 0;
  std::optional<error> broken_; // set by a fault after which the device does no more for this process
  bool overlapping_ = false;
  int wanted_count_ = 0;

  stream inward_, compute_, outward_;
  slot_memory slots_[2];
  device_memory constants_;
  std::uint64_t constants_held_ = 0;
  device_memory workspace_;
  std::uint64_t workspace_held_ = 0;
  std::uint64_t pinned_input_held_ = 0;
  std::uint64_t pinned_output_held_ = 0;
  std::vector<captured_graph> graphs_; // after workspace_: graphs end before what they point to
  std::uint64_t uses_ = 0;
};

} // namespace ferry::upscale::cuda
