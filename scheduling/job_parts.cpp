#include "scheduling/job_parts.hpp"

#include "model/parameter_path.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

std::uint16_t stored(int items) { return static_cast<std::uint16_t>(std::clamp(items, 0, 65'535)); }

int items_left(const queued_job& job) { return std::max(job.items_in_all - job.items_done, 1); }

} // namespace

void set_items(queued_job& job, const batch_traits& traits, const config::batch_rules& rules) {
  const bool was_divided = job.items_done > 0; // its rest runs, or fails for a reason that can be told
  job.items_in_all = stored(traits.is_divisible || was_divided ? traits.items : 0);
  job.items = stored(traits.items);
  job.items = stored(items_of_next_run(job, rules.max_items));
}

int items_of_next_run(const queued_job& job, int items_max) {
  if (job.items_in_all == 0)
    return job.items;
  const int most = job.items_max > 0 ? std::min<int>(items_max, job.items_max) : items_max;
  return std::min(items_left(job), std::max(most, 1));
}

bool has_more_parts(const queued_job& job) { return job.items_done + job.items < job.items_in_all; }

int parts_after(const queued_job& job) {
  const int after = job.items_in_all - job.items_done - job.items;
  return after <= 0 ? 0 : (after + job.items - 1) / job.items;
}

job_part part_of(const queued_job& job) {
  if (job.items_in_all == 0 || job.items == job.items_in_all)
    return {};
  return {.first = job.items_done, .count = job.items, .of = job.items_in_all};
}

progress of_whole_job(progress of_run, const queued_job& job) {
  if (const auto part = part_of(job); !part.is_all() && (of_run.fraction || part.first > 0))
    of_run.fraction = (part.first + of_run.fraction.value_or(0) * part.count) / part.of;
  return of_run;
}

void finish_part(queued_job& job) {
  job.items_done = stored(job.items_done + job.items);
  job.items = stored(std::min<int>(job.items, items_left(job)));
}

result<json> params_of_part(json params, const std::string& path, const job_part& part) {
  if (part.is_all())
    return params;
  json* list = find_parameter(params, path);
  if (!list || !list->is_array() || static_cast<int>(list->size()) != part.of || part.first + part.count > part.of)
    return fail(error_code::invalid_argument,
                "its items " + std::to_string(part.first + 1) + " to " + std::to_string(part.first + part.count) + " of " +
                    std::to_string(part.of) + " were to run, but batch.items names '" + path + "', which is " +
                    (list && list->is_array() ? "a list of " + std::to_string(list->size()) : "no list"),
                "let batch.items name that list again, or retry the job from scratch");
  const auto first = list->begin() + part.first;
  *list = json(json::array_t(first, first + part.count));
  return params;
}

result<void> check_items_kept(const json& before, const json& after, const std::string& path) {
  const json *was = find_parameter(before, path), *is = find_parameter(after, path);
  if (was && is && *was == *is)
    return {};
  return fail(error_code::conflict, "some of its items are done: '" + path + "' cannot be changed",
              "cancel it and retry it from scratch, or submit a new job");
}

job_features features_of_full_part(const config::job_type& type, const batch_traits& traits, const json& params) {
  if (!traits.is_divisible || traits.items <= type.batch.max_items)
    return features_of(type.estimate, params, traits.warm, {});
  const auto of_part = params_of_part(params, type.batch.items, {.first = 0, .count = type.batch.max_items, .of = traits.items});
  return features_of(type.estimate, of_part ? *of_part : params, traits.warm, {});
}

} // namespace ferry::scheduling
