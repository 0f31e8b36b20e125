#include "gpu/upscale/video/segments.hpp"

#include "gpu/upscale/image/atomic_file.hpp"
#include "gpu/upscale/image/file_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

using json = nlohmann::json;

constexpr int manifest_version = 1;
constexpr std::size_t manifest_bytes_max = 16 * 1024 * 1024;
const std::string manifest_name = "manifest.json", lock_name = "lock", part_prefix = "part-";

std::string segment_name(std::size_t index) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%05zu.mp4", index);
  return name.data();
}

bool is_segment_name(const std::string& name) {
  return name.size() >= 9 && name.ends_with(".mp4") && name.find_first_not_of("0123456789") == name.size() - 4;
}

// Segments are never written again once they are there, so another name of the same file will do. What cannot be taken is made
// again.
void take_over(const fs::path& earlier, const fs::path& folder) {
  std::error_code problem;
  if (earlier.empty() || fs::exists(folder / manifest_name, problem) || !fs::exists(earlier / manifest_name, problem))
    return;
  for (const auto& file : fs::directory_iterator(earlier, problem)) {
    const fs::path here = folder / file.path().filename();
    if (!is_segment_name(file.path().filename().string()))
      continue;
    fs::create_hard_link(file.path(), here, problem);
    if (problem)
      fs::copy_file(file.path(), here, problem);
    if (problem)
      return;
  }
  fs::copy_file(earlier / manifest_name, folder / manifest_name, problem);
}

} // namespace

segment_folder::segment_folder(fs::path folder, std::string recipe, int lock)
    : folder_(std::move(folder)), recipe_(std::move(recipe)), lock_(lock) {}

segment_folder::segment_folder(segment_folder&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      recipe_(std::move(other.recipe_)),
      lock_(std::exchange(other.lock_, -1)),
      finished_(std::move(other.finished_)) {}

segment_folder::~segment_folder() {
  if (folder_.empty())
    return;
  if (finished_.empty())
    remove();
  else
    remove_files(true);
  if (lock_ >= 0)
    ::close(lock_);
}

result<segment_folder> segment_folder::open(const fs::path& output, const std::string& recipe,
                                            const std::function<void(const std::string&)>& say, const fs::path& earlier) {
  const fs::path folder = fs::absolute(output).parent_path() / ("." + output.filename().string() + ".segments");
  std::error_code problem;
  fs::create_directory(folder, problem);
  if (problem)
    return fail(file_error(folder, "cannot be made", problem.value()));
  const int lock = ::open((folder / lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0)
    return fail(file_error(folder / lock_name, "cannot be made", errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return fail(error_code::conflict, "another run is making " + output.string() + ": it holds " + (folder / lock_name).string(),
                "wait for it, or give this one another output");
  }
  take_over(earlier, folder);
  segment_folder opened(folder, recipe, lock);
  const bool anything = fs::exists(folder / manifest_name, problem);
  if (anything && !opened.read_manifest()) {
    opened.finished_.clear();
    opened.remove_files(false);
    say("what " + folder.string() + " holds was made of another source, in another way, or is damaged: starting anew");
  }
  opened.remove_files(true);
  return opened;
}

std::int64_t segment_folder::frames() const {
  std::int64_t sum = 0;
  for (const segment& each : finished_)
    sum += each.frames;
  return sum;
}

fs::path segment_folder::path_of(std::size_t index) const { return folder_ / segment_name(index); }

// The process that was killed may have left an ffmpeg that still writes: no name is used twice.
fs::path segment_folder::part(const std::string& name) const {
  return folder_ / (part_prefix + std::to_string(::getpid()) + "-" + name);
}

bool segment_folder::read_manifest() {
  std::error_code problem;
  if (const auto size = fs::file_size(folder_ / manifest_name, problem); problem || size > manifest_bytes_max)
    return false;
  std::ifstream in(folder_ / manifest_name, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  try {
    const json manifest = json::parse(text);
    if (manifest.at("version").get<int>() != manifest_version || manifest.at("recipe").get<std::string>() != recipe_)
      return false;
    for (const json& each : manifest.at("segments")) {
      const segment one{each.at("frames").get<std::int64_t>(), each.at("bytes").get<std::int64_t>()};
      const auto size = fs::file_size(path_of(finished_.size()), problem);
      if (problem || size != static_cast<std::uintmax_t>(one.bytes) || one.frames <= 0)
        break; // from here on they are made again
      finished_.push_back(one);
    }
    return true;
  } catch (const json::exception&) { return false; }
}

result<void> segment_folder::write_manifest() const {
  json segments = json::array();
  for (const segment& each : finished_)
    segments.push_back({{"frames", each.frames}, {"bytes", each.bytes}});
  const std::string text = json{{"version", manifest_version}, {"recipe", recipe_}, {"segments", std::move(segments)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
  auto file = atomic_file::create(folder_ / manifest_name);
  if (!file)
    return fail(std::move(file.error()));
  std::fwrite(text.data(), 1, text.size(), file->stream());
  return file->commit();
}

result<void> segment_folder::add(const fs::path& part, std::int64_t frames) {
  const fs::path final_path = path_of(finished_.size());
  if (auto moved = move_into_place(part, final_path); !moved)
    return moved;
  std::error_code problem;
  const auto bytes = fs::file_size(final_path, problem);
  if (problem)
    return fail(file_error(final_path, "cannot be read", problem.value()));
  finished_.push_back({frames, static_cast<std::int64_t>(bytes)});
  auto written = write_manifest();
  if (!written)
    finished_.pop_back();
  return written;
}

result<fs::path> segment_folder::write_list(double seconds_a_frame) const {
  std::string text = "ffconcat version 1.0\n";
  for (std::size_t i = 0; i < finished_.size(); ++i) {
    std::array<char, 64> seconds{};
    std::snprintf(seconds.data(), seconds.size(), "%.6f", static_cast<double>(finished_[i].frames) * seconds_a_frame);
    text += "file '" + segment_name(i) + "'\nduration " + seconds.data() + "\n";
  }
  const fs::path list = part("list.ffconcat");
  auto file = atomic_file::create(list);
  if (!file)
    return fail(std::move(file.error()));
  std::fwrite(text.data(), 1, text.size(), file->stream());
  if (auto written = file->commit(); !written)
    return fail(std::move(written.error()));
  return list;
}

// Only what carries our names: should somebody keep something else here, it stays.
void segment_folder::remove_files(bool parts_only) const {
  std::error_code ignored;
  std::vector<fs::path> doomed;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool is_part = name.starts_with(part_prefix) || name.starts_with(".ferry-upscale-");
    if (is_part || (!parts_only && (name == manifest_name || is_segment_name(name))))
      doomed.push_back(entry.path());
  }
  for (const fs::path& file : doomed)
    fs::remove(file, ignored);
}

void segment_folder::remove() {
  std::error_code ignored;
  finished_.clear();
  remove_files(false);
  fs::remove(folder_ / lock_name, ignored);
  fs::remove(folder_, ignored);
}

} // namespace ferry::upscale
