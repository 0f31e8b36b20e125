#include "http/job_files.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "http/folder_access.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::http {
namespace {

descriptor open_job_folder(const std::filesystem::path& runs, const job_folder& folder, int flags) {
  const descriptor root(::open(runs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return root ? try_open_beneath(root.get(), folder.path, flags | O_DIRECTORY) : descriptor();
}

class listing {
public:
  void walk(descriptor folder, const std::string& prefix, std::size_t depth, batch_id batch) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(folder.get()), ::closedir);
    if (!entries)
      return;
    (void)folder.release(); // it is closed with the entries
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..")
        continue;
      if (++looked_at_ > limits::job_file_entries_max || found_.files.size() >= limits::job_files_max) {
        found_.is_whole = false;
        return;
      }
      struct stat info {};
      if (::fstatat(::dirfd(entries.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        continue; // it has gone
      const std::string path = prefix + entry->d_name;
      if (S_ISREG(info.st_mode))
        found_.files.push_back({path, batch, static_cast<std::uint64_t>(info.st_size), modified_of(info)});
      else if (S_ISDIR(info.st_mode) && depth < limits::job_file_depth_max)
        walk(descriptor(::openat(::dirfd(entries.get()), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)),
             path + "/", depth + 1, batch);
      else if (S_ISDIR(info.st_mode))
        found_.is_whole = false;
    }
  }

  [[nodiscard]] job_file_list take() { return std::move(found_); }
  void sort_from(std::size_t first) {
    std::sort(found_.files.begin() + static_cast<std::ptrdiff_t>(first), found_.files.end(),
              [](const job_file& a, const job_file& b) { return a.path < b.path; });
  }
  [[nodiscard]] std::size_t size() const { return found_.files.size(); }

private:
  job_file_list found_;
  std::size_t looked_at_ = 0;
};

bool is_plain(const std::string& segment) {
  return !segment.empty() && segment != "." && segment != ".." && segment.find_first_of(std::string_view("/\0", 2)) == segment.npos;
}

error refusal(const std::string& path, int why) {
  const auto shown = "'" + config::shortened(path) + "'";
  if (why == ELOOP || why == EXDEV)
    return {error_code::not_found, shown + " is a symbolic link, or lies behind one; these are not followed", {}, {}};
  if (why == ENOENT || why == ENOTDIR || why == ENAMETOOLONG || why == ENXIO)
    return {error_code::not_found, "the job has no file " + shown, "`GET /jobs/{id}/artifacts` lists them", {}};
  return {error_code::io, shown + " cannot be read: " + std::strerror(why), {}, {}};
}

} // namespace

std::vector<job_folder> folders_of(const job_record& job) {
  const auto path_in = [&](batch_id batch) { return to_string(batch) + "/jobs/" + to_string(job.id); };
  if (job.part.is_all() && job.items_done == 0)
    return job.batch.is_none() ? std::vector<job_folder>{} : std::vector<job_folder>{{job.batch, path_in(job.batch), ""}};
  std::vector<batch_id> batches;
  if (job.result.is_object())
    if (const auto parts = job.result.find("parts"); parts != job.result.end() && parts->is_array())
      for (const json& part : *parts)
        batches.push_back(batch_id{part.value("batch", std::int64_t{0})});
  if (!job.batch.is_none() && std::find(batches.begin(), batches.end(), job.batch) == batches.end())
    batches.push_back(job.batch);
  std::vector<job_folder> folders;
  for (const batch_id batch : batches)
    folders.push_back({batch, path_in(batch), to_string(batch) + "/"});
  return folders;
}

job_file_list list_files(const std::filesystem::path& runs, const std::vector<job_folder>& folders) {
  listing files;
  for (const job_folder& folder : folders) {
    const auto first = files.size();
    if (auto opened = open_job_folder(runs, folder, O_RDONLY))
      files.walk(std::move(opened), folder.prefix, 0, folder.batch);
    files.sort_from(first);
  }
  return files.take();
}

result<opened_file> open_file(const std::filesystem::path& runs, const std::vector<job_folder>& folders,
                              const std::vector<std::string>& segments) {
  std::string path;
  for (const auto& segment : segments) {
    if (!is_plain(segment))
      return fail(error_code::invalid_argument, "'" + config::shortened(segment) + "' is not the name of a file or folder",
                  "a path has no empty and no dot segments");
    path += (path.empty() ? "" : "/") + segment;
  }
  const auto folder =
      std::find_if(folders.begin(), folders.end(), [&](const job_folder& one) { return path.starts_with(one.prefix); });
  if (folder == folders.end())
    return fail(refusal(path, ENOENT));
  const auto root = open_job_folder(runs, *folder, O_PATH);
  if (!root)
    return fail(refusal(path, errno));
  // Without waiting: a pipe would have no end. What else it may be is found out before anything is read.
  auto file = try_open_beneath(root.get(), path.substr(folder->prefix.size()), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file)
    return fail(refusal(path, errno));
  return described_file(std::move(file), path);
}

} // namespace ferry::http
