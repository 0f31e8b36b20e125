// The end of an upload: what was sent is checked, made durable and given its name. It takes as long as the disk does, so it runs on
// a thread of its own.
//
// A file gets its name only when all of it is synced, by one rename; whatever dies before leaves nothing under inputs/ or
// datasets/.
#pragma once

#include "http/folder_access.hpp"
#include "http/sha256_stream.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ferry::http {

// What its sender said of a file.
struct upload_plan {
  std::string name;
  std::uint64_t bytes = 0;
  std::string sha256;            // in hexadecimal; empty: not told
  std::string dataset;           // empty: an input
  std::vector<std::string> path; // below the dataset
};

struct place_order {
  std::filesystem::path data_dir;
  std::filesystem::path part; // the file, whole
  descriptor file;            // the same, open for reading
  sha256_stream hash;         // of its beginning; the rest is read
  upload_plan plan;
};

struct placed_file {
  std::string path; // absolute
  std::string sha256;
  std::uint64_t added_bytes = 0; // 0: the same content was there under the same name
};

// Where inputs go: <data_dir>/inputs/<16 digits of the hash>/<name>, and files of datasets: <data_dir>/datasets/<name>/<path>,
// where one that is there is replaced. Errors: invalid_argument (another hash than was told), conflict (a folder has that name, a
// file is on the way), unavailable (`stop` was set), disk_full, io.
[[nodiscard]] result<placed_file> place_upload(place_order order, const std::atomic<bool>& stop);
// How many bytes lie under inputs/ and datasets/. `stop` ends it early.
[[nodiscard]] std::uint64_t bytes_stored(const std::filesystem::path& data_dir, const std::atomic<bool>& stop);

} // namespace ferry::http
