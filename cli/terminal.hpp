// Where output goes: what the terminal behind a descriptor can show, and writing that never loses bytes silently.
#pragma once

#include "model/error.hpp"

#include <string>
#include <string_view>

namespace ferry::cli {

enum class tone { plain, bold, dim, green, yellow, red, cyan };

// How text may look. The default is what goes into pipes and files: nothing cut, no colour.
struct style {
  int width = 0; // columns of the terminal; 0: no bound
  bool color = false;
  bool unicode = true; // the locale's encoding is UTF-8

  [[nodiscard]] std::string paint(std::string_view text, tone t) const;
};

// The style of a descriptor: a terminal's width from $COLUMNS or the kernel, colour unless $NO_COLOR is set or $TERM is dumb.
[[nodiscard]] style style_of(int descriptor);
[[nodiscard]] bool is_terminal(int descriptor);

// All of it, or an error (io) that names the reason.
[[nodiscard]] result<void> write_all(int descriptor, std::string_view text);

// A line at the bottom of standard error that is drawn again and again (a progress bar) and gives way to other output.
class live_line {
public:
  explicit live_line(bool enabled) : enabled_(enabled) {}
  ~live_line() { clear(); }
  live_line(const live_line&) = delete;
  live_line& operator=(const live_line&) = delete;

  [[nodiscard]] bool enabled() const { return enabled_; }
  // `text` is one line no wider than the terminal.
  void show(const std::string& text);
  void clear();

private:
  bool enabled_;
  std::string shown_;
};

} // namespace ferry::cli
