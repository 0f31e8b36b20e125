// A GPU's block on the host: carries out the kernels' own text (convolution_body.hpp), instruction by instruction by the tables of
// the PTX ISA, and takes note of what a GPU would let pass or answer with silence: a read of what no copy has brought yet, a copy
// over what may still be read, addresses outside of the memory handed over, and reads of shared memory that meet in one bank.
#pragma once

#include "gpu/upscale/compute/cuda/convolution_body.hpp"

#include <array>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ferry::upscale::cuda {

// Memory of the "device" that kernels may use.
struct host_stretch {
  const std::byte* begin = nullptr;
  std::size_t bytes = 0;
  bool writable = false;
};

// What was found wrong, over many blocks.
struct host_findings {
  std::vector<std::string> faults; // the first few
  std::size_t bank_conflicts = 0;

  void add(std::string fault) {
    if (faults.size() < 10)
      faults.push_back(std::move(fault));
  }
};

class host_machine {
public:
  static constexpr std::size_t threads_max = 256;

  template <class T, std::size_t count>
  struct several {
    std::vector<T> values = std::vector<T>(count);
    T& operator[](int index) { return values[static_cast<std::size_t>(index)]; }
  };
  template <class T>
  using per_thread = several<T, threads_max>;
  template <class T>
  using per_warp = several<T, threads_max / lanes_of_warp>;
  template <class T>
  using lanes = std::array<T, lanes_of_warp>;

  host_machine(int block, int thread_count, int shared_bytes, const std::vector<host_stretch>& memory, host_findings& findings)
      : block_(block),
        thread_count_(thread_count),
        memory_(memory),
        findings_(findings),
        shared_(static_cast<std::size_t>(shared_bytes), std::byte{0xFF}),
        pieces_(static_cast<std::size_t>(shared_bytes) / 16) {}

  [[nodiscard]] int block() const { return block_; }

  template <class F>
  void threads(F&& f) {
    for (int thread = 0; thread < thread_count_; ++thread)
      f(thread);
  }
  template <class F>
  void warps(F&& f) {
    for (int warp = 0; warp < thread_count_ / lanes_of_warp; ++warp)
      f(warp);
  }
  template <class F>
  auto each_lane(F&& f) {
    lanes<std::decay_t<decltype(f(0))>> made{};
    for (int lane = 0; lane < lanes_of_warp; ++lane)
      made[static_cast<std::size_t>(lane)] = f(lane);
    return made;
  }
  template <class F>
  void for_lanes(F&& f) {
    for (int lane = 0; lane < lanes_of_warp; ++lane)
      f(lane);
  }
  template <class T>
  T& of_lane(lanes<T>& values, int lane) {
    return values[static_cast<std::size_t>(lane)];
  }
  template <class T>
  const T& of_lane(const lanes<T>& values, int lane) {
    return values[static_cast<std::size_t>(lane)];
  }

  void copy(int to, const std::byte* from, bool inside);
  void commit();
  template <int pending>
  void wait() {
    while (static_cast<int>(groups_.size()) > pending)
      land_oldest_group();
  }
  void barrier() { ++epoch_; }
  void launch_next() {}
  void wait_for_previous() { waited_ = true; }

  lanes<words> load_words(const lanes<int>& base, int constant);
  lanes<quad> load_quad(const lanes<int>& base, int constant);
  template <class Numbers>
  lanes<words> load_matrices(const lanes<int>& base, int constant) {
    lanes<words> loaded = load_rows(base, constant);
    if (Numbers::plane_channels == 8)
      round_all(loaded);
    return loaded;
  }

  void multiply(fp16_numbers, lanes<quad>& sums, const lanes<words>& pixels, const lanes<words>& weights, int matrix);
  void multiply(tf32_numbers, lanes<quad>& sums, const lanes<words>& pixels, const lanes<words>& weights, int matrix);
  void accumulate(lanes<quad>& sums, const lanes<quad>& pixels, int k, const lanes<quad>& weights, int matrix, int side);

  quad read_bias(const float* from);
  quad read(fp16_numbers, const std::byte* from, bool inside);
  quad read(tf32_numbers, const std::byte* from, bool inside) { return read(fp32_numbers{}, from, inside); }
  quad read(fp32_numbers, const std::byte* from, bool inside);
  void write(fp16_numbers, std::byte* to, const quad& q);
  void write(tf32_numbers, std::byte* to, const quad& q) { write(fp32_numbers{}, to, q); }
  void write(fp32_numbers, std::byte* to, const quad& q);
  float read_colour(const float* from);
  void write_colour(float* to, float colour);
  float rounded(fp16_numbers, float number) { return float_from_half(half_from_float(number)); }
  float rounded(tf32_numbers, float number) { return round_to_tf32(number); }
  float rounded(fp32_numbers, float number) { return number; }

  [[nodiscard]] bool nothing_under_way() const;

private:
  struct pending_copy {
    int to = 0;
    const std::byte* from = nullptr;
    bool inside = false;
  };
  struct piece { // 16 bytes of shared memory
    bool under_way = false;
    int landed = -1; // at which count of barriers
    int read = -1;
  };

  void land_oldest_group();
  const std::byte* shared_at(int address, int bytes);
  void count_conflicts(const lanes<int>& base, int constant);
  lanes<words> load_rows(const lanes<int>& base, int constant);
  static void round_all(lanes<words>& loaded);
  void check_access(const void* at, std::size_t bytes, bool writes);

  int block_;
  int thread_count_;
  const std::vector<host_stretch>& memory_;
  host_findings& findings_;
  std::vector<std::byte> shared_;
  std::vector<piece> pieces_;
  std::vector<pending_copy> open_group_;
  std::vector<std::vector<pending_copy>> groups_;
  int epoch_ = 0;
  bool waited_ = false;
};

} // namespace ferry::upscale::cuda
