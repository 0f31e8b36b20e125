// What a job says about itself by appending JSON lines to the file named in FERRY_EVENTS:
//   {"type":"progress","value":0.4,"step":4,"total":10,"message":"…","metrics":{"loss":0.1},"job":1}    "job" may be left out: all
//   jobs of the batch
//   {"type":"done","result":{…}}   {"type":"failed","error":"…","kind":"oom|input|transient"}   {"type":"artifact","path":"…"}
//   {"type":"ready"}   {"type":"checkpoint","path":"…","step":4}    once the file is complete
// Lines that cannot be understood are passed over and counted; the first end that a job reports is the one that counts.
#pragma once

#include "runners/line_splitter.hpp"
#include "runners/run_event.hpp"
#include "runners/run_spec.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::runners {

// Of a line of type "failed".
[[nodiscard]] failure failure_from_report(const json& said);

class reported_lines {
public:
  explicit reported_lines(const std::vector<run_job>& jobs);

  void feed(std::string_view bytes, instant now);
  // One line that was parsed already. False: it cannot be understood, or speaks of a job that is not here.
  [[nodiscard]] bool take(const json& said, instant now);
  [[nodiscard]] bool is_here(job_id job) const { return std::find(jobs_.begin(), jobs_.end(), job) != jobs_.end(); }
  [[nodiscard]] bool has_ended(job_id job) const;
  // Those that have neither reported an end nor were marked as ended.
  [[nodiscard]] std::vector<job_id> unended() const;
  void mark_ended(job_id job);
  // The rest of the file will not be read.
  void end(instant now);

  // All but progress, in order, since the last call.
  [[nodiscard]] std::vector<run_event> take_events();
  // The newest progress of each job since the last call; job none: of all.
  [[nodiscard]] std::vector<run_progressed> take_progress();
  // Files named as artifacts, by job in the order of the spec; relative to the job's directory.
  [[nodiscard]] const std::vector<std::vector<std::string>>& artifacts() const { return artifacts_; }
  [[nodiscard]] bool any_progress() const { return any_progress_; }
  [[nodiscard]] std::int64_t ignored() const { return ignored_ + lines_.dropped(); }

private:
  void line(std::string_view text, instant now);
  [[nodiscard]] bool understand(const json& said, instant now);
  [[nodiscard]] bool take_artifact(const json& said, job_id job);
  [[nodiscard]] bool take_checkpoint(const json& said, job_id job, instant now);
  // The jobs that a line speaks of; empty: it names one that is not in this batch.
  [[nodiscard]] std::vector<job_id> jobs_of(job_id named) const;

  std::vector<job_id> jobs_;
  std::vector<std::filesystem::path> directories_;
  std::vector<bool> ended_;
  std::vector<std::vector<std::string>> artifacts_;
  std::vector<run_event> events_;
  std::map<job_id, run_progressed> progress_;
  bool any_progress_ = false;
  std::int64_t ignored_ = 0;
  line_splitter lines_;
};

} // namespace ferry::runners
