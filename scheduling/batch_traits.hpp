// What decides whether two jobs may share a run and a worker, taken from their parameters once, when they are admitted: choosing
// among many queued jobs then reads no parameters. Pure.
#pragma once

#include "config/job_type.hpp"
#include "model/job.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ferry::scheduling {

struct batch_traits {
  std::string warm;              // JSON: the parameters named by warm_key, by path; "{}" without any
  std::string exact;             // jobs with the same text here (and in `warm`) may share a batch, as far as tolerances allow
  std::vector<double> tolerated; // the values that `within` names, in the order of their paths
  int items = 1;                 // at least one
  bool is_divisible = false;     // they are a list, of which several runs may each take some
};

// Do jobs of the type differ in whom they may run with? If not, all have the same traits.
[[nodiscard]] bool has_traits(const config::job_type& type);
// Do parameters decide anything about its jobs: whom they may run with, or how long they take?
[[nodiscard]] bool reads_parameters(const config::job_type& type);
[[nodiscard]] batch_traits traits_of(const config::job_type& type, const json& params);

// Tolerance is not transitive: each pair of a batch has to pass.
[[nodiscard]] bool may_share(const config::batch_rules& rules, const std::vector<double>& a, const std::vector<double>& b);

} // namespace ferry::scheduling
