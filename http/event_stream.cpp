#include "http/event_stream.hpp"

#include "http/log_file.hpp"
#include "http/views.hpp"
#include "model/version.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>

namespace ferry::http {
namespace asio = boost::asio;
using namespace std::chrono_literals;
using actors::event_board;

namespace {

constexpr auto looks_apart = 100ms;     // changes that come closer together are told together
constexpr auto queue_apart = 250ms;     // events about the queue
constexpr auto progress_apart = 500ms;  // events about the progress of one job
constexpr auto losses_apart = 1s;       // a reader that lags behind reads everything anew, but not all the time
constexpr auto log_looks_apart = 100ms; // a log that grows
constexpr auto heartbeat = 15s;         // something is written at least as often, so that both sides notice when the other is gone
constexpr std::size_t log_piece_bytes = 256 * 1024;

json or_null(std::string_view text) { return text.empty() ? json(nullptr) : json(text); }

// Of the changes of a job only the last one tells what it is now.
std::vector<event_board::job_change> latest_of_each(std::vector<event_board::job_change> changes) {
  std::unordered_set<job_id> met;
  std::vector<event_board::job_change> kept;
  for (auto one = changes.rbegin(); one != changes.rend(); ++one)
    if (met.insert(one->id).second)
      kept.push_back(std::move(*one));
  std::reverse(kept.begin(), kept.end());
  return kept;
}

} // namespace

std::size_t whole_characters(std::string_view bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0U) == 0x80U)
      continue; // one that continues: what it belongs to began before
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? bytes.size() - back : bytes.size();
  }
  return bytes.size();
}

event_stream::event_stream(std::shared_ptr<event_hub> hub, event_sources sources, event_request what,
                           asio::any_io_executor executor)
    : hub_(std::move(hub)),
      sources_(std::move(sources)),
      what_(std::move(what)),
      timer_(executor),
      generation_(hub_->generation()) {}

void event_stream::stop() {
  is_stopped_ = true;
  timer_.cancel();
}

asio::awaitable<result<std::string>> event_stream::next() {
  if (!has_begun_)
    begin();
  for (;;) {
    if (clock::now() < looked_at_ + looks_apart)
      co_await hub_->wait(timer_, looked_at_ + looks_apart, std::nullopt);
    if (is_stopped_ || generation_ != hub_->generation())
      co_return std::string{};
    looked_at_ = clock::now();
    seen_ = hub_->board().now();
    co_await add_jobs();
    add_queue();
    add_progress();
    if (auto read = add_log(); !read)
      co_return fail(read.error());
    if (out_.empty() && looked_at_ >= wrote_at_ + heartbeat)
      out_ = ": still here\n\n";
    if (!out_.empty()) {
      wrote_at_ = looked_at_;
      co_return std::exchange(out_, {});
    }
    co_await hub_->wait(timer_, next_look(), seen_);
  }
}

event_stream::clock::time_point event_stream::next_look() const {
  auto at = wrote_at_ + heartbeat;
  const auto consider = [&](clock::time_point due) { at = std::min(at, due); };
  if (seen_.jobs != cursor_)
    consider(jobs_due_);
  if (seen_.queue != told_queue_ && !what_.job)
    consider(queue_due_);
  if (seen_.progress != told_progress_)
    consider(progress_due_);
  if (what_.log)
    consider(log_due_);
  return at;
}

void event_stream::begin() {
  has_begun_ = true;
  cursor_ = hub_->board().now().jobs;
  std::string why;
  if (const auto& last = what_.resume_from) {
    if (last->start != hub_->start())
      why = "the daemon was started anew";
    else if (auto missed = hub_->board().since(last->number, what_.job); missed.why_lost)
      why = *missed.why_lost;
    else
      cursor_ = last->number;
    if (last->log && what_.log) {
      if (last->log->batch != what_.log->batch)
        next_run_ = what_.log->batch;
      what_.log = last->log;
    }
  }
  out_ = "retry: 1000\n";
  add("hello",
      {{"version", version}, {"started", to_rfc3339(sources_.started)}, {"resumed", what_.resume_from.has_value() && why.empty()}},
      cursor_);
  if (!why.empty())
    lost(why);
}

void event_stream::add(std::string_view name, const json& data, std::uint64_t number) {
  out_ += "id: " + to_text({hub_->start(), number, what_.log});
  out_ += "\nevent: ";
  out_ += name;
  out_ += "\ndata: " + data.dump(-1, ' ', false, json::error_handler_t::replace) + "\n\n";
}

