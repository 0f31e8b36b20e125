#include "failing_vfs.hpp"

#include <cerrno>
#include <new>
#include <string>
#include <unistd.h>
#include <utility>

namespace ferry::storage::test {

// What SQLite holds for an open file; the real file lies behind it.
struct failing_io : sqlite3_file {
  failing_disk* disk;
  std::shared_ptr<cached_file> content;
  bool syncs_folder; // SQLite syncs the folder of a journal or WAL with its first sync

  using verdict = failing_disk::verdict;

  static failing_io& of(sqlite3_file* file) { return *static_cast<failing_io*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(static_cast<failing_io*>(file) + 1); }
  static failing_disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<failing_disk*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    auto& disk = disk_of(vfs);
    file->pMethods = nullptr;
    const bool is_new = path == nullptr || ::access(path, F_OK) != 0;
    if (disk.dead_ || (is_new && disk.judge(operation::create, true) != verdict::proceed))
      return disk.refuse(operation::create);
    if (const int code = disk.real_->xOpen(disk.real_, path, real(file), flags, flags_out); code != SQLITE_OK)
      return code;
    const bool is_log = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    auto content = path ? disk.files_.open(path, is_new) : std::make_shared<cached_file>("");
    new (file) failing_io{{methods()}, &disk, std::move(content), is_log && (flags & SQLITE_OPEN_CREATE) != 0};
    return SQLITE_OK;
  }

  static int close(sqlite3_file* file) {
    const int code = real(file)->pMethods->xClose(real(file));
    of(file).~failing_io();
    return code;
  }

  static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    auto& disk = disk_of(vfs);
    if (::access(path, F_OK) != 0)
      return SQLITE_IOERR_DELETE_NOENT;
    if (disk.judge(operation::remove, false) != verdict::proceed)
      return disk.refuse(operation::remove);
    disk.files_.remove(path);
    if (sync_folder)
      disk.files_.sync_folder();
    return disk.real_->xDelete(disk.real_, path, 0);
  }

  static int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    if (of(file).disk->judge(operation::read, false) != verdict::proceed)
      return of(file).disk->refuse(operation::read);
    return real(file)->pMethods->xRead(real(file), bytes, size, offset);
  }

  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    auto& self = of(file);
    auto* const disk = self.disk;
    sqlite3_int64 before = 0;
    real(file)->pMethods->xFileSize(real(file), &before);
    const bool was_dead = disk->dead_;
    const auto judged = disk->judge(operation::write, offset + size > before);
    std::string stored(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
    if (was_dead)
      stored.clear();
    else if (judged == verdict::tear)
      stored = disk->files_.torn(stored);
    else if (judged == verdict::refuse)
      stored.resize(stored.size() / 2); // write(2) stores what fits before it fails
    if (!stored.empty()) {
      self.content->write(static_cast<std::size_t>(offset), stored);
      const int code = real(file)->pMethods->xWrite(real(file), stored.data(), static_cast<int>(stored.size()), offset);
      if (code != SQLITE_OK)
        return code;
    }
    return judged == verdict::proceed ? SQLITE_OK : disk->refuse(operation::write);
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto& self = of(file);
    if (self.disk->judge(operation::truncate, false) != verdict::proceed)
      return self.disk->refuse(operation::truncate);
    self.content->truncate(static_cast<std::size_t>(size));
    return real(file)->pMethods->xTruncate(real(file), size);
  }

  static int sync(sqlite3_file* file, int) {
    auto& self = of(file);
    if (self.disk->judge(operation::sync, false) != verdict::proceed) {
      if (!self.disk->dead_)
        self.disk->files_.fail_sync(*self.content);
      return self.disk->refuse(operation::sync);
    }
    self.disk->files_.sync(*self.content);
    if (std::exchange(self.syncs_folder, false))
      self.disk->files_.sync_folder();
    return SQLITE_OK;
  }

  static int map(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
    if (extend != 0 && of(file).disk->judge(operation::map, true) != verdict::proceed)
      return of(file).disk->refuse(operation::map);
    return real(file)->pMethods->xShmMap(real(file), region, size, extend, memory);
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods all{
        .iVersion = 2, // without the memory mapped files of version 3
        .xClose = close,
        .xRead = read,
        .xWrite = write,
        .xTruncate = truncate,
        .xSync = sync,
        .xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); },
        .xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); },
        .xUnlock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
        .xCheckReservedLock = [](sqlite3_file* f, int* held) { return real(f)->pMethods->xCheckReservedLock(real(f), held); },
        .xFileControl = [](sqlite3_file* f, int what,
                           void* value) { return real(f)->pMethods->xFileControl(real(f), what, value); },
        .xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
        .xDeviceCharacteristics = [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
        .xShmMap = map,
        .xShmLock = [](sqlite3_file* f, int offset, int n,
                       int flags) { return real(f)->pMethods->xShmLock(real(f), offset, n, flags); },
        .xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
        .xShmUnmap = [](sqlite3_file* f, int removes) { return real(f)->pMethods->xShmUnmap(real(f), removes); },
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };
    return &all;
  }
};

failing_disk::failing_disk(unsigned seed) : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_), files_(seed) {
  vfs_.pNext = nullptr;
  vfs_.zName = "failing";
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(failing_io)) + real_->szOsFile;
  vfs_.xOpen = failing_io::open;
  vfs_.xDelete = failing_io::remove;
  sqlite3_vfs_register(&vfs_, 1);
}

failing_disk::~failing_disk() { sqlite3_vfs_unregister(&vfs_); }

void failing_disk::arm(const fault& what) {
  armed_ = what;
  counted_ = 0;
  struck_ = false;
}

void failing_disk::heal() { armed_.reset(); }

failing_disk::verdict failing_disk::judge(operation what, bool grows) {
  if (dead_)
    return verdict::refuse;
  if (!armed_ || !holds(armed_->of, what))
    return verdict::proceed;
  if (++counted_ < armed_->nth)
    return verdict::proceed;
  if (counted_ == armed_->nth) {
    struck_ = true;
    dead_ = armed_->sort == failure_sort::power_cut;
    return dead_ ? verdict::tear : verdict::refuse;
  }
  return armed_->lasts && (grows || armed_->sort != failure_sort::no_room) ? verdict::refuse : verdict::proceed;
}

int failing_disk::refuse(operation what) const {
  const bool no_room = !dead_ && armed_ && armed_->sort == failure_sort::no_room;
  errno = no_room ? ENOSPC : EIO;
  switch (what) {
  case operation::read: return SQLITE_IOERR_READ;
  case operation::write: return no_room ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  case operation::sync: return SQLITE_IOERR_FSYNC;
  case operation::truncate: return SQLITE_IOERR_TRUNCATE;
  case operation::create: return SQLITE_CANTOPEN;
  case operation::remove: return SQLITE_IOERR_DELETE;
  case operation::map: return no_room ? SQLITE_IOERR_SHMSIZE : SQLITE_IOERR_SHMMAP;
  }
  return SQLITE_IOERR;
}

void failing_disk::restart(const std::filesystem::path& folder, survivors which) {
  files_.cut_power(which);
  std::filesystem::remove(folder / "ferry.db-shm");
  heal();
  dead_ = false;
}

} // namespace ferry::storage::test
