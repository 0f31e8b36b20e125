#include "gpu/upscale/program/event_reporter.hpp"

#include <cerrno>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace ferry::upscale {
namespace {

using json = nlohmann::json;

constexpr std::chrono::milliseconds progress_pause{100};

json about(const char* type, std::int64_t job) {
  json line{{"type", type}};
  if (job != 0)
    line["job"] = job;
  return line;
}

// File names are bytes, JSON is UTF-8: what does not fit is replaced.
std::string text_of(const json& line) { return line.dump(-1, ' ', false, json::error_handler_t::replace); }

json failure(std::int64_t job, const error& why) {
  json line = about("failed", job);
  line["error"] = to_string(why);
  if (const std::string kind = kind_of(why); !kind.empty())
    line["kind"] = kind;
  return line;
}

json to_json(const job_result& result) {
  json value{
      {"path", result.path},     {"model", result.model},     {"scale", result.scale},  {"control_weight", result.control_weight},
      {"device", result.device}, {"seconds", result.seconds}, {"prompt", result.prompt}};
  if (result.width > 0) {
    value["width"] = result.width;
    value["height"] = result.height;
  }
  if (result.pictures)
    value["pictures"] = *result.pictures;
  if (result.frames)
    value["frames"] = *result.frames;
  if (result.resumed_frames)
    value["resumed_frames"] = *result.resumed_frames;
  if (!result.notes.empty())
    value["notes"] = result.notes;
  return value;
}

} // namespace

event_reporter::event_reporter(int descriptor) : descriptor_(descriptor), gate_(progress_pause) {}

void event_reporter::write_line(std::string line) {
  line += '\n';
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t count = ::write(descriptor_, line.data() + done, line.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0) {
      is_heard_ = false;
      return;
    }
    done += static_cast<std::size_t>(count);
  }
}

void event_reporter::ready() { write_line(text_of(about("ready", 0))); }

void event_reporter::all_failed(const error& why) { write_line(text_of(failure(0, why))); }

void event_reporter::progress(std::int64_t job, const job_progress& how_far) {
  if (!gate_.lets_through(job, how_far))
    return;
  json line = about("progress", job);
  if (how_far.fraction)
    line["value"] = *how_far.fraction;
  line["step"] = how_far.step;
  if (how_far.total)
    line["total"] = *how_far.total;
  line["message"] = how_far.message;
  write_line(text_of(line));
}

void event_reporter::artifact(std::int64_t job, const std::string& path) {
  json line = about("artifact", job);
  line["path"] = path;
  write_line(text_of(line));
}

void event_reporter::checkpoint(std::int64_t job, const std::string& path, std::int64_t frames) {
  json line = about("checkpoint", job);
  line["path"] = path;
  line["step"] = frames;
  write_line(text_of(line));
}

void event_reporter::done(std::int64_t job, const job_result& result) {
  json line = about("done", job);
  line["result"] = to_json(result);
  write_line(text_of(line));
}

void event_reporter::failed(std::int64_t job, const error& why) { write_line(text_of(failure(job, why))); }

void event_reporter::cancelled(std::int64_t job) {
  json line = about("failed", job);
  line["error"] = "cancelled";
  write_line(text_of(line));
}

void event_reporter::log(std::int64_t job, const std::string& text) {
  json line = about("log", job);
  line["message"] = text;
  write_line(text_of(line));
}

} // namespace ferry::upscale
