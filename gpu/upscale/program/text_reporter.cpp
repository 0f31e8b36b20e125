#include "gpu/upscale/program/text_reporter.hpp"

#include <array>
#include <cstdio>
#include <unistd.h>

namespace ferry::upscale {
namespace {

using namespace std::chrono_literals;

std::string as_text(const job_progress& how_far) {
  std::array<char, 16> percent{};
  if (how_far.fraction)
    std::snprintf(percent.data(), percent.size(), "%3d%%  ", static_cast<int>(*how_far.fraction * 100));
  return percent.data() + std::to_string(how_far.step) + (how_far.total ? " of " + std::to_string(*how_far.total) : "") + " " +
         how_far.message;
}

std::string as_text(const job_result& result) {
  std::string text = result.path;
  if (result.pictures)
    text += ": " + std::to_string(*result.pictures) + (*result.pictures == 1 ? " picture" : " pictures");
  if (result.width > 0)
    text += ": " + std::to_string(result.width) + "x" + std::to_string(result.height);
  if (result.frames)
    text += ", " + std::to_string(*result.frames) + " frames";
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.2f s", result.seconds);
  text += ", " + (result.model == "none" ? "Lanczos" : result.model) + " x" + std::to_string(result.scale) + " on " +
          result.device + ", ";
  return text + seconds.data();
}

} // namespace

text_reporter::text_reporter(bool shows_progress)
    : shows_progress_(shows_progress),
      on_terminal_(::isatty(STDERR_FILENO) == 1),
      gate_(100ms),
      last_printed_(std::chrono::steady_clock::now()) {}

text_reporter::~text_reporter() { wipe(); }

void text_reporter::wipe() {
  if (line_is_drawn_)
    std::fputs("\r\033[K", stderr);
  line_is_drawn_ = false;
}

void text_reporter::print(std::int64_t job, const std::string& text) {
  wipe();
  std::fprintf(stderr, "ferry-upscale: %s%s\n", job == 0 ? "" : ("job " + std::to_string(job) + ": ").c_str(), text.c_str());
}

void text_reporter::progress(std::int64_t job, const job_progress& how_far) {
  if (!shows_progress_)
    return;
  if (!on_terminal_) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_printed_ >= 5s) {
      print(job, as_text(how_far));
      last_printed_ = now;
    }
    return;
  }
  if (!gate_.lets_through(job, how_far))
    return;
  std::fprintf(stderr, "\r\033[K%s", as_text(how_far).c_str());
  std::fflush(stderr);
  line_is_drawn_ = true;
}

void text_reporter::artifact(std::int64_t, const std::string&) {}

void text_reporter::checkpoint(std::int64_t, const std::string&, std::int64_t) {}

void text_reporter::done(std::int64_t job, const job_result& result) { print(job, as_text(result)); }

void text_reporter::failed(std::int64_t job, const error& why) { print(job, to_string(why)); }

void text_reporter::cancelled(std::int64_t job) { print(job, "cancelled"); }

void text_reporter::log(std::int64_t job, const std::string& text) { print(job, text); }

} // namespace ferry::upscale
