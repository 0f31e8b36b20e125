// What is known, at a moment, of the queued jobs of one group; and the candidate that a queued job is by it. Pure.
#pragma once

#include "config/job_type.hpp"
#include "model/device.hpp"
#include "scheduling/batch_groups.hpp"
#include "scheduling/candidate.hpp"
#include "scheduling/type_knowledge.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace ferry::scheduling {

struct group_outlook {
  std::uint64_t warm = 0;
  std::optional<estimate> alone = {}; // how long a job of the type takes of which nothing else is known
  std::optional<estimate> load = {};  // how long its worker takes to load
  double marginal = 0.5;              // what a further item costs, in times of the first
  int items_max = limits::batch_items_max;
  std::shared_ptr<const device_selector> on = {}; // where its jobs may run; null: anywhere
};

[[nodiscard]] group_outlook outlook_of(const type_knowledge& known, const batch_groups::group& group, const config::job_type& type,
                                       const std::vector<device>& devices, instant now);

// How many items a batch may have for sure: the memory of a GPU has to be declared for a whole batch to be tried at once; a host
// has more, and swaps.
[[nodiscard]] cap_rules cap_rules_of(const config::job_type& type, const std::vector<device>& devices);

struct expected_run {
  duration median{};
  double spread = 0; // as estimate::spread
};
// Of its next run, alone, on a warm worker. Nothing: nothing was measured yet.
[[nodiscard]] std::optional<expected_run> expected_alone(const queued_job& job, const config::job_type& type,
                                                         const group_outlook& outlook);

// `tolerated`: as batch_traits has them; null: none.
[[nodiscard]] candidate candidate_of(const queued_job& job, const config::job_type& type, const group_outlook& outlook,
                                     const std::vector<double>* tolerated);

// How many jobs of a group are looked at for so many free slots.
[[nodiscard]] std::size_t heads_wanted(const config::job_type& type, int slots);

} // namespace ferry::scheduling
