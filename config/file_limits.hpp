// Bounds of what is shown of the files of jobs: a part of limits.hpp, which everything includes and nothing but http/ needs these.
#pragma once

#include <cstddef>

namespace ferry::limits {

inline constexpr std::size_t job_files_max = 10'000;        // listed, or put into one archive
inline constexpr std::size_t job_file_entries_max = 20'000; // of folders, looked at for one list
inline constexpr std::size_t job_file_depth_max = 32;       // of folders in a job's directory

inline constexpr std::size_t metric_series_max = 64;                   // of one job
inline constexpr std::size_t metric_points_max = 5'000;                // of each, in one answer
inline constexpr std::size_t metric_file_bytes_max = 16 * 1024 * 1024; // read for one answer; of a larger file, pieces of it

} // namespace ferry::limits
