// Files as a disk with a cache keeps them: what was synced is there after a power cut, what was written since may be lost, in any
// order and sector by sector, and names may be as old as the last sync of their folder (after LevelDB's FaultInjectionTestEnv and
// SQLite's test6.c). The files themselves show what a running program sees; this class keeps beside them what is certain.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::storage::test {

// What a power cut leaves of that which was not synced.
enum class survivors { none, all, random };

// The content of one file, whatever its name is by now.
class cached_file {
public:
  explicit cached_file(std::string durable) : durable_(std::move(durable)) {}

  void write(std::size_t offset, std::string_view bytes) { unsynced_.push_back({offset, std::string(bytes), false}); }
  void truncate(std::size_t size) { unsynced_.push_back({size, {}, true}); }
  // What is left once the power is cut or the cache is written out; nothing is unsynced then.
  const std::string& settle(survivors which, std::mt19937& dice);

private:
  struct change {
    std::size_t offset;
    std::string bytes;
    bool truncates; // to `offset`
  };
  std::string durable_;
  std::vector<change> unsynced_;
};

class cached_files {
public:
  explicit cached_files(unsigned seed) : dice_(seed) {}

  // The content of the file of this name; one that `is_new` has a name that is not durable yet.
  std::shared_ptr<cached_file> open(const std::string& path, bool is_new);
  void remove(const std::string& path);
  void sync(cached_file& file) { file.settle(survivors::all, dice_); }
  // Linux marks what it could not write as clean: a later sync that succeeds does not make it durable (any part may be lost).
  void fail_sync(cached_file& file) { file.settle(survivors::random, dice_); }
  void sync_folder();
  // A write that the power cut interrupts: a part of it, then noise up to the end of a sector.
  std::string torn(std::string_view bytes);

  // Rewrites the files as the disk holds them when the power is back.
  void cut_power(survivors which);

private:
  struct renaming {
    std::string path;
    std::shared_ptr<cached_file> file; // none: removed
  };
  using names = std::map<std::string, std::shared_ptr<cached_file>>;
  static void rename(names& in, const renaming& change);

  std::mt19937 dice_;
  names seen_, durable_;
  std::vector<renaming> unsynced_;
};

} // namespace ferry::storage::test
