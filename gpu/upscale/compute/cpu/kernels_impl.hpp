// The kernels, written once with the compiler's vector types and compiled for each instruction set: the including file says
// FERRY_LANES (floats of a vector) and FERRY_VECTOR_REGISTERS. Everything is local to that file.
//
// The heart is accumulate(): `pixels` × `vectors` sums are kept in registers, and each weight vector that is loaded is used for all
// pixels, each channel of a pixel for all vectors.
#pragma once

#include "gpu/upscale/compute/cpu/kernels.hpp"

#include <cstddef>

namespace ferry::upscale::kernels {
namespace {

constexpr int lanes = FERRY_LANES;
using vec = float __attribute__((vector_size(FERRY_LANES * 4)));
using vec_unaligned = float __attribute__((vector_size(FERRY_LANES * 4), aligned(4), may_alias));

[[gnu::always_inline]] inline vec load(const float* from) { return *reinterpret_cast<const vec_unaligned*>(from); }
[[gnu::always_inline]] inline void store(float* to, vec value) { *reinterpret_cast<vec_unaligned*>(to) = value; }

constexpr int vectors_max = FERRY_VECTOR_REGISTERS >= 32 ? 4 : 2;
// Sums in registers: all but those for one input and the weights.
constexpr int pixels_max(int vectors) { return (FERRY_VECTOR_REGISTERS - vectors - 1) / vectors; }

template <int Pixels, int Vectors>
struct sums {
  vec of[Pixels][Vectors];
};

template <int Pixels, int Vectors>
[[gnu::always_inline]] inline void accumulate(sums<Pixels, Vectors>& sum, const float* in, int channels, const float*& weights) {
  for (int channel = 0; channel < channels; ++channel) {
    vec weight[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v)
      weight[v] = load(weights + v * lanes);
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p) {
      const float value = in[p * lanes + channel];
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v)
        sum.of[p][v] += value * weight[v];
    }
    weights += Vectors * lanes;
  }
}

[[gnu::always_inline]] inline vec positive(vec value) { return value > 0 ? value : vec{}; }

[[gnu::always_inline]] inline vec finished(const epilogue& end, int block, std::ptrdiff_t at, vec value) {
  value += load(end.bias + block * lanes);
  if (end.relu)
    value = positive(value);
  for (int r = 0; r < end.residual_count; ++r)
    value += end.residuals[r].gain * load(end.residuals[r].planes[block] + at);
  return value;
}

// --- direct -----------------------------------------------------------------------------------------------------------------

// `at`: where the first pixel lies in each plane.
template <int Pixels, int Vectors>
void direct_pixels(const group& of, const epilogue& end, std::ptrdiff_t at) {
  sums<Pixels, Vectors> sum{};
  const float* weights = of.weights;
  for (int s = 0; s < of.segment_count; ++s)
    accumulate(sum, of.segments[s].in + at, of.segments[s].channels, weights);
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v)
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p)
      store(end.outputs[of.first_block + v] + at + p * lanes, finished(end, of.first_block + v, at + p * lanes, sum.of[p][v]));
}

// The same sums, stored as they are: pixel after pixel at `to`, `pixel_floats` apart.
template <int Pixels, int Vectors>
void plain_pixels(const group& of, std::ptrdiff_t at, float* to, std::ptrdiff_t pixel_floats) {
  sums<Pixels, Vectors> sum{};
  const float* weights = of.weights;
  for (int s = 0; s < of.segment_count; ++s)
    accumulate(sum, of.segments[s].in + at, of.segments[s].channels, weights);
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v)
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p)
      store(to + p * pixel_floats + (of.first_block + v) * lanes, sum.of[p][v]);
}

// One product of Winograd's: `in` holds in_blocks × stride floats, `to` the planes of the results, `stride` apart too.
template <int Pixels, int Vectors>
void product_pixels(const float* in, int in_blocks, std::ptrdiff_t stride, const float* weights, float* to) {
  sums<Pixels, Vectors> sum{};
  for (int block = 0; block < in_blocks; ++block)
    accumulate(sum, in + block * stride, lanes, weights);
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v)
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p)
      store(to + v * stride + p * lanes, sum.of[p][v]);
}

