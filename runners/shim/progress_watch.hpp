// Looks at what a run has printed and reported since the last look. Each look reads a bounded amount, however much was written, and
// a run that ends soon is looked at once.
#pragma once

#include "runners/descriptor.hpp"
#include "runners/progress_parser.hpp"
#include "runners/reported_lines.hpp"

#include <chrono>
#include <optional>

namespace ferry::runners {

class progress_watch {
public:
  struct findings {
    std::vector<run_event> events; // all but progress
    std::vector<run_progressed> progress;
  };

  // Both descriptors stay the caller's and outlive this.
  progress_watch(const run_spec& spec, int directory, int output);

  [[nodiscard]] findings look(instant now);
  // After the end: reads what was reported to its last line.
  [[nodiscard]] findings last_look(instant now);
  // How long to wait until the next look: a run that prints nothing is looked at less often.
  [[nodiscard]] std::chrono::milliseconds pause() const { return pause_; }

  [[nodiscard]] const std::vector<std::vector<std::string>>& artifacts() const { return reported_.artifacts(); }
  [[nodiscard]] std::int64_t ignored() const { return reported_.ignored(); }

private:
  // True: there was something new.
  bool read_output();
  bool read_reported(std::int64_t bytes_max, instant now);
  [[nodiscard]] findings found(instant now);

  const run_spec& spec_;
  int directory_;
  int output_;
  std::int64_t output_offset_ = 0;
  std::optional<output_progress> output_progress_;
  descriptor reported_file_;
  std::int64_t reported_offset_ = 0;
  reported_lines reported_;
  std::string room_;
  std::chrono::milliseconds pause_;
};

} // namespace ferry::runners
