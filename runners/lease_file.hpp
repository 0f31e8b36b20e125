// The lease of a node, as a file in its data directory: until when what the head gave it may run (scheduling/node_lease.hpp). The
// daemon extends it; each shim looks there, so the lease holds also while the daemon is stopped or dead.
//
// 64 bytes, mode 0600: "ferrylea", the end of the lease (CLOCK_BOOTTIME in nanoseconds, int64 in the machine's byte order), and the
// boot id, filled up with NULs. It appears whole, by a rename. The end is one aligned store of 8 bytes through a shared mapping, so
// readers see the one before or this one. That clock begins anew with each boot: a file of an earlier one says that it has ended.
#pragma once

#include "model/boot_time.hpp"
#include "model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace ferry::runners {

inline constexpr const char* lease_file_name = "node.lease"; // in the data directory

// The daemon's side. There is one writer, for one daemon owns a data directory.
class lease_file {
public:
  // Opens that of this boot, as a daemon that died left it; else makes one that has ended. Errors: disk_full, io.
  [[nodiscard]] static result<lease_file> open(const std::filesystem::path& path);
  void set(boot_instant until);
  [[nodiscard]] boot_instant until() const;

private:
  explicit lease_file(std::shared_ptr<std::int64_t> until) : until_(std::move(until)) {}
  std::shared_ptr<std::int64_t> until_; // in the mapping, which goes with it
};

// The shim's side. It keeps to the file that it has opened, also where that is removed or replaced: then nobody extends it any
// more.
class lease_view {
public:
  // Errors: not_found, damaged, io.
  [[nodiscard]] static result<lease_view> open(const std::filesystem::path& path);
  // The clock's beginning: it is of an earlier boot.
  [[nodiscard]] boot_instant until() const;

private:
  explicit lease_view(std::shared_ptr<const std::int64_t> until) : until_(std::move(until)) {}
  std::shared_ptr<const std::int64_t> until_; // null: of an earlier boot
};

} // namespace ferry::runners
