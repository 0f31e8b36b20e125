#include "tests/gpu/upscale/cuda/host_machine.hpp"

#include <algorithm>

namespace ferry::upscale::cuda {

namespace {

using left_matrix = std::array<std::array<double, 16>, 16>;
using right_matrix = std::array<std::array<double, 8>, 16>;

// C += A * B with A 16×depth and B depth×8, as fp32: products are exact, sums are rounded once here and unspecified on the device.
template <class Lanes>
void add_product(Lanes& sums, const left_matrix& a, const right_matrix& b, std::size_t depth) {
  std::array<std::array<double, 8>, 16> product{};
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t k = 0; k < depth; ++k) {
      for (std::size_t column = 0; column < 8; ++column)
        product[row][column] += a[row][k] * b[k][column];
    }
  }
  for (std::size_t lane = 0; lane < lanes_of_warp; ++lane) {
    for (std::size_t i = 0; i < 4; ++i) { // c0, c1: row lane / 4; c2, c3: 8 rows below; columns 2 * (lane % 4) and the next
      float& held = sums[lane].at[i];
      held = static_cast<float>(static_cast<double>(held) + product[lane / 4 + (i >= 2 ? 8 : 0)][lane % 4 * 2 + i % 2]);
    }
  }
}

[[nodiscard]] float half_of_word(std::uint32_t word, int which) {
  return float_from_half(static_cast<std::uint16_t>(word >> (16 * which)));
}

} // namespace

void host_machine::copy(int to, const std::byte* from, bool inside) {
  check_access(from, 16, false);
  if (to < 0 || to % 16 != 0 || static_cast<std::size_t>(to) + 16 > shared_.size()) {
    findings_.add("a copy goes to byte " + std::to_string(to) + " of shared memory");
    return;
  }
  if (reinterpret_cast<std::uintptr_t>(from) % 16 != 0)
    findings_.add("a copy reads from an address that is not a multiple of 16");
  piece& at = pieces_[static_cast<std::size_t>(to) / 16];
  if (at.under_way)
    findings_.add("two copies to byte " + std::to_string(to) + " are under way at once");
  if (at.read == epoch_)
    findings_.add("a copy overwrites byte " + std::to_string(to) + ", which other warps may still read");
  at.under_way = true;
  open_group_.push_back({to, from, inside});
}

void host_machine::commit() {
  groups_.push_back(std::move(open_group_));
  open_group_.clear();
}

void host_machine::land_oldest_group() {
  for (const pending_copy& one : groups_.front()) {
    if (one.inside)
      std::memcpy(shared_.data() + one.to, one.from, 16);
    else
      std::memset(shared_.data() + one.to, 0, 16);
    piece& at = pieces_[static_cast<std::size_t>(one.to) / 16];
    at.under_way = false;
    at.landed = epoch_;
  }
  groups_.erase(groups_.begin());
}

bool host_machine::nothing_under_way() const {
  return open_group_.empty() && std::all_of(groups_.begin(), groups_.end(), [](const auto& group) { return group.empty(); });
}

const std::byte* host_machine::shared_at(int address, int bytes) {
  static const std::array<std::byte, 16> nothing{};
  if (address < 0 || address % bytes != 0 || static_cast<std::size_t>(address + bytes) > shared_.size()) {
    findings_.add("a read of byte " + std::to_string(address) + " of shared memory");
    return nothing.data();
  }
  piece& at = pieces_[static_cast<std::size_t>(address) / 16];
  if (at.under_way || at.landed < 0 || at.landed >= epoch_)
    findings_.add("byte " + std::to_string(address) + " of shared memory is read before its copy is there for all threads");
  at.read = epoch_;
  return shared_.data() + address;
}

// 16 bytes a lane go in four turns of 8 lanes. In each, the 32 banks of 4 bytes may be asked for one row each.
void host_machine::count_conflicts(const lanes<int>& base, int constant) {
  for (std::size_t turn = 0; turn < 4; ++turn) {
    std::array<int, 8> row_of_banks; // banks in fours
    row_of_banks.fill(-1);
    for (std::size_t lane = turn * 8; lane < turn * 8 + 8; ++lane) {
      const int row = (base[lane] + constant) / 16;
      int& taken = row_of_banks[static_cast<std::size_t>(row) % 8];
      if (taken >= 0 && taken != row)
        ++findings_.bank_conflicts;
      taken = row;
    }
  }
}

host_machine::lanes<words> host_machine::load_words(const lanes<int>& base, int constant) {
  lanes<words> loaded{};
  count_conflicts(base, constant);
  for (std::size_t lane = 0; lane < lanes_of_warp; ++lane)
    std::memcpy(loaded[lane].at, shared_at(base[lane] + constant, 16), 16);
  return loaded;
}

host_machine::lanes<quad> host_machine::load_quad(const lanes<int>& base, int constant) {
  lanes<quad> loaded{};
  count_conflicts(base, constant);
  for (std::size_t lane = 0; lane < lanes_of_warp; ++lane)
    std::memcpy(loaded[lane].at, shared_at(base[lane] + constant, 16), 16);
  return loaded;
}

// ldmatrix.x4: lanes 8m … 8m + 7 hold the addresses of the rows of matrix m; lane l receives 32-bit word l % 4 of row l / 4 of
// each.
host_machine::lanes<words> host_machine::load_rows(const lanes<int>& base, int constant) {
  lanes<words> loaded{};
  count_conflicts(base, constant);
  for (std::size_t matrix = 0; matrix < 4; ++matrix) {
    for (std::size_t row = 0; row < 8; ++row) {
      const std::byte* from = shared_at(base[matrix * 8 + row] + constant, 16);
      for (std::size_t word = 0; word < 4; ++word)
        std::memcpy(&loaded[row * 4 + word].at[matrix], from + word * 4, 4);
    }
  }
  return loaded;
}

