#include "actors/restore.hpp"

#include "config/limits.hpp"
#include "scheduling/attempts.hpp"
#include "scheduling/batch_traits.hpp"
#include "scheduling/job_parts.hpp"
#include "scheduling/outlook.hpp"

#include <algorithm>
#include <map>
#include <spdlog/spdlog.h>

namespace ferry::actors {
namespace {

using scheduling::run_sighting;

// Gives each type name its index; names that the configuration no longer has come after the configured ones.
class type_table {
public:
  explicit type_table(const config::settings& settings) : settings_(settings) {
    for (const auto& type : settings.job_types)
      add(type.name);
  }
  scheduling::type_index index_of(std::string_view name) {
    const auto found = indices_.find(name);
    return found != indices_.end() ? found->second : add(std::string(name));
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] scheduling::type_index find(std::string_view name) const { return indices_.find(name)->second; }
  [[nodiscard]] std::uint8_t tier_of(scheduling::type_index index) const { return rules().order_tier(declared(index)); }
  [[nodiscard]] std::uint8_t lane_of(scheduling::type_index index) const { return rules().lane(declared(index)); }

private:
  [[nodiscard]] const config::fair_share_rules& rules() const { return settings_.queue.fair_share; }
  [[nodiscard]] int declared(scheduling::type_index index) const {
    return index < settings_.job_types.size() ? settings_.job_types[index].tier : 0;
  }
  scheduling::type_index add(std::string name) {
    const auto index = static_cast<scheduling::type_index>(names_.size());
    names_.push_back(name);
    indices_.emplace(std::move(name), index);
    return index;
  }
  const config::settings& settings_;
  std::vector<std::string> names_;
  std::map<std::string, scheduling::type_index, std::less<>> indices_;
};

run_sighting sighting_of(const runners::run_condition& condition) {
  struct visitor {
    run_sighting operator()(const runners::run_absent&) const { return run_sighting::absent; }
    run_sighting operator()(const runners::run_never_started&) const { return run_sighting::never_started; }
    run_sighting operator()(const runners::run_alive&) const { return run_sighting::alive; }
    run_sighting operator()(const runners::run_over&) const { return run_sighting::over; }
    run_sighting operator()(const runners::run_lost&) const { return run_sighting::lost; }
    run_sighting operator()(const runners::run_damaged&) const { return run_sighting::damaged; }
  };
  return std::visit(visitor{}, condition);
}

std::uint16_t count_from(int items) { return static_cast<std::uint16_t>(std::clamp(items, 0, 65'535)); }

job_part part_from(const storage::live_job& job) { return {.first = job.items_done}; }
job_part part_from(const storage::running_batch::member& job) { return job.part; }

template <class Stored>
scheduling::queued_job queued_from(const Stored& job, scheduling::type_index type, const type_table& types,
                                   scheduling::named_group_index group, scheduling::user_index user) {
  return {.id = job.id,
          .order_key = job.order_key,
          .created = job.created,
          .waits_since = job.waits_since,
          .group = type,
          .type = type,
          .items = count_from(std::max(part_from(job).count, 1)),
          .items_done = count_from(part_from(job).first),
          .items_in_all = count_from(part_from(job).of),
          .items_max = static_cast<std::uint8_t>(std::clamp(job.items_max, 0, limits::batch_items_max / 2)),
          .named_group = group,
          .user = user,
          .priority = static_cast<std::uint8_t>(job.priority),
          .retries = static_cast<std::uint8_t>(std::clamp(job.retries, 0, 255)),
          .batch_max = static_cast<std::uint8_t>(std::clamp(job.batch_max, 0, 255)),
          .tier = types.tier_of(type),
          .lane = types.lane_of(type),
          .start_crashes = static_cast<std::uint8_t>(job.start_crashes & 3),
          .held = job.held,
          .tried = job.attempts > 0};
}

// By type. What cannot be read is learnt again.
std::vector<scheduling::type_knowledge> restore_knowledge(const std::map<std::string, std::string>& learned,
                                                          const std::vector<std::string>& type_names) {
  std::vector<scheduling::type_knowledge> all(type_names.size());
  for (std::size_t i = 0; i < type_names.size(); ++i)
    if (const auto found = learned.find("type " + type_names[i]); found != learned.end()) {
      auto known = scheduling::type_knowledge::from_json(json::parse(found->second, nullptr, false));
      if (known)
        all[i] = std::move(*known);
      else
        spdlog::warn("what was learnt of job type {} cannot be read and is learnt again: {}", type_names[i],
                     to_string(known.error()));
    }
  return all;
}

scheduling::promise_book restore_promises(const std::map<std::string, std::string>& learned) {
  const auto found = learned.find("promised starts");
  if (found == learned.end())
    return {};
  auto book = scheduling::promise_book::from_json(json::parse(found->second, nullptr, false));
  if (!book)
    spdlog::warn("{}; it is learnt again", to_string(book.error()));
  return book ? std::move(*book) : scheduling::promise_book();
}

// The last queued job of each user, tier and priority.
using last_jobs = std::map<scheduling::fair_flow, scheduling::queued_job>;

void keep_last(last_jobs& last, const scheduling::queued_job& job) {
  const auto [known, is_new] = last.emplace(scheduling::fair_flow::of(job), job);
  if (!is_new && known->second.order_key < job.order_key)
    known->second = job;
}

// Whose turn it is follows from the keys of what waits and runs; what users used was saved.
void restore_share(const std::map<std::string, std::string>& learned, const config::settings& settings,
                   const std::vector<device>& devices, last_jobs last, queue_start& queue, instant now) {
  if (!queue.users.shares())
    return;
  if (const auto found = learned.find("fair share"); found != learned.end()) {
    const json known = json::parse(found->second, nullptr, false);
    const auto part = [&](const char* name) { return known.is_object() ? known.value(name, json()) : json(); };
    auto used = queue.users.restore(part("use")), tiers = queue.share.restore(part("tiers"));
    for (const auto* read : {&used, &tiers})
      if (!*read)
        spdlog::warn("{}; it is counted anew", to_string(read->error()));
  }
  std::map<int, std::int64_t> first_in_tier;
  for (const auto& job : queue.jobs.page(0, queue.jobs.size() - queue.jobs.kept_back())) {
    const auto first = first_in_tier.emplace(job.tier, job.order_key).first;
    first->second = std::min(first->second, job.order_key);
  }
  for (const auto& [tier, key] : first_in_tier) // what is queued was queued at its tier's time or later
    queue.share.set_now(tier, std::max(queue.share.now(tier), key));
  for (const auto& batch : queue.running)
    for (const auto& job : batch.jobs)
      keep_last(last, job);
  scheduling::fair_placing places(queue.share, {.jobs = queue.jobs, .users = queue.users, .now = now});
  for (const auto& [flow, job] : last) {
    const auto* type = job.type < settings.job_types.size() ? &settings.job_types[job.type] : nullptr;
    places.note(job, type ? scheduling::expected_device_time(job, *type, &queue.knowledge.at(job.type), devices, now)
                          : duration{limits::unknown_job_ms});
  }
  for (const auto& batch : queue.running)
    if (!batch.jobs.empty()) {
      const auto& first = *std::min_element(batch.jobs.begin(), batch.jobs.end(), scheduling::comes_before);
      queue.share.started(first.tier, first.order_key, queue.jobs.first_key(first.tier, first.priority));
    }
}

// Jobs whose parameters decide whom they may run with get their group again: the rules may have changed.
result<void> classify_all(storage::job_store& store, const config::settings& settings,
                          const std::unordered_map<job_id, device_selector>& selectors, queue_start& queue, instant now) {
  std::vector<scheduling::queued_job*> running;
  std::vector<scheduling::queued_job> jobs;
  const auto has_traits = [&](const scheduling::queued_job& job) {
    return job.type < settings.job_types.size() &&
           (scheduling::reads_parameters(settings.job_types[job.type]) || selectors.contains(job.id));
  };
  for (auto& batch : queue.running)
    for (auto& job : batch.jobs)
      if (has_traits(job))
        running.push_back(&job);
  if (!selectors.empty() || std::any_of(settings.job_types.begin(), settings.job_types.end(), scheduling::reads_parameters))
    for (const auto& job : queue.jobs.page(0, queue.jobs.size()))
      if (has_traits(job))
        jobs.push_back(job);
  std::vector<job_id> ids;
  for (const auto* job : running)
    ids.push_back(job->id);
  for (const auto& job : jobs)
    ids.push_back(job.id);
  auto params = store.read_params(ids);
  if (!params)
    return fail(params.error());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& job = i < running.size() ? *running[i] : jobs[i - running.size()];
    const auto& type = settings.job_types[job.type];
    const json given = json::parse(params->at(i));
    const auto traits = scheduling::traits_of(type, given);
    const auto on = selectors.find(job.id);
    job.group = on != selectors.end()          ? queue.groups.find_or_add(job.type, traits, on->second)
                : scheduling::has_traits(type) ? queue.groups.find_or_add(job.type, traits)
                                               : job.type;
    queue.estimates.enter(job, scheduling::features_of_full_part(type, traits, given), queue.knowledge.at(job.type).durations, now);
    const bool runs_a_part = i < running.size() && job.items_in_all > 0;
    if (!runs_a_part) // that goes on as it was started, whatever the rules are now
      scheduling::set_items(job, traits, type.batch);
    if (i < running.size() && !runs_a_part) // likewise: it was started with all that it has
      job.items = static_cast<std::uint16_t>(traits.items);
    if (!traits.tolerated.empty())
      queue.tolerated.insert_or_assign(job.id, traits.tolerated);
    if (i >= running.size())
      queue.jobs.replace(job);
  }
  return {};
}

// The memory that the items of running batches take: how many these are is known only now.
void count_items(const queue_start& queue, const config::settings& settings, restored_state& state) {
  for (auto& [id, lease] : state.leases)
    for (const auto& batch : queue.running)
      if (batch.id == id && batch.type < settings.job_types.size())
        for (const auto& job : batch.jobs)
          lease.memory_mib += std::int64_t{job.items} * settings.job_types[batch.type].batch.memory_mib_per_item;
}

// The ends of needed jobs are followed again, for the daemon may have died before it could: how many jobs are cancelled by that.
result<std::int64_t> restore_needs(storage::job_store& store, queue_start& queue, instant now) {
  std::vector<fact> facts;
  std::set<job_id> ended;
  for (const auto& cancelled : scheduling::settle_needs(queue.jobs, queue.needs, queue.needs.jobs(), now)) {
    facts.emplace_back(scheduling::cancelled_fact(cancelled, now));
    ended.insert(cancelled.job.id);
  }
  if (facts.empty())
    return 0;
  std::erase_if(queue.unique_keys, [&](const auto& one) { return ended.contains(one.second); });
  if (auto stored = store.apply(facts); !stored)
    return fail(stored.error());
  return static_cast<std::int64_t>(facts.size());
}

// What a worker of the last daemon has loaded, and what it is busy with, into the ledger; workers that are gone are buried.
result<void> restore_workers(const runners::run_control& control, const config::settings& settings, const type_table& types,
                             const std::vector<device>& devices, restored_state& state) {
  for (const auto& found : control.find_workers()) {
    const auto* type = settings.find_job_type(found.type);
    const bool has_batch =
        std::any_of(state.leases.begin(), state.leases.end(), [&](const auto& lease) { return lease.second.worker == found.id; });
    if (!found.is_alive || (state.suspect_types.contains(found.type) && !has_batch)) {
      if (auto buried = control.bury_worker(found.id); !buried)
        return buried;
      continue;
    }
    const auto on = std::find_if(devices.begin(), devices.end(), [&](const device& d) { return d.id == found.device; });
    const bool is_known = type && on != devices.end();
    state.workers.push_back(
        {.id = found.id,
         .device = found.device,
         .type = type ? types.find(found.type) : scheduling::type_index{UINT16_MAX},
         .warm = found.warm_number,
         .memory_mib = is_known ? scheduling::memory_of_found_worker(*type, found.memory_mib, *on) : found.memory_mib,
         .idle_since = wall_clock_now()});
  }
  return {};
}

} // namespace

result<restored_state> restore_state(storage::job_store& store, const runners::run_control& control,
                                     std::shared_ptr<const config::settings> settings, const std::vector<device>& devices) {
  restored_state state{.queue = std::make_shared<queue_start>(), .last_batch = {}};
  queue_start& queue = *state.queue;
  queue.jobs = scheduling::job_queue(settings->queue.aging);
  queue.users = scheduling::user_book(settings->queue.fair_share);
  last_jobs last;
  type_table types(*settings);
  const auto now = wall_clock_now();
  // No more of them are live than were let in; should that bound have become smaller, the rest run without a group.
  const auto group_of = [&](std::string_view name) { return queue.named.find_or_add(std::string(name)).value_or(0); };
  const auto user_of = [&](std::string_view name) { return queue.users.find_or_add(std::string(name)).value_or(0); }; // likewise
  const auto stored = store.restore([&](const storage::live_job& job) {
    const auto index = types.index_of(job.type);
    auto queued = queued_from(job, index, types, group_of(job.group), user_of(job.user));
    keep_last(last, queued);
    queued.waits_since = std::max(job.waits_since, job.not_before.value_or(job.waits_since));
    queued.steps = static_cast<std::uint8_t>(scheduling::aging_steps(queued.waits_since, now, queue.jobs.aging()));
    if (job.not_before && *job.not_before > now)
      queue.jobs.delay(queued, *job.not_before);
    else
      queue.jobs.add(queued);
    if (job.on_needs_failure && !job.was_started)
      queue.needs.add(job.id, *job.on_needs_failure, {job.needs.begin(), job.needs.end()});
  });
  if (!stored)
    return fail(stored.error());
  for (const auto& [name, settings_of_group] : stored->groups)
    queue.named.set(group_of(name), settings_of_group);
  queue.unique_keys = stored->unique_keys;
  queue.to_cancel = stored->to_cancel;
  const auto cancelled = restore_needs(store, queue, now);
  if (!cancelled)
    return fail(cancelled.error());

  for (const auto& batch : stored->running) {
    const auto index = types.index_of(batch.type);
    // What a node was given is the node's to tell: nothing can be seen of it from here. What Slurm was given may wait in its queue,
    // where nobody holds the lock of the run yet: its executor finds out.
    const auto sighting = is_elsewhere(batch.device) ? run_sighting::alive : sighting_of(control.inspect(batch.id));
    if (scheduling::reconcile(sighting) == scheduling::reconciliation::requeue) {
      spdlog::info("batch {} never started: its jobs are queued again", batch.id.value);
      // Its directory may have been removed while a worker is at work on it: no worker of that type is relied on (P4).
      if (sighting == run_sighting::absent)
        state.suspect_types.insert(batch.type);
      // A batch on a worker may have waited for others to give their memory: that is no start that crashed.
      const auto* configured = settings->find_job_type(batch.type);
      const bool crashed = !configured || configured->runner != config::runner_kind::worker;
      batch_requeued requeued{batch.id, {}, "the daemon ended before it was started", now, crashed};
      std::vector<fact> quarantined;
      for (const auto& member : batch.jobs) {
        requeued.jobs.push_back(member.id);
        auto job = queued_from(member, index, types, group_of(member.group), user_of(member.user));
        job.tried = member.attempts > 1; // this attempt does not count
        job.steps = static_cast<std::uint8_t>(scheduling::aging_steps(job.waits_since, now, queue.jobs.aging()));
        if (crashed && scheduling::count_start_crash(job, settings->runs.quarantine_after)) {
          spdlog::error("job {} is held: {}", job.id.value, scheduling::quarantine_reason);
          quarantined.emplace_back(job_held{job.id, now, scheduling::quarantine_reason});
        }
        queue.jobs.add(job);
        keep_last(last, job);
      }
      std::vector<fact> facts{requeued};
      facts.insert(facts.end(), quarantined.begin(), quarantined.end());
      if (auto ok = store.apply(facts); !ok)
        return fail(ok.error());
      continue;
    }
    restored_batch restored{.id = batch.id, .device = batch.device, .type = index, .jobs = {}, .started = batch.started};
    for (const auto& member : batch.jobs) {
      restored.jobs.push_back(queued_from(member, index, types, group_of(member.group), user_of(member.user)));
      restored.jobs.back().tried = member.attempts > 1; // this one is counted when it is over
    }
    const auto* type = settings->find_job_type(batch.type);
    const auto needs = type ? scheduling::demand_of(*type, 0) : scheduling::demand{}; // that of its items is added below
    state.leases.emplace_back(batch.id, scheduling::lease{.device = batch.device,
                                                          .slots = needs.slots,
                                                          .memory_mib = needs.memory_mib,
                                                          .worker = control.worker_of(batch.id),
                                                          .tier = types.tier_of(index),
                                                          .preemptible = type && type->preemptible,
                                                          .since = batch.started});
    queue.running.push_back(std::move(restored));
  }
  if (auto committed = store.commit(); !committed)
    return fail(committed.error());
  std::vector<std::string> identities = types.names();
  for (const auto& type : settings->job_types)
    identities[types.find(type.name)] = scheduling::worker_identity(type);
  queue.groups = scheduling::batch_groups(std::move(identities));
  queue.knowledge = restore_knowledge(stored->learned, types.names());
  queue.promises = restore_promises(stored->learned);
  if (auto grouped = classify_all(store, *settings, stored->selectors, queue, now); !grouped)
    return fail(grouped.error());

  count_items(queue, *settings, state);
  restore_share(stored->learned, *settings, devices, std::move(last), queue, now);

  if (auto workers = restore_workers(control, *settings, types, devices, state); !workers)
    return fail(workers.error());

  for (const auto& [name, reason] : stored->held_types)
    if (const auto* type = settings->find_job_type(name))
      queue.held_types.emplace(static_cast<scheduling::type_index>(type - settings->job_types.data()), reason);
  queue.settings = std::move(settings);
  queue.devices = devices;
  queue.type_names = types.names();
  queue.last_job = stored->last_job;
  queue.last_order_key = stored->last_order_key;
  queue.paused = stored->paused;
  queue.completed = stored->completed;
  queue.failed = stored->failed;
  queue.cancelled = stored->cancelled + *cancelled;
  state.last_batch = stored->last_batch;
  return state;
}

} // namespace ferry::actors
