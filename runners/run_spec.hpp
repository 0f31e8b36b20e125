// What a batch's run is to do, as the daemon decides it and as spec.json stores it for the shim and for the job itself.
// spec.json: {"version":1,"batch":7,"type":"upscale","device":"cpu","argv":[…],"environment":{…},"directory":"…","grace_ms":10000,
//             "progress":{"source":"automatic","pattern":""},"jobs":[{"id":1,"params":{…},"dir":"…","resume_from":"…","part":{"first_item":8,"items":8,"of":20}}]}
//             and "worker":{"id":7,"directory":"…","warm":"{}","keep_alive_ms":…,"ready_timeout_ms":…,"memory_mib":0} for a
//             batch that a worker runs. "resume_from" is there only where a job continues from a checkpoint, "part" only where it
//             runs in parts: its params then hold the items of this one. "lease_file":"…" is there only for a run on a node that
//             is to end when the node's lease does (lease_file.hpp)
// spec.json is mode 0600: parameters and environment may be private.
#pragma once

#include "config/job_type.hpp"
#include "model/device.hpp"
#include "model/ids.hpp"
#include "model/job.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::runners {

struct run_job {
  job_id id;
  json params;
  std::filesystem::path dir;              // its working and output directory
  std::filesystem::path resume_from = {}; // the checkpoint that it continues from; empty: it begins at the beginning
  job_part part = {};                     // that `params` are of
};

// The worker that runs the batch: a process that stays, with what `warm` says loaded. `argv`, `environment` and `directory` of the
// spec are then the worker's.
struct worker_place {
  worker_id id;
  std::filesystem::path directory;                  // <data>/workers/<id>
  std::uint64_t warm_number = 0;                    // by which the daemon knows what it has loaded, also the next one
  std::string warm;                                 // JSON: its type's warm_key parameters, by dotted path
  std::chrono::milliseconds keep_alive{300'000};    // how long it stays without work while no daemon is there
  std::chrono::milliseconds ready_timeout{600'000}; // from its start to "ready"
  std::int64_t memory_mib = 0;                      // of the device, leased to it while it lives
};

struct run_spec {
  batch_id batch;
  std::string type;
  std::string device;                             // device::id
  std::vector<std::string> argv;                  // argv[0] is looked up in the PATH of `environment`
  std::filesystem::path directory;                // the process's working directory
  std::map<std::string, std::string> environment; // the whole of it: nothing is inherited
  std::chrono::milliseconds grace{10'000};
  config::progress_source progress = config::progress_source::automatic;
  std::string progress_pattern;
  std::vector<run_job> jobs;
  std::optional<worker_place> worker = {}; // none: a process of its own
  std::filesystem::path lease_file = {};   // what it may run by; empty: by no lease
};

[[nodiscard]] json to_json(const std::vector<run_job>& jobs); // as spec.json has them, and as a worker is told
[[nodiscard]] json to_json(const run_spec& spec);
[[nodiscard]] result<run_spec> run_spec_from(const json& document);

// The share of a device that a batch runs on.
struct placement {
  device on;
  int threads = 1;             // for OMP_NUM_THREADS and its relatives
  std::int64_t memory_mib = 0; // of the device, leased to the batch; 0: none was asked for
};

// The worker that a batch goes to: its id, and the batch's warm_key parameters as JSON.
struct worker_choice {
  worker_id id;
  std::uint64_t warm_number = 0;
  std::string warm;
  std::filesystem::path directory;
};

// Turns a type's command template into the spec of one batch under `run_directory` (<data>/runs/<batch>). Pure but for reading the
// daemon's own environment for `inherit_environment`. Sets FERRY_JOB_ID, FERRY_BATCH_ID, FERRY_JOB_DIR, FERRY_RUN_DIR,
// FERRY_EVENTS, FERRY_SPEC, FERRY_RESUME_FROM (one job that continues), CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER, OMP_NUM_THREADS,
// OPENBLAS_NUM_THREADS, MKL_NUM_THREADS, NUMEXPR_NUM_THREADS, and PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_ALL, TMPDIR, TZ,
// XDG_CACHE_HOME, FERRY_CACHE, FERRY_MODELS from the daemon where set. On a CPU CUDA_VISIBLE_DEVICES is empty: such a run sees no
// GPU. A job whose params hold a string "cwd" in a type whose schema declares it runs there instead of in its job directory. In a
// batch of several jobs FERRY_JOB_ID lists their ids ("1,2"), FERRY_JOB_DIR and the working directory are <data>/runs/<batch>/jobs,
// and {params.…} needs a value that all of them share. For a worker argv, environment and
// directory are those of the worker: instead of what tells of jobs it has FERRY_WORKER_DIR and FERRY_WARM_PARAMS.
// Errors: invalid_argument naming the placeholder that has no value.
[[nodiscard]] result<run_spec> make_run_spec(const config::job_type& type, batch_id batch, const placement& where,
                                             std::vector<run_job> jobs, const std::filesystem::path& run_directory,
                                             const std::optional<worker_choice>& worker = {});

} // namespace ferry::runners
