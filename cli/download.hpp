// Fetching files from the daemon's machine.
#pragma once

#include "cli/verb.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace ferry::cli {

struct download_plan {
  std::string path; // below /api/v1, escaped
  std::filesystem::path to;
  std::int64_t bytes = 0;          // as it was listed,
  std::optional<instant> modified; // which the file gets as its time
  bool replace = false;            // what is there under that name
};

using transfer_told = std::function<void(std::int64_t done, std::int64_t total)>;

// Whether it was fetched: a file that is there in that size and of that time is taken for the same. It gets its name when it is
// whole; what has come of it before lies beside, and is gone on with where the daemon's file is still the same. Broken connections
// are outlasted for about a minute. Errors: conflict where another file has the name; io; unavailable; the daemon's own.
[[nodiscard]] result<bool> download_file(context& c, const download_plan& what, const transfer_told& told);

// What is streamed with no end known before, such as an archive; as a file, which gets its name when it is whole, or to standard
// output where `to` is "-". Errors: the same.
[[nodiscard]] result<std::int64_t> download_stream(context& c, const download_plan& what, const transfer_told& told);

// A path from the daemon, safe to be put behind a folder's: relative, no "..", no empty parts. Errors: internal.
[[nodiscard]] result<std::filesystem::path> safe_relative_path(const std::string& path);

} // namespace ferry::cli
