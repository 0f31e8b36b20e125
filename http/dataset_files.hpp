// Datasets: folders <data_dir>/datasets/<name>/ with files that were uploaded into them. All of this waits for the disk.
//
// Hidden files, links and whatever is no regular file are neither listed nor read.
#pragma once

#include "http/folder_access.hpp"
#include "http/served_file.hpp"
#include "model/time.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::http {

struct dataset_summary {
  std::string name;
  std::uint64_t files = 0, bytes = 0;
  instant modified{};   // the newest file, or the folder where there is none
  bool is_whole = true; // false: it has more files, or deeper ones, than are looked at
};

struct dataset_file {
  std::string path; // below the dataset
  std::uint64_t bytes = 0;
};
struct dataset_page {
  std::vector<dataset_file> files; // by path
  std::uint64_t total = 0;
  bool is_whole = true;
};

// By name. `datasets` that do not exist are none. Errors: io, unavailable (`stop` was set).
[[nodiscard]] result<std::vector<dataset_summary>> list_datasets(const std::filesystem::path& datasets,
                                                                 const std::atomic<bool>& stop);
// Errors: conflict (there is one), too_large (there are too many), disk_full, io.
[[nodiscard]] result<void> make_dataset(const std::filesystem::path& datasets, const std::string& name);
// Errors: not_found, io, unavailable.
[[nodiscard]] result<dataset_page> read_dataset(const std::filesystem::path& datasets, const std::string& name,
                                                std::uint64_t offset, std::uint64_t limit, const std::atomic<bool>& stop);
// Removes one file, and the folders that it leaves empty; how many bytes it had. Errors: not_found, io.
[[nodiscard]] result<std::uint64_t> remove_dataset_file(const std::filesystem::path& datasets, const std::string& name,
                                                        const std::vector<std::string>& path);
// Takes the dataset off the list at once, then removes it; how many bytes it had. Errors: not_found, io.
[[nodiscard]] result<std::uint64_t> remove_dataset(const std::filesystem::path& datasets, const std::string& name,
                                                   const std::atomic<bool>& stop);
// What an earlier daemon did not come to remove.
void remove_leftovers(const std::filesystem::path& datasets);

// One file. Errors: invalid_argument, not_found, io.
[[nodiscard]] result<opened_file> open_dataset_file(const std::filesystem::path& datasets, const std::string& name,
                                                    const std::vector<std::string>& path);

} // namespace ferry::http
