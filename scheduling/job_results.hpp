// Parameters that name the result of an earlier job as "job:<id>" (schema format "job-result"), resolved to a file when the job
// starts. Pure.
#pragma once

#include "model/job.hpp"
#include "scheduling/outcome.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace ferry::scheduling {

// Relative paths at `paths` become absolute ones that begin at `base_dir` (absolute), as text alone: no file is looked at. Absolute
// paths, "job:<id>" and what is no text stay as they are; with an empty `base_dir` all do.
void make_absolute(json& params, const std::vector<std::string>& paths, const std::string& base_dir);

// Is it one of these folders or below one, as text alone? All absolute and without "..".
[[nodiscard]] bool is_below(const std::string& path, const std::vector<std::string>& folders);

// The absolute paths at `paths`, each once, in order: what a job reads and another machine may not have.
[[nodiscard]] std::vector<std::string> sources_in(const json& params, const std::vector<std::string>& paths);

// The jobs that the values at `paths` (dotted) name. Values that are plain paths name none.
[[nodiscard]] std::vector<job_id> referenced_jobs(const json& params, const std::vector<std::string>& paths);

// Replaces each "job:<id>" by the result file of that job: `result.path` where it is a string, else its first artifact.
// Errors: invalid_argument when the job does not exist, has not completed, or left no file.
[[nodiscard]] result<json> resolve_job_results(json params, const std::vector<std::string>& paths,
                                               const std::vector<job_record>& records,
                                               const std::function<std::filesystem::path(const job_record&)>& directory_of);

// What a batch starts with: each job's parameters (JSON text) with the results put in; or, where not all can be resolved or the
// batch was cancelled meanwhile, how each of its jobs ends instead. `found`: the records of the jobs that are referred to, or why
// they cannot be read.
using batch_inputs = std::variant<std::vector<std::string>, std::vector<job_outcome>>;
[[nodiscard]] batch_inputs resolve_batch(const std::vector<json>& params, const std::vector<std::string>& paths,
                                         const result<std::vector<job_record>>& found,
                                         const std::function<std::filesystem::path(const job_record&)>& directory_of,
                                         bool cancelled);

} // namespace ferry::scheduling
