#include "scheduling/queued_estimates.hpp"

#include "scheduling/fingerprint.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

void add(fingerprint& to, const std::vector<feature>& features) {
  for (const feature& f : features) {
    to.add(f.name);
    if (const auto* number = std::get_if<double>(&f.value))
      to.add("number").add(*number);
    else
      to.add("text").add(std::get<std::string>(f.value));
  }
  to.add("");
}

// Never 0, which is a job that was not entered.
std::uint32_t key_of(type_index type, const job_features& job) {
  fingerprint all;
  all.add(std::uint64_t{type});
  add(all, job.parameters);
  add(all, job.hints);
  all.add(job.warm).add(job.user).add(job.device);
  return std::max(static_cast<std::uint32_t>(all.value() >> 32 ^ all.value()), std::uint32_t{1});
}

} // namespace

void queued_estimates::enter(queued_job& job, job_features features, const duration_estimator& known, instant now) {
  job.alike = key_of(job.type, features);
  entry& of = entries_.use(job.alike);
  if (of.seen < 0)
    of.features = std::move(features);
  refresh(job, known, now);
}

void queued_estimates::refresh(queued_job& job, const duration_estimator& known, instant now) {
  if (job.alike == 0 || !entries_.find(job.alike))
    return;
  entry& of = entries_.use(job.alike);
  if (of.seen < 0 || known.observations() > of.seen + of.seen / 20)
    predict(of, known, now);
  job.estimate_ms = of.ms;
  job.estimate_spread = of.spread;
}

void queued_estimates::predict(entry& of, const duration_estimator& known, instant now) {
  const auto expected = known.predict(of.features, now);
  of.ms = expected ? static_cast<std::uint32_t>(std::clamp<std::int64_t>(expected->median.count(), 1, UINT32_MAX)) : 0;
  of.spread = expected ? static_cast<std::uint8_t>(std::clamp(std::lround(expected->spread * 100), 0L, 255L)) : 0;
  of.seen = known.observations();
}

} // namespace ferry::scheduling
