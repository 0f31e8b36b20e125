// A run that no daemon hands over: `ferry-shim --run DIRECTORY`, as Slurm starts it on one of its nodes. It takes the lock of the
// run and claims it (run_claim.hpp); where either is not to be had it was taken back, or runs, or ran, and nothing is done. Then it
// is supervised as any other run, without a daemon: what happens stands in the files of the directory, and what the daemon wishes
// in stop.json, which is looked at every second and at SIGTERM. SIGTERM without it is Slurm's.
#pragma once

#include <filesystem>

namespace ferry::runners {

// The status of the program: 0 also where there was nothing to do.
[[nodiscard]] int run_alone(const std::filesystem::path& directory);

} // namespace ferry::runners
