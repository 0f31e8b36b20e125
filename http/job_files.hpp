// The files in the directories of a job. What a job has put there is not trusted: nothing that is opened or listed lies outside of
// its directory, no symbolic link is followed, and only regular files are read.
#pragma once

#include "http/served_file.hpp"
#include "model/job.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::http {

// Where files of a job are: of its latest attempt; of one that runs in parts, of each part that is done and of the latest.
struct job_folder {
  batch_id batch;
  std::string path;   // below the folder of runs: "7/jobs/42"
  std::string prefix; // of its files' paths: "7/" in parts, so that equal names do not meet; else empty
};
[[nodiscard]] std::vector<job_folder> folders_of(const job_record& job);

struct job_file {
  std::string path; // as it is listed and asked for
  batch_id batch;
  std::uint64_t bytes = 0;
  instant modified{};
};
struct job_file_list {
  std::vector<job_file> files; // by path, a folder after the other
  bool is_whole = true;        // false: there are more, or they lie deeper, than limits::job_files_max and its like allow
};
// A folder that is not there (any more) has no files.
[[nodiscard]] job_file_list list_files(const std::filesystem::path& runs, const std::vector<job_folder>& folders);

// `segments`: its path as it is listed, cut at each "/". Errors: invalid_argument (a segment that is empty, "." or "..", or holds a
// "/" or a NUL), not_found (also: a link, no regular file), io.
[[nodiscard]] result<opened_file> open_file(const std::filesystem::path& runs, const std::vector<job_folder>& folders,
                                            const std::vector<std::string>& segments);

} // namespace ferry::http
