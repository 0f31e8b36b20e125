// The containers that results are written in, told by the ending of the file, and what each can hold beside the video.
//   .mp4 .m4v .mov .mkv   H.264 (libx264, crf 16, preset medium)
//   .webm                 VP9 (libvpx-vp9, crf 20)
#pragma once

#include "gpu/upscale/video/probe.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::upscale {

struct container {
  std::string muxer; // ffmpeg's name of it
  bool is_webm = false;
  bool is_mp4 = false; // or mov
};

// Errors: invalid_argument naming the endings there are.
[[nodiscard]] result<container> container_for(const std::filesystem::path& output);

// The encoder and its settings.
[[nodiscard]] std::vector<std::string> video_encoder(const container& into);

// Arguments that take sound, subtitles and attachments from input 1: copied where the container can hold them, otherwise converted;
// what cannot be converted is left out, and said in `notes`.
[[nodiscard]] std::vector<std::string> companions(const container& into, const video_facts& source,
                                                  std::vector<std::string>& notes);

} // namespace ferry::upscale
