#include "remote/certificate_files.hpp"

#include "config/limits.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ferry::remote {
namespace {

namespace fs = std::filesystem;

class open_file {
public:
  explicit open_file(int fd) : fd_(fd) {}
  ~open_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_;
};

std::string reason(int number) { return std::generic_category().message(number); }

tl::unexpected<error> cannot_read(const fs::path& file, int number) {
  const auto code = number == ENOENT || number == ENOTDIR ? error_code::not_found
                    : number == EACCES || number == EPERM ? error_code::forbidden
                                                          : error_code::io;
  return fail(code, "cannot read " + file.string() + ": " + reason(number));
}

tl::unexpected<error> cannot_write(const fs::path& file, int number) {
  const bool is_full = number == ENOSPC || number == EDQUOT;
  return fail(is_full ? error_code::disk_full : error_code::io, "cannot write " + file.string() + ": " + reason(number));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// A synced file of a name that nothing else has, beside `file`. One that a crash leaves is hidden, and in nobody's way.
result<fs::path> write_beside(const fs::path& file, std::string_view text, mode_t mode) {
  std::string name = (file.parent_path() / ("." + file.filename().string() + ".XXXXXX")).string();
  const open_file made(::mkostemp(name.data(), O_CLOEXEC));
  if (!made)
    return cannot_write(file, errno);
  if (::fchmod(made.get(), mode) == 0 && write_all(made.get(), text) && ::fsync(made.get()) == 0)
    return name;
  const int number = errno;
  ::unlink(name.c_str());
  return cannot_write(file, number);
}

result<void> sync_folder_of(const fs::path& file) {
  const open_file folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0)
    return cannot_write(file, errno);
  return {};
}

} // namespace

result<file_content> read_small_file(const fs::path& file) {
  // Not blocked by a pipe that has this name.
  const open_file opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  if (!opened || ::fstat(opened.get(), &found) != 0)
    return cannot_read(file, errno);
  if (!S_ISREG(found.st_mode))
    return fail(error_code::invalid_argument, file.string() + " is not a file");
  file_content content{.text = {}, .mode = found.st_mode & 07777};
  content.text.resize(limits::certificate_file_bytes_max + 1);
  std::size_t size = 0;
  while (size < content.text.size()) {
    const auto n = ::read(opened.get(), content.text.data() + size, content.text.size() - size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return cannot_read(file, errno);
    if (n == 0)
      break;
    size += static_cast<std::size_t>(n);
  }
  if (size > limits::certificate_file_bytes_max)
    return fail(error_code::too_large, file.string() + " has more than " + std::to_string(limits::certificate_file_bytes_max) +
                                           " bytes: it is no certificate and no key");
  content.text.resize(size);
  return content;
}

result<void> make_own_folder(const fs::path& folder) {
  std::error_code failed;
  if (const auto parent = folder.parent_path(); !parent.empty())
    fs::create_directories(parent, failed);
  if (failed)
    return cannot_write(folder, failed.value());
  if (::mkdir(folder.c_str(), 0700) == 0)
    return {};
  if (errno != EEXIST)
    return cannot_write(folder, errno);
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0)
    return cannot_read(folder, errno);
  if (!S_ISDIR(found.st_mode))
    return fail(error_code::conflict, folder.string() + " is there and is no folder");
  if ((found.st_mode & 022) != 0)
    return fail(error_code::forbidden, folder.string() + " may be written to by others, who could put their own authority there",
                "chmod 700 " + folder.string());
  return {};
}

result<void> write_new_file(const fs::path& file, std::string_view text, mode_t mode) {
  auto written = write_beside(file, text, mode);
  if (!written)
    return fail(written.error());
  // A link, for rename() would overwrite.
  const bool is_linked = ::link(written->c_str(), file.c_str()) == 0;
  const int number = errno;
  ::unlink(written->c_str());
  if (!is_linked && number == EEXIST)
    return fail(error_code::conflict, file.string() + " is there already; nothing is overwritten");
  return is_linked ? sync_folder_of(file) : result<void>(cannot_write(file, number));
}

result<void> replace_file(const fs::path& file, std::string_view text, mode_t mode) {
  auto written = write_beside(file, text, mode);
  if (!written)
    return fail(written.error());
  if (::rename(written->c_str(), file.c_str()) == 0)
    return sync_folder_of(file);
  const int number = errno;
  ::unlink(written->c_str());
  return cannot_write(file, number);
}

} // namespace ferry::remote
