// Progress read from what a program prints: tqdm bars, ffmpeg's banner and -progress lines, or a configured pattern. Works on bytes
// in pieces of any size; lines end with a newline or a carriage return, and longer ones than limits::output_line_bytes_max are
// passed over.
#pragma once

#include "config/job_type.hpp"
#include "model/job.hpp"
#include "runners/line_splitter.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ferry::runners {

// One bar as tqdm draws it: "frames:  45%|####5     | 45/100 [00:10<00:12,  4.50it/s]"; the description is the message. Counts with
// a unit prefix ("1.2M/5.0M") give the percentage alone, a bar without a total ("45it [00:10, 4.5it/s]") the step alone.
[[nodiscard]] std::optional<progress> parse_tqdm(std::string_view line);

// ffmpeg's log. The total is the longest input's duration times the frame rate of the output; the step is frame=. Where no frames
// are counted (audio), out_time_us= over the duration. progress=end says nothing: ffmpeg writes it after SIGTERM too.
class ffmpeg_parser {
public:
  // The progress after this line; nothing when the line does not tell of any.
  [[nodiscard]] std::optional<progress> line(std::string_view text);

private:
  [[nodiscard]] progress at_frame(std::int64_t frame) const;

  bool in_output_ = false;
  double duration_seconds_ = 0;
  double input_rate_ = 0;
  double output_rate_ = 0;
  bool frames_counted_ = false;
};

// A regular expression (ECMAScript) with one group, a fraction 0–1 or a percentage, or two, the step and the total. Matching takes
// polynomial time in a line's length; a pattern with back-references, which could take longer, matches nothing.
class pattern_parser {
public:
  explicit pattern_parser(const std::string& pattern);
  ~pattern_parser();
  pattern_parser(pattern_parser&&) noexcept;
  [[nodiscard]] std::optional<progress> line(std::string_view text) const;

private:
  struct compiled;
  std::unique_ptr<compiled> compiled_;
};

// The output of one run.
class output_progress {
public:
  output_progress(config::progress_source source, const std::string& pattern);

  void feed(std::string_view bytes);
  // Some of the output was not fed.
  void lose_place() { lines_.lose_place(); }
  // What the newest line that tells of progress says, the unfinished one included; nothing when that is what was taken before.
  [[nodiscard]] std::optional<progress> take();

private:
  [[nodiscard]] std::optional<progress> parse(std::string_view line);

  config::progress_source source_;
  std::optional<pattern_parser> pattern_;
  ffmpeg_parser ffmpeg_;
  line_splitter lines_;
  std::optional<progress> newest_;
  std::optional<progress> taken_;
};

// Whether two say the same.
[[nodiscard]] bool same(const progress& a, const progress& b);

} // namespace ferry::runners
