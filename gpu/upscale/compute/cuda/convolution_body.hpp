// The convolution kernels' body: what one block does, written against a "machine" that has threads, warps, shared memory,
// asynchronous copies and matrix instructions. kernels/device_machine.cuh is the GPU's; tests have one that carries out each
// instruction on the host by the tables of the PTX ISA and finds races, reads of what no copy has brought, and addresses outside of
// their memory.
//
// A machine offers:
//   per_thread<T>, per_warp<T>        one T a thread / warp of the block, found by [index]
//   lanes<T>                          one T a lane of the warp at hand; each_lane(f) makes it from f(lane)
//   threads(f), warps(f)              does f(index) for each thread / warp of the block
//   copy(to, from, inside)            16 bytes into shared memory, asynchronously; zeros unless `inside`
//   commit(), wait<pending>(), barrier()
//   launch_next(), wait_for_previous() of launches that overlap
//   load_words(base, constant)        16 bytes a lane from shared memory; load_quad: as floats
//   load_matrices<Numbers>(base, constant) ldmatrix.x4
//   multiply(Numbers, sums, pixels, weights, matrix) one mma
//   accumulate(sums, pixels, k, weights, matrix, row) the same in plain fp32, for one k
//   read_bias(from), read(Numbers, from, inside), write(Numbers, to, quad), write_colour(to, number)
#pragma once

#include "gpu/upscale/compute/cuda/convolution_parameters.hpp"
#include "gpu/upscale/compute/cuda/tile_shape.hpp"

