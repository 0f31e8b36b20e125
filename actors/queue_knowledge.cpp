// What the queue learns from batches that completed, and what it expects of jobs by it.
#include "actors/queue_state.hpp"
#include "config/limits.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;

// What was learnt since is lost with a crash; it is learnt again.
constexpr auto saved_every = 60s;

std::uint32_t milliseconds(duration d) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(d.count(), 1, std::numeric_limits<std::uint32_t>::max()));
}

std::optional<instant> time_of(const std::vector<run_note>& notes, note_kind kind) {
  const auto found = std::find_if(notes.begin(), notes.end(), [&](const run_note& n) { return n.what == kind; });
  return found == notes.end() ? std::nullopt : std::optional(found->at);
}

} // namespace

std::uint32_t queue_state::expected_ms(scheduling::type_index type, const scheduling::job_features& features) const {
  const auto expected = knowledge_.at(type).durations.predict(features, wall_clock_now());
  return expected ? milliseconds(expected->median) : 0;
}

void queue_state::expect(scheduling::candidate& one, const config::job_type& type) const {
  const auto& group = groups_.at(one.job.group);
  const auto now = wall_clock_now();
  auto ms = one.job.estimate_ms;
  if (!scheduling::reads_parameters(type)) // nothing of it tells one job from another: what is known now is as good as any
    ms = expected_ms(one.job.type, {});
  if (ms > 0)
    one.estimate = duration{ms};
  const auto& known = knowledge_.at(one.job.type);
  if (one.on_worker)
    if (const auto loading = known.load_time(group.loads, {}, now))
      one.load = loading->median;
  if (type.batch.max_items > 1) {
    one.marginal = known.cost.price(group.cost_key, now);
    one.items_max = known.caps.cap(group.cost_key, cap_rules(type), now);
  }
}

// The memory of a GPU has to be declared for a whole batch to be tried at once; a host has more, and swaps.
scheduling::cap_rules queue_state::cap_rules(const config::job_type& type) const {
  const bool has_gpu = std::any_of(devices_.begin(), devices_.end(), [](const device& d) { return d.kind == device_kind::gpu; });
  const bool on_host = type.device == config::device_choice::cpu || (type.device == config::device_choice::automatic && !has_gpu);
  return {.items_max = type.batch.max_items, .memory_known = on_host || type.memory_mib > 0 || type.batch.memory_mib_per_item > 0};
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
  const bool out_of_memory = std::any_of(outcomes.begin(), outcomes.end(), [](const scheduling::job_outcome& o) {
    return o.interrupted == attempt_end::regrouped && o.why_failed && o.why_failed->kind == failure_kind::oom;
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
    done.jobs.push_back({*one.features, ms > 0 ? std::optional(duration{ms}) : std::nullopt});
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
    known.caps.succeeded(group.cost_key, items, cap_rules(*type), now);
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
