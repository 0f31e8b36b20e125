#include "cli/simulate/schedule_picture.hpp"

#include "cli/format.hpp"
#include "cli/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

namespace ferry::cli {
namespace {

using namespace std::chrono_literals;
using scheduling::played_run;

constexpr int width = 1600, margin_left = 110, margin_right = 20, header = 86, line_gap = 22, lines_max = 150;
constexpr double thinnest = 0.3; // pixels
constexpr double seen_well = 6;  // the same
constexpr std::size_t legend_max = 10;

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : printable(text))
    switch (c) {
    case '&': safe += "&amp;"; break;
    case '<': safe += "&lt;"; break;
    case '>': safe += "&gt;"; break;
    case '"': safe += "&quot;"; break;
    default: safe += c;
    }
  return safe;
}

duration usual_length(const scheduling::schedule& played) {
  std::vector<duration> lengths;
  for (const played_run& run : played.runs)
    lengths.push_back(run.ends - run.starts);
  if (lengths.empty())
    return 1s;
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return *middle;
}

// Of the spans that people read well the longest in which a run of usual length can still be seen, as long as that does not take
// too many lines.
duration span_of_line(duration whole, duration usual) {
  constexpr std::array<duration, 20> spans{10s, 30s, 1min, 2min, 5min, 10min,   15min,    30min,    1h,        2h,
                                           3h,  6h,  12h,  24h,  48h,  24h * 7, 24h * 30, 24h * 90, 24h * 365, 24h * 3650};
  const duration longest = usual * static_cast<std::int64_t>((width - margin_left - margin_right) / seen_well);
  duration chosen = spans.front();
  for (const duration span : spans)
    if (span <= longest || chosen * lines_max < whole)
      if (chosen < whole)
        chosen = span;
  return chosen * lines_max < whole ? whole / lines_max + 1ms : chosen;
}

class picture {
public:
  picture(const scheduling::simulation& day, const scheduling::schedule& played) : day_(day), played_(played) {
    begin_ = day.jobs.empty() ? instant{} : day.jobs.front().arrival;
    instant last = begin_ + 1ms;
    for (const played_run& run : played.runs)
      last = std::max(last, run.ends);
    span_ = span_of_line(last - begin_, usual_length(played));
    if (played.runs.empty())
      lines_ = 1;
    else
      lines_ = static_cast<int>((last - begin_ + span_ - 1ms) / span_);
    if (begin_ > instant{} + 24h * 3650) // a time of day, not seconds since something
      begin_ = instant{(begin_.time_since_epoch() / span_) * span_};
    lines_ = std::max(lines_, static_cast<int>((last - begin_ + span_ - 1ms) / span_));
    lane_height_ = std::clamp(56 / std::max(static_cast<int>(day.devices.size()), 1), 5, 18);
    line_height_ = lane_height_ * std::max(static_cast<int>(day.devices.size()), 1) + line_gap;
    colour_models();
  }

  std::string draw(const std::string& title) {
    const int height = header + lines_ * line_height_ + 10;
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width) + "\" height=\"" + std::to_string(height) +
           "\" viewBox=\"0 0 " + std::to_string(width) + " " + std::to_string(height) +
           "\" font-family=\"sans-serif\" font-size=\"11\">\n"
           "<defs><pattern id=\"loading\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
           "<rect width=\"5\" height=\"5\" fill=\"#fff\"/><rect width=\"2\" height=\"5\" fill=\"#888\"/></pattern></defs>\n"
           "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    text(margin_left, 22, title, "font-size=\"15\" font-weight=\"bold\"");
    draw_legend();
    for (int line = 0; line < lines_; ++line)
      draw_line(line);
    drawn_to_.assign(static_cast<std::size_t>(lines_) * std::max<std::size_t>(day_.devices.size(), 1), 0);
    for (const played_run& run : played_.runs)
      draw_run(run);
    return std::move(out_) + "</svg>\n";
  }

