// Runs a job here and now, in the foreground: no daemon, no queue (`ferry run`, and `ferry submit` under DISABLE_QUEUE=true).
#pragma once

#include "cli/verb.hpp"

#include <optional>
#include <string>

namespace ferry::cli {

struct direct_run {
  std::string type;
  json params = json::object();
  std::optional<std::string> config_file; // else what config::find_config_file() finds, else the built-in job types
  std::optional<std::string> output;      // the job's directory; else a temporary one, kept where the job left files in it
  std::string base_dir = {};              // as in job_request
  std::optional<std::string> device;      // "cpu" or a GPU's UUID; else what the job type asks for
};

// Checks the parameters as the daemon would, runs the command with our own standard streams and answers its exit status (128 + the
// signal that ended it). Ctrl-C goes to the command; SIGTERM and SIGHUP are passed on to it.
// Errors: those of the configuration and the parameters; not_found for an unknown type; invalid_argument for a program that cannot
// be started and for what needs the daemon (worker job types, "job:<id>" sources); io.
[[nodiscard]] result<int> run_directly(context& c, const direct_run& what);

// What DISABLE_QUEUE says.
[[nodiscard]] bool queue_disabled();

} // namespace ferry::cli
