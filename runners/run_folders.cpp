#include "runners/run_folders.hpp"

#include "runners/run_directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>

namespace ferry::runners {
namespace {

constexpr std::string_view unfinished_prefix = ".new-";
constexpr mode_t private_folder = 0700;

result<void> make_job_folders(int directory, const std::filesystem::path& unfinished, const std::filesystem::path& finished,
                              const run_spec& spec) {
  if (::mkdirat(directory, run_file::jobs, private_folder) != 0)
    return fail(system_error("cannot create " + (unfinished / run_file::jobs).string(), errno));
  for (const run_job& job : spec.jobs) {
    const std::string inside = std::string(run_file::jobs) + "/" + to_string(job.id);
    if (job.dir.native() == finished.native() + "/" + inside) {
      if (::mkdirat(directory, inside.c_str(), private_folder) != 0)
        return fail(system_error("cannot create " + (unfinished / inside).string(), errno));
      continue;
    }
    const auto relative = job.dir.lexically_relative(finished);
    const bool outside = relative.empty() || *relative.begin() == "..";
    std::error_code failed;
    std::filesystem::create_directories(outside ? job.dir : unfinished / relative, failed);
    if (failed)
      return fail(system_error("cannot create " + job.dir.string(), failed.value()));
  }
  return {};
}

result<run_folder> lock_and_show(run_folder made, const std::filesystem::path& unfinished, const std::filesystem::path& finished) {
  made.lock.reset(::openat(made.directory.get(), run_file::lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!made.lock || ::flock(made.lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(system_error("cannot lock " + (unfinished / run_file::lock).string(), errno));
  if (::rename(unfinished.c_str(), finished.c_str()) == 0)
    return made;
  if (errno == ENOTEMPTY || errno == EEXIST)
    return fail(error_code::conflict, finished.string() + " is there already");
  return fail(system_error("cannot rename " + unfinished.string(), errno));
}

result<run_folder> fill(const std::filesystem::path& unfinished, const std::filesystem::path& finished, const run_spec& spec,
                        const std::string& text) {
  run_folder made;
  made.directory = open_directory(unfinished);
  if (!made.directory)
    return fail(system_error("cannot open " + unfinished.string(), errno));
  if (auto jobs = make_job_folders(made.directory.get(), unfinished, finished, spec); !jobs)
    return fail(std::move(jobs.error()));
  if (auto written = write_whole(made.directory.get(), run_file::spec, text); !written)
    return fail(std::move(written.error()));
  return lock_and_show(std::move(made), unfinished, finished);
}

// `fill_it` fills the folder while it has another name.
template <class Fill>
result<run_folder> make_folder(const std::filesystem::path& finished, const Fill& fill_it) {
  const auto unfinished = finished.parent_path() / (std::string(unfinished_prefix) + finished.filename().string());
  std::error_code ignored;
  if (::mkdir(unfinished.c_str(), private_folder) != 0) {
    if (errno != EEXIST)
      return fail(system_error("cannot create " + unfinished.string(), errno));
    std::filesystem::remove_all(unfinished, ignored);
    if (::mkdir(unfinished.c_str(), private_folder) != 0)
      return fail(system_error("cannot create " + unfinished.string(), errno));
  }
  auto made = fill_it(unfinished);
  if (!made)
    std::filesystem::remove_all(unfinished, ignored);
  return made;
}

} // namespace

result<run_folder> make_run_folder(const std::filesystem::path& runs, const run_spec& spec, const std::string& text) {
  const auto finished = runs / to_string(spec.batch);
  return make_folder(finished, [&](const std::filesystem::path& unfinished) { return fill(unfinished, finished, spec, text); });
}

result<run_folder> make_worker_folder(const run_spec& spec, const std::string& text) {
  const auto& finished = spec.worker->directory;
  std::error_code failed;
  std::filesystem::create_directories(finished.parent_path(), failed);
  return make_folder(finished, [&](const std::filesystem::path& unfinished) -> result<run_folder> {
    run_folder made;
    made.directory = open_directory(unfinished);
    if (!made.directory)
      return fail(system_error("cannot open " + unfinished.string(), errno));
    if (auto written = write_whole(made.directory.get(), run_file::worker, text); !written)
      return fail(std::move(written.error()));
    return lock_and_show(std::move(made), unfinished, finished);
  });
}

void remove_run_folder(const std::filesystem::path& runs, batch_id batch) {
  std::error_code ignored;
  std::filesystem::remove_all(runs / to_string(batch), ignored);
}

void sweep_run_folders(const std::filesystem::path& runs) {
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(runs, failed), end; !failed && entry != end; entry.increment(failed)) {
    std::error_code ignored;
    if (entry->path().filename().string().starts_with(unfinished_prefix))
      std::filesystem::remove_all(entry->path(), ignored);
  }
}

} // namespace ferry::runners
