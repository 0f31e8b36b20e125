// Parameters that name the result of an earlier job as "job:<id>" (schema format "job-result"), resolved to a file when the job
// starts. Pure.
#pragma once

#include "model/job.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ferry::scheduling {

// The jobs that the values at `paths` (dotted) name. Values that are plain paths name none.
[[nodiscard]] std::vector<job_id> referenced_jobs(const json& params, const std::vector<std::string>& paths);

// Replaces each "job:<id>" by the result file of that job: `result.path` where it is a string, else its first artifact.
// Errors: invalid_argument when the job does not exist, has not completed, or left no file.
[[nodiscard]] result<json> resolve_job_results(json params, const std::vector<std::string>& paths,
                                               const std::vector<job_record>& records,
                                               const std::function<std::filesystem::path(const job_record&)>& directory_of);

} // namespace ferry::scheduling