void event_stream::lost(const std::string& why) { add("resync", {{"reason", why}}, cursor_); }

// ---- jobs -------------------------------------------------------------------------------------------------------------------

asio::awaitable<void> event_stream::add_jobs() {
  if (looked_at_ < jobs_due_ || seen_.jobs == cursor_)
    co_return;
  auto news = hub_->board().since(cursor_, what_.job);
  cursor_ = news.last;
  if (news.why_lost) {
    lost(*news.why_lost);
    jobs_due_ = looked_at_ + losses_apart;
    co_return;
  }
  for (const auto& change : news.jobs) {
    if (change.is_edited)
      hub_->forget(change.id);
    if (what_.log)
      note_run_of(change);
  }
  const auto changes = latest_of_each(std::move(news.jobs));
  co_await read_labels(changes);
  for (const auto& change : changes) {
    const auto* labels = hub_->labels_of(change.id);
    if (!labels) {
      lost("the daemon could not read what has changed");
      co_return;
    }
    add("job",
        {{"id", change.id.value},
         {"type", labels->type},
         {"name", labels->name},
         {"status", to_string(change.state)},
         {"phase", or_null(change.phase)},
         {"held", change.held},
         {"user", or_null(labels->user)},
         {"batch", change.batch.is_none() ? json(nullptr) : json(change.batch.value)},
         {"device", or_null(change.device)}},
        change.number);
  }
}

asio::awaitable<void> event_stream::read_labels(const std::vector<event_board::job_change>& changes) {
  std::vector<job_id> unknown;
  for (const auto& change : changes)
    if (!hub_->labels_of(change.id))
      unknown.push_back(change.id);
  if (unknown.empty())
    co_return;
  auto found = co_await sources_.find_jobs(unknown);
  if (!found)
    co_return;
  for (auto& record : *found)
    hub_->remember(record.id, {std::move(record.type), std::move(record.name), std::move(record.user)});
}

void event_stream::add_progress() {
  if (looked_at_ < progress_due_ || seen_.progress == told_progress_)
    return;
  for (const auto& one : hub_->board().progress_since(told_progress_, what_.job))
    add("progress", {{"id", one.id.value}, {"progress", progress_json(one.how_far)}}, cursor_);
  told_progress_ = seen_.progress;
  progress_due_ = looked_at_ + progress_apart;
}

// ---- the queue --------------------------------------------------------------------------------------------------------------

void event_stream::add_queue() {
  if (what_.job || looked_at_ < queue_due_ || seen_.queue == told_queue_)
    return;
  queue_due_ = looked_at_ + queue_apart;
  const auto status = sources_.status();
  if (!status) // looked at again when that is over
    return;
  told_queue_ = seen_.queue;
  add("queue", {{"paused", status->paused}, {"counts", counts_json(status->counts, true)}}, cursor_);
}

// ---- a log ------------------------------------------------------------------------------------------------------------------

void event_stream::note_run_of(const event_board::job_change& change) {
  what_.is_running = change.state == job_state::running;
  log_due_ = {};
  if (!what_.is_running || change.batch == what_.log->batch)
    return;
  if (what_.log->batch.is_none())
    what_.log = log_place{change.batch};
  else
    next_run_ = change.batch;
}

result<void> event_stream::add_log() {
  if (!what_.log || looked_at_ < log_due_)
    return {};
  auto& place = *what_.log;
  log_due_ = what_.is_running ? looked_at_ + log_looks_apart : clock::time_point::max();
  if (place.batch.is_none())
    return {};
  auto chunk = read_log_file(sources_.runs / to_string(place.batch) / "output.log", place.offset, log_piece_bytes);
  if (!chunk)
    return fail(chunk.error());
  const bool is_all = chunk->at_end && (!what_.is_running || next_run_);
  const auto used = is_all ? chunk->bytes.size() : whole_characters(chunk->bytes);
  place.offset = chunk->offset + static_cast<std::int64_t>(used);
  chunk->bytes.resize(used);
  if (used > 0)
    add("log", {{"batch", place.batch.value}, {"offset", chunk->offset}, {"next", place.offset}, {"text", std::move(chunk->bytes)}},
        cursor_);
  if (!chunk->at_end) { // the rest of it follows at once
    looked_at_ = {};
    log_due_ = {};
  } else if (next_run_) {
    place = {*std::exchange(next_run_, std::nullopt)};
    log_due_ = {};
  }
  return {};
}

} // namespace ferry::http
