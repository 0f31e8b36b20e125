#include "gpu/upscale/program/run_job.hpp"

#include "gpu/upscale/image/codec.hpp"
#include "gpu/upscale/image/file_error.hpp"
#include "gpu/upscale/program/enlarger.hpp"
#include "gpu/upscale/program/folder_job.hpp"
#include "gpu/upscale/video/enlarge_video.hpp"

#include <chrono>
#include <cmath>
#include <optional>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

enum class source_kind { picture, folder, video };

result<source_kind> kind_of_source(const fs::path& source) {
  std::error_code problem;
  const auto status = fs::status(source, problem);
  if (problem || !fs::exists(status))
    return fail(file_error(source, "cannot be read", problem ? problem.value() : ENOENT));
  if (fs::is_directory(status))
    return source_kind::folder;
  const auto content = sniff_picture(source);
  if (!content)
    return fail(content.error());
  // Named as a picture, whatever it holds: reading it says what is wrong.
  return content->is_picture || format_for(source) ? source_kind::picture : source_kind::video;
}

std::string usual_output(source_kind kind) {
  switch (kind) {
  case source_kind::picture: return "upscaled.png";
  case source_kind::folder: return "upscaled";
  case source_kind::video: return "upscaled.mp4";
  }
  return {};
}

class performance {
public:
  performance(const upscale_job& job, workplace& at) : job_(job), at_(at) {}

  result<job_result> perform() {
    const auto begin = std::chrono::steady_clock::now();
    const auto kind = kind_of_source(job_.source);
    if (!kind)
      return fail(kind.error());
    made_.path = job_.output.empty() ? usual_output(*kind) : job_.output;
    output_ = job_.folder / made_.path;
    if (auto sound = check_output(); !sound)
      return fail(std::move(sound.error()));
    auto done = *kind == source_kind::picture  ? perform_picture()
                : *kind == source_kind::folder ? perform_folder()
                                               : perform_video();
    if (!done)
      return fail(std::move(done.error()));
    made_.model = job_.control_weight > 0 ? job_.model : "none";
    made_.scale = job_.scale;
    made_.control_weight = job_.control_weight;
    made_.device = enlarger_->device();
    made_.prompt = job_.prompt;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    made_.seconds = std::round(seconds * 1000) / 1000;
    return std::move(made_);
  }

private:
  result<void> check_output() const {
    std::error_code problem;
    if (job_.output.empty())
      fs::create_directories(job_.folder, problem);
    if (fs::exists(output_, problem) && fs::equivalent(job_.source, output_, problem))
      return fail(error_code::invalid_argument, output_.string() + " is the source itself, which would be overwritten",
                  "give the output another name");
    return {};
  }

  result<enlarger*> with() {
    if (enlarger_)
      return &*enlarger_;
    loaded_engine engine;
    if (job_.control_weight > 0) {
      auto loaded = at_.networks.get(job_.model, job_.scale);
      if (!loaded)
        return fail(std::move(loaded.error()));
      engine = *loaded;
    }
    return &enlarger_.emplace(engine, job_.scale, job_.control_weight, at_.networks.options().memory_bytes);
  }

  result<void> perform_picture() {
    if (auto format = format_for(output_); !format)
      return fail(std::move(format.error()));
    const auto made = enlarge_file(
        job_.source, output_, job_.scale, [this] { return with(); },
        [this](int tile, int tiles) {
          at_.says.progress(job_.id, {static_cast<double>(tile) / tiles, tile, tiles, tiles == 1 ? "tile" : "tiles"});
          return !at_.should_stop();
        });
    if (!made)
      return fail(made.error());
    made_.width = made->width;
    made_.height = made->height;
    at_.says.artifact(job_.id, made_.path);
    return {};
  }

  result<void> perform_folder() {
    auto outcome = run_folder(
        job_, output_, [this] { return with(); }, at_);
    if (!outcome)
      return fail(std::move(outcome.error()));
    made_.pictures = outcome->pictures;
    made_.notes = std::move(outcome->notes);
    return {};
  }

  result<void> perform_video() {
    video_request request{.source = job_.source,
                          .output = output_,
                          .scale = job_.scale,
                          .threads = at_.networks.options().threads,
                          .resume_from = job_.resume_from};
    if (auto facts = probe_video(job_.source); !facts) // before a network is loaded for nothing
      return fail(std::move(facts.error()));
    const auto enlarging = with();
    if (!enlarging)
      return fail(enlarging.error());
    request.frames_at_once = (*enlarging)->worthwhile_at_once();
    request.recipe = job_.control_weight > 0 ? job_.model + " " + std::to_string(job_.control_weight) : "lanczos";
    const video_hooks hooks{
        .enlarge =
            [&](const std::vector<picture>& frames) {
              return (*enlarging)->enlarge_together(frames, [this] { return !at_.should_stop(); });
            },
        .on_frames =
            [this](std::int64_t done, std::optional<std::int64_t> total) {
              at_.says.progress(job_.id, frame_progress(done, total));
              return !at_.should_stop();
            },
        .on_checkpoint =
            [this](const fs::path& folder, std::int64_t frames) {
              at_.says.checkpoint(job_.id, folder.lexically_proximate(fs::absolute(job_.folder)).string(), frames);
            },
        .note =
            [this](const std::string& text) {
              at_.says.log(job_.id, text);
              made_.notes.push_back(text);
            },
    };
    const auto made = enlarge_video(request, hooks);
    if (!made)
      return fail(made.error());
    at_.says.progress(job_.id, {1.0, made->frames, made->frames, "frames"});
    at_.says.artifact(job_.id, made_.path);
    made_.width = made->width;
    made_.height = made->height;
    made_.frames = made->frames;
    if (made->resumed_frames > 0)
      made_.resumed_frames = made->resumed_frames;
    return {};
  }

  // How many frames there are is an estimate for some files: it is never reached before the end.
  static job_progress frame_progress(std::int64_t done, std::optional<std::int64_t> total) {
    if (!total)
      return {std::nullopt, done, std::nullopt, "frames"};
    const std::int64_t expected = std::max(*total, done + 1);
    return {static_cast<double>(done) / static_cast<double>(expected), done, expected, "frames"};
  }

  const upscale_job& job_;
  workplace& at_;
  fs::path output_;
  std::optional<enlarger> enlarger_;
  job_result made_;
};

} // namespace

result<job_result> run_job(const upscale_job& job, workplace& at) { return performance(job, at).perform(); }

} // namespace ferry::upscale
