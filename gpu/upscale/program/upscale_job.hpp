// One thing to enlarge, and what became of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ferry::upscale {

struct upscale_job {
  std::int64_t id = 0;
  std::filesystem::path source; // a picture, a folder of pictures, or a video
  std::filesystem::path folder; // where the output goes
  std::string output; // its name in there; empty: upscaled.png, upscaled (a folder) or upscaled.mp4, by what the source is
  std::string model = "slim";
  int scale = 2;
  double control_weight = 1;         // of the network; the rest is Lanczos. 0 loads no network
  std::string prompt;                // recorded, and read by no network here
  std::filesystem::path resume_from; // what an earlier attempt announced as its checkpoint; empty: there was none
};

struct job_result {
  std::string path; // relative to upscale_job::folder
  int width = 0;    // of a folder's pictures: 0
  int height = 0;
  std::string model; // "none" for pure Lanczos
  int scale = 0;
  double control_weight = 0;
  std::string device;
  double seconds = 0;
  std::string prompt;
  std::optional<std::int64_t> pictures = {};       // of a folder
  std::optional<std::int64_t> frames = {};         // of a video
  std::optional<std::int64_t> resumed_frames = {}; // of them, made by an earlier run
  std::vector<std::string> notes = {};
};

} // namespace ferry::upscale
