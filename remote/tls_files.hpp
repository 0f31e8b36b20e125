// Who this process is to others: its certificate, its key, and the authority whose certificates it believes. CAF reads these files
// again for every connection and ends the process where one is missing; so it is given copies in memory, which nobody can take
// away.
#pragma once

#include "remote/certificates.hpp"

#include <caf/actor_system_config.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace ferry::remote {

// A file's contents behind a path of this process alone.
class memory_file {
public:
  // Errors: io, too_large; they name the file.
  [[nodiscard]] static result<memory_file> copy_of(const std::filesystem::path& file);
  memory_file(memory_file&& other) noexcept;
  memory_file& operator=(memory_file&& other) noexcept;
  ~memory_file();

  [[nodiscard]] std::string path() const;

private:
  explicit memory_file(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

class tls_files {
public:
  // Errors: those of check_identity and of memory_file.
  [[nodiscard]] static result<tls_files> load(const identity_files& files, instant now);

  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; } // what expires soon

  // Loads CAF's middleman and its mutual TLS into a system that is made of `settings`; this must outlive it. A peer that is silent
  // for three seconds counts as gone.
  void set_up(caf::actor_system_config& settings) const;

private:
  tls_files(memory_file certificate, memory_file key, memory_file authority)
      : certificate_(std::move(certificate)), key_(std::move(key)), authority_(std::move(authority)) {}
  memory_file certificate_, key_, authority_;
  std::vector<std::string> warnings_;
};

} // namespace ferry::remote
