// What a file holds, as ffprobe tells it.
#pragma once

#include "model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ferry::upscale {

struct rational {
  std::int64_t numerator = 0, denominator = 1;

  [[nodiscard]] bool is_positive() const { return numerator > 0 && denominator > 0; }
  [[nodiscard]] double value() const { return static_cast<double>(numerator) / static_cast<double>(denominator); }
  [[nodiscard]] std::string text() const { return std::to_string(numerator) + "/" + std::to_string(denominator); }
};

struct video_facts {
  struct other_stream {
    int index = 0;
    std::string codec;
  };

  int stream = 0; // index of the video stream that is enlarged: the first that is not a cover picture
  int width = 0;  // as it is to be seen: ffmpeg turns what was filmed sideways
  int height = 0;
  rational rate;                      // frames a second: the source's own, or where frames come unevenly, their mean
  bool uneven = false;                // frames come unevenly
  std::optional<std::int64_t> frames; // how many there are, more or less
  double late_seconds = 0;            // how much later than the file itself the video begins
  rational sample_aspect{1, 1};       // of a pixel: width to height
  std::string colour_range, colour_space, colour_transfer, colour_primaries; // ffmpeg's names; empty: not said
  bool is_rgb = false;
  bool loses_depth = false; // more than 8 bits, or alpha
  std::vector<other_stream> audio, subtitles;
  bool has_attachments = false;
};

// Errors: not_found (no ffprobe); invalid_argument (no video in it, with what there is instead; a still picture); damaged (cannot
// be read, with the reason).
[[nodiscard]] result<video_facts> probe_video(const std::filesystem::path& file);

} // namespace ferry::upscale
