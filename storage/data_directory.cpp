#include "storage/data_directory.hpp"

#include "storage/sqlite_errors.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ferry::storage {
namespace {

result<void> make_folder(const std::filesystem::path& data_dir) {
  std::error_code failed;
  if (std::filesystem::is_directory(data_dir, failed))
    return {};
  const auto whole = std::filesystem::absolute(data_dir, failed);
  if (whole.has_parent_path())
    std::filesystem::create_directories(whole.parent_path(), failed);
  if (failed)
    return fail(system_error(failed.value(), whole.parent_path(), "create this folder"));
  if (::mkdir(whole.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(system_error(errno, data_dir, "create this folder"));
  if (!std::filesystem::is_directory(whole, failed))
    return fail(system_error(ENOTDIR, data_dir, "use this as storage.data_dir"));
  return {};
}

// SQLite gives the WAL and the shared memory file the mode of the database file.
result<void> make_database_file(const std::filesystem::path& data_dir) {
  const auto file = database_file(data_dir);
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0)
    return errno == EEXIST ? result<void>{} : fail(system_error(errno, file, "create this file"));
  ::close(made);
  // The name must be as durable as what is committed under it.
  const int folder = ::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return {};
}

std::string read_owner(int lock) {
  std::array<char, 32> text{};
  const auto size = ::pread(lock, text.data(), text.size(), 0);
  std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  pid.erase(pid.find_last_not_of(" \n") + 1);
  return pid;
}

} // namespace

result<data_directory> data_directory::own(const std::filesystem::path& data_dir) {
  if (auto made = make_folder(data_dir); !made)
    return fail(made.error());
  const auto file = data_dir / "ferry.lock";
  data_directory owned{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (owned.lock_ < 0)
    return fail(system_error(errno, file, "open the lock file"));
  // A daemon that was killed while it started a shim leaves a copy of its lock in the child until that has become the shim.
  constexpr auto patience = std::chrono::milliseconds(500), pause = std::chrono::milliseconds(10);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int locked = 0;
  while ((locked = ::flock(owned.lock_, LOCK_EX | LOCK_NB)) != 0 && (errno == EINTR || errno == EWOULDBLOCK) &&
         std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(pause);
  if (locked != 0) {
    if (errno != EWOULDBLOCK)
      return fail(system_error(errno, file, "lock this file"));
    const auto pid = read_owner(owned.lock_);
    return fail(error_code::locked,
                "the data directory " + data_dir.string() + " is in use by another ferryd" +
                    (pid.empty() ? "" : " (pid " + pid + ")"),
                "stop it first, or give this one a storage.data_dir of its own");
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(owned.lock_, 0) != 0 || ::pwrite(owned.lock_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return fail(system_error(errno, file, "write the owner's pid"));
  if (auto made = make_database_file(data_dir); !made)
    return fail(made.error());
  return owned;
}

data_directory::data_directory(data_directory&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}

data_directory::~data_directory() {
  if (lock_ >= 0)
    ::close(lock_);
}

} // namespace ferry::storage
