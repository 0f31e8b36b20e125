#include "scheduling/savings.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

double ms(duration d) { return static_cast<double>(d.count()); }

} // namespace

void savings::count_batch(count_of_jobs in_it, duration took, std::optional<duration> loading, std::optional<duration> load_time) {
  const auto count = static_cast<std::int64_t>(in_it.all), done = static_cast<std::int64_t>(in_it.all - in_it.go_on);
  jobs += done;
  batches += 1;
  worked_ms += ms(took);
  if (loading) {
    loads += 1;
    loaded_ms += ms(*loading);
  }
  if (!load_time)
    return;
  const auto warm = count - (loading ? 1 : 0);
  warm_jobs += std::min(warm, done);
  warm_saved_ms += static_cast<double>(warm) * ms(*load_time);
}

void savings::count_shared(count_of_jobs in_it, duration one_by_one, duration took) {
  shared_jobs += static_cast<std::int64_t>(in_it.all - in_it.go_on);
  shared_alone_ms += ms(one_by_one);
  shared_ms += ms(took);
}

void savings::count_estimate(duration median, duration p90, duration took) {
  const double truth = std::max(ms(took), 1.0), error = std::abs(ms(median) - truth) / truth;
  estimated += 1;
  within_20_percent += error <= 0.2 ? 1 : 0;
  at_most_p90 += took <= p90 ? 1 : 0;
  relative_error_sum += std::min(error, 10.0);
}

json savings::to_json() const {
  return {jobs,        batches,         loads,     worked_ms, loaded_ms,         warm_jobs,   warm_saved_ms,
          shared_jobs, shared_alone_ms, shared_ms, estimated, within_20_percent, at_most_p90, relative_error_sum};
}

result<savings> savings::from_json(const json& stored) {
  try {
    return savings{.jobs = stored.at(0),
                   .batches = stored.at(1),
                   .loads = stored.at(2),
                   .worked_ms = stored.at(3),
                   .loaded_ms = stored.at(4),
                   .warm_jobs = stored.at(5),
                   .warm_saved_ms = stored.at(6),
                   .shared_jobs = stored.at(7),
                   .shared_alone_ms = stored.at(8),
                   .shared_ms = stored.at(9),
                   .estimated = stored.at(10),
                   .within_20_percent = stored.at(11),
                   .at_most_p90 = stored.at(12),
                   .relative_error_sum = stored.at(13)};
  } catch (const json::exception& e) {
    return fail(error_code::damaged, std::string("what was stored of savings cannot be read: ") + e.what());
  }
}

} // namespace ferry::scheduling
