#include "clips.hpp"

#include "gpu/upscale/image/blend.hpp"
#include "gpu/upscale/image/codec.hpp"
#include "gpu/upscale/video/child_process.hpp"

#include <algorithm>
#include <stdexcept>

namespace ferry::upscale::test {
namespace fs = std::filesystem;

bool has_ffmpeg() { return output_of({"ffmpeg", "-version"}) && output_of({"ffprobe", "-version"}); }

void ffmpeg(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y"});
  const auto done = output_of(arguments);
  if (!done)
    throw std::runtime_error("ffmpeg: " + done.error().what);
}

fs::path make_clip(const fs::path& file, const std::string& size, int frames, std::vector<std::string> more) {
  const std::string seconds = std::to_string(frames / 25.0);
  std::vector<std::string> arguments{"-f",       "lavfi",  "-i", "testsrc=size=" + size + ":rate=25:duration=" + seconds,
                                     "-f",       "lavfi",  "-i", "sine=frequency=440:duration=" + seconds,
                                     "-pix_fmt", "yuv420p"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.push_back(file.string());
  ffmpeg(std::move(arguments));
  return file;
}

json probed(const fs::path& file) {
  const auto told = output_of(
      {"ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-show_chapters", "-of", "json", file.string()});
  if (!told)
    throw std::runtime_error("ffprobe: " + told.error().what);
  return json::parse(*told);
}

json stream_of(const fs::path& file, const std::string& kind) {
  const json all = probed(file);
  for (const json& stream : all["streams"])
    if (stream["codec_type"] == kind)
      return stream;
  return nullptr;
}

std::vector<double> frame_times(const fs::path& file) {
  const auto told = output_of(
      {"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "json", file.string()});
  std::vector<double> times;
  const json all = json::parse(told.value());
  for (const json& packet : all["packets"])
    times.push_back(std::stod(packet["pts_time"].get<std::string>()));
  std::sort(times.begin(), times.end());
  return times;
}

std::string frame_sums(const fs::path& file) {
  return output_of({"ffmpeg", "-v", "error", "-i", file.string(), "-map", "0:v:0", "-f", "framemd5", "-"}).value();
}

// With all the care that swscale can take: what it does otherwise differs from it by several grey levels.
picture frame_of(const fs::path& file, int index, const scratch_folder& folder) {
  const auto still = folder.path() / "frame.png";
  ffmpeg(
      {"-i", file.string(), "-vf",
       "select=eq(n\\," + std::to_string(index) + "),scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,format=rgb24",
       "-frames:v", "1", still.string()});
  auto read = read_picture(still).value();
  fs::remove(still);
  return read;
}

result<video_result> video_run::operator()(const video_request& request) {
  const video_hooks hooks{
      .enlarge = [&](const std::vector<picture>& frames) -> result<std::vector<picture>> {
        std::vector<picture> made;
        for (const picture& frame : frames)
          made.push_back(blend(frame, request.scale, 0, {}));
        enlarged += static_cast<std::int64_t>(frames.size());
        return made;
      },
      .on_frames =
          [this](std::int64_t done, std::optional<std::int64_t>) {
            frames_seen = done;
            return stop_after < 0 || done < stop_after;
          },
      .note = [this](const std::string& text) { notes.push_back(text); },
  };
  return enlarge_video(request, hooks);
}

} // namespace ferry::upscale::test
