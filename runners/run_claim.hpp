// A run that waits elsewhere for its turn, as in Slurm's queue: whether it begins is decided in its directory, by who makes
// claim.json first. A supervisor makes it before it starts anything, the daemon to take the run back; nobody can undo it. So what
// was taken back never starts, and nothing starts twice, whatever Slurm does and whether or not locks reach over the network:
// link(2) is atomic on every file system that machines share.
//
// claim.json: {"by":"shim","host":"n1","job":12} or {"by":"ferry","reason":"cancel","jobs":[1]}
// stop.json:  {"reason":"cancel","grace_ms":10000,"jobs":[1]}: what the daemon wishes of a run that it has no socket to
// slurm.json: {"job":12}: the Slurm job that a run was given to
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"
#include "runners/packets.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ferry::runners {

namespace run_file {
inline constexpr const char* claim = "claim.json";
inline constexpr const char* stop = "stop.json";
inline constexpr const char* slurm = "slurm.json";
} // namespace run_file

struct run_claim {
  bool by_shim = false;
  std::string host = {};         // of the shim
  std::int64_t slurm_job = 0;    // likewise; 0: none
  std::string reason = {};       // why it was taken back, as stop_reason has it; empty: it is to be queued again
  std::vector<job_id> jobs = {}; // whose sake that was for; empty: that of all
};

// What stands in the exit record of a run that Slurm wished to end: the state of the Slurm job tells why.
inline constexpr const char* ended_by_slurm = "slurm";

// False: there is one already. On disk when it returns. Errors: disk_full, io; then nobody has claimed it.
[[nodiscard]] result<bool> claim_run(int directory, const run_claim& claim);
// Nothing: there is none.
[[nodiscard]] std::optional<run_claim> read_claim(int directory);

// Both appear whole, and are on disk when these return. Errors: disk_full, io.
[[nodiscard]] result<void> write_stop(int directory, const stop_request& stop);
[[nodiscard]] result<void> write_slurm_id(int directory, std::int64_t id);
// Nothing: there is none that can be read.
[[nodiscard]] std::optional<stop_request> read_stop(int directory, batch_id batch);
[[nodiscard]] std::optional<std::int64_t> read_slurm_id(int directory);

} // namespace ferry::runners
