#include "http/dataset_files.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "http/token_store.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::http {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view removed_prefix = ".removed-"; // hidden: no dataset begins with a dot

error no_dataset(const std::string& name) {
  return {error_code::not_found, "there is no dataset '" + config::shortened(name) + "'", "see `ferry datasets`", {}};
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.symlink_status(ignored).type() == fs::file_type::directory; // no link to one
}

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

// The dataset's folder, by one who may not name any other. Errors: not_found, io.
result<descriptor> open_dataset(const fs::path& datasets, const std::string& name) {
  if (auto valid = check_file_name(name, "the name of a dataset"); !valid)
    return fail(valid.error());
  const auto above = open_folder(datasets);
  if (!above)
    return fail(above.error().code == error_code::not_found ? no_dataset(name) : above.error());
  auto folder = open_beneath(above->get(), name, O_DIRECTORY);
  if (!folder && folder.error().code == error_code::not_found)
    return fail(no_dataset(name));
  return folder;
}

// The paths of its files, as they come.
struct walk {
  std::vector<std::string> paths;
  bool is_whole = true;
};
result<walk> walk_dataset(const fs::path& folder, const std::atomic<bool>& stop) {
  walk found;
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, failed);
  for (const fs::recursive_directory_iterator end; !failed && at != end; at.increment(failed)) {
    if (stop)
      return fail(error_code::unavailable, "the daemon is stopping");
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
      continue;
    }
    if (is_folder(*at)) {
      if (static_cast<std::size_t>(at.depth()) + 1 >= limits::dataset_depth_max) {
        at.disable_recursion_pending();
        found.is_whole = false;
      }
      continue;
    }
    std::error_code ignored;
    if (at->symlink_status(ignored).type() != fs::file_type::regular)
      continue;
    if (found.paths.size() >= limits::dataset_files_max) {
      found.is_whole = false;
      break;
    }
    found.paths.push_back(at->path().lexically_relative(folder).string());
  }
  if (failed && failed != std::errc::no_such_file_or_directory) // removed while we looked
    return fail(error_code::io, "cannot read " + folder.string() + ": " + failed.message());
  return found;
}

bool stat_of(const descriptor& folder, const std::string& path, struct stat& about) {
  const auto file = open_beneath(folder.get(), path, O_PATH | O_NOFOLLOW);
  return file && ::fstat(file->get(), &about) == 0 && S_ISREG(about.st_mode);
}

result<dataset_summary> summary_of(const fs::path& datasets, const std::string& name, const std::atomic<bool>& stop) {
  const auto folder = open_dataset(datasets, name);
  if (!folder)
    return fail(folder.error());
  auto found = walk_dataset(datasets / name, stop);
  if (!found)
    return fail(found.error());
  dataset_summary summary{.name = name, .files = 0, .bytes = 0, .modified = {}, .is_whole = found->is_whole};
  struct stat about {};
  if (::fstat(folder->get(), &about) == 0)
    summary.modified = modified_of(about);
  bool is_first = true;
  for (const auto& path : found->paths)
    if (stat_of(*folder, path, about)) {
      ++summary.files;
      summary.bytes += static_cast<std::uint64_t>(about.st_size);
      summary.modified = is_first ? modified_of(about) : std::max(summary.modified, modified_of(about));
      is_first = false;
    }
  return summary;
}

