#include "gpu/upscale/video/probe.hpp"

#include "config/limits.hpp"
#include "gpu/upscale/video/child_process.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

using json = nlohmann::json;

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// ffprobe writes "unknown" where it does not know.
std::string known_text_at(const json& object, const char* key) {
  std::string text = text_at(object, key);
  return text == "unknown" || text == "unspecified" || text == "reserved" ? std::string() : text;
}

double number_at(const json& object, const char* key) { return std::strtod(text_at(object, key).c_str(), nullptr); }

int integer_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int>() : 0;
}

// "30000/1001" or, for aspects, "8:9"; not positive where it is neither.
rational rational_at(const json& object, const char* key, char separator) {
  const std::string text = text_at(object, key);
  rational value{0, 0};
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, value.numerator);
  if (first.ec == std::errc{} && first.ptr != end && *first.ptr == separator)
    std::from_chars(first.ptr + 1, end, value.denominator);
  return value;
}

bool is_cover(const json& stream) {
  const auto disposition = stream.find("disposition");
  return disposition != stream.end() &&
         (integer_at(*disposition, "attached_pic") != 0 || integer_at(*disposition, "timed_thumbnails") != 0);
}

// Degrees; ffprobe has it where the file asks players to turn its frames.
int rotation_of(const json& stream) {
  for (const json& side : stream.value("side_data_list", json::array()))
    if (side.contains("rotation") && side["rotation"].is_number())
      return static_cast<int>(std::lround(side["rotation"].get<double>()));
  return 0;
}

void take_rate(const json& stream, video_facts& facts) {
  constexpr double even_enough = 0.005;
  const rational base = rational_at(stream, "r_frame_rate", '/'), mean = rational_at(stream, "avg_frame_rate", '/');
  const bool even = base.is_positive() && (!mean.is_positive() || std::abs(base.value() / mean.value() - 1) < even_enough);
  facts.rate = even ? base : mean.is_positive() ? mean : rational{25, 1};
  facts.uneven = !even && base.is_positive();
}

void take_length(const json& stream, const json& format, video_facts& facts) {
  const std::int64_t counted = std::atoll(text_at(stream, "nb_frames").c_str());
  double seconds = number_at(stream, "duration");
  if (seconds <= 0)
    seconds = number_at(format, "duration");
  if (counted > 0 && !facts.uneven)
    facts.frames = counted;
  else if (seconds > 0 && seconds * facts.rate.value() < 1e12)
    facts.frames = std::max<std::int64_t>(1, std::llround(seconds * facts.rate.value()));
  facts.late_seconds = std::max(0.0, number_at(stream, "start_time") - number_at(format, "start_time"));
}

void take_look(const json& stream, video_facts& facts) {
  facts.width = integer_at(stream, "width");
  facts.height = integer_at(stream, "height");
  if (const auto aspect = rational_at(stream, "sample_aspect_ratio", ':'); aspect.is_positive())
    facts.sample_aspect = aspect;
  if (std::abs(rotation_of(stream)) % 180 == 90) {
    std::swap(facts.width, facts.height);
    std::swap(facts.sample_aspect.numerator, facts.sample_aspect.denominator);
  }
  facts.colour_range = known_text_at(stream, "color_range");
  facts.colour_space = known_text_at(stream, "color_space");
  facts.colour_transfer = known_text_at(stream, "color_transfer");
  facts.colour_primaries = known_text_at(stream, "color_primaries");
  const std::string form = text_at(stream, "pix_fmt");
  const auto has = [&form](std::string_view part) { return form.find(part) != std::string::npos; };
  facts.is_rgb = has("rgb") || has("bgr") || has("gbr") || has("pal8") || facts.colour_space == "gbr";
  facts.loses_depth = has("10") || has("12") || has("14") || has("16") || has("48") || has("64") || has("yuva") || has("rgba") ||
                      has("argb") || has("bgra") || has("abgr") || has("gbrap");
}

// Formats in which ffmpeg sees a video where people see none.
bool is_no_video(std::string_view format) {
  return format == "tty" || format == "image2" || format.ends_with("_pipe") || format == "ico" || format == "bintext" ||
         format == "xbin" || format == "lavfi" || format == "concat";
}

result<video_facts> facts_in(const json& told, const fs::path& file) {
  const json format = told.value("format", json::object());
  if (is_no_video(text_at(format, "format_name")))
    return fail(error_code::invalid_argument, file.string() + " is neither a PNG or JPEG picture nor a video",
                "convert it to PNG first, for example with `ffmpeg -i SOURCE source.png`");
  video_facts facts;
  const json* video = nullptr;
  std::string others;
  const json streams = told.value("streams", json::array());
  for (const json& stream : streams) {
    const std::string kind = text_at(stream, "codec_type");
    if (kind == "video" && !is_cover(stream) && video == nullptr)
      video = &stream;
    else if (kind == "audio")
      facts.audio.push_back({integer_at(stream, "index"), text_at(stream, "codec_name")});
    else if (kind == "subtitle")
      facts.subtitles.push_back({integer_at(stream, "index"), text_at(stream, "codec_name")});
    else if (kind == "attachment")
      facts.has_attachments = true;
    if (kind != "video" || is_cover(stream))
      others += (others.empty() ? "" : ", ") + kind + " (" + text_at(stream, "codec_name") + ")";
  }
  if (video == nullptr)
    return fail(error_code::invalid_argument,
                file.string() + " has no video" + (others.empty() ? std::string(" and no picture") : ", only " + others));
  facts.stream = integer_at(*video, "index");
  take_look(*video, facts);
  take_rate(*video, facts);
  take_length(*video, format, facts);
  if (facts.width <= 0 || facts.height <= 0)
    return fail(error_code::damaged, file.string() + ": the size of its video cannot be told",
                "it may be truncated at its beginning");
  return facts;
}

} // namespace

result<video_facts> probe_video(const fs::path& file) {
  const auto told = output_of(
      {"ffprobe", "-v", "error", "-print_format", "json", "-show_streams", "-show_format", "file:" + fs::absolute(file).string()});
  if (!told && told.error().code == error_code::damaged)
    return fail(error_code::damaged, file.string() + " cannot be read as a video: " + told.error().what,
                "sources are PNG and JPEG pictures, folders of them, and what ffmpeg can read as a video");
  if (!told)
    return fail(told.error());
  try {
    return facts_in(json::parse(*told), file);
  } catch (const json::exception& e) {
    return fail(error_code::internal, "what ffprobe says of " + file.string() + " cannot be understood: " + e.what());
  }
}

} // namespace ferry::upscale
