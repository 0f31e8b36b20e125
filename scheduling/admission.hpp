// Whether a submit may enter the queue, and as what. Pure: what is refused is refused whole, with every problem named (P8).
#pragma once

#include "config/limits.hpp"
#include "config/settings.hpp"
#include "model/device.hpp"
#include "model/job.hpp"
#include "scheduling/device_ledger.hpp"
#include "scheduling/needs.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace ferry::scheduling {

struct admitted_job {
  const config::job_type* type = nullptr;
  std::string params; // JSON object, validated, defaults filled in
  int priority = priority_default;
  std::string name;
  bool held = false;
  duration delay{0};
  job_id resumed_from = {};
  std::vector<job_id> needs = {}; // ascending, each once
  needs_rule on_needs_failure = needs_rule::hold;
  std::string group = {};
  std::string unique_key = {};
  std::string user = {}; // empty: not known
  device_selector on = {};
};

struct admission_rules {
  const config::settings& settings;
  const std::vector<device>& devices;
  const needed_states* needed = nullptr; // of the jobs that requests name as needs; null: none is named
};

// Errors: invalid_argument or too_large, with a problem for each fault.
[[nodiscard]] result<admitted_job> admit(job_request request, const admission_rules& rules);
// All or none; `where` of each problem begins with the index of its request: "/jobs/3".
[[nodiscard]] result<std::vector<admitted_job>> admit_all(std::vector<job_request> requests, std::size_t queued,
                                                          const admission_rules& rules);

// New parameters for a queued job: those in `patch` replace those in `current` by name, null removes one. `base_dir`: as in
// job_request.
[[nodiscard]] result<std::string> admit_params(json current, const json& patch, const config::job_type& type,
                                               const std::string& base_dir = {});

// Could any of these devices ever run a job of the type with these parameters? Errors: invalid_argument, with what the nearest
// lacks.
[[nodiscard]] result<void> check_placeable(const config::job_type& type, const json& params, const std::vector<device>& devices,
                                           std::shared_ptr<const device_selector> on = {});

// Names and values that labels can have, at most limits::labels_max of them.
[[nodiscard]] result<void> check_selector(const device_selector& selector);
// Null for an empty one.
[[nodiscard]] std::shared_ptr<const device_selector> shared(const device_selector& selector);

[[nodiscard]] result<void> check_base_dir(const std::string& base_dir);

[[nodiscard]] result<void> check_priority(int priority);
// A short text for people; `key` is what it is called in the error.
[[nodiscard]] result<void> check_label(std::string_view key, const std::string& text,
                                       std::size_t bytes_max = limits::name_bytes_max);

// Of a job with so many items, alone.
[[nodiscard]] demand demand_of(const config::job_type& type, int items = 1, std::shared_ptr<const device_selector> on = {});
// Of a worker that an earlier daemon started with so much: it may have grown with its largest batch, which nobody has written down,
// so it counts as large as it can be.
[[nodiscard]] std::int64_t memory_of_found_worker(const config::job_type& type, std::int64_t at_start_mib, const device& on);

} // namespace ferry::scheduling
