// Starts a run's process in two steps: it is made and waits, and becomes the job's program only when it is let go. In between the
// shim writes down who it is. A shim that dies before that takes the waiting process with it (it reads the end of its pipe and
// leaves); one that dies after it has left a record by which the process is found. So no instant exists in which a job's program
// runs and nobody could find it. While it waits it also holds what the shim holds: the lock of the run.
//
// The process has its own session and process group, default signals, the environment and directory of the spec and nothing else.
#pragma once

#include "runners/descriptor.hpp"
#include "runners/run_spec.hpp"

namespace ferry::runners {

// What becomes of standard input, output and error; they stay the caller's.
struct standard_streams {
  int input = -1; // -1: there is nothing to read
  int output = -1;
  int errors = -1;
};

class waiting_process {
public:
  // `spec` outlives this. Errors: invalid_argument with a sentence for the user.
  [[nodiscard]] static result<waiting_process> make(const run_spec& spec, const standard_streams& streams);
  [[nodiscard]] int pid() const { return pid_; }
  // Errors: invalid_argument with a sentence for the user; then the process has ended and was waited for.
  [[nodiscard]] result<void> let_go();

private:
  waiting_process(const run_spec& spec, int pid, descriptor gate, descriptor failures)
      : spec_(&spec), pid_(pid), gate_(std::move(gate)), failures_(std::move(failures)) {}

  const run_spec* spec_;
  int pid_;
  descriptor gate_;
  descriptor failures_; // an errno of the child, or nothing once it is the program
};

} // namespace ferry::runners
