// A table of text in columns, fitted to the terminal.
#pragma once

#include "cli/terminal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ferry::cli {

struct column {
  std::string title;
  bool right_aligned = false;
  int shrinks_to = 0; // may be cut to this width where the terminal is narrow; 0: never cut
};

struct cell {
  std::string text; // made printable by the table
  tone look = tone::plain;
};

class table {
public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // The title row and the rows, each ended by a newline. Columns in which every cell is empty are left out. Where the terminal is
  // too narrow, the widest column that may shrink gives way first; what still does not fit is cut at the edge.
  [[nodiscard]] std::string render(const style& look) const;

private:
  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

} // namespace ferry::cli
