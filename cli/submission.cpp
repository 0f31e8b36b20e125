#include "cli/submission.hpp"

#include "cli/format.hpp"
#include "cli/job_lines.hpp"
#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "config/limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sys/random.h>
#include <unistd.h>

namespace ferry::cli {
namespace {

// A request of many jobs stays well below what the daemon takes.
constexpr std::size_t request_bytes_max = limits::request_body_bytes_max / 2;

result<submitted> submitted_from(const json& entry) {
  const auto id = integer_field(entry, "id");
  if (!id)
    return fail(error_code::internal, "the daemon's answer names no job: " + printable(to_text(entry)));
  return submitted{*id, integer_field(entry, "position"), waiting_for(entry), true_field(entry, "existing")};
}

// Jobs on their way in one request.
struct chunk {
  std::string body;
  std::vector<int> lines; // of the file, a job each

  [[nodiscard]] bool full() const { return lines.size() >= limits::jobs_per_request_max || body.size() >= request_bytes_max; }
};

// The line of the job that "/jobs/3/params/scale" begins with; `rest` becomes what follows, "/params/scale".
std::optional<int> line_of(const std::string& pointer, const chunk& sent, std::string& rest) {
  constexpr std::string_view prefix = "/jobs/";
  if (!pointer.starts_with(prefix))
    return std::nullopt;
  std::size_t index = 0;
  const char* const last = pointer.data() + pointer.size();
  const auto [end, failed] = std::from_chars(pointer.data() + prefix.size(), last, index);
  if (failed != std::errc{} || index >= sent.lines.size())
    return std::nullopt;
  rest.assign(end, last);
  return sent.lines[index];
}

// The daemon counts the jobs of a request, people the lines of their file.
void name_lines(error& e, const std::string& file, const chunk& sent) {
  std::string rest;
  if (const auto line = line_of(e.what, sent, rest))
    e.what = file + ":" + std::to_string(*line) + ": " + rest;
  for (problem& p : e.problems)
    if (const auto line = line_of(p.where, sent, rest)) {
      p.file = file;
      p.line = *line;
      p.where = rest;
    }
}

error stopped(error e, const std::string& file, const std::vector<submitted>& done, int lines_done) {
  if (done.empty())
    return e;
  std::vector<std::int64_t> ids;
  for (const submitted& job : done)
    ids.push_back(job.id);
  e.hint += (e.hint.empty() ? "" : "; ") + std::string("lines 1 to ") + std::to_string(lines_done) + " of " + file +
            " are in the queue (jobs " + fit(id_ranges(ids), 60) + "), the rest is not";
  return e;
}

class bulk {
public:
  bulk(context& c, const bulk_request& what)
      : c_(c),
        what_(what),
        key_(what.key.value_or(random_key())),
        lines_(what.file, what.base),
        bottom_(is_terminal(STDERR_FILENO) && !what.print_ids) {}

  result<std::vector<submitted>> perform() {
    if (auto opened = lines_.open(); !opened)
      return fail(opened.error());
    for (;;) {
      auto job = lines_.next();
      if (!job)
        return fail(stopped(job.error(), lines_.name(), done_, lines_done_));
      if (!job->is_null())
        if (auto added = add(*job); !added)
          return fail(stopped(added.error(), lines_.name(), done_, lines_done_));
      if (chunk_.full() || (job->is_null() && !chunk_.lines.empty()))
        if (auto sent = send(); !sent)
          return fail(stopped(sent.error(), lines_.name(), done_, lines_done_));
      if (job->is_null())
        return std::move(done_);
    }
  }

private:
  result<void> add(json& job) {
    if (job["type"] == "command" && job.value("params", json()).is_object() && !job["params"].contains("cwd"))
      job["params"]["cwd"] = what_.directory;
    auto text = body_from(job);
    if (!text)
      return fail(text.error());
    chunk_.body += (chunk_.body.empty() ? "{\"jobs\":[" : ",") + *text;
    chunk_.lines.push_back(lines_.line());
    return {};
  }

  result<void> send() {
    auto answer = c_.ask({.method = "POST",
                          .path = "/jobs",
                          .body = chunk_.body + "],\"base_dir\":" + json(what_.directory).dump() + "}",
                          .idempotency_key = key_ + "/" + std::to_string(++requests_)});
    if (!answer) {
      name_lines(answer.error(), lines_.name(), chunk_);
      return fail(answer.error());
    }
    for (const json& entry : array_field(*answer, "jobs")) {
      auto job = submitted_from(entry);
      if (!job)
        return fail(job.error());
      done_.push_back(*job);
      if (what_.print_ids)
        c_.print(std::to_string(job->id) + "\n");
    }
    lines_done_ = chunk_.lines.back();
    chunk_ = {};
    bottom_.show(count_of(static_cast<std::int64_t>(done_.size()), "job", "jobs") + " submitted");
    return c_.flush();
  }

  context& c_;
  const bulk_request& what_;
  std::string key_;
  job_lines lines_;
  chunk chunk_;
  std::vector<submitted> done_;
  int lines_done_ = 0;
  int requests_ = 0;
  live_line bottom_;
};

} // namespace

std::string random_key() {
  std::array<unsigned char, 16> random{};
  for (std::size_t filled = 0; filled < random.size();) {
    const ssize_t got = ::getrandom(random.data() + filled, random.size() - filled, 0);
    filled += static_cast<std::size_t>(std::max<ssize_t>(0, got));
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string key;
  for (const unsigned char byte : random) {
    key += digits[byte >> 4U];
    key += digits[byte & 15U];
  }
  return key;
}

result<void> check_key(const std::string& key) {
  constexpr std::size_t room_for_number = 12;
  if (key.empty() || key.size() > limits::idempotency_key_bytes_max - room_for_number)
    return fail(error_code::invalid_argument, "--idempotency-key must have 1 to " +
                                                  std::to_string(limits::idempotency_key_bytes_max - room_for_number) +
                                                  " characters");
  if (std::ranges::any_of(key, [](char c) { return c <= ' ' || c > '~'; }))
    return fail(error_code::invalid_argument,
                "--idempotency-key must be printable ASCII without spaces, is \"" + printable(key) + "\"");
  return {};
}

result<submit_answer> submit_job(context& c, const json& job, const std::string& key) {
  auto body = body_from(job);
  if (!body)
    return fail(body.error());
  auto text = c.call({.method = "POST", .path = "/jobs", .body = std::move(*body), .idempotency_key = key});
  if (!text)
    return fail(text.error());
  auto entry = submitted_from(json::parse(*text, nullptr, false));
  if (!entry)
    return fail(entry.error());
  return submit_answer{*entry, std::move(*text)};
}

result<std::vector<submitted>> submit_list(context& c, json jobs, const std::string& base_dir, const std::string& key) {
  json request{{"jobs", std::move(jobs)}};
  if (!base_dir.empty())
    request["base_dir"] = base_dir;
  auto body = body_from(request);
  if (!body)
    return fail(body.error());
  const auto answer = c.ask({.method = "POST", .path = "/jobs", .body = std::move(*body), .idempotency_key = key});
  if (!answer)
    return fail(answer.error());
  std::vector<submitted> done;
  for (const json& entry : array_field(*answer, "jobs")) {
    auto job = submitted_from(entry);
    if (!job)
      return fail(job.error());
    done.push_back(*job);
  }
  return done;
}

result<std::vector<submitted>> submit_file(context& c, const bulk_request& what) { return bulk(c, what).perform(); }

} // namespace ferry::cli
