// When a file was last written.
#pragma once

#include "model/time.hpp"

#include <sys/stat.h>

namespace ferry::runners {

[[nodiscard]] inline instant written_at(const struct stat& info) {
  return from_unix_ms(std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000);
}

} // namespace ferry::runners
