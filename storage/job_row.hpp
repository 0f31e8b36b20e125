// What fact_writer looks at before it changes a job, and how it says no.
#pragma once

#include "storage/fact_writer.hpp"

#include <string>

namespace ferry::storage {

struct fact_writer::job_row {
  job_id id;
  std::int64_t type = 0;
  job_state state = job_state::queued;
  int priority = 0;
  bool held = false;
  int attempts = 0;
  batch_id batch;
  bool cleared = false;
  int part_items = 0; // that its latest run took; 0: all
};

// A fact that contradicts what is stored is a fault of ferry's own, whoever sent it.
[[nodiscard]] inline tl::unexpected<error> contradiction(const char* fact_name, const std::string& what) {
  return fail(error_code::internal, std::string(fact_name) + " contradicts what is stored: " + what);
}

[[nodiscard]] inline std::string describe(job_id id, job_state state) {
  return "job " + to_string(id) + " is " + std::string(to_string(state));
}

} // namespace ferry::storage
