// A file that is there whole or not at all: written under a hidden name in the same folder, made to last, then renamed over the
// final name. Whatever goes wrong before that leaves nothing behind; only a kill leaves the hidden file ".ferry-upscale-XXXXXX".
#pragma once

#include "model/error.hpp"

#include <cstdio>
#include <filesystem>

namespace ferry::upscale {

class atomic_file {
public:
  // Errors: as file_error() says.
  [[nodiscard]] static result<atomic_file> create(const std::filesystem::path& final_path);
  atomic_file(atomic_file&& other) noexcept;
  atomic_file& operator=(atomic_file&&) = delete;
  ~atomic_file();

  [[nodiscard]] std::FILE* stream() const { return stream_; }
  // The file is now there under its final name, on disk. Errors: disk_full, io.
  [[nodiscard]] result<void> commit();

private:
  atomic_file(std::filesystem::path final_path, std::filesystem::path hidden, std::FILE* stream);

  std::filesystem::path final_path_;
  std::filesystem::path hidden_; // empty: nothing to remove
  std::FILE* stream_ = nullptr;
};

// Makes a finished file last and gives it its final name, in the same file system.
[[nodiscard]] result<void> move_into_place(const std::filesystem::path& finished, const std::filesystem::path& final_path);

} // namespace ferry::upscale
