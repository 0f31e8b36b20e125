// Sending a file to the daemon's machine.
#pragma once

#include "cli/verb.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace ferry::cli {

struct upload_plan {
  std::filesystem::path file;
  std::string name;                   // of the input; in a dataset the path below it
  std::optional<std::string> dataset; // none: an input
  std::optional<std::string> resume;  // the upload to go on with; then it knows the rest
};

struct uploaded {
  std::string path; // on the daemon's machine
  std::string sha256;
  std::int64_t bytes = 0;
};

// In pieces, each at the offset that the daemon has come to; broken connections and restarts of the daemon are outlasted for about
// a minute each. `told` hears how many bytes are there. From the start on Ctrl-C says how to go on. Errors: not_found, io;
// invalid_argument where the file changes meanwhile, or the upload to go on with is of another size; the daemon's own. Where an
// upload was begun their hint names it.
[[nodiscard]] result<uploaded> upload_file(context& c, const upload_plan& what,
                                           const std::function<void(std::int64_t done, std::int64_t total)>& told);

} // namespace ferry::cli
