#include "storage/history.hpp"

#include "config/limits.hpp"

#include <array>
#include <optional>
#include <set>
#include <utility>

namespace ferry::storage {
namespace {

constexpr const char* select_starts = "SELECT what, batch, at FROM job_events WHERE job = ? ORDER BY number";

constexpr const char* select_newest_events = "SELECT what, batch, detail FROM job_events WHERE job = ? ORDER BY number DESC";
constexpr const char* select_resumed_from = "SELECT resumed_from FROM jobs WHERE id = ?";

constexpr const char* select_queued = R"sql(
SELECT jobs.created, job_types.name, jobs.priority, jobs.held, jobs.name
FROM jobs JOIN job_types ON job_types.id = jobs.type WHERE jobs.id = ?)sql";

constexpr const char* select_events = R"sql(
SELECT job_events.at, job_events.what, job_events.batch, job_events.detail, devices.name
FROM job_events
LEFT JOIN batches ON batches.id = job_events.batch
LEFT JOIN devices ON devices.id = batches.device
WHERE job_events.job = ? ORDER BY job_events.number)sql";

constexpr std::array<std::pair<event_kind, const char*>, 16> event_names{{
    {event_kind::edited, "job_edited"},
    {event_kind::held, "job_held"},
    {event_kind::released, "job_released"},
    {event_kind::reordered, "job_reordered"},
    {event_kind::batch_started, "batch_started"},
    {event_kind::batch_requeued, "batch_requeued"},
    {event_kind::finished, "job_finished"},
    {event_kind::retried, "job_retried"},
    {event_kind::cleared, "jobs_cleared"},
    {event_kind::attempt_ended, "attempt_ended"},
    {event_kind::started, "run_started"},
    {event_kind::loaded, "run_loaded"},
    {event_kind::checkpoint, "checkpoint_saved"},
    {event_kind::warned, "run_warned"},
    {event_kind::promised, "start_promised"},
    {event_kind::resumed, "attempt_resumed"},
}};

const char* name_of(event_kind kind) {
  for (const auto& [k, name] : event_names)
    if (k == kind)
      return name;
  return "unknown";
}

// The row shows the job as it is now; what it was when it was queued is what the first change of each kind found.
class as_queued {
public:
  explicit as_queued(json now) : detail_(std::move(now)) {}

  void see(event_kind kind, const json& detail) {
    if (kind == event_kind::reordered)
      first("priority", detail, "previous_priority");
    if (kind == event_kind::edited)
      first("name", detail, "previous_name");
    if (kind == event_kind::held || kind == event_kind::released || kind == event_kind::retried)
      first("held", detail, "previously_held");
  }
  [[nodiscard]] json detail() const { return detail_; }

private:
  void first(const char* key, const json& detail, const char* previous) {
    const auto found = detail.find(previous);
    if (found == detail.end() || seen_.contains(key))
      return;
    detail_[key] = *found;
    seen_[key] = true;
  }
  json detail_;
  json seen_ = json::object();
};

} // namespace

