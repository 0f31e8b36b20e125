// A whole video: decoded, enlarged frame by frame, encoded in segments, joined, with the sound and the subtitles of the source.
#pragma once

#include "gpu/upscale/image/picture.hpp"
#include "gpu/upscale/video/probe.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ferry::upscale {

struct video_request {
  std::filesystem::path source;
  std::filesystem::path output;
  int scale = 2;
  std::string recipe;       // what else decides the pixels (model, weight, precision): segments of another are not used
  int segment_frames = 120; // a killed run loses at most so many
  int frames_at_once = 1;
  int threads = 1;                        // of each ffmpeg
  std::filesystem::path resume_from = {}; // the folder of segments of an earlier run elsewhere; empty: none
};

struct video_hooks {
  // Enlarges frames of one size, all by the request's scale.
  std::function<result<std::vector<picture>>(const std::vector<picture>&)> enlarge;
  // (frames done, frames in all where known) -> go on?
  std::function<bool(std::int64_t, std::optional<std::int64_t>)> on_frames;
  // So many frames are safe: another run can go on from this folder of segments. May be empty.
  std::function<void(const std::filesystem::path&, std::int64_t)> on_checkpoint = {};
  // Something that the user should know and that stops nothing.
  std::function<void(const std::string&)> note;
};

struct video_result {
  int width = 0;
  int height = 0;
  std::int64_t frames = 0;
  std::int64_t resumed_frames = 0; // of them, those that an earlier run had made
};

// The output appears under its name when it is whole; until then there are segments beside it (segments.hpp), which an error leaves
// for the next run. A source that is truncated gives what can be decoded of it, with a note. Errors: unavailable (a hook said
// stop), conflict (another run makes the same output), what probe_video() says, what `enlarge` says, too_large, disk_full, damaged
// (not one frame).
[[nodiscard]] result<video_result> enlarge_video(const video_request& request, const video_hooks& hooks);

} // namespace ferry::upscale
