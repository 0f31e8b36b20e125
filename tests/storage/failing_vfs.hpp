// A disk that fails: an SQLite VFS over the usual one that refuses, tears or forgets what the nth operation asks of it. While an
// object lives it is SQLite's default, so that stores open through it without knowing. Syncs reach the simulated disk alone
// (cached_files.hpp); locks and shared memory stay real. One thread.
#pragma once

#include "cached_files.hpp"

#include <filesystem>
#include <optional>
#include <sqlite3.h>

namespace ferry::storage::test {

// Of the database, its WAL and journal, and of temporary files. `create` and `remove` are of names, `map` grows the shared memory.
enum class operation : unsigned { read = 1, write = 2, sync = 4, truncate = 8, create = 16, remove = 32, map = 64 };

constexpr operation operator|(operation a, operation b) {
  return static_cast<operation>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool holds(operation set, operation one) { return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0; }

inline constexpr operation takes_room =
    operation::write | operation::sync | operation::truncate | operation::create | operation::map;
inline constexpr operation changes = takes_room | operation::remove;
inline constexpr operation everything = changes | operation::read;

enum class failure_sort {
  no_room,   // ENOSPC; where it lasts, only for what grows, as on a real disk
  io_error,  // EIO
  power_cut, // a write is torn, and nothing works from then on
};

struct fault {
  failure_sort sort = failure_sort::io_error;
  operation of = changes;
  std::size_t nth = 1; // of these operations, counted from arm()
  bool lasts = false;  // also those that come after it
};

class failing_disk {
public:
  explicit failing_disk(unsigned seed);
  ~failing_disk();
  failing_disk(const failing_disk&) = delete;
  failing_disk& operator=(const failing_disk&) = delete;

  void arm(const fault& what);
  void heal();
  // The armed fault has happened.
  [[nodiscard]] bool struck() const { return struck_; }

  // As after a power cut: all files must be closed. The shared memory in `folder` does not survive, and the disk works again.
  void restart(const std::filesystem::path& folder, survivors which);
  // From now on nothing works, until restart().
  void die() { dead_ = true; }

private:
  friend struct failing_io;
  enum class verdict { proceed, refuse, tear };

  [[nodiscard]] verdict judge(operation what, bool grows);
  // The code that the usual VFS answers; sets errno.
  [[nodiscard]] int refuse(operation what) const;

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  cached_files files_;
  std::optional<fault> armed_;
  std::size_t counted_ = 0;
  bool struck_ = false, dead_ = false;
};

} // namespace ferry::storage::test
