// Comma-separated values as RFC 4180 has them: quoted fields may hold commas, quotes and line ends. Lines may end in \n or \r\n; a
// byte order mark is skipped.
#pragma once

#include "model/error.hpp"

#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace ferry::cli {

class csv_reader {
public:
  explicit csv_reader(std::istream& in) : in_(in) {}

  // The next record; nothing at the end. Empty lines are skipped. Errors: invalid_argument for a quote that is not closed or a
  // record beyond limits::trace_line_bytes_max.
  [[nodiscard]] result<std::optional<std::vector<std::string>>> next();
  // Where the record that was returned last begins (1-based).
  [[nodiscard]] int line() const { return line_; }

private:
  std::istream& in_;
  int line_ = 0;
  int next_line_ = 1;
};

// A field as it is written: in quotes where it has to be.
[[nodiscard]] std::string csv_field(const std::string& text);

} // namespace ferry::cli
