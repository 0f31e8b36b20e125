#include "gpu/upscale/compute/enlarge.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace ferry::upscale {
namespace {

// Given to the engine in one call, so that a GPU can compute several together and inputs stay few.
constexpr int tiles_of_a_call = 16;
constexpr int tile_pixels_least = 32;
constexpr int tile_pixels_most = 1024;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// One direction of the grid: the picture's pixels are shared out evenly, and each part is computed from a window of one and the
// same size around it, which is moved inwards at the picture's edges (there the zeros outside are the network's own).
class division {
public:
  division(int pixels, int tile_pixels, int overlap_pixels)
      : pixels_(pixels),
        parts_((pixels + tile_pixels - 1) / tile_pixels),
        overlap_(overlap_pixels),
        window_(
            static_cast<int>(std::min<std::int64_t>(pixels, (pixels + parts_ - 1) / parts_ + 2 * std::int64_t{overlap_pixels}))) {}

  [[nodiscard]] int parts() const { return parts_; }
  [[nodiscard]] int window() const { return window_; }
  [[nodiscard]] int begin(int part) const { return static_cast<int>(std::int64_t{pixels_} * part / parts_); }
  [[nodiscard]] int end(int part) const { return begin(part + 1); }
  [[nodiscard]] int window_begin(int part) const { return std::clamp(begin(part) - overlap_, 0, pixels_ - window_); }

private:
  int pixels_;
  int parts_;
  int overlap_;
  int window_;
};

tile cut_out(const picture& source, int left, int top, int width, int height) {
  tile made{width, height, std::vector<float>(at(width) * at(height) * 3)};
  const float gain = 255.0F / static_cast<float>(source.sample_max());
  const int second = source.is_grey() ? 0 : 1;
  const int third = source.is_grey() ? 0 : 2;
  float* to = made.rgb.data();
  for (int y = top; y < top + height; ++y) {
    const std::uint16_t* from = source.samples.data() + (at(y) * at(source.width) + at(left)) * at(source.channels);
    for (int x = 0; x < width; ++x, from += source.channels, to += 3) {
      to[0] = static_cast<float>(from[0]) * gain;
      to[1] = static_cast<float>(from[second]) * gain;
      to[2] = static_cast<float>(from[third]) * gain;
    }
  }
  return made;
}

class enlarging {
public:
  enlarging(engine& by, const picture& source, const tile_plan& plan, const tile_progress& progress)
      : engine_(by),
        source_(source),
        across_(source.width, plan.tile_pixels, plan.overlap_pixels),
        down_(source.height, plan.tile_pixels, plan.overlap_pixels),
        progress_(progress),
        scale_(by.model().scale) {}

  result<tile> run() {
    made_.width = source_.width * scale_;
    made_.height = source_.height * scale_;
    made_.rgb.resize(at(made_.width) * at(made_.height) * 3);
    for (int row = 0; row < down_.parts(); ++row)
      for (int first = 0; first < across_.parts(); first += tiles_of_a_call)
        if (auto done = enlarge_some(row, first, std::min(first + tiles_of_a_call, across_.parts())); !done)
          return fail(done.error());
    return std::move(made_);
  }

private:
  result<void> enlarge_some(int row, int first, int last) {
    std::vector<tile> inputs;
    for (int column = first; column < last; ++column)
      inputs.push_back(cut_out(source_, across_.window_begin(column), down_.window_begin(row), across_.window(), down_.window()));
    std::vector<tile> outputs(inputs.size());
    return engine_.enlarge(inputs, outputs, [&](std::size_t i) {
      put(outputs[i], row, first + static_cast<int>(i));
      outputs[i].rgb = {}; // as large as all planes of a small network
      ++done_;
      return !progress_ || progress_(done_, across_.parts() * down_.parts());
    });
  }

  // The middle of a result, to its place.
  void put(const tile& from, int row, int column) {
    const int left = across_.begin(column);
    const int inset = (left - across_.window_begin(column)) * scale_;
    const std::size_t floats = at((across_.end(column) - left) * scale_) * 3;
    for (int y = down_.begin(row) * scale_; y < down_.end(row) * scale_; ++y) {
      const int inside = y - down_.window_begin(row) * scale_;
      const float* begin = from.rgb.data() + (at(inside) * at(from.width) + at(inset)) * 3;
      float* to = made_.rgb.data() + (at(y) * at(made_.width) + at(left * scale_)) * 3;
      std::transform(begin, begin + floats, to, [](float value) { return std::clamp(value, 0.0F, 255.0F); });
    }
  }