void host_machine::round_all(lanes<words>& loaded) {
  for (words& lane : loaded) {
    for (std::uint32_t& word : lane.at)
      word = std::bit_cast<std::uint32_t>(round_to_tf32(std::bit_cast<float>(word)));
  }
}

// mma.m16n8k16.f32.f16.f16.f32. A: registers 0 and 1 rows l / 4 and l / 4 + 8, columns 2 * (l % 4) + {0, 1}; registers 2 and 3 the
// same, 8 columns on. B: register 0 rows 2 * (l % 4) + {0, 1}, column l / 4; register 1 the same, 8 rows on.
void host_machine::multiply(fp16_numbers, lanes<quad>& sums, const lanes<words>& pixels, const lanes<words>& weights, int matrix) {
  left_matrix a{};
  right_matrix b{};
  for (std::size_t lane = 0; lane < lanes_of_warp; ++lane) {
    const std::size_t line = lane / 4;
    for (int which = 0; which < 2; ++which) {
      const std::size_t k = lane % 4 * 2 + static_cast<std::size_t>(which);
      a[line][k] = half_of_word(pixels[lane].at[0], which);
      a[line + 8][k] = half_of_word(pixels[lane].at[1], which);
      a[line][k + 8] = half_of_word(pixels[lane].at[2], which);
      a[line + 8][k + 8] = half_of_word(pixels[lane].at[3], which);
      b[k][line] = half_of_word(weights[lane].at[2 * matrix], which);
      b[k + 8][line] = half_of_word(weights[lane].at[2 * matrix + 1], which);
    }
  }
  add_product(sums, a, b, 16);
}

// mma.m16n8k8.f32.tf32.tf32.f32. A: registers 0 and 1 rows l / 4 and l / 4 + 8, column l % 4; registers 2 and 3 the same, 4 columns
// on. B: register 0 row l % 4, column l / 4; register 1 the same, 4 rows on.
void host_machine::multiply(tf32_numbers, lanes<quad>& sums, const lanes<words>& pixels, const lanes<words>& weights, int matrix) {
  left_matrix a{};
  right_matrix b{};
  const auto number = [&](std::uint32_t word) {
    if ((word & 0x1FFFU) != 0)
      findings_.add("a matrix instruction was handed a number that is not rounded to tf32");
    return static_cast<double>(std::bit_cast<float>(word));
  };
  for (std::size_t lane = 0; lane < lanes_of_warp; ++lane) {
    const std::size_t line = lane / 4;
    const std::size_t k = lane % 4;
    a[line][k] = number(pixels[lane].at[0]);
    a[line + 8][k] = number(pixels[lane].at[1]);
    a[line][k + 4] = number(pixels[lane].at[2]);
    a[line + 8][k + 4] = number(pixels[lane].at[3]);
    b[k][line] = number(weights[lane].at[2 * matrix]);
    b[k + 4][line] = number(weights[lane].at[2 * matrix + 1]);
  }
  add_product(sums, a, b, 8);
}

void host_machine::accumulate(lanes<quad>& sums, const lanes<quad>& pixels, int k, const lanes<quad>& weights, int matrix,
                              int side) {
  for (std::size_t lane = 0; lane < lanes_of_warp; ++lane) {
    for (int i = 0; i < 2; ++i)
      sums[lane].at[2 * side + i] += pixels[lane].at[k] * weights[lane].at[2 * matrix + i];
  }
}

void host_machine::check_access(const void* at, std::size_t bytes, bool writes) {
  const auto first = reinterpret_cast<std::uintptr_t>(at);
  for (const host_stretch& stretch : memory_) {
    const auto begin = reinterpret_cast<std::uintptr_t>(stretch.begin);
    if (first >= begin && first + bytes <= begin + stretch.bytes && (stretch.writable || !writes))
      return;
  }
  findings_.add(std::string(writes ? "a write to" : "a read of") + " memory that is not the kernel's");
}

quad host_machine::read_bias(const float* from) {
  check_access(from, sizeof(quad), false);
  quad read{};
  std::memcpy(read.at, from, sizeof read.at);
  return read;
}

quad host_machine::read(fp16_numbers, const std::byte* from, bool inside) {
  if (!inside)
    return {};
  check_access(from, 8, false);
  if (!waited_)
    findings_.add("results of the launch before are read without waiting for it");
  std::array<std::uint16_t, 4> halves{};
  std::memcpy(halves.data(), from, 8);
  return quad{{float_from_half(halves[0]), float_from_half(halves[1]), float_from_half(halves[2]), float_from_half(halves[3])}};
}

quad host_machine::read(fp32_numbers, const std::byte* from, bool inside) {
  if (!inside)
    return {};
  check_access(from, 16, false);
  quad read{};
  std::memcpy(read.at, from, sizeof read.at);
  return read;
}

void host_machine::write(fp16_numbers, std::byte* to, const quad& q) {
  check_access(to, 8, true);
  if (!waited_)
    findings_.add("memory is written that the launch before may still read");
  std::array<std::uint16_t, 4> halves{};
  std::transform(std::begin(q.at), std::end(q.at), halves.begin(), half_from_float);
  std::memcpy(to, halves.data(), 8);
}

void host_machine::write(fp32_numbers, std::byte* to, const quad& q) {
  check_access(to, 16, true);
  std::memcpy(to, q.at, 16);
}

float host_machine::read_colour(const float* from) {
  check_access(from, sizeof(float), false);
  return *from;
}

void host_machine::write_colour(float* to, float colour) {
  check_access(to, sizeof(float), true);
  *to = colour;
}

} // namespace ferry::upscale::cuda
