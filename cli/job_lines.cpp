#include "cli/job_lines.hpp"

#include "cli/json_text.hpp"
#include "config/limits.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace ferry::cli {
namespace {

constexpr std::size_t read_bytes = 256 * 1024;
constexpr std::size_t line_bytes_max = 2 * limits::params_bytes_max; // escapes may make the text longer than what it says

} // namespace

job_lines::~job_lines() {
  if (descriptor_ > STDIN_FILENO)
    ::close(descriptor_);
}

result<void> job_lines::open() {
  const bool standard_input = file_ == "-";
  name_ = standard_input ? "standard input" : file_;
  descriptor_ = standard_input ? STDIN_FILENO : ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    return fail(error_code::invalid_argument, name_ + " cannot be read: " + std::strerror(errno));
  return {};
}

error job_lines::at_line(error e) const {
  e.what = name_ + ":" + std::to_string(line_) + ": " + e.what;
  return e;
}

result<bool> job_lines::read_line(std::string_view& into) {
  for (std::size_t searched = begin_;;) {
    if (const auto end = buffer_.find('\n', searched); end != buffer_.npos) {
      into = std::string_view(buffer_).substr(begin_, end - begin_);
      begin_ = end + 1;
      ++line_;
      return true;
    }
    if (ended_) {
      into = std::string_view(buffer_).substr(begin_);
      begin_ = buffer_.size();
      ++line_;
      return !into.empty();
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched = buffer_.size();
    if (searched > line_bytes_max)
      return fail(error_code::too_large, name_ + ":" + std::to_string(line_ + 1) + ": the line is longer than " +
                                             std::to_string(line_bytes_max) + " bytes");
    buffer_.resize(searched + read_bytes);
    const ssize_t got = ::read(descriptor_, buffer_.data() + searched, read_bytes);
    const int reason = errno;
    buffer_.resize(searched + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && reason != EINTR)
      return fail(error_code::invalid_argument, name_ + " cannot be read: " + std::strerror(reason));
    ended_ = got == 0;
  }
}

result<json> job_lines::next() {
  std::string_view line;
  do {
    auto more = read_line(line);
    if (!more)
      return fail(more.error());
    if (!*more)
      return json();
  } while (line.find_first_not_of(" \t\r") == line.npos);
  auto job = json_from(line, "the line");
  if (!job)
    return fail(at_line(job.error()));
  if (!job->is_object())
    return fail(at_line({error_code::invalid_argument, "a job is a JSON object such as {\"type\": \"upscale\", \"params\": {}}"}));
  for (const auto& [key, value] : base_.items()) {
    if (!job->contains(key)) {
      (*job)[key] = value;
    } else if (key == "params" && (*job)[key].is_object()) {
      for (const auto& [name, param] : value.items())
        if (!(*job)[key].contains(name))
          (*job)[key][name] = param;
    }
  }
  if (!job->contains("type"))
    return fail(
        at_line({error_code::invalid_argument, "the job has no \"type\"", "give one for all: `ferry submit TYPE --from FILE`"}));
  return job;
}

} // namespace ferry::cli
