// A file as an answer: whole or in part, shown as what it is or saved. It never runs anything: what a job or a user has left is no
// page of the daemon.
#pragma once

#include "http/messages.hpp"
#include "model/error.hpp"
#include "model/time.hpp"
#include "runners/descriptor.hpp"

#include <string>
#include <string_view>
#include <sys/stat.h>

namespace ferry::http {

struct opened_file {
  runners::descriptor file;
  std::uint64_t bytes = 0;
  instant modified{};
  std::string etag; // quoted; of its inode, the time of its last change, and its size
};
// `path`: how messages call it. Errors: not_found (no regular file), io.
[[nodiscard]] result<opened_file> described_file(runners::descriptor file, const std::string& path);
[[nodiscard]] instant modified_of(const struct stat& about);

// By its name: only what a browser shows without running anything; all else is "application/octet-stream", to be saved.
[[nodiscard]] std::string_view media_type_of(std::string_view path);
inline constexpr std::string_view unknown_media_type = "application/octet-stream";

inline constexpr const char* file_policy = "sandbox; default-src 'none'";

// 200, 206, 304 or 416, by what the request says of ranges and of what it has. `path` gives the media type and the name.
[[nodiscard]] response send_file(opened_file file, const std::string& path, const request& r, bool is_download);

} // namespace ferry::http
