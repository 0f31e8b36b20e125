// Waiting for jobs and following their logs; shared by submit, wait, logs and cancel.
#pragma once

#include "cli/verb.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ferry::cli {

// The job, once it has finished. A daemon that restarts meanwhile is waited for.
[[nodiscard]] result<json> wait_for_job(context& c, std::int64_t id);

// Copies the log to standard output from `offset` on until the job has finished and all is read; for --format json a line of JSON
// for each line. On a terminal a line with the job's progress stays at the bottom. Answers the finished job.
[[nodiscard]] result<json> follow_job(context& c, std::int64_t id, std::int64_t offset);

// Copies what there is now from `offset` on.
[[nodiscard]] result<void> copy_log(context& c, std::int64_t id, std::int64_t offset);

// Where the last `lines` lines begin.
[[nodiscard]] result<std::int64_t> tail_offset(context& c, std::int64_t id, std::int64_t lines);

// From now on Ctrl-C ends ferry with status 130 and this sentence (at most 512 bytes of it).
void say_on_interrupt(const std::string& sentence);
// From now on Ctrl-C ends ferry with status 130 and a sentence that says that the jobs go on.
void leave_on_interrupt(const std::vector<std::int64_t>& ids);

} // namespace ferry::cli
