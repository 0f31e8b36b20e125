// Makes run directories, so that one appears whole or not at all.
#pragma once

#include "runners/descriptor.hpp"
#include "runners/run_spec.hpp"

#include <filesystem>
#include <string>

namespace ferry::runners {

struct run_folder {
  descriptor directory;
  descriptor lock; // shim.lock, held
};

// `text` is what spec.json is to hold. Errors: disk_full, conflict (there is one for this batch), io; then nothing remains.
[[nodiscard]] result<run_folder> make_run_folder(const std::filesystem::path& runs, const run_spec& spec, const std::string& text);

// The folder of a worker, at spec.worker->directory: shim.lock, held, and worker.json, which tells a later daemon what it has
// there. Errors: as above.
[[nodiscard]] result<run_folder> make_worker_folder(const run_spec& spec, const std::string& text);

void remove_run_folder(const std::filesystem::path& runs, batch_id batch);

// Removes what an interrupted make_run_folder left.
void sweep_run_folders(const std::filesystem::path& runs);

} // namespace ferry::runners
