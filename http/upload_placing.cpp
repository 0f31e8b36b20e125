#include "http/upload_placing.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::http {
namespace {

constexpr std::size_t read_bytes = 1024 * 1024;
constexpr std::size_t hash_digits = 16; // of the folder of an input

result<void> hash_rest(int file, sha256_stream& hash, std::uint64_t end, const std::atomic<bool>& stop) {
  std::string piece(read_bytes, '\0');
  while (hash.bytes() < end) {
    if (stop)
      return fail(error_code::unavailable, "the daemon is stopping", "send the upload's last request again");
    const auto n =
        ::pread(file, piece.data(), std::min<std::uint64_t>(piece.size(), end - hash.bytes()), static_cast<off_t>(hash.bytes()));
    if (n <= 0)
      return fail(file_error(n < 0 ? errno : EIO, "what was uploaded cannot be read back"));
    hash.add({piece.data(), static_cast<std::size_t>(n)});
  }
  return {};
}

result<std::string> hash_of(int file, std::uint64_t bytes, const std::atomic<bool>& stop) {
  sha256_stream hash;
  if (auto read = hash_rest(file, hash, bytes, stop); !read)
    return fail(read.error());
  return hash.finish();
}

result<void> rename_into(const place_order& order, const descriptor& folder, const std::string& name) {
  if (::renameat(AT_FDCWD, order.part.c_str(), folder.get(), name.c_str()) != 0)
    return fail(file_error(errno, "'" + name + "' cannot be given to the upload"));
  return sync_folder(folder.get(), name);
}

// The same content under the same name is stored once; the folder's name says which content that is.
result<bool> has_content(const descriptor& folder, const std::string& name, const std::string& sha256, std::uint64_t bytes,
                         const std::atomic<bool>& stop) {
  const auto there = open_beneath(folder.get(), name, 0);
  if (!there)
    return there.error().code == error_code::not_found ? result<bool>(false) : fail(there.error());
  struct stat about {};
  if (::fstat(there->get(), &about) != 0 || !S_ISREG(about.st_mode) || static_cast<std::uint64_t>(about.st_size) != bytes)
    return false;
  const auto found = hash_of(there->get(), bytes, stop);
  if (!found)
    return fail(found.error());
  return *found == sha256;
}

result<placed_file> place_input(const place_order& order, const std::string& sha256, const std::atomic<bool>& stop) {
  const auto inputs = make_folder(order.data_dir / "inputs");
  if (!inputs)
    return fail(inputs.error());
  const std::array parts{sha256.substr(0, hash_digits)};
  const auto folder = make_folders_beneath(inputs->get(), parts);
  if (!folder)
    return fail(folder.error());
  const auto& name = order.plan.name;
  placed_file placed{(order.data_dir / "inputs" / parts[0] / name).string(), sha256, 0};
  const auto is_there = has_content(*folder, name, sha256, order.plan.bytes, stop);
  if (!is_there)
    return fail(is_there.error());
  if (*is_there) {
    ::unlink(order.part.c_str());
    return placed;
  }
  placed.added_bytes = order.plan.bytes;
  if (auto renamed = rename_into(order, *folder, name); !renamed)
    return fail(renamed.error());
  return placed;
}

result<placed_file> place_in_dataset(const place_order& order, const std::string& sha256) {
  const auto datasets = make_folder(order.data_dir / "datasets");
  if (!datasets)
    return fail(datasets.error());
  const auto& path = order.plan.path;
  std::vector<std::string> parts{order.plan.dataset};
  parts.insert(parts.end(), path.begin(), path.end() - 1);
  const auto folder = make_folders_beneath(datasets->get(), parts);
  if (!folder)
    return fail(folder.error());
  if (auto renamed = rename_into(order, *folder, path.back()); !renamed)
    return fail(renamed.error());
  return placed_file{(order.data_dir / "datasets" / joined_path(parts) / path.back()).string(), sha256, order.plan.bytes};
}

} // namespace

result<placed_file> place_upload(place_order order, const std::atomic<bool>& stop) {
  if (auto read = hash_rest(order.file.get(), order.hash, order.plan.bytes, stop); !read)
    return fail(read.error());
  const auto sha256 = order.hash.finish();
  if (!order.plan.sha256.empty() && order.plan.sha256 != sha256)
    return fail(error_code::invalid_argument,
                "what was uploaded has the SHA-256 " + sha256 + ", it was to have " + order.plan.sha256, "upload it again");
  if (::fsync(order.file.get()) != 0)
    return fail(file_error(errno, "the upload cannot be synced"));
  return order.plan.dataset.empty() ? place_input(order, sha256, stop) : place_in_dataset(order, sha256);
}

std::uint64_t bytes_stored(const std::filesystem::path& data_dir, const std::atomic<bool>& stop) {
  namespace fs = std::filesystem;
  std::uint64_t total = 0;
  for (const char* folder : {"inputs", "datasets"}) {
    std::error_code failed;
    fs::recursive_directory_iterator at(data_dir / folder, fs::directory_options::skip_permission_denied, failed), end;
    for (; !failed && at != end && !stop; at.increment(failed)) {
      std::error_code ignored;
      if (at->symlink_status(ignored).type() == fs::file_type::regular)
        if (const auto bytes = at->file_size(ignored); !ignored)
          total += bytes;
    }
  }
  return total;
}

} // namespace ferry::http
