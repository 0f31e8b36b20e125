#include "scheduling/fair_share.hpp"

#include "config/limits.hpp"

#include "scheduling/job_parts.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

// Beyond this, keys stay the same and jobs start by id: half of what a key can be, so that jobs can still be moved behind it.
constexpr std::int64_t key_max = INT64_MAX / 2;
constexpr std::size_t flows_kept_max = 10'000; // then those that have come to an end are forgotten

std::int64_t keys_of(double ms, double ms_max) {
  return std::llround(std::clamp(ms, 0.0, ms_max) * static_cast<double>(order_keys_per_ms));
}

// How much of their time alone the jobs of a type take since they run together.
double part_of_alone(const savings& saved) {
  const double alone = saved.worked_ms - saved.shared_ms + saved.shared_alone_ms;
  return alone > 0 && saved.worked_ms > 0 ? std::clamp(saved.worked_ms / alone, 0.01, 1.0) : 1;
}

} // namespace

// ---- virtual time -----------------------------------------------------------------------------------------------------------

std::int64_t fair_share::key_for(const fair_flow& flow, std::optional<std::int64_t> first, std::int64_t debt) const {
  const auto begin = std::min(now(flow.tier), first.value_or(key_max)) + debt;
  const auto end = ends_.find(flow);
  return std::min(end == ends_.end() ? begin : std::max(begin, end->second), key_max);
}

void fair_share::queued(const fair_flow& flow, std::int64_t key, std::int64_t length) {
  const auto end = std::min(key, key_max) + length;
  const auto [known, is_new] = ends_.emplace(flow, end);
  known->second = std::max(known->second, end);
  if (is_new && ends_.size() > flows_kept_max)
    forget_past();
}

void fair_share::withdrawn(const fair_flow& flow, std::int64_t key, std::int64_t length) {
  if (const auto end = ends_.find(flow); end != ends_.end() && end->second == std::min(key, key_max) + length)
    end->second = key;
}

void fair_share::started(int tier, std::int64_t key, std::optional<std::int64_t> first) {
  const auto reached = std::min(key, first.value_or(key));
  const auto [known, is_new] = now_.emplace(tier, reached);
  known->second = std::max(known->second, reached);
}

std::int64_t fair_share::now(int tier) const {
  const auto found = now_.find(tier);
  return found == now_.end() ? 0 : found->second;
}

void fair_share::set_now(int tier, std::int64_t key) { now_.insert_or_assign(tier, key); }

void fair_share::shortened(const fair_flow& flow, std::int64_t end) {
  if (const auto known = ends_.find(flow); known != ends_.end())
    known->second = std::min(known->second, end);
}

void fair_share::forget(user_index user) {
  std::erase_if(ends_, [&](const auto& one) { return one.first.user == user; });
}

void fair_share::forget_past() {
  std::erase_if(ends_, [&](const auto& one) { return one.second <= now(one.first.tier); });
}

json fair_share::to_json() const {
  json tiers = json::array();
  for (const auto& [tier, key] : now_)
    tiers.push_back({tier, key});
  return tiers;
}

result<void> fair_share::restore(const json& stored) {
  std::map<int, std::int64_t> read;
  try {
    for (const json& one : stored)
      read.emplace(one.at(0).get<int>(), std::min(one.at(1).get<std::int64_t>(), key_max));
  } catch (const json::exception&) { return fail(error_code::damaged, "how far users have shared devices cannot be read"); }
  now_ = std::move(read);
  return {};
}

// ---- what a job counts ------------------------------------------------------------------------------------------------------

double device_part(int slots, const device& on) {
  return std::min(static_cast<double>(slots) / static_cast<double>(std::max(on.slots, 1)), 1.0);
}

duration expected_device_time(const queued_job& job, const config::job_type& type, const type_knowledge* known,
                              std::span<const device> devices, instant now) {
  auto alone = static_cast<double>(job.estimate_ms);
  if (job.estimate_ms == 0) {
    const auto mean = known ? known->durations.predict({}, now) : std::nullopt;
    alone = static_cast<double>(mean ? mean->median.count() : limits::unknown_job_ms);
  }
  const auto is_gpu = [](const device& d) { return d.kind == device_kind::gpu; };
  const bool wants_gpu = type.device == config::device_choice::gpu ||
                         (type.device == config::device_choice::automatic && std::any_of(devices.begin(), devices.end(), is_gpu));
  const auto on = std::find_if(devices.begin(), devices.end(), [&](const device& d) { return is_gpu(d) == wants_gpu; });
  const double part = on == devices.end() ? 1 : device_part(type.slots, *on);
  alone *= 1 + parts_after(job);
  return duration{std::llround(alone * part * (known ? part_of_alone(known->saved) : 1))};
}

std::int64_t fair_length(duration device_time, double weight) {
  const double ms = static_cast<double>(device_time.count()) / weight;
  return std::max(keys_of(ms, static_cast<double>(limits::job_cost_ms_max)), std::int64_t{1});
}

// ---- places -----------------------------------------------------------------------------------------------------------------

fair_placing::fair_placing(fair_share& share, view seen) : share_(share), seen_(std::move(seen)) {
  least_use_ = seen_.users.least_use([this](user_index user) { return seen_.jobs.queued_of(user) > 0; }, seen_.now);
}

std::int64_t fair_placing::debt_of(user_index user) const {
  const double own = seen_.users.use_of(user, seen_.now).device_ms / seen_.users.at(user).weight;
  return keys_of(own - std::min(own, least_use_.value_or(own)), static_cast<double>(limits::use_debt_ms_max));
}

std::int64_t fair_placing::key_of(const queued_job& job) {
  const auto flow = fair_flow::of(job);
  const auto [first, is_new] = first_.try_emplace({flow.tier, flow.priority});
  if (is_new)
    first->second = seen_.jobs.first_key(flow.tier, flow.priority, seen_.counts);
  return share_.key_for(flow, first->second, debt_of(flow.user));
}

void fair_placing::place(queued_job& job, duration device_time) {
  job.order_key = key_of(job);
  note(job, device_time);
  bool& is_last = is_last_[fair_flow::of(job)];
  if (is_last || !job.may_start())
    return;
  const auto since = seen_.jobs.longest_wait_behind(job.tier, job.priority, job.order_key);
  is_last = !since; // so are those that follow it
  if (since && *since < job.waits_since) {
    job.waits_since = *since;
    job.steps = static_cast<std::uint8_t>(aging_steps(*since, seen_.now, seen_.jobs.aging()));
  }
}

void fair_placing::note(const queued_job& job, duration device_time) {
  share_.queued(fair_flow::of(job), job.order_key, fair_length(device_time, seen_.users.weight_of(job.user, job.lane)));
}

} // namespace ferry::scheduling
