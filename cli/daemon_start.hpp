// Starting the daemon in the background.
#pragma once

#include "config/settings.hpp"
#include "model/error.hpp"

#include <filesystem>
#include <functional>

namespace ferry::cli {

struct daemon_start {
  std::filesystem::path config_file; // absolute; empty: none, ferryd goes by its defaults
  config::settings settings;         // what is in it
};

// What `ferryd` prints when it is started so: <data_dir>/ferryd.log. Its log too, where log.file names no other file.
[[nodiscard]] std::filesystem::path output_file(const config::settings& settings);

// Starts the `ferryd` that stands beside this program, else the one in the PATH, in a session of its own, and waits until it
// listens. Two that do so at once start one daemon. Answers whether this one has started it. `listens` is asked again and again.
// Errors: not_found (no such program); unavailable, with the last lines of the log, where it ended before, or has not come so far
// in a minute; io.
[[nodiscard]] result<bool> start_daemon(const daemon_start& what, const std::function<bool()>& listens);

} // namespace ferry::cli
