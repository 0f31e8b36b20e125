#include "runners/run_directory.hpp"

#include "model/nesting.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>

namespace ferry::runners {
namespace {

// The longest line the shim writes is an exit record that names the files of every job of a batch.
constexpr std::size_t event_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t identity_bytes_max = 4096;
constexpr std::size_t spec_bytes_max = 256 * 1024 * 1024;

} // namespace

descriptor open_directory(const std::filesystem::path& path) {
  return descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

error system_error(const std::string& what, int errno_value) {
  const bool full = errno_value == ENOSPC || errno_value == EDQUOT;
  return {full ? error_code::disk_full : error_code::io, what + ": " + std::strerror(errno_value),
          full ? "make room on the disk" : ""};
}

result<std::string> read_whole(int directory, const char* name, std::size_t bytes_max) {
  const descriptor file(::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file)
    return errno == ENOENT ? fail(error_code::not_found, std::string(name) + " is missing")
                           : fail(system_error(std::string("cannot open ") + name, errno));
  std::string text;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t size = ::read(file.get(), piece.data(), piece.size());
    if (size == 0)
      return text;
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      return fail(system_error(std::string("cannot read ") + name, errno));
    text.append(piece.data(), static_cast<std::size_t>(size));
    if (text.size() > bytes_max)
      return fail(error_code::too_large, std::string(name) + " is larger than " + std::to_string(bytes_max) + " bytes");
  }
}

result<void> write_whole(int directory, const char* name, std::string_view text) {
  const descriptor file(::openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file)
    return fail(system_error(std::string("cannot create ") + name, errno));
  while (!text.empty()) {
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      return fail(system_error(std::string("cannot write ") + name, errno));
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

lock_state probe_lock(int directory) {
  const descriptor file(::openat(directory, run_file::lock, O_RDONLY | O_CLOEXEC));
  if (!file)
    return lock_state::missing;
  // A shared lock, so that two who look at once do not take each other for a shim.
  return ::flock(file.get(), LOCK_SH | LOCK_NB) == 0 ? lock_state::free : lock_state::held;
}

json to_json(const shim_identity& shim) {
  return {{"pid", shim.pid}, {"start_ticks", shim.start_ticks}, {"boot_id", shim.boot_id}};
}

std::optional<shim_identity> read_shim_identity(int directory) {
  const auto text = read_whole(directory, run_file::shim, identity_bytes_max);
  if (!text)
    return std::nullopt;
  try {
    const json read = json::parse(*text);
    return shim_identity{read.at("pid").get<int>(), read.at("start_ticks").get<std::uint64_t>(),
                         read.at("boot_id").get<std::string>()};
  } catch (const json::exception&) { return std::nullopt; }
}

result<run_spec> read_spec(int directory) {
  const auto text = read_whole(directory, run_file::spec, spec_bytes_max);
  if (!text)
    return fail(text.error());
  const json document = json::parse(*text, nullptr, false);
  if (document.is_discarded())
    return fail(error_code::damaged, "spec.json is not JSON");
  return run_spec_from(document);
}

sockaddr_un control_address(int directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory) + "/" + run_file::control;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

event_reader::event_reader() : lines_(event_bytes_max) {}

void event_reader::feed(std::string_view bytes, std::vector<run_event>& into) {
  offset_ += static_cast<std::int64_t>(bytes.size());
  lines_.feed(bytes, [&into](std::string_view line) {
    const json parsed = parse_bounded(line, event_depth_max);
    if (parsed.is_discarded())
      return;
    if (auto event = run_event_from(parsed))
      into.push_back(std::move(*event));
  });
}

void event_reader::read(int directory, std::vector<run_event>& into) {
  const descriptor file(::openat(directory, run_file::events, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file)
    return;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t size = ::pread(file.get(), piece.data(), piece.size(), offset_);
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return;
    feed({piece.data(), static_cast<std::size_t>(size)}, into);
  }
}

void event_reader::take(int directory, std::int64_t offset, std::string_view bytes, std::vector<run_event>& into) {
  if (offset == offset_ && !bytes.empty() && lines_.pending().empty())
    feed(bytes, into);
  else
    read(directory, into);
}

} // namespace ferry::runners
