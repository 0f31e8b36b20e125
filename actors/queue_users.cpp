// Whose turn it is: the places of jobs in the order, and what users used of the devices.
#include "actors/queue_state.hpp"
#include "config/limits.hpp"
#include "scheduling/find_all.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ferry::actors {

using namespace std::chrono_literals;
using scheduling::queued_job;

// What was used since is not counted after a crash.
constexpr duration share_saved_every = 60s;

result<scheduling::user_index> queue_state::find_user(const std::string& name) {
  const bool is_new = !users_.find(name);
  const auto found = users_.find_or_add(name, [this](auto index) { return jobs_.queued_of(index) > 0; });
  if (found && is_new)
    share_.forget(*found); // whoever had that index before
  return found;
}

result<void> queue_state::find_users(const std::vector<scheduling::admitted_job>& jobs) {
  std::vector<std::string> names;
  for (const auto& job : jobs)
    names.push_back(job.user);
  return scheduling::find_all(users_, names, [this](const std::string& name) { return find_user(name); });
}

bool queue_state::could_start(const queued_job& job) const {
  return type_of(job.type) && !held_types_.contains(job.type) && named_.room(job.named_group) > 0;
}

scheduling::fair_placing queue_state::placing(instant now) {
  return {share_,
          {.jobs = jobs_, .users = users_, .now = now, .counts = [this](const queued_job& job) { return could_start(job); }}};
}

duration queue_state::device_time_of(queued_job job, instant now) {
  const auto* type = type_of(job.type);
  if (!type)
    return duration{limits::unknown_job_ms};
  const auto& known = knowledge_.at(job.type);
  if (!scheduling::reads_parameters(*type)) // what is known of the type, which is kept for all of them
    estimates_.enter(job, {}, known.durations, now);
  return scheduling::expected_device_time(job, *type, &known, devices_, now);
}

// ---- places -----------------------------------------------------------------------------------------------------------------

void queue_state::give_place(queued_job& job, scheduling::fair_placing& places, instant now) {
  if (users_.shares())
    places.place(job, device_time_of(job, now));
  else
    job.order_key = last_order_key_ + scheduling::order_key_step;
  last_order_key_ = std::max(last_order_key_, job.order_key);
}

void queue_state::take_place_back(const queued_job& job) {
  const auto length = scheduling::fair_length(device_time_of(job, wall_clock_now()), users_.weight_of(job.user, job.lane));
  share_.withdrawn(scheduling::fair_flow::of(job), job.order_key, length);
}

void queue_state::note_place(const queued_job& job) {
  last_order_key_ = std::max(last_order_key_, job.order_key);
  if (const auto now = wall_clock_now(); users_.shares())
    placing(now).note(job, device_time_of(job, now));
}

// It keeps its place, or gets the one of a job that comes now where that is better: what its user has waiting at the priority that
// it leaves is not held against it.
void queue_state::give_priority(queued_job& job, int priority) {
  job.priority = static_cast<std::uint8_t>(priority);
  if (users_.shares())
    job.order_key = std::min(job.order_key, placing(wall_clock_now()).key_of(job));
}

// What was cancelled is not held against its user.
void queue_state::left_queue(const queued_job& job) {
  if (!users_.shares())
    return;
  if (!users_.has_jobs(job.user, [this](auto index) { return jobs_.queued_of(index) > 0; })) {
    share_.forget(job.user);
    return;
  }
  if (const auto last = jobs_.last_alike(job))
    share_.shortened(scheduling::fair_flow::of(job),
                     last->order_key +
                         scheduling::fair_length(device_time_of(*last, wall_clock_now()), users_.weight_of(job.user, job.lane)));
}

void queue_state::turn_began(const running_batch& batch) {
  const queued_job& first = batch.members.front().job;
  if (users_.shares())
    share_.started(first.tier, first.order_key,
                   jobs_.first_key(first.tier, first.priority, [this](const queued_job& job) { return could_start(job); }));
}