// Calls use.template operator()<Pixels, Vectors>() for a number of pixels known at run time.
template <int Vectors, int Pixels, class Use>
[[gnu::always_inline]] inline void with_pixels(int pixels, const Use& use) {
  if constexpr (Pixels > 1) {
    if (pixels != Pixels)
      return with_pixels<Vectors, Pixels - 1>(pixels, use);
  }
  use.template operator()<Pixels, Vectors>();
}

// Cuts `count` pixels into as few, nearly equal pieces as registers allow, and calls use<Pixels, Vectors>(first) for each.
template <int Vectors, class Use>
[[gnu::always_inline]] inline void in_pieces_of(int count, const Use& use) {
  constexpr int most = pixels_max(Vectors);
  const int pieces = (count + most - 1) / most;
  for (int piece = 0, first = 0; piece < pieces; ++piece) {
    const int pixels = (count - first) / (pieces - piece);
    with_pixels<Vectors, most>(pixels, [&]<int Pixels, int>() { use.template operator()<Pixels, Vectors>(first); });
    first += pixels;
  }
}

template <class Use>
[[gnu::always_inline]] inline void in_pieces(int vectors, int count, const Use& use) {
  if constexpr (vectors_max >= 4) {
    if (vectors == 4)
      return in_pieces_of<4>(count, use);
    if (vectors == 3)
      return in_pieces_of<3>(count, use);
  }
  if (vectors == 2)
    return in_pieces_of<2>(count, use);
  return in_pieces_of<1>(count, use);
}

void direct_rows(const direct_step& step, int row_begin, int row_end) {
  for (int y = row_begin; y < row_end; ++y)
    for (int g = 0; g < step.group_count; ++g) {
      const group& of = step.groups[g];
      in_pieces(of.vectors, step.at.width, [&]<int Pixels, int Vectors>(int first) {
        direct_pixels<Pixels, Vectors>(of, step.end, y * step.at.row + first * lanes);
      });
    }
}

// --- narrow -----------------------------------------------------------------------------------------------------------------

// Partial sums of the rows row_begin - 1 … row_end, one pixel further to each side: what lies outside of the picture is zero, as
// are its products.
void partial_sums(const narrow_step& step, int row_begin, int row_end, float* scratch) {
  const std::ptrdiff_t pixel_floats = step.partial_blocks * lanes;
  for (int y = row_begin - 1; y < row_end + 1; ++y) {
    float* to = scratch + (y - row_begin + 1) * (step.at.width + 2) * pixel_floats;
    for (int g = 0; g < step.group_count; ++g) {
      const group& of = step.groups[g];
      in_pieces(of.vectors, step.at.width + 2, [&]<int Pixels, int Vectors>(int first) {
        plain_pixels<Pixels, Vectors>(of, y * step.at.row + (first - 1) * lanes, to + first * pixel_floats, pixel_floats);
      });
    }
  }
}

void narrow_rows(const narrow_step& step, int row_begin, int row_end, float* scratch) {
  const std::ptrdiff_t pixel_floats = step.partial_blocks * lanes;
  const std::ptrdiff_t row_floats = (step.at.width + 2) * pixel_floats;
  for (int from = row_begin; from < row_end; from += narrow_rows_at_once) {
    const int to = from + narrow_rows_at_once < row_end ? from + narrow_rows_at_once : row_end;
    partial_sums(step, from, to, scratch);
    for (int y = from; y < to; ++y)
      for (int x = 0; x < step.at.width; ++x) {
        const float* near = scratch + (y - from) * row_floats + x * pixel_floats;
        for (int block = 0; block * lanes < step.channels; ++block) {
          const int here = step.channels - block * lanes < lanes ? step.channels - block * lanes : lanes;
          vec sum{};
          for (int tap = 0; tap < 9; ++tap) {
            const float* part = near + (tap / 3) * row_floats + (tap % 3) * pixel_floats + tap * step.channels + block * lanes;
            for (int c = 0; c < here; ++c)
              sum[c] += part[c];
          }
          const std::ptrdiff_t at = y * step.at.row + x * lanes;
          store(step.end.outputs[block] + at, finished(step.end, block, at, sum));
        }
      }
  }
}

