#include "cli/transfer_line.hpp"

#include "cli/format.hpp"
#include "cli/text.hpp"

namespace ferry::cli {
namespace {

constexpr int bar_columns = 20;
constexpr std::chrono::milliseconds show_every{100};
constexpr std::chrono::milliseconds speed_after{500}; // before, it says nothing

} // namespace

std::string transfer_line(const transfer_state& s, const style& look) {
  const double fraction = s.total > 0 ? static_cast<double>(s.done) / static_cast<double>(s.total) : 1.0;
  std::string behind =
      " " + bar(fraction, bar_columns, look.unicode) + " " + percent(fraction) + "  " + bytes(s.done) + " of " + bytes(s.total);
  if (s.spent >= speed_after)
    behind += "  " + bytes(s.moved * 1000 / s.spent.count()) + "/s";
  const std::string before = s.files > 1 ? std::to_string(s.number) + "/" + std::to_string(s.files) + " " : "";
  const std::string name = printable(s.name);
  if (look.width <= 0)
    return before + name + behind;
  const int room = look.width - 1 - display_width(before) - display_width(behind);
  return fit(before + fit(name, std::max(room, 8), look.unicode ? "…" : "~") + behind, look.width - 1, "");
}

void transfer_display::begin(std::string name) {
  name_ = std::move(name);
  ++number_;
  from_ = -1;
}

void transfer_display::show(std::int64_t done, std::int64_t total) {
  const auto now = steady::now();
  if (from_ < 0) {
    from_ = done;
    began_ = now;
  } else if (now - shown_ < show_every) {
    return;
  }
  shown_ = now;
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
  line_.show(transfer_line({name_, number_, files_, done, total, done - from_, spent}, look_));
}

} // namespace ferry::cli
