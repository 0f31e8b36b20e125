#include "cli/upload_sources.hpp"

#include "cli/text.hpp"

#include <algorithm>
#include <map>
#include <system_error>

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

// Without a slash at its end, "a/b/" and "." have no name of their own.
std::string own_name(const fs::path& file) {
  std::error_code failed;
  fs::path whole = fs::absolute(file, failed).lexically_normal();
  return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}

result<void> add_folder(const fs::path& folder, const std::string& below, upload_sources& into) {
  std::vector<upload_source> found;
  std::error_code failed;
  for (auto at = fs::recursive_directory_iterator(folder, failed); !failed && at != fs::recursive_directory_iterator();
       at.increment(failed)) {
    std::error_code unknown;
    const bool hidden = at->path().filename().string().starts_with(".");
    const bool folder_link = at->is_symlink(unknown) && at->is_directory(unknown);
    if (hidden && at->is_directory(unknown) && !folder_link)
      at.disable_recursion_pending();
    if (at->is_directory(unknown) && !hidden && !folder_link)
      continue;
    if (hidden || !at->is_regular_file(unknown))
      ++into.left_out;
    else
      found.push_back({at->path(), below + at->path().lexically_relative(folder).generic_string()});
  }
  if (failed)
    return fail(error_code::io, "the folder " + printable(folder.string()) + " cannot be read: " + failed.message());
  std::ranges::sort(found, {}, &upload_source::name);
  std::ranges::move(found, std::back_inserter(into.files));
  return {};
}

result<void> check_apart(const std::vector<upload_source>& files) {
  std::map<std::string_view, const fs::path*> places;
  for (const upload_source& one : files)
    if (const auto [there, added] = places.emplace(one.name, &one.file); !added)
      return fail(error_code::invalid_argument,
                  printable(there->second->string()) + " and " + printable(one.file.string()) + " would both become " +
                      printable(one.name),
                  "upload them one after the other, each with its --path");
  return {};
}

} // namespace

result<upload_sources> find_upload_sources(const std::vector<std::string>& given, const std::optional<std::string>& dataset,
                                           const std::optional<std::string>& path) {
  if (path && !dataset)
    return fail(error_code::invalid_argument, "--path goes with --dataset: it is the place in the dataset");
  upload_sources all;
  std::string below = path.value_or("");
  const bool is_folder_path = below.ends_with('/');
  while (below.ends_with('/'))
    below.pop_back();
  const std::string prefix = below.empty() ? "" : below + "/";
  for (const std::string& word : given) {
    std::error_code failed;
    const auto kind = fs::status(word, failed).type();
    if (kind == fs::file_type::directory) {
      if (!dataset)
        return fail(error_code::invalid_argument, printable(word) + " is a folder", "--dataset NAME says where its files go");
      if (auto added = add_folder(word, prefix, all); !added)
        return fail(added.error());
    } else if (kind == fs::file_type::regular) {
      const bool named = given.size() == 1 && !below.empty() && !is_folder_path;
      all.files.push_back({word, dataset ? (named ? below : prefix + own_name(word)) : own_name(word)});
    } else if (kind == fs::file_type::not_found) {
      return fail(error_code::not_found, "there is no file " + printable(word));
    } else {
      return fail(error_code::invalid_argument,
                  printable(word) + " is neither a regular file nor a folder" + (failed ? ": " + failed.message() : std::string()));
    }
  }
  if (all.files.empty())
    return fail(error_code::invalid_argument, "there is nothing to upload in " + printable(given.empty() ? "" : given.front()));
  if (dataset)
    if (auto apart = check_apart(all.files); !apart)
      return fail(apart.error());
  return all;
}

} // namespace ferry::cli
