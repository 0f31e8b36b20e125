// What programs that are not ferry's take of the devices' memory.
#pragma once

#include "model/device.hpp"

#include <filesystem>
#include <vector>

namespace ferry::runners {

// Writes `memory_foreign_mib` where it can be known: where the driver tells of each process what it holds, and each can be seen
// from here (in a container the driver may speak of processes outside). A program is ferry's where it, or one that it descends
// from, was started for a run or a worker of this data directory.
void tell_foreign_memory(std::vector<device_reading>& readings, const std::filesystem::path& data_dir);

} // namespace ferry::runners
