// The files a job left in its directory.
#pragma once

#include "runners/run_event.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::runners {

// Regular files under `directory`, symbolic links not followed: those of `first` that are there, then the others by path. At most
// limits::artifacts_listed_max, their paths together at most limits::result_bytes_max.
[[nodiscard]] std::vector<artifact> list_artifacts(const std::filesystem::path& directory, const std::vector<std::string>& first);

} // namespace ferry::runners
