// `<data>/slurm/`: what Slurm's nodes need beside the run directories, so that nothing of ferry has to be installed there.
#pragma once

#include "model/error.hpp"
#include "runners/run_spec.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::runners {

struct slurm_folder {
  std::string data;                   // tells this data directory's batches in Slurm from those of others
  std::filesystem::path script, shim; // a copy of ferry-shim

  // What Slurm is to run for a run directory.
  [[nodiscard]] std::vector<std::string> command_for(const std::filesystem::path& run) const;
};

// Makes what is missing, and replaces the copy of another version. Errors: io, disk_full.
[[nodiscard]] result<slurm_folder> open_slurm_folder(const std::filesystem::path& data_dir, const std::filesystem::path& shim);

// A run directory that another machine is to find: whole and on disk, its lock free. Errors: those of make_run_folder.
[[nodiscard]] result<void> make_shared_run_folder(const std::filesystem::path& runs, const run_spec& spec);

} // namespace ferry::runners
