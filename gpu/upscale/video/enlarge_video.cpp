#include "gpu/upscale/video/enlarge_video.hpp"

#include "config/limits.hpp"
#include "gpu/upscale/image/atomic_file.hpp"
#include "gpu/upscale/image/file_error.hpp"
#include "gpu/upscale/image/picture_bounds.hpp"
#include "gpu/upscale/video/container.hpp"
#include "gpu/upscale/video/frames.hpp"
#include "gpu/upscale/video/segments.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

// Which file it is, and that nobody has written to it since.
result<std::string> identity_of(const fs::path& source) {
  struct stat info {};
  if (::stat(source.c_str(), &info) != 0)
    return fail(file_error(source, "cannot be read", errno));
  return fs::absolute(source).lexically_normal().string() + " " + std::to_string(info.st_size) + " " +
         std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec);
}

result<void> check_size(const video_facts& facts, const video_request& request) {
  if (auto bounded =
          check_source_size(static_cast<std::uint64_t>(facts.width), static_cast<std::uint64_t>(facts.height), request.source);
      !bounded)
    return bounded;
  const int side = std::max(facts.width, facts.height);
  if (side > limits::video_side_max / request.scale)
    return fail(error_code::too_large,
                request.source.string() + " is " + std::to_string(facts.width) + "x" + std::to_string(facts.height) +
                    " pixels; enlarged " + std::to_string(request.scale) + " times it would be more than the " +
                    std::to_string(limits::video_side_max) + " on a side that a video can have",
                "a smaller scale may do");
  return {};
}

class making {
public:
  making(const video_request& request, const video_hooks& hooks, video_facts facts, container into, segment_folder segments)
      : request_(request), hooks_(hooks), facts_(std::move(facts)), into_(std::move(into)), segments_(std::move(segments)) {}

  result<video_result> make() {
    const std::int64_t resumed = segments_.frames();
    if (resumed > 0)
      hooks_.note("going on after frame " + std::to_string(resumed) + ", where an earlier run was ended");
    if (facts_.loses_depth)
      hooks_.note("the source has more than 8 bits a colour, or alpha; the result has neither");
    if (facts_.uneven)
      hooks_.note("frames come unevenly; the result has " + facts_.rate.text() + " a second, in step with the sound");
    if (auto made = make_segments(); !made)
      return fail(std::move(made.error()));
    if (auto joined = join(); !joined)
      return fail(std::move(joined.error()));
    const bool even = !into_.is_webm;
    const int width = facts_.width * request_.scale, height = facts_.height * request_.scale;
    video_result made{.width = even ? width - width % 2 : width,
                      .height = even ? height - height % 2 : height,
                      .frames = segments_.frames(),
                      .resumed_frames = resumed};
    segments_.remove();
    return made;
  }

private:
  // A segment whose frames are all with the encoder, which works on while the next segment begins.
  struct closing_segment {
    frame_writer writer;
    fs::path part;
    std::int64_t frames = 0;
  };

  result<void> make_segments() {
    auto reader = frame_reader::open(request_.source, facts_, segments_.frames(), request_.threads);
    if (!reader)
      return fail(std::move(reader.error()));
    frames_given_ = segments_.frames();
    if (!hooks_.on_frames(frames_given_, facts_.frames))
      return stopped();
    result<void> made;
    for (bool more = true; more && made;)
      made = make_segment(*reader, more);
    // Whatever went wrong, the segment before it is worth keeping.
    if (auto closed = close_segment(); made)
      made = std::move(closed);
    return made ? judge_source(*reader) : made;
  }

  result<void> judge_source(frame_reader& reader) const {
    const std::string complaints = reader.complaints();
    if (reader.was_killed())
      return fail(error_code::unavailable, request_.source.string() + ": the decoder was killed",
                  "the segments that are done are kept");
    if (segments_.frames() == 0)
      return fail(error_code::damaged, request_.source.string() + " has no frame that can be decoded" +
                                           (complaints.empty() ? std::string() : ": " + complaints));
    if (!complaints.empty())
      hooks_.note("the source is damaged or truncated (" + complaints + "); the result has the " +
                  std::to_string(segments_.frames()) + " frames that can be decoded");
    return {};
  }

  result<void> close_segment() {
    if (!closing_)
      return {};
    closing_segment last = std::move(*closing_);
    closing_.reset();
    if (auto finished = last.writer.finish(); !finished)
      return finished;
    auto added = segments_.add(last.part, last.frames);
    if (added && hooks_.on_checkpoint)
      hooks_.on_checkpoint(segments_.path(), segments_.frames());
    return added;
  }

