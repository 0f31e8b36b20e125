#include "http/folder_access.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ferry::http {

result<void> check_file_name(std::string_view name, const std::string& what) {
  const auto refuse = [&](const std::string& rule) {
    return fail(error_code::invalid_argument, what + " " + rule + ", is '" + config::shortened(std::string(name)) + "'");
  };
  if (name.empty() || name.size() > limits::file_name_bytes_max)
    return refuse("must have 1 to " + std::to_string(limits::file_name_bytes_max) + " bytes, has " + std::to_string(name.size()));
  if (name.front() == '.')
    return refuse("must not begin with a dot");
  if (name.find('/') != std::string_view::npos)
    return refuse("must not hold a '/'");
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return refuse("must not hold control characters");
  return {};
}

result<void> check_relative_path(const std::vector<std::string>& parts, const std::string& what) {
  std::size_t bytes = parts.size() - 1;
  for (const auto& part : parts) {
    if (auto valid = check_file_name(part, "each name of " + what); !valid)
      return valid;
    bytes += part.size();
  }
  if (bytes > limits::dataset_path_bytes_max)
    return fail(error_code::invalid_argument, what + " has " + std::to_string(bytes) + " bytes; at most " +
                                                  std::to_string(limits::dataset_path_bytes_max) + " are allowed");
  if (parts.size() > limits::dataset_depth_max)
    return fail(error_code::invalid_argument, what + " has " + std::to_string(parts.size()) + " names; at most " +
                                                  std::to_string(limits::dataset_depth_max) + " are allowed");
  return {};
}

result<std::vector<std::string>> split_path(std::string_view path, const std::string& what) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (auto valid = check_relative_path(parts, what); !valid)
    return fail(valid.error());
  return parts;
}

std::string joined_path(std::span<const std::string> parts) {
  std::string path;
  for (const auto& part : parts)
    path += (path.empty() ? "" : "/") + part;
  return path;
}

error file_error(int why, const std::string& what) {
  auto code = error_code::io;
  if (why == ENOENT)
    code = error_code::not_found;
  else if (why == ENOSPC || why == EDQUOT)
    code = error_code::disk_full;
  else if (why == ENOTDIR || why == EISDIR || why == ELOOP || why == EEXIST || why == ENOTEMPTY)
    code = error_code::conflict;
  return {code, what + ": " + std::strerror(why), {}, {}};
}

result<descriptor> open_folder(const std::filesystem::path& folder) {
  descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened)
    return fail(file_error(errno, "cannot open " + folder.string()));
  return opened;
}

result<descriptor> make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) {
    const auto above = open_folder(folder.parent_path());
    if (!above)
      return fail(above.error());
    if (auto synced = sync_folder(above->get(), folder.parent_path().string()); !synced)
      return fail(synced.error());
  } else if (errno != EEXIST)
    return fail(file_error(errno, "cannot make " + folder.string()));
  return open_folder(folder);
}

descriptor try_open_beneath(int folder, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return descriptor(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

result<descriptor> open_beneath(int folder, const std::string& path, int flags) {
  const int at_once = (flags & O_PATH) != 0 ? 0 : O_NONBLOCK; // a FIFO is opened, and refused, without waiting for its writer
  auto opened = try_open_beneath(folder, path, O_RDONLY | at_once | flags);
  if (opened)
    return opened;
  const int why = errno;
  if (why == ENOENT || why == ELOOP || why == EXDEV || why == ENOTDIR || why == ENAMETOOLONG)
    return fail(error_code::not_found, "there is no '" + config::shortened(path) + "'");
  return fail(file_error(why, "cannot open " + path));
}

result<descriptor> make_folders_beneath(int folder, std::span<const std::string> parts) {
  descriptor at(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at)
    return fail(file_error(errno, "cannot open the folder"));
  for (const auto& name : parts) {
    const bool is_new = ::mkdirat(at.get(), name.c_str(), 0700) == 0;
    if (!is_new && errno != EEXIST)
      return fail(file_error(errno, "cannot make the folder '" + name + "'"));
    if (is_new)
      if (auto synced = sync_folder(at.get(), name); !synced)
        return fail(synced.error());
    descriptor next(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next)
      return fail(file_error(errno, "'" + name + "' is no folder"));
    at = std::move(next);
  }
  return at;
}

result<void> sync_folder(int folder, const std::string& what) {
  if (::fsync(folder) != 0)
    return fail(file_error(errno, "cannot sync " + what));
  return {};
}

} // namespace ferry::http
