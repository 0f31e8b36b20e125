#include "gpu/upscale/program/folder_job.hpp"

#include "config/limits.hpp"
#include "gpu/upscale/image/codec.hpp"
#include "gpu/upscale/image/file_error.hpp"
#include "gpu/upscale/image/picture_bounds.hpp"

#include <algorithm>
#include <new>
#include <set>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

struct listing {
  std::vector<fs::path> pictures;
  std::size_t passed_over = 0; // other files
};

result<listing> list_pictures(const fs::path& folder) {
  std::error_code problem;
  listing found;
  auto entries = fs::directory_iterator(folder, problem);
  for (; !problem && entries != fs::directory_iterator(); entries.increment(problem)) {
    const fs::path& file = entries->path();
    std::error_code unknown;
    if (file.filename().string().starts_with(".") || !entries->is_regular_file(unknown))
      continue;
    const auto content = sniff_picture(file);
    if ((content && content->is_picture) || format_for(file))
      found.pictures.push_back(file);
    else
      ++found.passed_over;
    if (found.pictures.size() > limits::folder_pictures_max)
      return fail(error_code::too_large,
                  folder.string() + " holds more than " + std::to_string(limits::folder_pictures_max) + " pictures",
                  "make folders of fewer");
  }
  if (problem)
    return fail(file_error(folder, "cannot be read", problem.value()));
  std::sort(found.pictures.begin(), found.pictures.end());
  return found;
}

std::string result_name(const fs::path& source) { return source.filename().string() + (format_for(source) ? "" : ".png"); }

// What is the disk's or the memory's fault will be so for the pictures that follow.
bool ends_all(const error& why) { return why.code == error_code::unavailable || why.code == error_code::disk_full; }

error summary(const std::vector<error>& faults, std::size_t pictures) {
  error all{faults.front().code,
            std::to_string(faults.size()) + " of " + std::to_string(pictures) + " pictures could not be enlarged: "};
  constexpr std::size_t named_max = 3;
  for (std::size_t i = 0; i < std::min(faults.size(), named_max); ++i)
    all.what += (i == 0 ? "" : "; ") + faults[i].what;
  if (faults.size() > named_max)
    all.what += "; …";
  all.hint = "the others are done";
  for (std::size_t i = named_max; i < std::min(faults.size(), limits::problems_max); ++i)
    all.problems.push_back({"", faults[i].what, ""});
  return all;
}

} // namespace

result<picture> enlarge_file(const fs::path& source, const fs::path& output, int scale,
                             const std::function<result<enlarger*>()>& make_enlarger, const tile_progress& progress) {
  try {
    auto read = read_picture(source);
    if (!read)
      return fail(std::move(read.error()));
    if (auto bounded = check_result_size(read->width, read->height, scale, source); !bounded)
      return fail(std::move(bounded.error()));
    // Only now: for a source that cannot be read no network is loaded.
    const auto with = make_enlarger();
    if (!with)
      return fail(with.error());
    auto made = (*with)->enlarge(std::move(*read), progress);
    if (!made)
      return fail(made.error().code, source.string() + ": " + made.error().what, made.error().hint);
    if (auto written = write_picture(*made, output); !written)
      return fail(std::move(written.error()));
    return made;
  } catch (const std::bad_alloc&) {
    return fail(error_code::out_of_memory,
                source.string() + " does not fit into memory when it is enlarged " + std::to_string(scale) + " times",
                "a smaller scale may do");
  }
}

result<folder_outcome> run_folder(const upscale_job& job, const fs::path& output,
                                  const std::function<result<enlarger*>()>& make_enlarger, workplace& at) {
  const auto found = list_pictures(job.source);
  if (!found)
    return fail(found.error());
  if (found->pictures.empty())
    return fail(error_code::invalid_argument, job.source.string() + " holds no PNG or JPEG picture",
                "folders below it are not looked at");
  std::error_code problem;
  fs::create_directories(output, problem);
  if (problem)
    return fail(file_error(output, "cannot be made", problem.value()));
  if (fs::equivalent(job.source, output, problem))
    return fail(error_code::invalid_argument, output.string() + " is the folder of the sources, which would be overwritten",
                "give the output a folder of its own");
  // The network first: without it there is nothing to be done with any of them.
  if (const auto with = make_enlarger(); !with)
    return fail(with.error());
  folder_outcome outcome;
  std::vector<error> faults;
  std::set<std::string> names;
  const auto total = static_cast<std::int64_t>(found->pictures.size());
  for (std::int64_t i = 0; i < total; ++i) {
    const fs::path& source = found->pictures[static_cast<std::size_t>(i)];
    const auto report = [&](std::int64_t done, double fraction) {
      at.says.progress(job.id, {(static_cast<double>(done) + fraction) / static_cast<double>(total), done, total, "pictures"});
    };
    report(i, 0);
    const std::string name = result_name(source);
    if (!names.insert(name).second) {
      faults.push_back(
          {error_code::invalid_argument, source.string() + ": another picture's result is called " + name, "rename it"});
      continue;
    }
    const auto made = enlarge_file(source, output / name, job.scale, make_enlarger, [&](int tile, int tiles) {
      if (tile < tiles)
        report(i, static_cast<double>(tile) / tiles);
      return !at.should_stop();
    });
    if (made) {
      ++outcome.pictures;
      at.says.artifact(job.id, (output.lexically_relative(job.folder) / name).string());
    } else if (ends_all(made.error())) {
      return fail(made.error());
    } else {
      at.says.log(job.id, to_string(made.error()));
      faults.push_back(made.error());
    }
    report(i + 1, 0);
    if (at.should_stop())
      return fail(error_code::unavailable, "stopped");
  }
  if (!faults.empty())
    return fail(summary(faults, found->pictures.size()));
  if (found->passed_over > 0)
    outcome.notes.push_back(std::to_string(found->passed_over) + " files that are no PNG or JPEG pictures were passed over");
  return outcome;
}

} // namespace ferry::upscale