std::vector<std::string> names_in(const fs::path& datasets) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator at(datasets, failed), end; !failed && at != end; at.increment(failed))
    if (!is_hidden(at->path()) && is_folder(*at))
      names.push_back(at->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace

result<std::vector<dataset_summary>> list_datasets(const fs::path& datasets, const std::atomic<bool>& stop) {
  std::vector<dataset_summary> all;
  for (const auto& name : names_in(datasets)) {
    auto one = summary_of(datasets, name, stop);
    if (one)
      all.push_back(std::move(*one));
    else if (one.error().code != error_code::not_found) // it may have been removed meanwhile
      return fail(one.error());
  }
  return all;
}

result<void> make_dataset(const fs::path& datasets, const std::string& name) {
  const auto folder = make_folder(datasets);
  if (!folder)
    return fail(folder.error());
  if (names_in(datasets).size() >= limits::datasets_max)
    return fail(error_code::too_large, "there are " + std::to_string(limits::datasets_max) + " datasets, which is the most",
                "delete one of them");
  if (::mkdirat(folder->get(), name.c_str(), 0700) != 0)
    return fail(errno == EEXIST ? error{error_code::conflict, "there is a dataset '" + name + "' already", {}, {}}
                                : file_error(errno, "cannot make the dataset '" + name + "'"));
  return sync_folder(folder->get(), datasets.string());
}

result<dataset_page> read_dataset(const fs::path& datasets, const std::string& name, std::uint64_t offset, std::uint64_t limit,
                                  const std::atomic<bool>& stop) {
  const auto folder = open_dataset(datasets, name);
  if (!folder)
    return fail(folder.error());
  auto found = walk_dataset(datasets / name, stop);
  if (!found)
    return fail(found.error());
  std::sort(found->paths.begin(), found->paths.end());
  dataset_page page{.files = {}, .total = found->paths.size(), .is_whole = found->is_whole};
  for (auto i = offset; i < found->paths.size() && i - offset < limit; ++i) {
    struct stat about {};
    if (stat_of(*folder, found->paths[i], about))
      page.files.push_back({found->paths[i], static_cast<std::uint64_t>(about.st_size)});
  }
  return page;
}

result<std::uint64_t> remove_dataset_file(const fs::path& datasets, const std::string& name, const std::vector<std::string>& path) {
  if (auto valid = check_relative_path(path, "the path"); !valid)
    return fail(valid.error());
  const auto folder = open_dataset(datasets, name);
  if (!folder)
    return fail(folder.error());
  struct stat about {};
  if (!stat_of(*folder, joined_path(path), about))
    return fail(error_code::not_found, "there is no '" + config::shortened(joined_path(path)) + "' in the dataset " + name);
  for (auto left = path.size(); left > 0; --left) {
    const bool is_file = left == path.size();
    const auto above_path = joined_path(std::span(path).first(left - 1));
    const auto above = open_beneath(folder->get(), above_path.empty() ? "." : above_path, O_DIRECTORY);
    if (above && ::unlinkat(above->get(), path[left - 1].c_str(), is_file ? 0 : AT_REMOVEDIR) == 0)
      continue;
    if (is_file)
      return fail(above ? file_error(errno, "cannot remove " + joined_path(path)) : above.error());
    break; // the folder holds other files
  }
  return static_cast<std::uint64_t>(about.st_size);
}

result<std::uint64_t> remove_dataset(const fs::path& datasets, const std::string& name, const std::atomic<bool>& stop) {
  const auto summary = summary_of(datasets, name, stop);
  if (!summary)
    return fail(summary.error());
  const auto tag = make_token();
  if (!tag)
    return fail(tag.error());
  const auto away = datasets / (std::string(removed_prefix) + tag->substr(0, 16));
  if (::rename((datasets / name).c_str(), away.c_str()) != 0)
    return fail(errno == ENOENT ? no_dataset(name) : file_error(errno, "cannot remove the dataset '" + name + "'"));
  std::error_code ignored; // what is left of it goes when the daemon starts again
  fs::remove_all(away, ignored);
  return summary->bytes;
}

void remove_leftovers(const fs::path& datasets) {
  std::vector<fs::path> left;
  std::error_code failed;
  for (fs::directory_iterator at(datasets, failed), end; !failed && at != end; at.increment(failed))
    if (at->path().filename().native().starts_with(removed_prefix))
      left.push_back(at->path());
  for (const auto& one : left)
    fs::remove_all(one, failed);
}

result<opened_file> open_dataset_file(const fs::path& datasets, const std::string& name, const std::vector<std::string>& path) {
  if (auto valid = check_relative_path(path, "the path"); !valid)
    return fail(valid.error());
  const auto folder = open_dataset(datasets, name);
  if (!folder)
    return fail(folder.error());
  auto file = open_beneath(folder->get(), joined_path(path), 0);
  if (!file)
    return fail(file.error());
  return described_file(std::move(*file), joined_path(path));
}

} // namespace ferry::http
