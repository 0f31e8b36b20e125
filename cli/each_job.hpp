// Verbs that do one thing to each of several jobs, or of what else is named.
#pragma once

#include "cli/verb.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ferry::cli {

struct each_job {
  // Does it to one job and answers the job as the daemon gave it, a JSON object.
  std::function<result<std::string>(std::int64_t id)> request;
  // What is printed about it for people; lines.
  std::function<std::string(const json& job)> page;
};

// Goes through all jobs, also past errors: those are reported, and the first one's status is the answer. For --format json one job
// is printed as an object, several as an array.
[[nodiscard]] result<int> for_each_job(context& c, const std::vector<std::int64_t>& ids, const each_job& what);

// The same of whatever there is several of: `request` is given the place in the list.
[[nodiscard]] result<int> for_each_of(context& c, std::size_t count, const std::function<result<std::string>(std::size_t)>& request,
                                      const std::function<std::string(const json&)>& page);

// POST /jobs/{id}/<action>, and "job 42 <state>". Errors: invalid_argument when no job is named.
[[nodiscard]] result<int> post_to_each_job(context& c, const std::vector<std::int64_t>& ids, const std::string& action,
                                           const std::string& body = {});

} // namespace ferry::cli
