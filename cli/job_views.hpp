// Jobs as people see them: pages made from the daemon's answers (docs/api.md). Pure: the time and the terminal are arguments.
#pragma once

#include "cli/submission.hpp"
#include "cli/terminal.hpp"
#include "model/job.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <string>

namespace ferry::cli {

// The answer of GET /queue: a line of counts, and the table of running, queued and held jobs.
[[nodiscard]] std::string queue_page(const json& answer, const style& look, instant now);

// The jobs of GET /jobs, newest first.
[[nodiscard]] std::string list_page(const json& jobs, const style& look, instant now);

// One job, whole.
[[nodiscard]] std::string job_page(const json& job, const style& look, instant now);

// The answer of GET /jobs/{id}/history.
[[nodiscard]] std::string history_page(const json& answer, const style& look);

// "queued at position 3", "held", "running 40%, 0:45", "completed in 12 s", "failed: ended with status 3".
[[nodiscard]] std::string state_in_words(const json& job, instant now);
// "job 42 (china ×2) completed in 12 s", printable.
[[nodiscard]] std::string job_line(const json& job, instant now);
// "job 42 queued at position 3", or how to release it where it is held; for a job just submitted.
// What a job would get that was not submitted but tried.
[[nodiscard]] std::string outlook_line(const json& answer, instant now);
[[nodiscard]] std::string submitted_line(const submitted& job);

// "running ▓▓▓▓░░░░ 40%  40/100  0:45  epoch 3", no wider than the terminal.
[[nodiscard]] std::string progress_line(const json& job, const style& look, instant now);

[[nodiscard]] bool is_finished(const json& job);
// 0 when it completed; its exit status, 128 + its signal, or 1 when it did not.
[[nodiscard]] int exit_status_of_job(const json& job);

} // namespace ferry::cli
