// How much may be uploaded: single files, and all that is kept of what was uploaded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ferry::config {

struct upload_rules {
  std::int64_t max_file_mib = 20 * 1024;   // of one file
  std::int64_t max_total_mib = 200 * 1024; // of inputs, datasets and uploads that are not finished, together
};

} // namespace ferry::config
