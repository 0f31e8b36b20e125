#include "cli/terminal.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ferry::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::string_view{value} : std::string_view{};
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const auto value = variable(name); !value.empty())
      return value.find("UTF-8") != value.npos || value.find("utf8") != value.npos || value.find("utf-8") != value.npos;
  return false;
}

int terminal_width(int descriptor) {
  const auto columns = variable("COLUMNS");
  int width = 0;
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (width > 0)
    return width;
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

std::string style::paint(std::string_view text, tone t) const {
  if (!color || t == tone::plain)
    return std::string(text);
  const char* code = "";
  switch (t) {
  case tone::plain: break;
  case tone::bold: code = "1"; break;
  case tone::dim: code = "2"; break;
  case tone::green: code = "32"; break;
  case tone::yellow: code = "33"; break;
  case tone::red: code = "31"; break;
  case tone::cyan: code = "36"; break;
  }
  return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

style style_of(int descriptor) {
  style s;
  s.unicode = utf8_locale();
  if (is_terminal(descriptor)) {
    s.width = terminal_width(descriptor);
    s.color = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  }
  return s;
}

result<void> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd writable{descriptor, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return fail(error_code::io, std::string("the output cannot be written: ") + std::strerror(errno));
    }
  }
  return {};
}

void live_line::show(const std::string& text) {
  if (!enabled_ || text == shown_)
    return;
  shown_ = text;
  // A terminal that cannot be written to has nobody to tell; the line is only a courtesy.
  (void)write_all(STDERR_FILENO, "\r\x1b[K" + text);
}

void live_line::clear() {
  if (!enabled_ || shown_.empty())
    return;
  shown_.clear();
  (void)write_all(STDERR_FILENO, "\r\x1b[K");
}

} // namespace ferry::cli