private:
  void colour_models() {
    std::map<std::string, duration> busy;
    for (const played_run& run : played_.runs)
      busy[run.warm] += run.ends - run.works;
    for (const auto& [model, time] : busy)
      models_.emplace_back(model, time);
    std::stable_sort(models_.begin(), models_.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    // Steps of the golden angle keep neighbours in use apart in hue.
    for (std::size_t i = 0; i < models_.size(); ++i)
      colours_[models_[i].first] = "hsl(" + std::to_string((i * 137 + 210) % 360) + "," + (i % 2 == 0 ? "60%" : "45%") + "," +
                                   std::to_string(45 + (i / 3) % 3 * 10) + "%)";
  }

  void text(double x, double y, std::string_view what, std::string_view look = {}) {
    out_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\"" + (look.empty() ? "" : " ") + std::string(look) + ">" +
            escaped(what) + "</text>\n";
  }
  void rect(double x, double y, double w, double h, std::string_view fill, std::string_view title) {
    out_ += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(std::max(w, thinnest)) + "\" height=\"" +
            number(h) + "\" fill=\"" + std::string(fill) + "\"" +
            (title.empty() ? "/>\n" : "><title>" + std::string(title) + "</title></rect>\n");
  }

  // What a worker has loaded is JSON: {"model":"M"} reads M.
  static std::string name_of(const std::string& warm) {
    const json values = json::parse(warm, nullptr, false);
    if (!values.is_object() || values.empty())
      return "all jobs";
    std::string name;
    for (const auto& [key, value] : values.items())
      name += (name.empty() ? "" : ", ") + (value.is_string() ? value.get<std::string>() : value.dump());
    return name;
  }

  void draw_legend() {
    double x = margin_left;
    rect(x, 36, 14, 12, "url(#loading)", "");
    text(x + 19, 46, "loading");
    x += 85;
    for (std::size_t i = 0; i < std::min(models_.size(), legend_max); ++i) {
      const auto name = fit(printable(name_of(models_[i].first)), 16);
      rect(x, 36, 14, 12, colours_[models_[i].first], "");
      text(x + 19, 46, name);
      x += 34 + 7 * display_width(name);
    }
    if (models_.size() > legend_max)
      text(x, 46, "and " + std::to_string(models_.size() - legend_max) + " more");
    text(margin_left, 66, "a line is " + to_words(span_) + "; numbers in batches are how many jobs run together", "fill=\"#666\"");
  }

  [[nodiscard]] static std::string moment(instant t) {
    if (t < instant{} + 24h * 3650)
      return clock_time(t.time_since_epoch());
    auto text = to_rfc3339(t).substr(0, 19);
    text[10] = ' ';
    return text;
  }

  void draw_line(int line) {
    const double y = header + line * line_height_;
    const double right = width - margin_right;
    text(6, y + 11, moment(begin_ + span_ * line), "fill=\"#333\" font-size=\"10\"");
    for (std::size_t lane = 0; lane < day_.devices.size(); ++lane)
      rect(margin_left, y + static_cast<double>(lane) * lane_height_, right - margin_left, lane_height_ - 1, "#f1f1f1", "");
    for (int tick = 0; tick <= 4; ++tick) {
      const double x = margin_left + (right - margin_left) * tick / 4;
      out_ += "<path d=\"M" + number(x) + " " + number(y) + "v" + number(line_height_ - line_gap + 3) + "\" stroke=\"#bbb\"/>\n";
    }
  }

  void draw_run(const played_run& run) {
    std::string title = std::to_string(run.jobs.size()) + (run.jobs.size() == 1 ? " job of " : " jobs of ") +
                        escaped(name_of(run.warm)) + ", " + moment(run.starts) + " to " + moment(run.ends);
    if (run.loads && run.works > run.starts)
      draw_span(run, run.starts, run.works, "url(#loading)", title + " (loading)", "");
    const auto label = run.jobs.size() > 1 ? std::to_string(run.jobs.size()) : std::string();
    draw_span(run, run.works, run.ends, colours_[run.warm], title, label);
  }

  // Over as many lines as it takes.
  void draw_span(const played_run& run, instant from, instant to, const std::string& fill, const std::string& title,
                 const std::string& label) {
    const double per_ms = (width - margin_left - margin_right) / static_cast<double>(span_.count());
    for (auto line = (from - begin_) / span_; line < lines_ && begin_ + span_ * line < to; ++line) {
      const instant line_begin = begin_ + span_ * line;
      const double x = margin_left + static_cast<double>((std::max(from, line_begin) - line_begin).count()) * per_ms;
      const double end = margin_left + static_cast<double>((std::min(to, line_begin + span_) - line_begin).count()) * per_ms;
      double& drawn_to = drawn_to_[static_cast<std::size_t>(line) * day_.devices.size() + run.device];
      if (end - drawn_to < thinnest)
        continue;
      drawn_to = end;
      const double y = header + static_cast<double>(line) * line_height_ + static_cast<double>(run.device) * lane_height_;
      rect(x, y, end - x, lane_height_ - 1, fill, title);
      if (!label.empty() && end - x > 9 && lane_height_ >= 12)
        text(x + (end - x) / 2, y + lane_height_ - 5, label, "fill=\"#fff\" text-anchor=\"middle\" font-size=\"10\"");
    }
  }

  const scheduling::simulation& day_;
  const scheduling::schedule& played_;
  instant begin_{};
  duration span_{};
  int lines_ = 1, lane_height_ = 18, line_height_ = 40;
  std::vector<std::pair<std::string, duration>> models_; // those that are busy longest first
  std::map<std::string, std::string> colours_;
  std::vector<double> drawn_to_; // by line and device
  std::string out_;
};

} // namespace

std::string schedule_picture(const scheduling::simulation& day, const scheduling::schedule& played, const std::string& title) {
  return picture(day, played).draw(title);
}

} // namespace ferry::cli
