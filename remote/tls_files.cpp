#include "remote/tls_files.hpp"

#include "remote/messages.hpp"

#include <array>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace ferry::remote {
namespace {

constexpr std::size_t pem_bytes_max = 1024 * 1024;

tl::unexpected<error> unreadable(const std::filesystem::path& file) {
  return fail(error_code::io, file.string() + " cannot be read: " + std::strerror(errno),
              "`ferry certs issue NAME` makes certificates for nodes and programs");
}

} // namespace

result<memory_file> memory_file::copy_of(const std::filesystem::path& file) {
  const int from = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0)
    return unreadable(file);
  std::string text;
  std::array<char, 16'384> piece{};
  ssize_t got = 0;
  while ((got = ::read(from, piece.data(), piece.size())) > 0 && text.size() <= pem_bytes_max)
    text.append(piece.data(), static_cast<std::size_t>(got));
  const bool failed = got < 0;
  const int why = errno;
  ::close(from);
  errno = why;
  if (failed)
    return unreadable(file);
  if (text.size() > pem_bytes_max)
    return fail(error_code::too_large,
                file.string() + " has more than " + std::to_string(pem_bytes_max) + " bytes: no certificate");
  memory_file copy(::memfd_create("ferry-identity", MFD_CLOEXEC));
  for (std::size_t written = 0; copy.descriptor_ >= 0 && written < text.size();) {
    const auto more = ::write(copy.descriptor_, text.data() + written, text.size() - written);
    if (more < 0)
      return fail(error_code::io, file.string() + " cannot be kept in memory: " + std::strerror(errno));
    written += static_cast<std::size_t>(more);
  }
  if (copy.descriptor_ < 0)
    return fail(error_code::io, file.string() + " cannot be kept in memory: " + std::strerror(errno));
  return copy;
}

memory_file::memory_file(memory_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

memory_file& memory_file::operator=(memory_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

memory_file::~memory_file() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

std::string memory_file::path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

result<tls_files> tls_files::load(const identity_files& files, instant now) {
  auto checked = check_identity(files, now);
  if (!checked)
    return fail(checked.error());
  auto certificate = memory_file::copy_of(files.certificate);
  auto key = memory_file::copy_of(files.key);
  auto authority = memory_file::copy_of(files.authority);
  for (const auto* read : {&certificate, &key, &authority})
    if (!*read)
      return fail(read->error());
  tls_files loaded(std::move(*certificate), std::move(*key), std::move(*authority));
  loaded.warnings_ = std::move(checked->warnings);
  return loaded;
}

void tls_files::set_up(caf::actor_system_config& settings) const {
  settings.load<caf::io::middleman>();
  settings.load<caf::openssl::manager>();
  settings.openssl_certificate = certificate_.path();
  settings.openssl_key = key_.path();
  settings.openssl_cafile = authority_.path(); // all three: without one, CAF would speak to anybody
  settings.set("caf.middleman.app-identifiers", application_identifiers());
  settings.set("caf.middleman.heartbeat-interval", caf::timespan{std::chrono::seconds{1}});
  settings.set("caf.middleman.connection-timeout", caf::timespan{std::chrono::seconds{3}});
}

} // namespace ferry::remote
