#include "runners/foreign_memory.hpp"

#include "runners/process_table.hpp"

#include <algorithm>
#include <system_error>

namespace ferry::runners {
namespace {

namespace fs = std::filesystem;

constexpr int generations_max = 1'000;

bool is_below(const fs::path& file, const fs::path& folder) {
  std::error_code failed;
  const auto whole = fs::weakly_canonical(file, failed); // the data directory may be reached by several names
  if (failed)
    return false;
  return std::mismatch(folder.begin(), folder.end(), whole.begin(), whole.end()).first == folder.end();
}

// `data_dir`: in its canonical form.
bool is_of_a_run(int pid, const fs::path& data_dir) {
  for (int generation = 0; pid > 1 && generation < generations_max; ++generation) {
    for (const char* name : {"FERRY_RUN_DIR", "FERRY_WORKER_DIR"})
      if (const auto folder = environment_value(pid, name); folder && is_below(*folder, data_dir))
        return true;
    const auto known = find_process(pid);
    pid = known ? known->parent : 0;
  }
  return false;
}

std::optional<std::int64_t> foreign_memory(const std::vector<device_process>& processes, const fs::path& data_dir) {
  std::int64_t sum = 0;
  for (const auto& process : processes) {
    if (!find_process(process.pid))
      return std::nullopt;
    if (is_of_a_run(process.pid, data_dir))
      continue;
    if (!process.memory_mib)
      return std::nullopt;
    sum += *process.memory_mib;
  }
  return sum;
}

} // namespace

void tell_foreign_memory(std::vector<device_reading>& readings, const fs::path& data_dir) {
  std::error_code failed;
  const auto canonical = fs::weakly_canonical(data_dir, failed);
  if (failed)
    return;
  for (auto& reading : readings)
    if (reading.processes)
      reading.memory_foreign_mib = foreign_memory(*reading.processes, canonical);
}

} // namespace ferry::runners
