#include "storage/sqlite_errors.hpp"

#include <cerrno>
#include <cstring>

namespace ferry::storage {
namespace {

bool is_out_of_room(int number) { return number == ENOSPC || number == EDQUOT; }

error disk_full_error(const std::filesystem::path& file, const std::string& doing) {
  return {error_code::disk_full, file.string() + ": cannot " + doing + ": no room is left on the disk",
          "free some room there; nothing that was acknowledged is lost, and ferry goes on by itself"};
}

// The errno behind a failed call. SQLite does not note it where COMMIT fails to sync; until another call fails, its VFS still
// knows.
int errno_of(sqlite3* connection, int extended_code) {
  if (!connection)
    return 0;
  sqlite3_vfs* vfs = nullptr;
  if (extended_code == SQLITE_IOERR_FSYNC &&
      sqlite3_file_control(connection, "main", SQLITE_FCNTL_VFS_POINTER, static_cast<void*>(&vfs)) == SQLITE_OK && vfs)
    return vfs->xGetLastError(vfs, 0, nullptr);
  return sqlite3_system_errno(connection);
}

} // namespace

error damaged_error(const std::filesystem::path& file, const std::string& what) {
  const std::string name = file.string();
  return {error_code::damaged, name + " is damaged: " + what,
          "look at it with `sqlite3 " + name +
              " 'PRAGMA integrity_check'`; restore a backup, or rescue what can be read with `sqlite3 " + name +
              " .recover | sqlite3 rescued.db`; to begin anew, move " + name + ", " + name + "-wal and " + name + "-shm away"};
}

error system_error(int number, const std::filesystem::path& file, const std::string& doing) {
  if (is_out_of_room(number))
    return disk_full_error(file, doing);
  return {error_code::io, file.string() + ": cannot " + doing + ": " + std::strerror(number),
          number == EACCES || number == EPERM || number == EROFS ? "the user that runs ferryd must be allowed to write there" : ""};
}

error sqlite_error(const SQLite::Exception& failure, sqlite3* connection, const std::filesystem::path& file,
                   const std::string& doing) {
  const int number = errno_of(connection, failure.getExtendedErrorCode());
  const std::string message = file.string() + ": cannot " + doing + ": " + failure.what();
  switch (failure.getErrorCode() & 0xff) {
  case SQLITE_FULL: return disk_full_error(file, doing);
  case SQLITE_IOERR:
    if (is_out_of_room(number) || failure.getExtendedErrorCode() == SQLITE_IOERR_SHMSIZE)
      return disk_full_error(file, doing);
    return {error_code::io, message + (number ? std::string(" (") + std::strerror(number) + ")" : ""),
            "look at the disk's health (dmesg)"};
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB: return damaged_error(file, failure.what());
  case SQLITE_BUSY:
  case SQLITE_LOCKED: return {error_code::unavailable, message, "another program holds the database; end it and try again"};
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
  case SQLITE_AUTH:
  case SQLITE_READONLY:
    if (is_out_of_room(number))
      return disk_full_error(file, doing);
    return {error_code::io, message + (number ? std::string(" (") + std::strerror(number) + ")" : ""),
            "the user that runs ferryd must be allowed to read and write it"};
  default: return {error_code::internal, message};
  }
}

} // namespace ferry::storage
