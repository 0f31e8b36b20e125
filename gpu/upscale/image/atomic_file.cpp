#include "gpu/upscale/image/atomic_file.hpp"

#include "gpu/upscale/image/file_error.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

const std::string cannot_write = "cannot be written";

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

// What the user's other programs would give a new file.
mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

// A rename lasts once its folder is on disk. File systems that cannot sync a folder are left to their own ways.
void sync_folder(const fs::path& folder) {
  if (const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
    (void)::fsync(fd);
    ::close(fd);
  }
}

result<void> rename_and_sync(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return fail(file_error(to, cannot_write, errno));
  sync_folder(folder_of(to));
  return {};
}

} // namespace

atomic_file::atomic_file(fs::path final_path, fs::path hidden, std::FILE* stream)
    : final_path_(std::move(final_path)), hidden_(std::move(hidden)), stream_(stream) {}

atomic_file::atomic_file(atomic_file&& other) noexcept
    : final_path_(std::move(other.final_path_)),
      hidden_(std::exchange(other.hidden_, {})),
      stream_(std::exchange(other.stream_, nullptr)) {}

atomic_file::~atomic_file() {
  if (stream_ != nullptr)
    std::fclose(stream_);
  if (!hidden_.empty())
    ::unlink(hidden_.c_str());
}

result<atomic_file> atomic_file::create(const fs::path& final_path) {
  std::error_code ignored;
  if (fs::is_directory(final_path, ignored))
    return fail(file_error(final_path, cannot_write, EISDIR));
  std::string name = (folder_of(final_path) / ".ferry-upscale-XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0)
    return fail(file_error(final_path, cannot_write, errno));
  (void)::fchmod(fd, usual_mode());
  std::FILE* stream = ::fdopen(fd, "wb");
  if (stream == nullptr) {
    const int why = errno;
    ::close(fd);
    ::unlink(name.c_str());
    return fail(file_error(final_path, cannot_write, why));
  }
  return atomic_file(final_path, name, stream);
}

result<void> atomic_file::commit() {
  // Before the file is closed: a disk that is full may say so as late as this.
  const bool written = std::ferror(stream_) == 0 && std::fflush(stream_) == 0 && ::fsync(::fileno(stream_)) == 0;
  const int why_not_written = errno;
  const bool closed = std::fclose(std::exchange(stream_, nullptr)) == 0;
  if (!written || !closed)
    return fail(file_error(final_path_, cannot_write, written ? errno : why_not_written));
  auto renamed = rename_and_sync(hidden_, final_path_);
  if (renamed)
    hidden_.clear();
  return renamed;
}

result<void> move_into_place(const fs::path& finished, const fs::path& final_path) {
  const int fd = ::open(finished.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail(file_error(finished, "cannot be opened", errno));
  const bool synced = ::fsync(fd) == 0;
  const int why = errno;
  ::close(fd);
  if (!synced)
    return fail(file_error(final_path, cannot_write, why));
  return rename_and_sync(finished, final_path);
}

} // namespace ferry::upscale
