#include "gpu/upscale/program/batch.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <tuple>

namespace ferry::upscale {
namespace {

// What a library throws ends one job, not all.
result<job_result> run_guarded(const upscale_job& job, workplace& at) {
  try {
    return run_job(job, at);
  } catch (const std::bad_alloc&) {
    return fail(error_code::out_of_memory, job.source.string() + " does not fit into memory");
  } catch (const std::exception& e) { return fail(error_code::internal, job.source.string() + ": " + e.what()); }
}

bool shares_network_before(const batch_entry& a, const batch_entry& b) {
  if (!a.job || !b.job)
    return !a.job && b.job; // what cannot be done is said first
  return std::tie(a.job->model, a.job->scale) < std::tie(b.job->model, b.job->scale);
}

} // namespace

batch_outcome run_batch(std::vector<batch_entry> jobs, engines& networks, reporter& says, const batch_control& control) {
  std::stable_sort(jobs.begin(), jobs.end(), shares_network_before);
  batch_outcome outcome;
  for (batch_entry& entry : jobs) {
    if (control.all_stop()) {
      outcome.stopped = true;
      break;
    }
    if (control.is_cancelled(entry.id)) {
      says.cancelled(entry.id);
      ++outcome.failed;
      continue;
    }
    workplace at{networks, says, [&] { return control.all_stop() || control.is_cancelled(entry.id); }};
    const auto done = entry.job ? run_guarded(*entry.job, at) : result<job_result>(fail(entry.job.error()));
    if (done) {
      says.done(entry.id, *done);
      ++outcome.done;
    } else if (control.all_stop()) {
      outcome.stopped = true;
      break;
    } else {
      if (control.is_cancelled(entry.id))
        says.cancelled(entry.id);
      else
        says.failed(entry.id, done.error());
      ++outcome.failed;
    }
  }
  return outcome;
}

} // namespace ferry::upscale
