// The head's copy of a run directory that is on a node: the same files at the same places, so whatever shows logs, metrics and
// artifacts need not know where a run was. Files come in pieces, each at the offset that the copy has reached, so a transfer that
// broke off goes on where it was, whoever restarted. What grows while the run lives (its log, its events) is written in place;
// anything else gets its name once it is whole and on disk.
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::runners {

struct file_piece {
  batch_id batch;
  std::string path; // below the run directory, without "." and ".." and links
  std::uint64_t offset = 0;
  std::string_view bytes;
  bool is_last = false;
  std::int64_t modified_ns = 0; // of the file on the node: a copy of another version is replaced
};

// How many bytes of the file the copy has: where the next piece is to begin. A piece that begins elsewhere changes nothing, but
// that a last one that was written before its head died is now stored. Errors: invalid_argument (a path that leads out of the run
// directory, or that no file can have there: it is of no use to try again), disk_full, io.
[[nodiscard]] result<std::uint64_t> take_piece(const std::filesystem::path& runs, const file_piece& piece);

// What grows while a run lives, in its directory.
[[nodiscard]] const std::vector<std::string>& growing_files();

struct finished_file {
  std::string path; // below the run directory
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0; // since the epoch
};
// A file of a run as it is now; nothing: there is none, or it is no plain file.
[[nodiscard]] std::optional<finished_file> file_of_run(const std::filesystem::path& run_directory, const std::string& path);
// What a job has left in its directory: files, without links and special files, by path. Errors: too_large (more than
// limits::node_files_max files), io.
[[nodiscard]] result<std::vector<finished_file>> files_of_job(const std::filesystem::path& run_directory, job_id job);

} // namespace ferry::runners
