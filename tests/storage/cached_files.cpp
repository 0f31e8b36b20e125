#include "cached_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace ferry::storage::test {
namespace {

constexpr std::size_t sector = 512;

bool survives(survivors which, std::mt19937& dice) {
  return which == survivors::all || (which == survivors::random && dice() % 2 == 0);
}

std::string content_of(const std::string& path) {
  std::string content(std::filesystem::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

} // namespace

const std::string& cached_file::settle(survivors which, std::mt19937& dice) {
  for (const change& c : unsynced_) {
    if (c.truncates && survives(which, dice))
      durable_.resize(std::min(durable_.size(), c.offset));
    for (std::size_t from = 0; from < c.bytes.size();) {
      const auto piece = std::min(sector - (c.offset + from) % sector, c.bytes.size() - from);
      if (survives(which, dice)) {
        durable_.resize(std::max(durable_.size(), c.offset + from + piece)); // a hole reads as zeros
        durable_.replace(c.offset + from, piece, c.bytes, from, piece);
      }
      from += piece;
    }
  }
  unsynced_.clear();
  return durable_;
}

std::shared_ptr<cached_file> cached_files::open(const std::string& path, bool is_new) {
  if (const auto known = seen_.find(path); known != seen_.end())
    return known->second;
  auto file = std::make_shared<cached_file>(is_new ? std::string{} : content_of(path));
  seen_[path] = file;
  if (is_new)
    unsynced_.push_back({path, file});
  else
    durable_[path] = file; // was there before all this
  return file;
}

void cached_files::remove(const std::string& path) {
  open(path, false);
  seen_.erase(path);
  unsynced_.push_back({path, nullptr});
}

void cached_files::rename(names& in, const renaming& change) {
  if (change.file)
    in[change.path] = change.file;
  else
    in.erase(change.path);
}

void cached_files::sync_folder() {
  for (const auto& change : unsynced_)
    rename(durable_, change);
  unsynced_.clear();
}

std::string cached_files::torn(std::string_view bytes) {
  const auto kept = dice_() % (bytes.size() + 1);
  std::string result(bytes.substr(0, kept));
  for (const auto end = std::min(bytes.size(), (kept + sector - 1) / sector * sector); result.size() < end;)
    result.push_back(static_cast<char>(dice_()));
  return result;
}

void cached_files::cut_power(survivors which) {
  // File systems keep the order of what they do to names: those done first survive.
  const auto kept = which == survivors::all ? unsynced_.size() : which == survivors::none ? 0 : dice_() % (unsynced_.size() + 1);
  for (std::size_t n = 0; n < kept; ++n)
    rename(durable_, unsynced_[n]);
  for (const auto& [path, file] : seen_)
    if (!durable_.contains(path))
      std::filesystem::remove(path);
  for (const auto& [path, file] : durable_)
    std::ofstream(path, std::ios::binary | std::ios::trunc) << file->settle(which, dice_);
  seen_.clear();
  durable_.clear();
  unsynced_.clear();
}

} // namespace ferry::storage::test