namespace ferry::upscale::cuda {

struct words {
  std::uint32_t at[4];
};
struct quad {
  float at[4];
};

struct tile_place {
  int image = 0;
  int row = 0; // of the tile's first pixel in the image
  int column = 0;
  int channel_block = 0;
};

template <class Shape>
[[nodiscard]] FERRY_HOST_DEVICE constexpr tile_place place_of_block(int block, const convolution_parameters& p) {
  tile_place place;
  place.channel_block = block % p.channel_blocks; // first, so that blocks with the same pixels run side by side
  block /= p.channel_blocks;
  place.column = block % p.tiles_across * tile_width;
  block /= p.tiles_across;
  place.row = block % p.tiles_down * Shape::rows;
  place.image = block / p.tiles_down;
  return place;
}

// What a thread copies of each plane: the same pixels each time. Offset in the plane, or -1 outside of the image.
template <class Shape>
struct pixel_copies {
  int from[Shape::pixel_rounds];
};

template <class Shape>
[[nodiscard]] FERRY_HOST_DEVICE constexpr pixel_copies<Shape> copies_of_thread(int thread, const tile_place& place,
                                                                               const convolution_parameters& p) {
  pixel_copies<Shape> copies{};
  FERRY_UNROLL
  for (int round = 0; round < Shape::pixel_rounds; ++round) {
    const int piece = thread + round * Shape::threads;
    const int pixel = piece >> 1;
    const int y = place.row - Shape::reach + pixel / Shape::pitch;
    const int x = place.column - Shape::reach + pixel % Shape::pitch;
    const bool inside = y >= 0 && y < p.height && x >= 0 && x < p.width;
    copies.from[round] = inside ? ((place.image * p.height + y) * p.width + x) * pixel_bytes + (piece & 1) * 16 : -1;
  }
  return copies;
}

template <class Shape, class Machine>
FERRY_KERNEL_PART void copy_pixels(Machine& machine, const convolution_parameters& p, int thread, int stage,
                                   const pixel_copies<Shape>& copies) {
  const int to = stage % Shape::stages * Shape::stage_bytes + piece_offset(thread);
  FERRY_UNROLL
  for (int plane = 0; plane < Shape::planes_per_stage; ++plane) {
    const std::byte* from = p.arena + p.sources[stage * Shape::planes_per_stage + plane] * p.plane_bytes;
    FERRY_UNROLL
    for (int round = 0; round < Shape::pixel_rounds; ++round) {
      if (thread + round * Shape::threads >= Shape::pixel_pieces)
        break;
      const bool inside = copies.from[round] >= 0;
      machine.copy(to + plane * Shape::plane_bytes + round * Shape::threads * 16, from + (inside ? copies.from[round] : 0), inside);
    }
  }
}

template <class Shape, class Machine>
FERRY_KERNEL_PART void copy_weights(Machine& machine, const convolution_parameters& p, int thread, int stage, int channel_block) {
  const int to = stage % Shape::stages * Shape::stage_bytes + Shape::planes_per_stage * Shape::plane_bytes + thread * 16;
  const std::byte* from =
      p.weights +
      (static_cast<std::size_t>(channel_block) * static_cast<std::size_t>(p.stages) + static_cast<std::size_t>(stage)) *
          static_cast<std::size_t>(Shape::weights_bytes) +
      thread * 16;
  FERRY_UNROLL
  for (int round = 0; round < Shape::weight_rounds; ++round) {
    if (thread + round * Shape::threads >= Shape::weight_pieces)
      break;
    machine.copy(to + round * Shape::threads * 16, from + round * Shape::threads * 16, true);
  }
}

// A warp's sums: [row][group][matrix], as an mma leaves them.
template <class Shape, class Machine>
struct warp_sums {
  typename Machine::template lanes<quad> at[Shape::warp_rows][Shape::warp_groups][2];
};

// One stage on tensor cores.
template <class Numbers, class Shape, class Machine>
FERRY_KERNEL_PART void multiply_stage(Machine& machine, int warp, int stage, warp_sums<Shape, Machine>& sums) {
  const int pixels_base = stage % Shape::stages * Shape::stage_bytes;
  const int weights_base = pixels_base + Shape::planes_per_stage * Shape::plane_bytes + first_group<Shape>(warp) * group_bytes;
  typename Machine::template lanes<int> addresses[8]; // see fragment_offset
  FERRY_UNROLL
  for (int displacement = 0; displacement < 8; ++displacement)
    addresses[displacement] = machine.each_lane(
        [&](int lane) { return pixels_base + fragment_offset<Shape>(lane, first_row<Shape>(warp), displacement); });
  const auto weights_address = machine.each_lane([&](int lane) { return weights_base + lane * 16; });

  FERRY_UNROLL
  for (int plane = 0; plane < Shape::planes_per_stage; ++plane) {
    FERRY_UNROLL
    for (int across = 0; across < Shape::kernel; ++across) {
      typename Machine::template lanes<words> weights[Shape::kernel][Shape::warp_groups];
      FERRY_UNROLL
      for (int down = 0; down < Shape::kernel; ++down) {
        const int tap = plane * Shape::taps + down * Shape::kernel + across;
        FERRY_UNROLL
        for (int group = 0; group < Shape::warp_groups; ++group)
          weights[down][group] = machine.load_words(weights_address, (tap * Shape::groups + group) * group_bytes);
      }
      // A row of the input serves up to `kernel` rows of the output, and is read once for them.
      FERRY_UNROLL
      for (int input_row = 0; input_row < Shape::warp_rows + Shape::kernel - 1; ++input_row) {
        const int displacement = input_row * Shape::pitch + across;
        const auto pixels = machine.template load_matrices<Numbers>(addresses[displacement & 7],
                                                                    plane * Shape::plane_bytes + (displacement & ~7) * pixel_bytes);
        FERRY_UNROLL
        for (int down = 0; down < Shape::kernel; ++down) {
          const int row = input_row - down;
          if (row < 0 || row >= Shape::warp_rows)
            continue;
          FERRY_UNROLL
          for (int group = 0; group < Shape::warp_groups; ++group) {
            machine.multiply(Numbers{}, sums.at[row][group][0], pixels, weights[down][group], 0);
            machine.multiply(Numbers{}, sums.at[row][group][1], pixels, weights[down][group], 1);
          }
        }
      }
    }
  }
}

// The same stage in plain fp32. A lane holds the same sums as an mma would give it, so that all else is shared.
template <class Shape, class Machine>
FERRY_KERNEL_PART void multiply_stage_plainly(Machine& machine, int warp, int stage, warp_sums<Shape, Machine>& sums) {
  const int pixels_base = stage % Shape::stages * Shape::stage_bytes;
  const int weights_base = pixels_base + Shape::planes_per_stage * Shape::plane_bytes + first_group<Shape>(warp) * group_bytes;
  FERRY_KEEP_LOOP
  for (int step = 0; step < Shape::planes_per_stage * Shape::taps * 2; ++step) {
    const int half = step & 1; // of the plane's 8 channels
    const int tap = (step >> 1) % Shape::taps;
    const int plane = (step >> 1) / Shape::taps;
    typename Machine::template lanes<quad> pixels[Shape::warp_rows][2];
    FERRY_UNROLL
    for (int row = 0; row < Shape::warp_rows; ++row) {
      FERRY_UNROLL
      for (int side = 0; side < 2; ++side) {
        const auto address = machine.each_lane([&](int lane) {
          const int pixel =
              (first_row<Shape>(warp) + row + tap / Shape::kernel) * Shape::pitch + tap % Shape::kernel + (lane >> 2) + 8 * side;
          return pixels_base + plane * Shape::plane_bytes + pixel_offset(pixel, half);
        });
        pixels[row][side] = machine.load_quad(address, 0);
      }
    }
    const auto weights_address = machine.each_lane([&](int lane) {
      return weights_base + (plane * Shape::taps + tap) * Shape::groups * group_bytes + half * 256 + (lane & 3) * 16;
    });
    FERRY_UNROLL
    for (int k = 0; k < 4; ++k) {
      FERRY_UNROLL
      for (int group = 0; group < Shape::warp_groups; ++group) {
        const auto weights = machine.load_quad(weights_address, group * group_bytes + k * 64);
        FERRY_UNROLL
        for (int row = 0; row < Shape::warp_rows; ++row) {
          FERRY_UNROLL
          for (int side = 0; side < 2; ++side) {
            machine.accumulate(sums.at[row][group][0], pixels[row][side], k, weights, 0, side);
            machine.accumulate(sums.at[row][group][1], pixels[row][side], k, weights, 1, side);
          }
        }
      }
    }
  }
}

// Four channels of one pixel that a lane holds the sums of.
struct quad_place {
  bool inside = false;      // of the image, and of the value's channels
  int first_channel = 0;    // of the four
  int plane = 0;            // of the value
  std::uint64_t offset = 0; // in the plane
  std::int64_t pixel = 0;   // among those of all images
  int column = 0;
};

template <class Numbers, class Shape>
[[nodiscard]] FERRY_HOST_DEVICE constexpr quad_place place_of_quad(const convolution_parameters& p, const tile_place& tile,
                                                                   int warp, int lane, int group, int row, int side) {
  quad_place place;
  const int output_group = tile.channel_block * Shape::groups + first_group<Shape>(warp) + group;
  const int quarter = lane & 3;
  const int y = tile.row + first_row<Shape>(warp) + row;
  place.column = tile.column + (lane >> 2) + 8 * side;
  place.first_channel = output_group * group_channels + quarter * 4;
  place.plane = quad_plane<Numbers>(output_group, quarter);
  place.inside = y < p.height && place.column < p.width && place.plane < p.output_planes;
  place.pixel = (static_cast<std::int64_t>(tile.image) * p.height + y) * p.width + place.column;
  place.offset = static_cast<std::uint64_t>(place.pixel) * pixel_bytes + static_cast<std::uint64_t>(quad_offset<Numbers>(quarter));
  return place;
}

// The sums of matrix 0 and 1 that make channels 4q … 4q + 3 of the pixel at `side`.
FERRY_KERNEL_PART quad quad_of_sums(const quad& first, const quad& second, int side) {
  return quad{{first.at[2 * side], first.at[2 * side + 1], second.at[2 * side], second.at[2 * side + 1]}};
}

template <class Shape, class Machine>
FERRY_KERNEL_PART void add_bias(Machine& machine, const convolution_parameters& p, int warp, const tile_place& tile,
                                warp_sums<Shape, Machine>& sums) {
  FERRY_UNROLL
  for (int group = 0; group < Shape::warp_groups; ++group) {
    const int output_group = tile.channel_block * Shape::groups + first_group<Shape>(warp) + group;
    const auto bias =
        machine.each_lane([&](int lane) { return machine.read_bias(p.bias + output_group * group_channels + (lane & 3) * 4); });
    machine.for_lanes([&](int lane) {
      FERRY_UNROLL
      for (int item = 0; item < Shape::warp_rows * 8; ++item) {
        const int matrix = item >> 2 & 1;
        float& sum = machine.of_lane(sums.at[item >> 3][group][matrix], lane).at[item & 3];
        sum += machine.of_lane(bias, lane).at[2 * matrix + (item & 1)];
        if (p.relu != 0)
          sum = sum > 0.0F ? sum : 0.0F;
      }
    });
  }
}

// A group's reads first, then its additions: a read that waited for the write before it would cost its whole latency.
template <class Numbers, class Shape, class Machine>
FERRY_KERNEL_PART void add_residual(Machine& machine, const convolution_parameters& p, int residual, int warp,
                                    const tile_place& tile, warp_sums<Shape, Machine>& sums) {
  FERRY_UNROLL
  for (int group = 0; group < Shape::warp_groups; ++group) {
    typename Machine::template lanes<quad> others[Shape::warp_rows * 2];
    FERRY_UNROLL
    for (int item = 0; item < Shape::warp_rows * 2; ++item) {
      others[item] = machine.each_lane([&](int lane) {
        const quad_place place = place_of_quad<Numbers, Shape>(p, tile, warp, lane, group, item >> 1, item & 1);
        const std::byte* from =
            p.arena + static_cast<std::uint64_t>(p.residual_plane[residual] + place.plane) * p.plane_bytes + place.offset;
        return machine.read(Numbers{}, from, place.inside);
      });
    }
    machine.for_lanes([&](int lane) {
      FERRY_UNROLL
      for (int item = 0; item < Shape::warp_rows * 8; ++item) {
        const int matrix = item >> 2 & 1;
        machine.of_lane(sums.at[item >> 3][group][matrix], lane).at[item & 3] +=
            p.residual_gain[residual] * machine.of_lane(others[item >> 3 << 1 | (item >> 1 & 1)], lane).at[2 * matrix + (item & 1)];
      }
    });
  }
}

template <class Numbers, class Shape, class Machine>
FERRY_KERNEL_PART void write_results(Machine& machine, const convolution_parameters& p, int warp, const tile_place& tile,
                                     const warp_sums<Shape, Machine>& sums) {
  FERRY_UNROLL
  for (int item = 0; item < Shape::warp_rows * Shape::warp_groups * 2; ++item) {
    const int side = item & 1;
    const int group = (item >> 1) % Shape::warp_groups;
    const int row = (item >> 1) / Shape::warp_groups;
    machine.for_lanes([&](int lane) {
      const quad_place place = place_of_quad<Numbers, Shape>(p, tile, warp, lane, group, row, side);
      if (!place.inside)
        return;
      const quad result =
          quad_of_sums(machine.of_lane(sums.at[row][group][0], lane), machine.of_lane(sums.at[row][group][1], lane), side);
      if (p.picture == nullptr) {
        machine.write(Numbers{}, p.arena + static_cast<std::uint64_t>(p.output_plane + place.plane) * p.plane_bytes + place.offset,
                      result);
        return;
      }
      const std::int64_t line =
          (place.pixel - place.column) * p.scale + place.column; // the image's row is `scale` rows of the picture
      FERRY_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int channel = place.first_channel + i;
        if (channel < p.channels)
          machine.write_colour(p.picture + line * p.scale * 3 + picture_offset(channel, p.scale, p.width), result.at[i] * p.gain);
      }
    });
  }
}

