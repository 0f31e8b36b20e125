// What the operating system refused, as an error that names the file. A full disk is `disk_full`, a file that is not there
// `not_found`, one that may not be read or is no file `invalid_argument`, anything else `io`.
#pragma once

#include "model/error.hpp"

#include <filesystem>
#include <string>

namespace ferry::upscale {

// "FILE WHAT: No space left on device"; `what` reads "cannot be written".
[[nodiscard]] error file_error(const std::filesystem::path& file, const std::string& what, int system_error);

} // namespace ferry::upscale
