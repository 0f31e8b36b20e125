// A job type: a named kind of job, as `[job_types.<name>]` declares it.
#pragma once

#include "config/batch_rules.hpp"
#include "config/estimate_rules.hpp"
#include "config/parameter_schema.hpp"
#include "config/retry_policy.hpp"
#include "config/watch_rules.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ferry::config {

enum class runner_kind {
  process, // one process a batch
  worker,  // a process that stays, with its model loaded
};

// Where a type may run. `automatic` is a GPU where the machine has one, else the CPU.
enum class device_choice { automatic, gpu, cpu };

// What tells how far a job is. `automatic` understands events, tqdm bars and ffmpeg's -progress.
enum class progress_source { automatic, events, tqdm, ffmpeg, pattern, none };

struct job_type {
  std::string name;
  std::filesystem::path config_dir; // of the file that declares it; empty: none does
  std::string description;
  runner_kind runner = runner_kind::process;
  // argv, never a shell. Placeholders: {spec} {dir} {job_id} {batch_id} {device} {threads} {params.<dotted path>}, and
  // "{params.<path>...}" alone in a word, which becomes one word an array element. "{{" and "}}" are literal braces.
  std::vector<std::string> command;
  bool shell = false; // run `/bin/sh -c command[0]`; placeholders are then quoted for the shell
  device_choice device = device_choice::automatic;
  int slots = 1;               // of the device, while it runs
  std::int64_t memory_mib = 0; // of the device, while it runs; 0: none reserved
  int threads = 0;             // OMP_NUM_THREADS and relatives; 0: the device's threads × slots / its slots
  std::map<std::string, std::string> environment;
  std::vector<std::string> inherit_environment; // names taken over from the daemon's environment
  int tier = 0;                                 // 0–9: jobs of a higher tier come first, and take the devices of preemptible ones
  bool preemptible = false;                     // gives its device to a job of a higher tier, and is continued after it
  bool survive_partition = false;               // goes on without end on a node that does not reach its head
  worker_rules worker;                          // of `runner_kind::worker`
  batch_rules batch;
  estimate_rules estimate;
  watch_rules watch;
  std::vector<metric_rule> metric_rules;
  retry_policy retry;
  int failure_storm = 10;                         // so many failures without a success between them hold the type; 0: never
  std::chrono::seconds failure_storm_window{600}; // that they must lie within
  std::string checkpoint_files;                   // a pattern of paths below the job's directory; empty: only what it announces
  std::vector<std::string> resume_arguments;      // added to the command of an attempt that continues; {checkpoint} is the path
  std::chrono::milliseconds grace{10'000};        // between TERM and KILL
  progress_source progress = progress_source::automatic;
  std::string progress_pattern; // regular expression for `pattern`; named by position: (fraction|percent) or (step, total)
  parameter_schema parameters;
};

} // namespace ferry::config
