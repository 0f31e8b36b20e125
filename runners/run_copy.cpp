#include "runners/run_copy.hpp"

#include "config/limits.hpp"
#include "runners/descriptor.hpp"
#include "runners/run_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ferry::runners {
namespace {

namespace fs = std::filesystem;

// Of a file that is not whole yet: beside it, as short whatever the file is called, and no name that a job chooses by chance. Its
// time is that of the version which it is the beginning of.
std::string coming_name(std::string_view name) {
  std::uint64_t hash = 14695981039346656037U; // FNV-1a
  for (const char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return ".ferry-coming-" + std::to_string(hash);
}

error refused(const file_piece& piece, const std::string& why) {
  return {error_code::invalid_argument,
          "a file of batch " + to_string(piece.batch) + " cannot be called '" + piece.path.substr(0, 200) + "': " + why,
          {},
          {}};
}

// By errno. Where something else has that name, or no file can have it, trying again is of no use.
error cannot(const std::string& what, const file_piece& piece, int why) {
  if (why == ENAMETOOLONG || why == ENOTDIR || why == EISDIR || why == ELOOP || why == ENXIO)
    return refused(piece, std::generic_category().message(why));
  return system_error("cannot " + what + " " + piece.path + " of batch " + to_string(piece.batch), why);
}

result<std::vector<std::string>> parts_of(const file_piece& piece) {
  if (piece.path.empty() || piece.path.size() > limits::node_path_bytes_max || piece.path.find('\0') != std::string::npos)
    return fail(refused(piece, "it takes from 1 to " + std::to_string(limits::node_path_bytes_max) + " bytes, none of them zero"));
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(piece.path)) {
    if (part == ".." || part == "." || part.empty() || part == "/")
      return fail(refused(piece, "it is to be a plain path below the run's directory"));
    parts.push_back(part.string());
  }
  if (parts.size() > limits::node_path_parts_max)
    return fail(refused(piece, "it is more than " + std::to_string(limits::node_path_parts_max) + " folders deep"));
  return parts;
}

// A fifo must not hold the head up.
constexpr int how_to_open = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

// Step by step from an open folder, so that no link is ever followed.
result<descriptor> make_folder(const fs::path& runs, const file_piece& piece, const std::vector<std::string>& parts) {
  descriptor at = open_directory(runs);
  if (!at)
    return fail(system_error("cannot open " + runs.string(), errno));
  std::vector<std::string> folders{to_string(piece.batch)};
  folders.insert(folders.end(), parts.begin(), parts.end() - 1);
  for (const std::string& name : folders) {
    if (::mkdirat(at.get(), name.c_str(), 0700) != 0 && errno != EEXIST)
      return fail(cannot("make the folder " + name + " for", piece, errno));
    descriptor next(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next)
      return fail(cannot("open the folder " + name + " for", piece, errno));
    at = std::move(next);
  }
  return at;
}

result<void> append(int file, const file_piece& piece) {
  auto left = piece.bytes;
  auto at = static_cast<off_t>(piece.offset);
  while (!left.empty()) {
    const auto n = ::pwrite(file, left.data(), left.size(), at);
    if (n <= 0) {
      const int why = errno;
      [[maybe_unused]] const int cut = ::ftruncate(file, static_cast<off_t>(piece.offset)); // the whole piece is sent again
      return fail(cannot("write", piece, why));
    }
    left.remove_prefix(static_cast<std::size_t>(n));
    at += n;
  }
  return {};
}

result<std::uint64_t> size_of(int file, const file_piece& piece) {
  struct stat found {};
  if (::fstat(file, &found) != 0 || !S_ISREG(found.st_mode))
    return fail(refused(piece, "what has that name is no file"));
  return static_cast<std::uint64_t>(found.st_size);
}

bool grows(const std::string& path) {
  const auto& all = growing_files();
  return std::find(all.begin(), all.end(), path) != all.end();
}

result<std::uint64_t> take_growing(int folder, const std::string& name, const file_piece& piece) {
  const descriptor file(::openat(folder, name.c_str(), how_to_open, 0600));
  if (!file)
    return fail(cannot("open", piece, errno));
  const auto size = size_of(file.get(), piece);
  if (!size || *size != piece.offset)
    return size;
  if (auto written = append(file.get(), piece); !written)
    return fail(written.error());
  if (piece.is_last && (::fsync(file.get()) != 0 || ::fsync(folder) != 0))
    return fail(cannot("store", piece, errno));
  return piece.offset + piece.bytes.size();
}

std::int64_t modified_ns(const struct stat& of) { return std::int64_t{of.st_mtim.tv_sec} * 1'000'000'000 + of.st_mtim.tv_nsec; }

bool set_version(int file, const file_piece& piece) {
  const timespec times[2] = {{0, UTIME_OMIT}, {piece.modified_ns / 1'000'000'000, piece.modified_ns % 1'000'000'000}};
  return ::futimens(file, times) == 0;
}

// How much there is of this version. The beginning of another one is of no use, nor is what a head wrote just before it died.
result<std::uint64_t> size_of_version(int file, const file_piece& piece) {
  struct stat found {};
  const auto size = size_of(file, piece);
  if (!size || *size == 0 || (::fstat(file, &found) == 0 && modified_ns(found) == piece.modified_ns))
    return size;
  if (::ftruncate(file, 0) != 0)
    return fail(cannot("write", piece, errno));
  return 0;
}

result<std::uint64_t> take_finished(int folder, const std::string& name, const file_piece& piece) {
  struct stat there {};
  if (::fstatat(folder, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(there.st_mode) &&
      modified_ns(there) == piece.modified_ns)
    return static_cast<std::uint64_t>(there.st_size); // this version is whole
  const auto coming = coming_name(name);
  const descriptor file(::openat(folder, coming.c_str(), how_to_open, 0600));
  if (!file)
    return fail(cannot("open", piece, errno));
  const auto size = size_of_version(file.get(), piece);
  const auto end = piece.offset + piece.bytes.size();
  if (!size || (*size != piece.offset && !(piece.is_last && *size == end)))
    return size;
  result<void> written;
  if (*size == piece.offset) // else it came before, and this head died before the file had its name
    written = append(file.get(), piece);
  const bool is_marked = set_version(file.get(), piece); // also what was there before a piece for which there was no room
  if (!written || !is_marked)
    return fail(written ? cannot("write", piece, errno) : written.error());
  if (piece.is_last &&
      (::fsync(file.get()) != 0 || ::renameat(folder, coming.c_str(), folder, name.c_str()) != 0 || ::fsync(folder) != 0))
    return fail(cannot("store", piece, errno));
  return end;
}

} // namespace

const std::vector<std::string>& growing_files() {
  static const std::vector<std::string> names{run_file::output, run_file::events};
  return names;
}

result<std::uint64_t> take_piece(const fs::path& runs, const file_piece& piece) {
  const auto parts = parts_of(piece);
  if (!parts)
    return fail(parts.error());
  if (!grows(piece.path) && (parts->size() < 3 || parts->front() != run_file::jobs))
    return fail(refused(piece, "of a run only its log, its events and the files of its jobs are copied"));
  const auto folder = make_folder(runs, piece, *parts);
  if (!folder)
    return fail(folder.error());
  return grows(piece.path) ? take_growing(folder->get(), parts->back(), piece) : take_finished(folder->get(), parts->back(), piece);
}

std::optional<finished_file> file_of_run(const fs::path& run_directory, const std::string& path) {
  struct stat found {};
  if (::lstat((run_directory / path).c_str(), &found) != 0 || !S_ISREG(found.st_mode))
    return std::nullopt;
  return finished_file{path, static_cast<std::uint64_t>(found.st_size), modified_ns(found)};
}

result<std::vector<finished_file>> files_of_job(const fs::path& run_directory, job_id job) {
  const auto root = run_directory / run_file::jobs / to_string(job);
  std::vector<finished_file> files;
  std::error_code failed;
  if (fs::is_symlink(root, failed)) // made by the job, in place of its directory
    return files;
  failed.clear();
  for (fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, failed), end; !failed && at != end;
       at.increment(failed)) {
    auto file = file_of_run(run_directory, at->path().lexically_relative(run_directory).string());
    if (!file)
      continue;
    if (files.size() >= limits::node_files_max)
      return fail(error_code::too_large, "job " + to_string(job) + " has left more than " + std::to_string(limits::node_files_max) +
                                             " files; the rest stays on the node");
    files.push_back(std::move(*file));
  }
  if (failed && failed != std::errc::no_such_file_or_directory)
    return fail(error_code::io, "cannot list " + root.string() + ": " + failed.message());
  std::sort(files.begin(), files.end(), [](const finished_file& a, const finished_file& b) { return a.path < b.path; });
  return files;
}

} // namespace ferry::runners