// All that one block does. Weights belong to no launch before this one, so their copies begin at once; pixels wait for those
// launches.
template <class Numbers, class Shape, class Machine>
FERRY_KERNEL_PART void convolve(Machine& machine, const convolution_parameters& p) {
  const tile_place place = place_of_block<Shape>(machine.block(), p);
  typename Machine::template per_thread<pixel_copies<Shape>> copies;
  typename Machine::template per_warp<warp_sums<Shape, Machine>> sums;
  machine.launch_next();
  FERRY_UNROLL
  for (int stage = 0; stage < Shape::stages - 1; ++stage) {
    if (stage < p.stages)
      machine.threads([&](int thread) { copy_weights<Shape>(machine, p, thread, stage, place.channel_block); });
  }
  machine.threads([&](int thread) { copies[thread] = copies_of_thread<Shape>(thread, place, p); });
  machine.warps([&](int warp) { sums[warp] = warp_sums<Shape, Machine>{}; });
  machine.wait_for_previous();
  FERRY_UNROLL
  for (int stage = 0; stage < Shape::stages - 1; ++stage) {
    if (stage < p.stages)
      machine.threads([&](int thread) { copy_pixels<Shape>(machine, p, thread, stage, copies[thread]); });
    machine.commit();
  }
  FERRY_KEEP_LOOP
  for (int stage = 0; stage < p.stages; ++stage) {
    machine.template wait<Shape::stages - 2>();
    machine.barrier(); // this stage has come for all threads, and the one that is overwritten next has been read by all
    const int next = stage + Shape::stages - 1;
    if (next < p.stages) {
      machine.threads([&](int thread) {
        copy_pixels<Shape>(machine, p, thread, next, copies[thread]);
        copy_weights<Shape>(machine, p, thread, next, place.channel_block);
      });
    }
    machine.commit();
    machine.warps([&](int warp) {
      if constexpr (Numbers::tensor_cores)
        multiply_stage<Numbers, Shape>(machine, warp, stage, sums[warp]);
      else
        multiply_stage_plainly<Shape>(machine, warp, stage, sums[warp]);
    });
  }
  machine.warps([&](int warp) {
    add_bias<Shape>(machine, p, warp, place, sums[warp]);
    for (int residual = 0; residual < p.residuals; ++residual)
      add_residual<Numbers, Shape>(machine, p, residual, warp, place, sums[warp]);
    write_results<Numbers, Shape>(machine, p, warp, place, sums[warp]);
  });
}

} // namespace ferry::upscale::cuda
