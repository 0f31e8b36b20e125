// Lines from a descriptor, each whole, with bounded memory: a line that is longer is dropped and counted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ferry::upscale {

class line_reader {
public:
  explicit line_reader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // Calls `on_line` for each line that `bytes` completes, without its end, and `on_dropped` for each that was too long.
  template <class Line, class Dropped>
  void feed(std::string_view bytes, Line on_line, Dropped on_dropped) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      take(piece);
      if (end == std::string_view::npos)
        return;
      if (dropping_)
        on_dropped();
      else
        on_line(std::string_view(pending_));
      pending_.clear();
      dropping_ = false;
      bytes.remove_prefix(end + 1);
    }
  }

  // What came after the last line end.
  [[nodiscard]] std::string_view rest() const { return pending_; }

private:
  void take(std::string_view piece);

  std::size_t line_bytes_max_;
  std::string pending_;
  bool dropping_ = false;
};

} // namespace ferry::upscale
