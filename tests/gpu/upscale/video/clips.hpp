// Clips made by ffmpeg, and what ffprobe says of files.
#pragma once

#include "gpu/upscale/video/enlarge_video.hpp"
#include "tests/gpu/upscale/image/made_pictures.hpp"

#include <nlohmann/json.hpp>

namespace ferry::upscale::test {

using json = nlohmann::json;

[[nodiscard]] bool has_ffmpeg();

// ffmpeg with these arguments; its complaints where it fails.
void ffmpeg(std::vector<std::string> arguments);

// A clip of the test picture, 25 frames a second, with a tone; `more` are arguments before the file.
std::filesystem::path make_clip(const std::filesystem::path& file, const std::string& size, int frames,
                                std::vector<std::string> more = {});

// ffprobe's streams and format, with frames counted.
[[nodiscard]] json probed(const std::filesystem::path& file);
[[nodiscard]] json stream_of(const std::filesystem::path& file, const std::string& kind);
// When each frame is shown, in seconds, in order.
[[nodiscard]] std::vector<double> frame_times(const std::filesystem::path& file);
// A check sum for each frame as it is decoded.
[[nodiscard]] std::string frame_sums(const std::filesystem::path& file);
// One frame as a picture.
[[nodiscard]] picture frame_of(const std::filesystem::path& file, int index, const scratch_folder& folder);

// Runs enlarge_video() with Lanczos; remembers what was said and how far it came.
struct video_run {
  std::vector<std::string> notes;
  std::int64_t frames_seen = 0;
  std::int64_t enlarged = 0;
  std::int64_t stop_after = -1; // frames

  [[nodiscard]] result<video_result> operator()(const video_request& request);
};

} // namespace ferry::upscale::test
