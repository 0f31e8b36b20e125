// How much may be uploaded: single files, and all that is kept of what was uploaded. The bounds are a part of config/limits.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ferry::config {

struct upload_rules {
  std::int64_t max_file_mib = 20 * 1024;   // of one file
  std::int64_t max_total_mib = 200 * 1024; // of inputs, datasets and uploads that are not finished, together
};

} // namespace ferry::config

namespace ferry::limits {

inline constexpr std::size_t uploads_open_max = 256;                // begun and not finished
inline constexpr std::size_t uploads_finished_kept = 1'000;         // for clients that missed the last answer
inline constexpr std::int64_t upload_idle_ms_max = 24LL * 3600'000; // one to which nothing was added for longer is removed
inline constexpr std::size_t upload_piece_bytes = 256 * 1024;       // read, then written, of a body
inline constexpr std::size_t file_name_bytes_max = 255;
inline constexpr std::size_t dataset_path_bytes_max = 1'024; // of a file below its dataset
inline constexpr std::size_t dataset_depth_max = 16;         // folders of that path, the file among them
inline constexpr std::size_t datasets_max = 1'000;
inline constexpr std::size_t dataset_files_max = 100'000; // looked at, of one dataset

} // namespace ferry::limits
