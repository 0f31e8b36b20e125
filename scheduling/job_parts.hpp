// A job that has more items than may run together runs in parts, one after the other: each run takes some of its items, and the job
// is queued again, at its place, until all are done. Only where its items are a list, which can be divided. Pure.
#pragma once

#include "config/job_type.hpp"
#include "model/job.hpp"
#include "scheduling/batch_traits.hpp"
#include "scheduling/job_features.hpp"
#include "scheduling/job_queue.hpp"

#include <string>

namespace ferry::scheduling {

// A job is about to be queued, or was found at start: how many items it has, and how many of them its next run takes.
void set_items(queued_job& job, const batch_traits& traits, const config::batch_rules& rules);
// How many its next run takes where a batch may have at most so many.
[[nodiscard]] int items_of_next_run(const queued_job& job, int items_max);
// It has items beyond those of its run.
[[nodiscard]] bool has_more_parts(const queued_job& job);
// How many runs come after its next one, or the one that it is in, if all take as much.
[[nodiscard]] int parts_after(const queued_job& job);
// What its run takes.
[[nodiscard]] job_part part_of(const queued_job& job);
// How far the job is, by how far its run is: the fraction alone, for steps are the run's own.
[[nodiscard]] progress of_whole_job(progress of_run, const queued_job& job);
// Its run has completed.
void finish_part(queued_job& job);

// The parameters with the items of this part alone in the list at `path`; all of them where the part is all.
// Errors: invalid_argument when there is no list at `path`, or one of another length than the part is of.
[[nodiscard]] result<json> params_of_part(json params, const std::string& path, const job_part& part);

// A job of which some items are done may be edited, but not those items. Errors: conflict.
[[nodiscard]] result<void> check_items_kept(const json& before, const json& after, const std::string& path);

// What tells how long a run of the job takes: of one that takes as many items as the type allows.
[[nodiscard]] job_features features_of_full_part(const config::job_type& type, const batch_traits& traits, const json& params);

} // namespace ferry::scheduling