  // One segment, or nothing where no frame is left; sets `more` to false at the end of the source.
  result<void> make_segment(frame_reader& reader, bool& more) {
    std::optional<frame_writer> writer;
    const fs::path part = segments_.part(std::to_string(frames_given_) + ".mp4");
    std::int64_t frames = 0;
    while (more && frames < request_.segment_frames) {
      auto batch = read_batch(reader, request_.segment_frames - frames, more);
      if (!batch)
        return fail(std::move(batch.error()));
      if (batch->empty())
        break;
      auto enlarged = hooks_.enlarge(*batch);
      if (!enlarged)
        return fail(std::move(enlarged.error()));
      if (!writer) {
        auto opened = frame_writer::open(part, facts_, into_, enlarged->front().width, enlarged->front().height, request_.threads);
        if (!opened)
          return fail(std::move(opened.error()));
        writer.emplace(std::move(*opened));
      }
      for (const picture& frame : *enlarged)
        if (auto written = writer->write(frame); !written)
          return written;
      frames += static_cast<std::int64_t>(enlarged->size());
      frames_given_ += static_cast<std::int64_t>(enlarged->size());
      if (!hooks_.on_frames(frames_given_, facts_.frames))
        return stopped();
    }
    if (!writer)
      return {};
    writer->end();
    if (auto closed = close_segment(); !closed)
      return closed;
    closing_ = closing_segment{std::move(*writer), part, frames};
    return {};
  }

  result<std::vector<picture>> read_batch(frame_reader& reader, std::int64_t frames_max, bool& more) const {
    std::vector<picture> batch;
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(frames_max, std::max(1, request_.frames_at_once)));
    while (batch.size() < count) {
      picture frame;
      auto got = reader.read(frame);
      if (!got)
        return fail(std::move(got.error()));
      if (!*got) {
        more = false;
        break;
      }
      batch.push_back(std::move(frame));
    }
    return batch;
  }

  result<void> join() {
    const auto list = segments_.write_list(1 / facts_.rate.value());
    if (!list)
      return fail(list.error());
    const fs::path whole = segments_.part("whole." + into_.muxer);
    std::vector<std::string> notes;
    std::vector<std::string> argv{"ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y"};
    if (facts_.late_seconds > 0)
      argv.insert(argv.end(), {"-itsoffset", std::to_string(facts_.late_seconds)});
    argv.insert(argv.end(), {"-f", "concat", "-i", "file:" + list->string(), "-i", "file:" + fs::absolute(request_.source).string(),
                             "-map", "0:v:0", "-c:v", "copy"});
    for (std::string& word : companions(into_, facts_, notes))
      argv.push_back(std::move(word));
    argv.insert(argv.end(), {"-map_metadata", "1", "-map_chapters", "1"});
    if (into_.is_mp4)
      argv.insert(argv.end(), {"-movflags", "+faststart", "-video_track_timescale", std::to_string(facts_.rate.numerator)});
    argv.insert(argv.end(), {"-f", into_.muxer, "file:" + whole.string()});
    for (const std::string& note : notes)
      hooks_.note(note);
    auto joining = child_process::start({.argv = std::move(argv)});
    if (!joining)
      return fail(std::move(joining.error()));
    if ((*joining)->wait() != 0)
      return fail(encoding_error(request_.output.string(), (*joining)->complaints()));
    return move_into_place(whole, request_.output);
  }

  [[nodiscard]] tl::unexpected<error> stopped() const {
    return fail(error_code::unavailable, request_.source.string() + ": stopped", "run it again to go on where it was");
  }

  const video_request& request_;
  const video_hooks& hooks_;
  video_facts facts_;
  container into_;
  segment_folder segments_;
  std::int64_t frames_given_ = 0; // to encoders, those of earlier runs among them
  std::optional<closing_segment> closing_;
};

} // namespace

result<video_result> enlarge_video(const video_request& request, const video_hooks& hooks) {
  auto into = container_for(request.output);
  if (!into)
    return fail(std::move(into.error()));
  auto facts = probe_video(request.source);
  if (!facts)
    return fail(std::move(facts.error()));
  if (auto bounded = check_size(*facts, request); !bounded)
    return fail(std::move(bounded.error()));
  const auto identity = identity_of(request.source);
  if (!identity)
    return fail(identity.error());
  std::string recipe = *identity + " x" + std::to_string(request.scale) + " " + std::to_string(request.segment_frames) +
                       " frames at " + facts->rate.text() + " " + into->muxer + " " + request.recipe;
  auto segments = segment_folder::open(request.output, recipe, hooks.note, request.resume_from);
  if (!segments)
    return fail(std::move(segments.error()));
  return making(request, hooks, std::move(*facts), std::move(*into), std::move(*segments)).make();
}

} // namespace ferry::upscale
