// Frames out of a video and into one, through ffmpeg.
//
// Colours: decoding and encoding use the same matrix and range, those that the source says it has, and the result says the same.
// Where the source says nothing, nothing is said, and BT.601 and the limited range are used both ways, so that nothing shifts.
// Everything passes as 8-bit RGB. Time: frames are at a constant rate, the source's own where it has one. Where frames come
// unevenly they are placed on a grid of their mean rate, some doubled or dropped, so that sound stays in step.
#pragma once

#include "gpu/upscale/image/picture.hpp"
#include "gpu/upscale/video/child_process.hpp"
#include "gpu/upscale/video/container.hpp"
#include "gpu/upscale/video/probe.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace ferry::upscale {

class frame_reader {
public:
  // Starts with frame `first` (frames before are decoded and dropped, which is exact whatever the codec).
  [[nodiscard]] static result<frame_reader> open(const std::filesystem::path& source, const video_facts& facts, std::int64_t first,
                                                 int threads);

  // The next frame into `into`; false at the end. Errors: damaged, when frames are not of the size that was told.
  [[nodiscard]] result<bool> read(picture& into);
  // After the end. Empty: nothing was wrong.
  [[nodiscard]] std::string complaints();
  // True: it was not ffmpeg's own decision to end.
  [[nodiscard]] bool was_killed() const { return status_ > 128; }

private:
  frame_reader(std::unique_ptr<child_process> decoder, int width, int height, std::string name);

  std::unique_ptr<child_process> decoder_;
  int width_, height_;
  std::string name_;
  std::vector<unsigned char> bytes_;
  int status_ = 0;
};

class frame_writer {
public:
  // A segment of its own at `file`. Width and height are those of the frames that will come.
  [[nodiscard]] static result<frame_writer> open(const std::filesystem::path& file, const video_facts& facts, const container& into,
                                                 int width, int height, int threads);

  [[nodiscard]] result<void> write(const picture& frame);
  // No more frames come. The encoder goes on by itself.
  void end() { encoder_->end_input(); }
  // Waits until the file is complete.
  [[nodiscard]] result<void> finish();

private:
  frame_writer(std::unique_ptr<child_process> encoder, std::string name);
  [[nodiscard]] tl::unexpected<error> failed();

  std::unique_ptr<child_process> encoder_;
  std::string name_;
  std::vector<unsigned char> bytes_;
};

// What an ffmpeg that wrote `name` complained of: disk_full where that was it, else internal.
[[nodiscard]] error encoding_error(const std::string& name, const std::string& complaints);

} // namespace ferry::upscale
