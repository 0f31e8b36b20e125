// What a job reads, on its way from the head to a node: files and whole folders that its parameters name, and the checkpoint that
// it continues from. The head lists and reads them; the node keeps them in a cache, whose entries are known by path, size and time
// of the last change, so what has changed on the head is fetched anew.
#pragma once

#include "model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace ferry::runners {

struct input_file {
  std::string path; // below the input's root; empty: the root is this file
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0; // since the epoch
};

// ---- on the head ----

// The files of an input, by path; none where there is nothing under that name, which is the job's own trouble. Links inside a
// folder are not followed. Errors: too_large (more than limits::node_files_max files), io.
[[nodiscard]] result<std::vector<input_file>> list_input(const std::string& root);
// At most limits::node_piece_bytes_max bytes from `offset` on. Errors: io; conflict, when the file is not as it was listed any
// more.
[[nodiscard]] result<std::string> read_input(const std::string& root, const input_file& file, std::uint64_t offset);

// ---- on the node ----

class input_cache {
public:
  // `folder` is made when missing. What a fetch that broke off has left is used by the next one.
  input_cache(std::filesystem::path folder, std::uint64_t bytes_max) : folder_(std::move(folder)), bytes_max_(bytes_max) {}

  // Where an input is, or will be, once it is whole: a file or folder with the name that it has on the head.
  [[nodiscard]] std::filesystem::path path_of(const std::string& root, const std::vector<input_file>& files) const;
  [[nodiscard]] bool has(const std::string& root, const std::vector<input_file>& files) const;
  // How much of a file has come.
  [[nodiscard]] std::uint64_t reached(const std::string& root, const std::vector<input_file>& files, const input_file& file) const;
  // Errors: disk_full, io, invalid_argument (a path that leads out of the folder).
  [[nodiscard]] result<void> append(const std::string& root, const std::vector<input_file>& files, const input_file& file,
                                    const std::string& bytes) const;
  // All of it has come. Errors: io, disk_full.
  [[nodiscard]] result<void> finish(const std::string& root, const std::vector<input_file>& files) const;
  // Makes room for so many bytes: what was used longest ago goes, but for what is in use (its path_of). Errors: too_large (there is
  // no room for so much).
  [[nodiscard]] result<void> make_room(std::uint64_t bytes, const std::set<std::filesystem::path>& in_use) const;

private:
  [[nodiscard]] std::filesystem::path coming(const std::string& root, const std::vector<input_file>& files) const;

  std::filesystem::path folder_;
  std::uint64_t bytes_max_;
};

} // namespace ferry::runners
