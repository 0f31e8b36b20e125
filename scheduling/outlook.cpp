#include "scheduling/outlook.hpp"

#include "scheduling/admission.hpp"
#include "scheduling/company.hpp"
#include "scheduling/job_parts.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {

cap_rules cap_rules_of(const config::job_type& type, const std::vector<device>& devices) {
  const bool has_gpu = std::any_of(devices.begin(), devices.end(), [](const device& d) { return d.kind == device_kind::gpu; });
  const bool on_host = type.device == config::device_choice::cpu || (type.device == config::device_choice::automatic && !has_gpu);
  return {.items_max = type.batch.max_items, .memory_known = on_host || type.memory_mib > 0 || type.batch.memory_mib_per_item > 0};
}

group_outlook outlook_of(const type_knowledge& known, const batch_groups::group& group, const config::job_type& type,
                         const std::vector<device>& devices, instant now) {
  group_outlook seen{.warm = group.warm, .alone = known.durations.predict({}, now), .on = group.on};
  if (type.runner == config::runner_kind::worker)
    seen.load = known.load_time(group.loads, {}, now);
  if (type.batch.max_items > 1) {
    seen.marginal = known.cost.price(group.cost_key, now);
    seen.items_max = known.caps.cap(group.cost_key, cap_rules_of(type, devices), now);
  }
  return seen;
}

std::optional<expected_run> expected_alone(const queued_job& job, const config::job_type& type, const group_outlook& outlook) {
  if (reads_parameters(type) && job.estimate_ms > 0) {
    auto ms = static_cast<double>(job.estimate_ms);
    if (const int estimated = std::min<int>(job.items_in_all, type.batch.max_items); estimated > 0) // of a part as large as may be
      ms *= (1 + outlook.marginal * (job.items - 1)) / (1 + outlook.marginal * (estimated - 1));
    return expected_run{duration{std::llround(ms)}, job.estimate_spread / 100.0};
  }
  if (!outlook.alone) // where no parameter tells one job from another, what is known now is as good as any
    return std::nullopt;
  return expected_run{outlook.alone->median, outlook.alone->spread};
}

candidate candidate_of(const queued_job& job, const config::job_type& type, const group_outlook& outlook,
                       const std::vector<double>* tolerated) {
  candidate one{.job = job,
                .needs = {},
                .preemptible = type.preemptible,
                .on_worker = type.runner == config::runner_kind::worker,
                .warm = outlook.warm,
                .items_max = outlook.items_max,
                .marginal = outlook.marginal};
  one.job.items = static_cast<std::uint16_t>(items_of_next_run(job, std::min(outlook.items_max, type.batch.max_items)));
  one.needs = demand_of(type, one.job.items, outlook.on);
  if (has_traits(type)) {
    one.batching = &type.batch;
    if (tolerated)
      one.tolerated = *tolerated;
  }
  if (const auto alone = expected_alone(one.job, type, outlook))
    one.estimate = alone->median;
  if (outlook.load)
    one.load = outlook.load->median;
  return one;
}

std::size_t heads_wanted(const config::job_type& type, int slots) {
  const auto batches = static_cast<std::size_t>(slots);
  if (type.batch.max_items <= 1)
    return batches;
  return std::min(batches * static_cast<std::size_t>(type.batch.max_items), batches + limits::batch_items_max) + looked_at_max;
}

} // namespace ferry::scheduling
