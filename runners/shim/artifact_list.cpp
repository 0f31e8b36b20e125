#include "runners/shim/artifact_list.hpp"

#include "config/limits.hpp"
#include "runners/descriptor.hpp"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <set>
#include <string_view>
#include <sys/stat.h>

namespace ferry::runners {
namespace {

constexpr int depth_max = 32;

class listing {
public:
  explicit listing(int root) : root_(root) {}

  void add_named(const std::string& path) {
    // A folder on the way that is a link could lead outside.
    struct stat info {};
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      if (::fstatat(root_, path.substr(0, slash).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode))
        return;
    if (::fstatat(root_, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
      add(path, info);
  }

  void walk(int folder, const std::string& prefix, int depth) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(folder), ::closedir);
    if (!entries)
      return;
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      struct stat info {};
      if (name == "." || name == ".." || full() ||
          ::fstatat(::dirfd(entries.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      const std::string path = prefix + entry->d_name;
      if (!S_ISDIR(info.st_mode)) {
        add(path, info);
      } else if (depth < depth_max) {
        const int inner = ::openat(::dirfd(entries.get()), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (inner >= 0)
          walk(inner, path + "/", depth + 1);
      }
    }
  }

  [[nodiscard]] std::vector<artifact> take() { return std::move(files_); }
  [[nodiscard]] std::size_t size() const { return files_.size(); }

private:
  [[nodiscard]] bool full() const { return files_.size() >= limits::artifacts_listed_max; }

  void add(const std::string& path, const struct stat& info) {
    if (!S_ISREG(info.st_mode) || full() || !known_.insert(path).second || path_bytes_ + path.size() > limits::result_bytes_max)
      return;
    path_bytes_ += path.size();
    files_.push_back({path, info.st_size});
  }

  int root_;
  std::size_t path_bytes_ = 0;
  std::set<std::string> known_;
  std::vector<artifact> files_;
};

} // namespace

std::vector<artifact> list_artifacts(const std::filesystem::path& directory, const std::vector<std::string>& first) {
  descriptor root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root)
    return {};
  listing files(root.get());
  for (const std::string& path : first)
    files.add_named(path);
  const auto named = static_cast<std::ptrdiff_t>(files.size());
  files.walk(root.release(), "", 0);
  auto all = files.take();
  std::sort(all.begin() + named, all.end(), [](const artifact& a, const artifact& b) { return a.path < b.path; });
  return all;
}

} // namespace ferry::runners