queued_job queue_state::as_candidate(const queued_job& job, instant now) {
  auto seen = refreshed(job, now);
  if (!users_.shares())
    seen.user = 0;
  return seen;
}

// ---- use --------------------------------------------------------------------------------------------------------------------

void queue_state::count_use(const running_batch& batch, const std::vector<ending>& endings, instant now) {
  if (!users_.shares())
    return;
  const auto on = std::find_if(devices_.begin(), devices_.end(), [&](const device& d) { return d.id == batch.device; });
  const auto* type = type_of(batch.type);
  const double part = on != devices_.end() && type ? scheduling::device_part(type->slots, *on) : 1;
  for (const ending& e : endings) {
    const member* one = nullptr;
    for (const member& m : batch.members)
      one = m.job.id == e.job ? &m : one;
    instant began = batch.started; // or later: it may have been committed ahead
    for (const run_note& note : e.outcome.notes)
      if (note.what == note_kind::started)
        began = std::clamp(note.at, batch.started, std::max(batch.started, now));
    const auto ended = std::clamp(e.outcome.ended.value_or(now), began, std::max(began, now));
    const auto* ends = std::get_if<scheduling::job_ends>(&e.then);
    users_.count(one->job.user,
                 {.device_ms = static_cast<double>((ended - began).count()) * part / static_cast<double>(batch.members.size()),
                  .completed = ends && ends->state == job_state::completed ? 1 : 0},
                 now);
  }
  if (now - share_saved_ < share_saved_every)
    return;
  share_saved_ = now;
  const json known{{"use", users_.to_json(now)}, {"tiers", share_.to_json()}};
  std::vector<fact> facts{knowledge_gained{"fair share", known.dump(), now}};
  request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([](done) {});
}

std::vector<user_view> queue_state::list_users(instant now) const {
  std::vector<user_view> list;
  double all_ms = 0;
  for (const auto index : users_.all()) {
    const auto& who = users_.at(index);
    const auto used = users_.use_of(index, now);
    all_ms += used.device_ms;
    user_view shown{.name = who.name,
                    .weight = who.weight,
                    .device_seconds = used.device_ms / 1000,
                    .share = used.device_ms,
                    .completed = used.completed,
                    .queued = jobs_.queued_of(index),
                    .running = who.running};
    if (shown.queued > 0 || shown.running > 0 || shown.share > 0 || shown.completed > 0)
      list.push_back(std::move(shown));
  }
  for (user_view& one : list)
    one.share = all_ms > 0 ? one.share / all_ms : 0;
  return list;
}

std::string queue_state::why_behind(const queued_job& job, instant now) const {
  const auto position = jobs_.position(job.id);
  if (!users_.shares() || !position || *position > limits::forecast_jobs_max)
    return {};
  std::size_t later = 0;
  for (const queued_job& other : jobs_.page(0, *position - 1))
    if ((other.user != job.user || other.lane != job.lane) && other.tier == job.tier && other.priority == job.priority &&
        other.id > job.id)
      ++later;
  if (later == 0)
    return {};
  const auto hours = static_cast<double>(users_.use_of(job.user, now).device_ms) / 3'600'000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", hours);
  const auto& who = users_.at(job.user);
  return std::to_string(later) + (later == 1 ? " job" : " jobs") + " of other users" +
         (settings_->queue.fair_share.tiers_share() ? " or tiers" : "") + " that came later " + (later == 1 ? "stands" : "stand") +
         " before it: " + (settings_->queue.fair_share.tiers_share() ? "they" : "users") + " take turns; " +
         (who.name.empty() ? "its user" : who.name) + " has " + std::to_string(jobs_.queued_of(job.user)) + " queued and used " +
         text.data() + " hours of devices within " + to_words(settings_->queue.fair_share.window);
}

} // namespace ferry::actors