std::string to_text(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json to_json(const job_part& part) { return {{"first_item", part.first}, {"items", part.count}, {"of", part.of}}; }

event_kind kind_of(note_kind note) {
  switch (note) {
  case note_kind::started: return event_kind::started;
  case note_kind::loaded: return event_kind::loaded;
  case note_kind::checkpoint: return event_kind::checkpoint;
  case note_kind::resumed: return event_kind::resumed;
  case note_kind::promised: return event_kind::promised;
  case note_kind::warned: break;
  }
  return event_kind::warned;
}

const char* name_of(note_kind note) { return name_of(kind_of(note)); }

namespace {

// Goes through the events of a job, the newest first, and keeps the checkpoints of those attempts that ran the same items.
class checkpoint_walk {
public:
  // False: what comes before does not count.
  bool see(event_kind kind, job_id job, batch_id batch, const json& detail) {
    if (kind == event_kind::retried)
      return !detail.is_object() || !detail.value("from_scratch", false);
    if (kind == event_kind::batch_started) { // all that was met since is of this attempt
      if (items_ && *items_ != detail)
        return false;
      items_ = detail;
      keep();
    }
    if (kind == event_kind::checkpoint && detail.is_object()) {
      checkpoint one{.job = job, .batch = batch, .path = detail.value("path", "")};
      if (const auto step = detail.find("step"); step != detail.end() && step->is_number_integer())
        one.step = step->get<std::int64_t>();
      of_attempt_.push_back(std::move(one));
    }
    return found_.size() < limits::checkpoints_offered_max;
  }
  [[nodiscard]] std::vector<checkpoint> take() { return std::move(found_); }

private:
  void keep() {
    for (checkpoint& one : std::exchange(of_attempt_, {}))
      if (found_.size() < limits::checkpoints_offered_max)
        found_.push_back(std::move(one));
  }

  std::optional<json> items_; // that the latest attempt runs: null, or a part as an event tells of it
  std::vector<checkpoint> of_attempt_, found_;
};

} // namespace

std::vector<checkpoint> read_checkpoints(statement_cache& statements, job_id job) {
  checkpoint_walk walk;
  bool goes_on = true;
  // A chain of resumed jobs is as long as users make it; each link is followed once.
  for (std::set<std::int64_t> seen; goes_on && !job.is_none() && seen.insert(job.value).second;) {
    auto event = statements.query(select_newest_events, job);
    while (goes_on && event.next()) {
      const auto kind = static_cast<event_kind>(event.integer(0));
      if (kind == event_kind::checkpoint || kind == event_kind::retried || kind == event_kind::batch_started)
        goes_on = walk.see(kind, job, batch_id{event.is_null(1) ? 0 : event.integer(1)},
                           event.is_null(2) ? json() : json::parse(event.view(2), nullptr, false));
    }
    auto row = statements.query(select_resumed_from, job);
    job = job_id{row.next() && !row.is_null(0) ? row.integer(0) : 0};
  }
  return walk.take();
}

std::optional<attempt> previous_attempt(statement_cache& statements, job_id job) {
  std::vector<attempt> counted;
  auto event = statements.query(select_starts, job);
  while (event.next()) {
    const auto kind = static_cast<event_kind>(event.integer(0));
    if (kind == event_kind::batch_started)
      counted.push_back({batch_id{event.integer(1)}, event.time(2)});
    else if (kind == event_kind::batch_requeued && !counted.empty())
      counted.pop_back();
  }
  return counted.size() < 2 ? std::nullopt : std::optional{counted[counted.size() - 2]};
}

std::vector<history_entry> read_history(statement_cache& statements, job_id job) {
  std::vector<history_entry> story;
  auto row = statements.query(select_queued, job);
  if (!row.next())
    return story;
  story.push_back({row.time(0), "job_queued", json::object()});
  as_queued queued({{"type", row.text(1)},
                    {"priority", row.integer(2)},
                    {"held", row.integer(3) != 0},
                    {"name", row.is_null(4) ? "" : row.text(4)}});
  int attempt_number = 0;
  auto event = statements.query(select_events, job);
  while (event.next()) {
    const auto kind = static_cast<event_kind>(event.integer(1));
    json detail = event.is_null(3) ? json::object() : json::parse(event.text(3), nullptr, false);
    if (!detail.is_object())
      detail = json::object();
    queued.see(kind, detail);
    if (!event.is_null(2))
      detail["batch"] = event.integer(2);
    if (kind == event_kind::batch_started) {
      detail["attempt"] = ++attempt_number;
      detail["device"] = event.text(4);
    } else if (kind == event_kind::batch_requeued) {
      --attempt_number;
    } else if (kind == event_kind::attempt_ended) {
      const auto how = detail.value("how", "");
      if (how == to_string(attempt_end::regrouped) || how == to_string(attempt_end::part_done)) // these do not count
        --attempt_number;
    }
    story.push_back({event.time(0), name_of(kind), std::move(detail)});
  }
  story.front().detail = queued.detail();
  return story;
}

json to_json(const failure& why) {
  json stored{{"kind", to_string(why.kind)}, {"message", why.message}};
  if (why.exit_status)
    stored["exit_status"] = *why.exit_status;
  if (why.signal)
    stored["signal"] = *why.signal;
  return stored;
}

failure failure_from(const json& stored) {
  failure why;
  if (!stored.is_object())
    return why;
  why.kind = failure_kind_from(stored.value("kind", "")).value_or(failure_kind::exit_status);
  why.message = stored.value("message", "");
  if (const auto status = stored.find("exit_status"); status != stored.end())
    why.exit_status = status->get<int>();
  if (const auto signal = stored.find("signal"); signal != stored.end())
    why.signal = signal->get<int>();
  return why;
}

} // namespace ferry::storage