  engine& engine_;
  const picture& source_;
  division across_;
  division down_;
  const tile_progress& progress_;
  int scale_;
  int done_ = 0;
  tile made_;
};

result<void> check(const picture& source, const tile_plan& plan, int scale) {
  const bool whole = source.width > 0 && source.height > 0 && source.channels >= 1 && source.channels <= 4 &&
                     source.samples.size() == source.pixels() * at(source.channels);
  if (!whole)
    return fail(error_code::invalid_argument, "a picture of " + std::to_string(source.width) + " × " +
                                                  std::to_string(source.height) + " pixels with " +
                                                  std::to_string(source.channels) + " channels and " +
                                                  std::to_string(source.samples.size()) + " samples is not one");
  if (plan.tile_pixels < 1 || plan.overlap_pixels < 0)
    return fail(error_code::invalid_argument, "tiles of " + std::to_string(plan.tile_pixels) + " pixels with an overlap of " +
                                                  std::to_string(plan.overlap_pixels) + " are none");
  if (source.width > std::numeric_limits<int>::max() / scale / 3 || source.height > std::numeric_limits<int>::max() / scale / 3)
    return fail(error_code::too_large, "a picture of " + std::to_string(source.width) + " × " + std::to_string(source.height) +
                                           " pixels is too large to be enlarged by " + std::to_string(scale));
  return {};
}

} // namespace

int overlap_for(const network& model) {
  // Farther away, pixels add next to nothing. On the demo's photos thick, whose reach is 154, differed from the whole by at most
  // 0.1 grey levels with an overlap of 8 pixels, 0.004 with 12 and 0.001 (rounding alone) with 16; medium (18) by 0.4, 0.002 and
  // 0.0005 (docs/upscaler.md).
  constexpr int enough = 16;
  return std::min(model.reach_pixels(), enough);
}

result<tile_plan> plan_tiles(const engine& engine, int width, int height, std::uint64_t memory_bytes) {
  if (width < 1 || height < 1)
    return fail(error_code::invalid_argument,
                "a picture of " + std::to_string(width) + " × " + std::to_string(height) + " pixels has no tiles");
  tile_plan best{0, overlap_for(engine.model())};
  double least_pixels = std::numeric_limits<double>::infinity();
  std::uint64_t smallest_bytes = 0;
  const int most = std::min(tile_pixels_most, std::max(width, height) + tile_pixels_least - 1);
  for (int tile_pixels = tile_pixels_least; tile_pixels <= most; tile_pixels += tile_pixels_least) {
    const division across(width, tile_pixels, best.overlap_pixels);
    const division down(height, tile_pixels, best.overlap_pixels);
    const std::uint64_t bytes = engine.memory_bytes(across.window(), down.window(), 1);
    smallest_bytes = tile_pixels == tile_pixels_least ? bytes : smallest_bytes;
    if (bytes > memory_bytes)
      continue;
    // What is computed in all, overlaps included; a larger tile must save something.
    const double pixels = 1.0 * across.parts() * across.window() * down.parts() * down.window();
    if (pixels < 0.98 * least_pixels) {
      best.tile_pixels = tile_pixels;
      least_pixels = pixels;
    }
  }
  if (best.tile_pixels == 0)
    return fail(error_code::out_of_memory,
                "the network " + engine.model().name + " ×" + std::to_string(engine.model().scale) + " needs " +
                    std::to_string(smallest_bytes / (1024 * 1024) + 1) + " MiB for the smallest tiles, and may use " +
                    std::to_string(memory_bytes / (1024 * 1024)) + " MiB",
                "allow it more memory, or take a smaller network");
  return best;
}

result<tile> enlarge_colours(engine& engine, const picture& source, const tile_plan& plan, const tile_progress& progress) {
  if (auto checked = check(source, plan, engine.model().scale); !checked)
    return fail(checked.error());
  try {
    return enlarging(engine, source, plan, progress).run();
  } catch (const std::bad_alloc&) {
    return fail(error_code::out_of_memory, "no memory for the enlarged picture of " +
                                               std::to_string(source.width * engine.model().scale) + " × " +
                                               std::to_string(source.height * engine.model().scale) + " pixels");
  }
}

} // namespace ferry::upscale
