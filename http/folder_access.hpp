// Files below a folder, by names that clients choose. No name leads out of the folder, whatever lies in it: names are checked, the
// kernel refuses links, and folders are made step by step from one that is open.
#pragma once

#include "model/error.hpp"
#include "runners/descriptor.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::http {

using runners::descriptor;

// One name of a file, a folder or a dataset: 1 to 255 bytes, no "/", no control characters, no dot in front (so neither "." nor
// ".."). `what`: how the message calls it. Errors: invalid_argument.
[[nodiscard]] result<void> check_file_name(std::string_view name, const std::string& what);
// A path below a dataset, each part of which is such a name. Errors: invalid_argument.
[[nodiscard]] result<void> check_relative_path(const std::vector<std::string>& parts, const std::string& what);
[[nodiscard]] result<std::vector<std::string>> split_path(std::string_view path, const std::string& what);
[[nodiscard]] std::string joined_path(std::span<const std::string> parts);

// errno as an error: not_found, disk_full, conflict (something of another kind has the name), else io.
[[nodiscard]] error file_error(int why, const std::string& what);

// Makes the folder (mode 0700) where it is missing, and opens it. Errors: io, disk_full.
[[nodiscard]] result<descriptor> make_folder(const std::filesystem::path& folder);
// Errors: not_found, io.
[[nodiscard]] result<descriptor> open_folder(const std::filesystem::path& folder);
// `path` below it, by open()'s `flags`. The kernel refuses every step that would lead outside or through a link, however the
// folders are changed meanwhile. None: errno says why.
[[nodiscard]] descriptor try_open_beneath(int folder, const std::string& path, int flags);
// The same, opened for reading; not_found where a link is on the way or leads out. `flags`: further ones of open().
[[nodiscard]] result<descriptor> open_beneath(int folder, const std::string& path, int flags);
// The folder `parts` below it, each made where it is missing, and synced where it was made. Errors: conflict (a file or a link has
// the name), disk_full, io.
[[nodiscard]] result<descriptor> make_folders_beneath(int folder, std::span<const std::string> parts);
[[nodiscard]] result<void> sync_folder(int folder, const std::string& what);

} // namespace ferry::http
