#include "runners/unattended_runs.hpp"

#include "runners/run_directory.hpp"
#include "runners/run_inspection.hpp"

#include <string>
#include <variant>

namespace ferry::runners {
namespace {

// Those whose lock nobody holds.
std::vector<std::filesystem::path> without_shim(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    const descriptor directory = open_directory(entry->path());
    if (directory && probe_lock(directory.get()) != lock_state::held)
      found.push_back(entry->path());
  }
  return found;
}

bool may_have_orphans(const std::filesystem::path& run) {
  const auto condition = inspect_run(run);
  return std::holds_alternative<run_lost>(condition) || std::holds_alternative<run_damaged>(condition);
}

} // namespace

unattended_runs::unattended_runs(std::filesystem::path runs_dir)
    : runs_(std::move(runs_dir)), workers_(runs_.parent_path() / "workers") {}

std::vector<std::filesystem::path> unattended_runs::end_orphans() {
  std::vector<std::filesystem::path> ended;
  std::set<std::filesystem::path> settled;
  const auto look = [&](const std::filesystem::path& path, auto traces) {
    if (settled_.contains(path) || end_now(traces()))
      settled.insert(path);
    else
      ended.push_back(path);
  };
  for (const auto& run : without_shim(runs_))
    if (!settled_.contains(run) && !may_have_orphans(run))
      settled.insert(run);
    else
      look(run, [&] { return run_traces(run); });
  for (const auto& worker : without_shim(workers_))
    look(worker, [&] { return run_traces::of_worker(worker); });
  settled_ = std::move(settled);
  return ended;
}

} // namespace ferry::runners
