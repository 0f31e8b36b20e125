// Whether a picture of this size may be held in memory at all.
#pragma once

#include "config/limits.hpp"
#include "model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace ferry::upscale {

// Errors: damaged for nothing at all, too_large naming the bound.
[[nodiscard]] inline result<void> check_source_size(std::uint64_t width, std::uint64_t height, const std::filesystem::path& name) {
  const std::string size = name.string() + " is " + std::to_string(width) + "x" + std::to_string(height) + " pixels";
  if (width == 0 || height == 0)
    return fail(error_code::damaged, size);
  constexpr auto side_max = static_cast<std::uint64_t>(limits::picture_side_max);
  if (width > side_max || height > side_max)
    return fail(error_code::too_large, size + "; at most " + std::to_string(side_max) + " on a side can be read",
                "cut it into pieces");
  if (width * height > static_cast<std::uint64_t>(limits::source_pixels_max))
    return fail(error_code::too_large, size + "; at most " + std::to_string(limits::source_pixels_max) + " in all can be read",
                "cut it into pieces");
  return {};
}

// Errors: too_large naming the bound.
[[nodiscard]] inline result<void> check_result_size(int width, int height, int scale, const std::filesystem::path& name) {
  const std::int64_t to_width = std::int64_t{width} * scale, to_height = std::int64_t{height} * scale;
  const std::string size = name.string() + " enlarged " + std::to_string(scale) + " times would be " + std::to_string(to_width) +
                           "x" + std::to_string(to_height) + " pixels";
  if (to_width > limits::picture_side_max || to_height > limits::picture_side_max)
    return fail(error_code::too_large, size + "; at most " + std::to_string(limits::picture_side_max) + " on a side can be made",
                "a smaller scale may do");
  if (to_width * to_height > limits::result_pixels_max)
    return fail(error_code::too_large, size + "; at most " + std::to_string(limits::result_pixels_max) + " in all can be made",
                "a smaller scale may do");
  return {};
}

} // namespace ferry::upscale
