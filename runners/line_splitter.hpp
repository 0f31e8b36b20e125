// Cuts a stream of bytes into lines, whatever the pieces it arrives in. Memory is bounded: a longer line is dropped and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ferry::runners {

class line_splitter {
public:
  // `ends` are the bytes that end a line; they are not part of it.
  explicit line_splitter(std::size_t line_bytes_max, std::string_view ends = "\n") : line_bytes_max_(line_bytes_max), ends_(ends) {}

  // Calls `on_line` for each line that `bytes` completes.
  template <class Function>
  void feed(std::string_view bytes, Function&& on_line) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find_first_of(ends_);
      const std::string_view piece = bytes.substr(0, end);
      const bool whole = end != std::string_view::npos;
      if (whole && pending_.empty() && !dropping_ && piece.size() <= line_bytes_max_)
        on_line(piece);
      else
        add(piece, whole, on_line);
      if (!whole)
        return;
      bytes.remove_prefix(end + 1);
    }
  }

  // Bytes were left out of the stream: the rest of the line they were in is not a line.
  void lose_place() {
    pending_.clear();
    dropping_ = true;
  }

  // The line that has begun and not ended.
  [[nodiscard]] std::string_view pending() const { return pending_; }
  [[nodiscard]] std::int64_t dropped() const { return dropped_; }

private:
  template <class Function>
  void add(std::string_view piece, bool whole, Function&& on_line) {
    if (!dropping_ && pending_.size() + piece.size() > line_bytes_max_) {
      ++dropped_;
      lose_place();
    }
    if (!dropping_)
      pending_ += piece;
    if (!whole)
      return;
    if (!dropping_)
      on_line(std::string_view(pending_));
    pending_.clear();
    dropping_ = false;
  }

  std::size_t line_bytes_max_;
  std::string_view ends_;
  std::string pending_;
  bool dropping_ = false;
  std::int64_t dropped_ = 0;
};

} // namespace ferry::runners
