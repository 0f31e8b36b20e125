// What the queue learns from batches that completed, and what it expects of jobs by it.
#include "actors/queue_state.hpp"
#include "config/limits.hpp"
#include "scheduling/job_parts.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;
using scheduling::queued_job;

// What was learnt since is lost with a crash; it is learnt again.
constexpr auto saved_every = 60s;

std::optional<instant> time_of(const std::vector<run_note>& notes, note_kind kind) {
  const auto found = std::find_if(notes.begin(), notes.end(), [&](const run_note& n) { return n.what == kind; });
  return found == notes.end() ? std::nullopt : std::optional(found->at);
}

} // namespace

scheduling::queued_job queue_state::refreshed(queued_job job, instant now) {
  estimates_.refresh(job, knowledge_.at(job.type).durations, now);
  return job;
}

scheduling::group_outlook queue_state::outlook(scheduling::group_index group, const config::job_type& type, instant now) const {
  const auto& of = groups_.at(group);
  return scheduling::outlook_of(knowledge_.at(of.type), of, type, devices_, now);
}

// The whole batch is over: each of its jobs has an outcome.
void queue_state::learn(const running_batch& batch, const std::vector<scheduling::job_outcome>& outcomes) {
  const auto* type = type_of(batch.type);
  if (!type || outcomes.empty() || batch.members.size() != outcomes.size())
    return;
  const auto now = wall_clock_now();
  auto& known = knowledge_.at(batch.type);
  const auto& group = groups_.at(batch.members.front().job.group);
  int items = 0;
  for (const member& one : batch.members)
    items += one.job.items;
  const bool may_divide = outcomes.size() == 1 && batch.members.front().job.items_in_all > 0;
  const bool out_of_memory = std::any_of(outcomes.begin(), outcomes.end(), [may_divide](const scheduling::job_outcome& o) {
    return o.why_failed && o.why_failed->kind == failure_kind::oom && (may_divide || o.interrupted == attempt_end::regrouped);
  });
  if (out_of_memory) {
    known.caps.ran_out_of_memory(group.cost_key, items, now);
    save(batch.type, now);
    return;
  }
  scheduling::completed_batch done{.key = group.cost_key, .price = batch.marginal, .warm = group.loads, .device = batch.device};
  instant ended{};
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const member& one = batch.members[i];
    if (outcomes[i].state != job_state::completed || outcomes[i].interrupted || !outcomes[i].ended || !one.features)
      return; // it teaches nothing
    ended = std::max(ended, *outcomes[i].ended);
    const auto ms = one.job.estimate_ms;
    auto expected = ms > 0 ? std::optional(duration{ms}) : std::nullopt;
    const bool is_part = !scheduling::part_of(one.job).is_all();
    if (one.job.items_in_all > 0) { // its last part may be smaller
      const scheduling::group_outlook seen{.alone = is_part ? known.durations.predict({}, now) : std::nullopt,
                                           .marginal = batch.marginal};
      if (const auto of_run = scheduling::expected_alone(one.job, *type, seen))
        expected = of_run->median;
    }
    done.jobs.push_back({*one.features, expected, is_part, scheduling::has_more_parts(one.job)});
  }
  const auto& notes = outcomes.front().notes;
  const auto began = time_of(notes, note_kind::started), loaded = time_of(notes, note_kind::loaded);
  if (!began)
    return;
  const bool was_loaded = type->runner == config::runner_kind::worker && loaded && *loaded >= *began;
  if (was_loaded)
    done.loading = *loaded - *began;
  done.took = std::max(ended - (was_loaded ? *loaded : *began), duration{1});
  known.learn(done, now);
  if (type->batch.max_items > 1)
    known.caps.succeeded(group.cost_key, items, scheduling::cap_rules_of(*type, devices_), now);
  save(batch.type, now);
}

void queue_state::save(scheduling::type_index type, instant now) {
  auto& last = knowledge_saved_[type];
  if (now - last < saved_every)
    return;
  last = now;
  std::vector<fact> facts{knowledge_gained{"type " + type_names_.at(type), knowledge_.at(type).to_json().dump(), now}};
  request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([](done) {});
}

} // namespace ferry::actors
