// Which files `ferry upload` sends, and where each goes.
#pragma once

#include "model/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ferry::cli {

struct upload_source {
  std::filesystem::path file;
  std::string name; // of an input; in a dataset the path below it
};

struct upload_sources {
  std::vector<upload_source> files; // in the order given, those of a folder by path
  std::size_t left_out = 0;         // entries of folders that are hidden or no regular files: a dataset does not take them
};

// Files, and with a dataset also folders: all that is below one goes below the dataset. `path` is the place in the dataset: of a
// single file its path or, with a slash at its end, the folder that it comes into; of several files and of folders that folder.
// Links in folders are followed to files, not to folders. Errors: not_found; invalid_argument where a folder has no dataset, two
// files would have one path, or nothing is left; io.
[[nodiscard]] result<upload_sources> find_upload_sources(const std::vector<std::string>& given,
                                                         const std::optional<std::string>& dataset,
                                                         const std::optional<std::string>& path);

} // namespace ferry::cli
