#include "scheduling/type_knowledge.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {

std::optional<estimate> type_knowledge::load_time(const std::string& warm, const std::string& device, instant now) const {
  return loads.predict(load_features(warm, device), now);
}

void type_knowledge::count(const completed_batch& batch, instant now) {
  const auto load = load_time(batch.warm, batch.device, now);
  const auto go_on = std::count_if(batch.jobs.begin(), batch.jobs.end(), [](const auto& job) { return job.goes_on; });
  const savings::count_of_jobs in_it{batch.jobs.size(), static_cast<std::size_t>(go_on)};
  saved.count_batch(in_it, batch.took, batch.loading, load ? std::optional(load->median) : std::nullopt);
  if (batch.jobs.size() == 1) {
    if (const auto expected = estimate_of(batch.jobs.front(), now); expected && go_on == 0)
      saved.count_estimate(expected->median, expected->p90, batch.took);
    return;
  }
  duration one_by_one{};
  for (const auto& job : batch.jobs) {
    const auto alone = estimate_of(job, now);
    if (!alone)
      return;
    one_by_one += alone->median;
  }
  saved.count_shared(in_it, one_by_one, batch.took);
}

std::optional<estimate> type_knowledge::estimate_of(const completed_batch::job& job, instant now) const {
  auto found = durations.predict(job.features, now);
  if (!job.is_part || !found)
    return found;
  if (!job.expected)
    return std::nullopt;
  // What is known is of as many items as may run together; this run may have had fewer, and be as uncertain.
  const double part =
      static_cast<double>(job.expected->count()) / static_cast<double>(std::max(found->median, duration{1}).count());
  found->p90 = duration{std::llround(static_cast<double>(found->p90.count()) * part)};
  found->median = *job.expected;
  return found;
}

void type_knowledge::learn(const completed_batch& batch, instant now) {
  if (batch.loading)
    loads.observe(load_features(batch.warm, batch.device), *batch.loading, now);
  count(batch, now);
  const auto count = static_cast<double>(batch.jobs.size());
  if (batch.jobs.size() == 1) {
    durations.observe(batch.jobs.front().features, batch.took, now);
    return;
  }
  const bool all_expected =
      std::all_of(batch.jobs.begin(), batch.jobs.end(), [](const auto& job) { return job.expected.has_value(); });
  if (!all_expected) { // nothing was known: what one alone would take is what the batch took without the price of company
    const auto alone = static_cast<double>(batch.took.count()) / (1 + batch.price * (count - 1));
    for (const auto& job : batch.jobs)
      durations.observe(job.features, duration{std::llround(alone)}, now, 1 / count);
    return;
  }
  duration longest{1};
  for (const auto& job : batch.jobs)
    longest = std::max(longest, *job.expected);
  const auto took = static_cast<double>(batch.took.count());
  cost.observe(batch.key, count, took / static_cast<double>(longest.count()), now);
  const double too_long = took / static_cast<double>(std::max(batch_time(longest, count, batch.price), duration{1}).count());
  for (const auto& job : batch.jobs)
    durations.observe(job.features, duration{std::llround(static_cast<double>(job.expected->count()) * too_long)}, now, 1 / count);
}

json type_knowledge::to_json() const {
  return {{"durations", durations.to_json()}, {"loads", loads.to_json()}, {"cost", cost.to_json()},
          {"memory", memory.to_json()},       {"caps", caps.to_json()},   {"saved", saved.to_json()}};
}

result<type_knowledge> type_knowledge::from_json(const json& stored) {
  if (!stored.is_object())
    return fail(error_code::damaged, "stored knowledge of a job type is not an object");
  type_knowledge made;
  const auto read = [&]<class Part>(const char* name, Part& into) -> result<void> {
    auto part = Part::from_json(stored.value(name, json()));
    if (!part)
      return fail(part.error());
    into = std::move(*part);
    return {};
  };
  if (auto r = read("durations", made.durations); !r)
    return fail(r.error());
  if (auto r = read("loads", made.loads); !r)
    return fail(r.error());
  if (auto r = read("cost", made.cost); !r)
    return fail(r.error());
  if (auto r = read("memory", made.memory); !r)
    return fail(r.error());
  if (auto r = read("caps", made.caps); !r)
    return fail(r.error());
  if (stored.contains("saved")) // what was stored by earlier versions has none
    if (auto r = read("saved", made.saved); !r)
      return fail(r.error());
  return made;
}

} // namespace ferry::scheduling
