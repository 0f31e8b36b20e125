// What is known of a job before it runs and tells how long it may take. Pure.
#pragma once

#include "config/estimate_rules.hpp"
#include "model/job.hpp"

#include <string>
#include <variant>
#include <vector>

namespace ferry::scheduling {

struct feature {
  std::string name;
  std::variant<double, std::string> value;
};

// All may be empty. Of parameters and hints there are at most limits::estimate_parameters_max each.
struct job_features {
  std::vector<feature> parameters; // a number says how much there is to do, a text which kind of work it is
  std::vector<feature> hints;
  std::string warm;   // what its worker has to have loaded
  std::string user;   // whose it is
  std::string device; // where it runs; empty: not known yet
};

// Parameters by the rules: a list is a number, its length; what is missing, true or false, or an object is a text. `warm` as
// batch_traits has it.
[[nodiscard]] job_features features_of(const config::estimate_rules& rules, const json& params, const std::string& warm,
                                       const std::string& user, const std::string& device = {});

} // namespace ferry::scheduling
