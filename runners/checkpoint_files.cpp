#include "runners/checkpoint_files.hpp"

#include "runners/file_times.hpp"

#include "config/limits.hpp"

#include <fnmatch.h>
#include <sys/stat.h>
#include <tuple>

namespace ferry::runners {

namespace fs = std::filesystem;

std::optional<found_file> newest_file(const fs::path& directory, const std::string& pattern) {
  std::optional<found_file> newest;
  std::error_code problem;
  std::size_t looked_at = 0;
  for (fs::recursive_directory_iterator at(directory, fs::directory_options::skip_permission_denied, problem), end;
       !problem && at != end && looked_at < limits::checkpoint_files_searched_max; at.increment(problem), ++looked_at) {
    const std::string relative = at->path().lexically_relative(directory).string();
    struct stat info {};
    if (::fnmatch(pattern.c_str(), relative.c_str(), FNM_PATHNAME | FNM_PERIOD) != 0 || ::lstat(at->path().c_str(), &info) != 0 ||
        !S_ISREG(info.st_mode))
      continue;
    const auto written = written_at(info);
    if (!newest || std::tuple{written, relative} > std::tuple{newest->written, newest->path})
      newest = found_file{relative, written};
  }
  return newest;
}

} // namespace ferry::runners
