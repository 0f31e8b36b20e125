#include "runners/progress_parser.hpp"

#include "config/limits.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <regex>

namespace ferry::runners {
namespace {

constexpr std::size_t message_bytes_max = 100;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  if constexpr (std::is_floating_point_v<Number>)
    if (!std::isfinite(value))
      return std::nullopt;
  return value;
}

progress of_steps(std::int64_t step, std::int64_t total) {
  if (step < 0)
    return {};
  progress p;
  p.step = step;
  if (total > 0) {
    p.total = total;
    p.fraction = std::min(1.0, static_cast<double>(step) / static_cast<double>(total));
  }
  return p;
}

// At most message_bytes_max bytes of printable text; empty where it is not all printable ASCII or UTF-8's upper half.
std::string as_message(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text.back() == ':')
    text = trimmed(text.substr(0, text.size() - 1));
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  return text.size() > message_bytes_max || !printable ? std::string() : std::string(text);
}

// "45it [00:10,  4.50it/s]": no total is known.
std::optional<progress> parse_tqdm_count(std::string_view line) {
  const std::size_t bracket = line.rfind(" [");
  if (bracket == std::string_view::npos || line.find(':', bracket) == std::string_view::npos ||
      line.find("/s", bracket) == std::string_view::npos)
    return std::nullopt;
  std::string_view head = line.substr(0, bracket);
  const std::size_t word = head.find_last_of(" \t");
  const std::string_view count = word == std::string_view::npos ? head : head.substr(word + 1);
  const std::size_t digits = count.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || !count.substr(digits).starts_with("it"))
    return std::nullopt;
  const auto step = number<std::int64_t>(count.substr(0, digits));
  return step ? std::optional(of_steps(*step, 0)) : std::nullopt;
}

} // namespace

bool same(const progress& a, const progress& b) {
  return a.fraction == b.fraction && a.step == b.step && a.total == b.total && a.message == b.message;
}

std::optional<progress> parse_tqdm(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || line.back() != ']')
    return std::nullopt;
  const std::size_t bar = line.find("%|");
  if (bar == std::string_view::npos)
    return parse_tqdm_count(line);
  const std::size_t bar_end = line.find('|', bar + 2), counts_end = line.find(" [", bar + 2);
  if (bar_end == std::string_view::npos || counts_end == std::string_view::npos || counts_end < bar_end)
    return std::nullopt;
  std::size_t digits = bar;
  while (digits > 0 && line[digits - 1] >= '0' && line[digits - 1] <= '9')
    --digits;
  const auto percent = number<int>(line.substr(digits, bar - digits));
  if (!percent || *percent > 100)
    return std::nullopt;
  const std::string_view counts = trimmed(line.substr(bar_end + 1, counts_end - bar_end - 1));
  const std::size_t slash = counts.find('/');
  progress p;
  if (slash != std::string_view::npos) {
    const auto step = number<std::int64_t>(counts.substr(0, slash)), total = number<std::int64_t>(counts.substr(slash + 1));
    if (step && total)
      p = of_steps(*step, *total);
  }
  if (!p.fraction)
    p.fraction = *percent / 100.0;
  p.message = as_message(line.substr(0, digits));
  return p;
}

namespace {

// "00:01:02.50" in seconds.
std::optional<double> clock_seconds(std::string_view text) {
  double seconds = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t colon = part < 2 ? text.find(':') : text.size();
    if (colon == std::string_view::npos)
      return std::nullopt;
    const auto value = number<double>(text.substr(0, colon));
    if (!value || *value < 0)
      return std::nullopt;
    seconds = seconds * 60 + *value;
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return seconds;
}

// The number before " fps" in a line that describes a video stream.
std::optional<double> frame_rate(std::string_view line) {
  const std::size_t unit = line.find(" fps");
  if (unit == std::string_view::npos)
    return std::nullopt;
  const std::size_t before = line.find_last_of(" ,", unit - 1);
  if (unit == 0 || before == std::string_view::npos)
    return std::nullopt;
  std::string_view text = line.substr(before + 1, unit - before - 1);
  const bool thousands = !text.empty() && text.back() == 'k'; // "90k fps" stands for an unknown rate
  return thousands ? std::nullopt : number<double>(text);
}

} // namespace

progress ffmpeg_parser::at_frame(std::int64_t frame) const {
  const double rate = output_rate_ > 0 ? output_rate_ : input_rate_;
  const double total = std::round(duration_seconds_ * rate);
  return of_steps(frame, total >= 1 && total < 1e12 ? static_cast<std::int64_t>(total) : 0);
}

