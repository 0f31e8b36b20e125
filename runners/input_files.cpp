#include "runners/input_files.hpp"

#include "config/limits.hpp"
#include "runners/descriptor.hpp"
#include "runners/run_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view coming_prefix = "coming-";

std::int64_t nanoseconds(const timespec& t) { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

input_file described(std::string path, const struct stat& found) {
  return {std::move(path), static_cast<std::uint64_t>(found.st_size), nanoseconds(found.st_mtim)};
}

// FNV-1a, 64 bits, twice with different beginnings: names an entry; nobody has an interest in making two alike.
std::string key_of(const std::string& root, const std::vector<input_file>& files) {
  std::string text = root;
  for (const input_file& file : files)
    text += '\n' + file.path + '\t' + std::to_string(file.bytes) + '\t' + std::to_string(file.modified_ns);
  std::string key;
  for (std::uint64_t hash : {14'695'981'039'346'656'037ULL, 1'099'511'628'211ULL}) {
    for (const char c : text)
      hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
    for (int i = 60; i >= 0; i -= 4)
      key += "0123456789abcdef"[(hash >> static_cast<unsigned>(i)) & 15U];
  }
  return key;
}

std::string name_of(const std::string& root) {
  const auto name = fs::path(root).filename().string();
  return name.empty() || name == "." || name == ".." ? "input" : name;
}

bool is_plain(const fs::path& path) {
  return std::all_of(path.begin(), path.end(),
                     [](const fs::path& part) { return part != ".." && part != "." && part != "/" && !part.empty(); });
}

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    struct stat found {};
    if (::lstat(at->path().c_str(), &found) == 0 && S_ISREG(found.st_mode))
      sum += static_cast<std::uint64_t>(found.st_size);
  }
  return sum;
}

} // namespace

// ---- on the head ------------------------------------------------------------------------------------------------------------

result<std::vector<input_file>> list_input(const std::string& root) {
  struct stat found {};
  if (::stat(root.c_str(), &found) != 0)
    return std::vector<input_file>{};
  if (S_ISREG(found.st_mode))
    return std::vector{described({}, found)};
  std::vector<input_file> files;
  if (!S_ISDIR(found.st_mode))
    return files;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(root, failed), end; !failed && at != end; at.increment(failed)) {
    if (::lstat(at->path().c_str(), &found) != 0 || !S_ISREG(found.st_mode))
      continue;
    if (files.size() >= limits::node_files_max)
      return fail(error_code::too_large,
                  root + " has more than " + std::to_string(limits::node_files_max) + " files: too many to be brought to a node");
    files.push_back(described(at->path().lexically_relative(root).string(), found));
  }
  if (failed)
    return fail(error_code::io, "cannot list " + root + ": " + failed.message());
  std::sort(files.begin(), files.end(), [](const input_file& a, const input_file& b) { return a.path < b.path; });
  return files;
}

result<std::string> read_input(const std::string& root, const input_file& file, std::uint64_t offset) {
  const auto path = file.path.empty() ? fs::path(root) : fs::path(root) / file.path;
  const descriptor open(::open(path.c_str(), O_RDONLY | O_CLOEXEC | (file.path.empty() ? 0 : O_NOFOLLOW)));
  struct stat found {};
  if (!open || ::fstat(open.get(), &found) != 0)
    return fail(system_error("cannot read " + path.string(), errno));
  const auto now = described(file.path, found);
  if (now.bytes != file.bytes || now.modified_ns != file.modified_ns)
    return fail(error_code::conflict, path.string() + " has changed since its job was started");
  std::string bytes(std::min<std::uint64_t>(limits::node_piece_bytes_max, file.bytes - std::min(offset, file.bytes)), '\0');
  const auto n = ::pread(open.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (n != static_cast<ssize_t>(bytes.size()))
    return fail(system_error("cannot read " + path.string(), n < 0 ? errno : EIO));
  return bytes;
}

// ---- on the node ------------------------------------------------------------------------------------------------------------

fs::path input_cache::path_of(const std::string& root, const std::vector<input_file>& files) const {
  return folder_ / key_of(root, files) / name_of(root);
}

fs::path input_cache::coming(const std::string& root, const std::vector<input_file>& files) const {
  return folder_ / (std::string(coming_prefix) + key_of(root, files)) / name_of(root);
}

bool input_cache::has(const std::string& root, const std::vector<input_file>& files) const {
  const auto entry = folder_ / key_of(root, files);
  return ::utimensat(AT_FDCWD, entry.c_str(), nullptr, 0) == 0; // it is used now
}

std::uint64_t input_cache::reached(const std::string& root, const std::vector<input_file>& files, const input_file& file) const {
  const auto path = file.path.empty() ? coming(root, files) : coming(root, files) / file.path;
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) ? static_cast<std::uint64_t>(found.st_size) : 0;
}

result<void> input_cache::append(const std::string& root, const std::vector<input_file>& files, const input_file& file,
                                 const std::string& bytes) const {
  if (!is_plain(file.path))
    return fail(error_code::invalid_argument, "an input has a file that cannot be: '" + file.path + "'");
  const auto path = file.path.empty() ? coming(root, files) : coming(root, files) / file.path;
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  const descriptor open(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!open)
    return fail(system_error("cannot make " + path.string(), errno));
  const auto before = static_cast<off_t>(reached(root, files, file));
  if (!bytes.empty() && ::write(open.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    const int why = errno;
    [[maybe_unused]] const int cut = ::ftruncate(open.get(), before);
    return fail(system_error("cannot write " + path.string(), why));
  }
  return {};
}

result<void> input_cache::finish(const std::string& root, const std::vector<input_file>& files) const {
  const auto entry = folder_ / key_of(root, files);
  if (::rename(coming(root, files).parent_path().c_str(), entry.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY)
    return fail(system_error("cannot store " + root + " in " + folder_.string(), errno));
  return {};
}

result<void> input_cache::make_room(std::uint64_t bytes, const std::set<fs::path>& in_use) const {
  struct entry {
    fs::path path;
    fs::file_time_type used;
    std::uint64_t bytes = 0;
  };
  std::vector<entry> entries;
  std::uint64_t sum = bytes;
  std::error_code failed;
  fs::create_directories(folder_, failed);
  for (fs::directory_iterator at(folder_, failed), end; !failed && at != end; at.increment(failed)) {
    const bool is_needed =
        std::any_of(in_use.begin(), in_use.end(), [&](const fs::path& one) { return one.parent_path() == at->path(); });
    entries.push_back(
        {at->path(), is_needed ? fs::file_time_type::max() : fs::last_write_time(at->path(), failed), bytes_below(at->path())});
    sum += entries.back().bytes;
  }
  std::sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) { return a.used < b.used; });
  for (const entry& one : entries) {
    if (sum <= bytes_max_ || one.used == fs::file_time_type::max())
      break;
    fs::remove_all(one.path, failed);
    sum -= one.bytes;
  }
  if (sum > bytes_max_)
    return fail(error_code::too_large, "there is no room for " + std::to_string(bytes >> 20U) + " MiB of inputs on the node",
                "make node.cache_mib there larger; it is " + std::to_string(bytes_max_ >> 20U));
  return {};
}

} // namespace ferry::runners
