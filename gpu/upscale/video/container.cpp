#include "gpu/upscale/video/container.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace ferry::upscale {
namespace {

constexpr std::array<std::string_view, 8> mp4_audio{"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac"};
constexpr std::array<std::string_view, 2> webm_audio{"opus", "vorbis"};
constexpr std::array<std::string_view, 7> text_subtitles{"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"};

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool holds_audio(const container& into, std::string_view codec) {
  if (into.is_webm)
    return is_among(codec, webm_audio);
  return !into.is_mp4 || is_among(codec, mp4_audio) || (into.muxer == "mov" && codec.starts_with("pcm_"));
}

// Empty: cannot be held.
std::string subtitle_codec(const container& into, std::string_view codec) {
  if (into.is_webm)
    return is_among(codec, text_subtitles) ? "webvtt" : "";
  if (into.is_mp4)
    return is_among(codec, text_subtitles) ? "mov_text" : "";
  return codec == "mov_text" ? "srt" : "copy";
}

} // namespace

result<container> container_for(const std::filesystem::path& output) {
  std::string ending = output.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (ending == ".mp4" || ending == ".m4v")
    return container{.muxer = "mp4", .is_mp4 = true};
  if (ending == ".mov")
    return container{.muxer = "mov", .is_mp4 = true};
  if (ending == ".mkv")
    return container{.muxer = "matroska"};
  if (ending == ".webm")
    return container{.muxer = "webm", .is_webm = true};
  return fail(error_code::invalid_argument, output.string() + (ending.empty() ? " has no ending" : " ends in " + ending) +
                                                "; videos are written as .mp4, .mkv, .mov or .webm");
}

std::vector<std::string> video_encoder(const container& into) {
  if (into.is_webm)
    return {"-c:v", "libvpx-vp9", "-crf", "20", "-b:v", "0", "-deadline", "good", "-cpu-used", "2", "-row-mt", "1"};
  return {"-c:v", "libx264", "-preset", "medium", "-crf", "16"};
}

std::vector<std::string> companions(const container& into, const video_facts& source, std::vector<std::string>& notes) {
  std::vector<std::string> words;
  const auto take = [&words](int index) {
    words.emplace_back("-map");
    words.push_back("1:" + std::to_string(index));
  };
  for (std::size_t i = 0; i < source.audio.size(); ++i) {
    const auto& stream = source.audio[i];
    const std::string option = "-c:a:" + std::to_string(i);
    take(stream.index);
    if (holds_audio(into, stream.codec)) {
      words.insert(words.end(), {option, "copy"});
    } else {
      words.insert(words.end(), {option, into.is_webm ? "libopus" : "aac", "-b:a:" + std::to_string(i), "192k"});
      notes.push_back("sound in " + stream.codec + " does not fit into " + into.muxer + " and is encoded anew");
    }
  }
  std::size_t taken = 0;
  for (const auto& stream : source.subtitles) {
    const std::string codec = subtitle_codec(into, stream.codec);
    if (codec.empty()) {
      notes.push_back("subtitles in " + stream.codec + " do not fit into " + into.muxer + " and are left out; .mkv holds them");
      continue;
    }
    take(stream.index);
    words.insert(words.end(), {"-c:s:" + std::to_string(taken++), codec});
  }
  if (source.has_attachments && into.muxer == "matroska")
    words.insert(words.end(), {"-map", "1:t?", "-c:t", "copy"});
  return words;
}

} // namespace ferry::upscale