// --- Winograd ---------------------------------------------------------------------------------------------------------------

// Bᵀ for the points 0, ±1, ±2, ∞; the sums of even and odd coefficients are shared by each pair of points.
[[gnu::always_inline]] inline void transform_input(const vec (&d)[6], vec (&t)[6]) {
  const vec even_one = d[4] - 4 * d[2];
  const vec odd_one = d[3] - 4 * d[1];
  const vec even_two = d[4] - d[2];
  const vec odd_two = 2 * (d[3] - d[1]);
  t[0] = 4 * d[0] - 5 * d[2] + d[4];
  t[1] = even_one + odd_one;
  t[2] = even_one - odd_one;
  t[3] = even_two + odd_two;
  t[4] = even_two - odd_two;
  t[5] = 4 * d[1] - 5 * d[3] + d[5];
}

// Bᵀ for the points 0, ±1, ±2, ±1/2, ∞.
[[gnu::always_inline]] inline void transform_input(const vec (&d)[8], vec (&t)[8]) {
  const vec even_one = d[2] - 4.25F * d[4] + d[6];
  const vec odd_one = d[1] - 4.25F * d[3] + d[5];
  const vec even_two = 0.25F * d[2] - 1.25F * d[4] + d[6];
  const vec odd_two = 0.5F * d[1] - 2.5F * d[3] + 2 * d[5];
  const vec even_half = 4 * d[2] - 5 * d[4] + d[6];
  const vec odd_half = 2 * d[1] - 2.5F * d[3] + 0.5F * d[5];
  t[0] = d[0] - d[6] + 5.25F * (d[4] - d[2]);
  t[1] = even_one + odd_one;
  t[2] = even_one - odd_one;
  t[3] = even_two + odd_two;
  t[4] = even_two - odd_two;
  t[5] = even_half + odd_half;
  t[6] = even_half - odd_half;
  t[7] = d[7] - d[1] + 5.25F * (d[3] - d[5]);
}

constexpr float power(float base, int exponent) { return exponent == 0 ? 1.0F : base * power(base, exponent - 1); }

// Aᵀ: row i weighs a point p with p to the i; the last row takes up infinity.
template <int Alpha, int Output>
[[gnu::always_inline]] inline void transform_output(const vec (&m)[Alpha], vec (&y)[Output]) {
  const vec sum_one = m[1] + m[2];
  const vec difference_one = m[1] - m[2];
  const vec sum_two = m[3] + m[4];
  const vec difference_two = m[3] - m[4];
#pragma GCC unroll 8
  for (int i = 0; i < Output; ++i) {
    y[i] = i % 2 == 0 ? sum_one + power(2.0F, i) * sum_two : difference_one + power(2.0F, i) * difference_two;
    if constexpr (Alpha == 8)
      y[i] += power(0.5F, i) * (i % 2 == 0 ? m[5] + m[6] : m[5] - m[6]);
    if (i == 0)
      y[i] += m[0];
    if (i == Output - 1)
      y[i] += m[Alpha - 1];
  }
}

// One tile of one plane: Bᵀ d B into `to`, one vector every `point_floats`.
template <int Alpha>
void gather_tile(const float* in, std::ptrdiff_t row, float* to, std::ptrdiff_t point_floats) {
  vec half[Alpha][Alpha];
  for (int x = 0; x < Alpha; ++x) {
    vec d[Alpha];
    vec t[Alpha];
#pragma GCC unroll 8
    for (int y = 0; y < Alpha; ++y)
      d[y] = load(in + y * row + x * lanes);
    transform_input(d, t);
#pragma GCC unroll 8
    for (int y = 0; y < Alpha; ++y)
      half[y][x] = t[y];
  }
  for (int y = 0; y < Alpha; ++y) {
    vec t[Alpha];
    transform_input(half[y], t);
#pragma GCC unroll 8
    for (int x = 0; x < Alpha; ++x)
      store(to + (y * Alpha + x) * point_floats, t[x]);
  }
}

