#include "cli/log_printer.hpp"

#include "cli/json_text.hpp"

namespace ferry::cli {
namespace {

constexpr std::size_t line_bytes_max = 64 * 1024;

std::string_view last_state(std::string_view line) {
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  const auto rewritten = line.rfind('\r');
  return rewritten == line.npos ? line : line.substr(rewritten + 1);
}

} // namespace

std::string tidy_log_printer::take(std::string_view bytes, std::int64_t) {
  pending_ += bytes;
  std::string whole;
  std::size_t begin = 0;
  for (std::size_t end; (end = pending_.find('\n', begin)) != pending_.npos; begin = end + 1)
    whole += std::string(last_state(std::string_view(pending_).substr(begin, end - begin))) + "\n";
  pending_.erase(0, begin);
  // A bar that rewrites itself for hours is one line without end.
  if (const auto rewritten = pending_.rfind('\r'); rewritten != pending_.npos && rewritten + 1 < pending_.size())
    pending_.erase(0, rewritten + 1);
  if (pending_.size() > line_bytes_max) {
    whole += pending_;
    pending_.clear();
  }
  return whole;
}

std::string tidy_log_printer::finish() { return pending_.empty() ? std::string() : take("\n", 0); }

std::string json_log_printer::take(std::string_view bytes, std::int64_t offset) {
  if (pending_.empty())
    begins_at_ = offset;
  pending_ += bytes;
  std::string lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = pending_.find('\n', begin)) != pending_.npos; begin = end + 1)
    lines +=
        to_text({{"offset", begins_at_ + static_cast<std::int64_t>(begin)}, {"line", pending_.substr(begin, end - begin)}}) + "\n";
  pending_.erase(0, begin);
  begins_at_ += static_cast<std::int64_t>(begin);
  return lines;
}

std::string json_log_printer::finish() { return pending_.empty() ? std::string() : take("\n", begins_at_); }

} // namespace ferry::cli