std::optional<progress> ffmpeg_parser::line(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("frame=")) {
    const std::string_view rest = trimmed(text.substr(6));
    const auto frame = number<std::int64_t>(rest.substr(0, rest.find_first_of(" \t")));
    if (!frame || *frame < 0)
      return std::nullopt;
    frames_counted_ = true;
    return at_frame(*frame);
  }
  if (text.starts_with("out_time_us=")) {
    const auto time = number<std::int64_t>(text.substr(12));
    if (frames_counted_ || !time || *time < 0 || duration_seconds_ <= 0)
      return std::nullopt;
    progress p;
    p.fraction = std::min(1.0, static_cast<double>(*time) / 1e6 / duration_seconds_);
    return p;
  }
  if (text.starts_with("Input #")) {
    if (in_output_ || text.starts_with("Input #0")) // another ffmpeg of the same job
      *this = {};
  } else if (text.starts_with("Output #")) {
    in_output_ = true;
  } else if (text.starts_with("Duration: ") && !in_output_) {
    const auto seconds = clock_seconds(text.substr(10, text.find(',') - 10));
    duration_seconds_ = std::max(duration_seconds_, seconds.value_or(0));
  } else if (text.starts_with("Stream #") && text.find(": Video: ") != std::string_view::npos) {
    double& rate = in_output_ ? output_rate_ : input_rate_;
    if (const auto read = frame_rate(text); read && (rate == 0 || in_output_))
      rate = *read;
  }
  return std::nullopt;
}

struct pattern_parser::compiled {
  std::regex expression;
};

pattern_parser::pattern_parser(const std::string& pattern) {
  try {
    compiled_ = std::make_unique<compiled>(
        compiled{std::regex(pattern, std::regex_constants::ECMAScript | std::regex_constants::__polynomial)});
  } catch (const std::regex_error&) { compiled_ = nullptr; }
}

pattern_parser::~pattern_parser() = default;
pattern_parser::pattern_parser(pattern_parser&&) noexcept = default;

std::optional<progress> pattern_parser::line(std::string_view text) const {
  std::match_results<std::string_view::const_iterator> found;
  if (!compiled_ || !std::regex_search(text.begin(), text.end(), found, compiled_->expression) || found.size() < 2)
    return std::nullopt;
  const auto group = [&](std::size_t i) {
    return text.substr(static_cast<std::size_t>(found.position(i)), static_cast<std::size_t>(found.length(i)));
  };
  if (found.size() > 2 && found[1].matched && found[2].matched) {
    const auto step = number<std::int64_t>(group(1)), total = number<std::int64_t>(group(2));
    return step && total && *step >= 0 ? std::optional(of_steps(*step, *total)) : std::nullopt;
  }
  const auto value = number<double>(group(1));
  if (!value || *value < 0 || *value > 100)
    return std::nullopt;
  const auto after = static_cast<std::size_t>(found.position(1) + found.length(1));
  const bool percent = *value > 1 || trimmed(text.substr(after)).starts_with('%');
  progress p;
  p.fraction = percent ? *value / 100 : *value;
  return p;
}

output_progress::output_progress(config::progress_source source, const std::string& pattern)
    : source_(source), lines_(limits::output_line_bytes_max, "\r\n") {
  if (source == config::progress_source::pattern)
    pattern_.emplace(pattern);
}

std::optional<progress> output_progress::parse(std::string_view line) {
  using enum config::progress_source;
  if (source_ == tqdm)
    return parse_tqdm(line);
  if (source_ == ffmpeg)
    return ffmpeg_.line(line);
  if (source_ == pattern)
    return pattern_->line(line);
  if (source_ != automatic)
    return std::nullopt;
  auto found = ffmpeg_.line(line);
  return found ? found : parse_tqdm(line);
}

void output_progress::feed(std::string_view bytes) {
  lines_.feed(bytes, [this](std::string_view line) {
    if (auto found = parse(line))
      newest_ = std::move(found);
  });
}

std::optional<progress> output_progress::take() {
  // A bar stands without an end until the next one is drawn over it. Only what cannot be the beginning of something else counts.
  if (source_ == config::progress_source::tqdm || source_ == config::progress_source::automatic)
    if (auto begun = parse_tqdm(lines_.pending()))
      newest_ = std::move(begun);
  if (!newest_ || (taken_ && same(*newest_, *taken_)))
    return std::nullopt;
  taken_ = newest_;
  return newest_;
}

} // namespace ferry::runners