struct tile_place {
  int x = 0; // of the first pixel it makes
  int y = 0;
  int width = 0; // pixels that lie in the picture
  int height = 0;
};

template <int Output>
tile_place place_of(const winograd_step& step, int tile) {
  tile_place place{(tile % step.tiles_across) * Output, (tile / step.tiles_across) * Output, Output, Output};
  if (place.x + Output > step.at.width)
    place.width = step.at.width - place.x;
  if (place.y + Output > step.at.height)
    place.height = step.at.height - place.y;
  return place;
}

// Aᵀ m A of one tile and block, finished and stored.
template <int Alpha, int Output>
void scatter_tile(const winograd_step& step, const tile_place& place, int block, const float* from, std::ptrdiff_t point_floats) {
  vec half[Output][Alpha];
  for (int x = 0; x < Alpha; ++x) {
    vec m[Alpha];
    vec y[Output];
#pragma GCC unroll 8
    for (int i = 0; i < Alpha; ++i)
      m[i] = load(from + (i * Alpha + x) * point_floats);
    transform_output<Alpha, Output>(m, y);
#pragma GCC unroll 8
    for (int i = 0; i < Output; ++i)
      half[i][x] = y[i];
  }
  for (int i = 0; i < place.height; ++i) {
    vec out[Output];
    transform_output<Alpha, Output>(half[i], out);
    const std::ptrdiff_t at = (place.y + i) * step.at.row + place.x * lanes;
    for (int x = 0; x < place.width; ++x)
      store(step.end.outputs[block] + at + x * lanes, finished(step.end, block, at + x * lanes, out[x]));
  }
}

template <int Alpha, int Output>
void winograd_block(const winograd_step& step, int tile_begin, int tiles, float* scratch) {
  const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(step.tiles_at_once) * lanes; // floats from one block to the next
  const std::ptrdiff_t in_point = step.in_blocks * stride;
  const std::ptrdiff_t out_point = step.out_blocks * stride;
  float* const gathered = scratch;
  float* const products = scratch + Alpha * Alpha * in_point;
  for (int block = 0; block < step.in_blocks; ++block)
    for (int t = 0; t < tiles; ++t) {
      const tile_place place = place_of<Output>(step, tile_begin + t);
      const float* in = step.inputs[block] + (place.y - step.reach) * step.at.row + (place.x - step.reach) * lanes;
      gather_tile<Alpha>(in, step.at.row, gathered + block * stride + t * lanes, in_point);
    }
  const float* weights = step.weights;
  for (int point = 0; point < Alpha * Alpha; ++point)
    for (int first = 0; first < step.out_blocks; first += vectors_max) {
      const int vectors = step.out_blocks - first < vectors_max ? step.out_blocks - first : vectors_max;
      in_pieces(vectors, tiles, [&]<int Pixels, int Vectors>(int t) {
        product_pixels<Pixels, Vectors>(gathered + point * in_point + t * lanes, step.in_blocks, stride, weights,
                                        products + point * out_point + first * stride + t * lanes);
      });
      weights += static_cast<std::ptrdiff_t>(step.in_blocks) * lanes * vectors * lanes;
    }
  for (int block = 0; block < step.out_blocks; ++block)
    for (int t = 0; t < tiles; ++t)
      scatter_tile<Alpha, Output>(step, place_of<Output>(step, tile_begin + t), block, products + block * stride + t * lanes,
                                  out_point);
}

void winograd_tiles(const winograd_step& step, int tile_begin, int tile_end, float* scratch) {
  for (int from = tile_begin; from < tile_end; from += step.tiles_at_once) {
    const int tiles = tile_end - from < step.tiles_at_once ? tile_end - from : step.tiles_at_once;
    if (step.alpha == 6)
      winograd_block<6, 4>(step, from, tiles, scratch);
    else
      winograd_block<8, 4>(step, from, tiles, scratch);
  }
}

const table local_table{lanes, vectors_max, pixels_max(vectors_max), direct_rows, narrow_rows, winograd_tiles};

} // namespace
} // namespace ferry::upscale::kernels
