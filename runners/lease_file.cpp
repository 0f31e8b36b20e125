#include "runners/lease_file.hpp"

#include "runners/process_table.hpp"
#include "runners/run_directory.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace ferry::runners {
namespace {

struct contents {
  std::array<char, 8> mark{};
  std::int64_t until = 0;
  std::array<char, 48> boot{};
};
static_assert(sizeof(contents) == 64 && offsetof(contents, until) == 8);
constexpr std::string_view mark = "ferrylea";

std::shared_ptr<contents> map(const descriptor& file, int protection) {
  void* at = ::mmap(nullptr, sizeof(contents), protection, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED)
    return nullptr;
  return {static_cast<contents*>(at), [](contents* mapped) { ::munmap(mapped, sizeof(contents)); }};
}

bool is_whole(const descriptor& file) {
  struct stat about {};
  std::array<char, mark.size()> begin{};
  return ::fstat(file.get(), &about) == 0 && S_ISREG(about.st_mode) && about.st_size == sizeof(contents) &&
         ::pread(file.get(), begin.data(), begin.size(), 0) == static_cast<ssize_t>(begin.size()) &&
         std::string_view(begin.data(), begin.size()) == mark;
}

bool is_of_this_boot(const contents& read) {
  const std::string_view boot(read.boot.data(), ::strnlen(read.boot.data(), read.boot.size()));
  return !boot.empty() && boot == boot_id();
}

std::int64_t nanoseconds(boot_instant t) { return t.time_since_epoch().count(); }

// Under another name first. All of it is written, so that no store into the mapping can need room on a full disk.
result<void> make(const std::filesystem::path& path) {
  contents fresh;
  std::memcpy(fresh.mark.data(), mark.data(), mark.size());
  if (boot_id().empty() || boot_id().size() >= fresh.boot.size())
    return fail(error_code::io, "/proc/sys/kernel/random/boot_id cannot be read");
  std::memcpy(fresh.boot.data(), boot_id().data(), boot_id().size());
  const std::filesystem::path beside = path.string() + ".new";
  ::unlink(beside.c_str());
  const descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file)
    return fail(system_error("cannot create " + beside.string(), errno));
  if (::write(file.get(), &fresh, sizeof fresh) != static_cast<ssize_t>(sizeof fresh) || ::fsync(file.get()) != 0)
    return fail(system_error("cannot write " + beside.string(), errno));
  if (::rename(beside.c_str(), path.c_str()) != 0)
    return fail(system_error("cannot rename " + beside.string(), errno));
  return {};
}

} // namespace

result<lease_file> lease_file::open(const std::filesystem::path& path) {
  for (const bool may_make : {true, false}) {
    const descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (file && is_whole(file)) {
      const auto mapped = map(file, PROT_READ | PROT_WRITE);
      if (!mapped)
        return fail(system_error("cannot map " + path.string(), errno));
      if (is_of_this_boot(*mapped))
        return lease_file(std::shared_ptr<std::int64_t>(mapped, &mapped->until));
    }
    if (!may_make)
      break;
    if (auto made = make(path); !made)
      return fail(std::move(made.error()));
  }
  return fail(error_code::io, path.string() + " cannot be read after it was made");
}

void lease_file::set(boot_instant until) { __atomic_store_n(until_.get(), nanoseconds(until), __ATOMIC_RELEASE); }

boot_instant lease_file::until() const {
  return boot_instant(std::chrono::nanoseconds(__atomic_load_n(until_.get(), __ATOMIC_ACQUIRE)));
}

result<lease_view> lease_view::open(const std::filesystem::path& path) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file)
    return errno == ENOENT ? fail(error_code::not_found, path.string() + " is missing")
                           : fail(system_error("cannot open " + path.string(), errno));
  if (!is_whole(file))
    return fail(error_code::damaged, path.string() + " is not the lease of a node");
  const auto mapped = map(file, PROT_READ);
  if (!mapped)
    return fail(system_error("cannot map " + path.string(), errno));
  return lease_view(is_of_this_boot(*mapped) ? std::shared_ptr<const std::int64_t>(mapped, &mapped->until) : nullptr);
}

boot_instant lease_view::until() const {
  return until_ ? boot_instant(std::chrono::nanoseconds(__atomic_load_n(until_.get(), __ATOMIC_ACQUIRE))) : boot_instant{};
}

} // namespace ferry::runners
