// All that ferry has learnt of the jobs of one type, and how it learns from a batch that completed. Pure.
#pragma once

#include "scheduling/batch_caps.hpp"
#include "scheduling/batch_cost.hpp"
#include "scheduling/batch_memory.hpp"
#include "scheduling/duration_estimator.hpp"
#include "scheduling/savings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

// A batch whose jobs all completed; others teach nothing.
struct completed_batch {
  struct job {
    job_features features;
    std::optional<duration> expected; // its estimate when the batch was chosen; of a job in parts, of this run
    bool is_part = false;             // the run took some of its items: the features are those of as many as may be
    bool goes_on = false;             // others are left
  };
  std::vector<job> jobs;           // at least one
  std::uint64_t key = 0;           // batch_key
  double price = 0.5;              // that it was chosen with
  duration took{};                 // without loading
  std::optional<duration> loading; // its worker was started for it
  std::string warm, device;
};

struct type_knowledge {
  duration_estimator durations;
  duration_estimator loads{duration_estimator::apart_loading};
  batch_cost cost;
  batch_memory memory;
  batch_caps caps;
  savings saved;

  // How long it takes to load this; nothing: nothing was ever loaded. `device` may be empty: not known yet.
  [[nodiscard]] std::optional<estimate> load_time(const std::string& warm, const std::string& device, instant now) const;

  // Durations, loading and the price of company. A batch tells of each of its jobs only how much longer all of them took than
  // expected together, so each counts as a part of an observation.
  void learn(const completed_batch& batch, instant now);

  [[nodiscard]] json to_json() const;
  // Errors: damaged; newer_version.
  [[nodiscard]] static result<type_knowledge> from_json(const json& stored);

private:
  // Of the run that it had, alone, by what is known now.
  [[nodiscard]] std::optional<estimate> estimate_of(const completed_batch::job& job, instant now) const;
  void count(const completed_batch& batch, instant now); // before durations are learnt from it
};

} // namespace ferry::scheduling
