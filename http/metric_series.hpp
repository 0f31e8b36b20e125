// The numbers that a job has reported of itself over time, as the series that a page draws. They come from two files of its run:
// events.jsonl has progress with its times, but only one line a percent or ten seconds; reported.jsonl, which the job itself writes
// ($FERRY_EVENTS), has every line and no times. Where the second one has steps, its points are taken, and their times are found
// between those of the first. Jobs of workers have the first one alone.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"
#include "runners/descriptor.hpp"
#include "runners/line_splitter.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::http {

struct metric_point {
  std::optional<std::int64_t> step;
  double value = 0; // may be NaN or infinite
  std::optional<double> seconds;
};

// Of many points that come one by one some that lie evenly among them, the first and the last one with them.
class thinned_points {
public:
  explicit thinned_points(std::size_t most) : most_(most) {}
  void add(const metric_point& point);
  // At most as many as was said.
  [[nodiscard]] std::vector<metric_point> take() const;

private:
  std::size_t most_; // twice as many are kept meanwhile
  std::size_t stride_ = 1, seen_ = 0;
  std::vector<metric_point> kept_;
  metric_point last_;
};

// A file in pieces, so that who reads a large one can let others have a turn between two. Of one that is larger than
// limits::metric_file_bytes_max the pieces are spread evenly over it, and what lies between them is left out.
class piecewise_lines {
public:
  // A file that is not there, or no regular one, has no lines.
  piecewise_lines(const std::filesystem::path& folder, const char* name);

  [[nodiscard]] bool has_more() const { return next_ < pieces_; }
  // Reads the next piece and calls `on_line` for each line that is whole.
  template <class Function>
  void read(Function&& on_line) {
    if (const auto bytes = next_piece(); !bytes.empty())
      lines_.feed(bytes, on_line);
  }
  [[nodiscard]] bool is_whole() const { return is_whole_; }

private:
  [[nodiscard]] std::string_view next_piece();

  runners::descriptor file_;
  std::uint64_t bytes_ = 0;
  std::size_t pieces_ = 0, next_ = 0;
  bool is_whole_ = true;
  std::string room_;
  runners::line_splitter lines_;
};

class metric_series {
public:
  metric_series(job_id job, std::size_t points) : job_(job), points_(points) {}

  // A line of events.jsonl, and of reported.jsonl. Those that are no progress of the job are passed over.
  void take_event(std::string_view line);
  void take_report(std::string_view line);
  // {"series": [{"name", "points": [[step, value, seconds]]}], "is_whole"}: by name; what is not known or no number is null.
  [[nodiscard]] json to_json(bool is_whole) const;

private:
  using by_name = std::map<std::string, thinned_points>;
  void add(by_name& series, const json& said, std::optional<std::int64_t> step, std::optional<double> seconds);
  [[nodiscard]] bool speaks_of_it(const json& said) const;
  [[nodiscard]] std::optional<double> seconds_at(std::int64_t step) const;

  job_id job_;
  std::size_t points_;
  bool has_all_names_ = true;
  std::optional<std::int64_t> started_ms_;
  std::vector<std::pair<std::int64_t, double>> times_; // steps, rising, and when they were reported
  by_name timed_, reported_;
};

} // namespace ferry::http
