// The folder in which a video is made piece by piece, beside its output: ".NAME.segments". It holds finished segments (00000.mp4,
// 00001.mp4, …) and manifest.json, which says of what and how they were made and which are finished. A segment counts once it is on
// disk and in the manifest, so a run that was killed at any moment is followed by one that goes on with the first that is missing.
// manifest.json: {"version":1,"recipe":"…","segments":[{"frames":120,"bytes":98765}]}
#pragma once

#include "model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ferry::upscale {

struct segment {
  std::int64_t frames = 0;
  std::int64_t bytes = 0;
};

class segment_folder {
public:
  // Opens the folder or makes it. `recipe` is everything that decides the pixels. What is there for another recipe, or cannot be
  // understood, is removed, and `say` told so. Errors: conflict (another run is at it), and as file_error() says.
  // Where there is none yet, the finished segments of `earlier`, a folder of another run, are taken over; that folder stays as it
  // is.
  [[nodiscard]] static result<segment_folder> open(const std::filesystem::path& output, const std::string& recipe,
                                                   const std::function<void(const std::string&)>& say,
                                                   const std::filesystem::path& earlier = {});
  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  segment_folder(segment_folder&& other) noexcept;
  segment_folder& operator=(segment_folder&&) = delete;
  ~segment_folder(); // removes the folder if nothing in it is worth keeping

  [[nodiscard]] const std::vector<segment>& finished() const { return finished_; }
  [[nodiscard]] std::int64_t frames() const;

  // Where the next segment, the list of them and the whole are to be written; no other run writes there.
  [[nodiscard]] std::filesystem::path part(const std::string& name) const;
  // The segment at `part` is complete. Errors: disk_full, io.
  [[nodiscard]] result<void> add(const std::filesystem::path& part, std::int64_t frames);
  // Writes the list that ffmpeg's concat demuxer reads, for frames that each last `seconds_a_frame`.
  [[nodiscard]] result<std::filesystem::path> write_list(double seconds_a_frame) const;
  // The output is done: nothing here is needed any more.
  void remove();

private:
  segment_folder(std::filesystem::path folder, std::string recipe, int lock);
  [[nodiscard]] std::filesystem::path path_of(std::size_t index) const;
  [[nodiscard]] bool read_manifest();
  [[nodiscard]] result<void> write_manifest() const;
  void remove_files(bool parts_only) const;

  std::filesystem::path folder_; // empty: moved from
  std::string recipe_;
  int lock_ = -1;
  std::vector<segment> finished_;
};

} // namespace ferry::upscale
