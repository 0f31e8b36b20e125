#include "http/job_files.hpp"

#include "config/file_limits.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ferry::http {
namespace {

using runners::descriptor;

// The kernel refuses every step that would lead outside or through a link, however the job changes its folders meanwhile.
descriptor open_below(int folder, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return descriptor(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

descriptor open_folder(const std::filesystem::path& runs, const job_folder& folder, int flags) {
  const descriptor root(::open(runs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return root ? open_below(root.get(), folder.path, flags | O_DIRECTORY) : descriptor();
}

instant modified_of(const struct stat& info) {
  return from_unix_ms(std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000);
}

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%llx", static_cast<unsigned long long>(value));
  return text.data();
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
    if (auto opened = open_folder(runs, folder, O_RDONLY))
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
  const auto root = open_folder(runs, *folder, O_PATH);
  if (!root)
    return fail(refusal(path, errno));
  // Without waiting: a pipe would have no end. What else it may be is found out before anything is read.
  opened_file opened{.file = open_below(root.get(), path.substr(folder->prefix.size()), O_RDONLY | O_NONBLOCK | O_NOCTTY)};
  if (!opened.file)
    return fail(refusal(path, errno));
  struct stat info {};
  if (::fstat(opened.file.get(), &info) != 0)
    return fail(refusal(path, errno));
  if (!S_ISREG(info.st_mode))
    return fail(error_code::not_found, "'" + config::shortened(path) + "' is not a regular file");
  opened.bytes = static_cast<std::uint64_t>(info.st_size);
  opened.modified = modified_of(info);
  opened.etag = '"' + hex(info.st_ino) + '-' + hex(static_cast<std::uint64_t>(info.st_mtim.tv_sec)) + '.' +
                hex(static_cast<std::uint64_t>(info.st_mtim.tv_nsec)) + '-' + hex(opened.bytes) + '"';
  return opened;
}

std::string_view media_type_of(std::string_view path) {
  constexpr std::string_view text = "text/plain; charset=utf-8";
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 15> known{{{"png", "image/png"},
                                                                                        {"jpg", "image/jpeg"},
                                                                                        {"jpeg", "image/jpeg"},
                                                                                        {"webp", "image/webp"},
                                                                                        {"gif", "image/gif"},
                                                                                        {"mp4", "video/mp4"},
                                                                                        {"webm", "video/webm"},
                                                                                        {"json", "application/json"},
                                                                                        {"jsonl", text},
                                                                                        {"txt", text},
                                                                                        {"log", text},
                                                                                        {"csv", text},
                                                                                        {"md", text},
                                                                                        {"yaml", text},
                                                                                        {"toml", text}}};
  const auto name = path.substr(path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  std::string ending(dot == name.npos ? "" : name.substr(dot + 1));
  for (char& c : ending)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == ending; });
  return found == known.end() ? unknown_media_type : found->second;
}

} // namespace ferry::http
