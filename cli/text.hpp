// Text as a terminal shows it: UTF-8, columns, and nothing that could steer the terminal.
#pragma once

#include <string>
#include <string_view>

namespace ferry::cli {

// One line of safe UTF-8: control characters, marks that turn the direction of writing and bytes that are not UTF-8 are written
// as \n, \t, \x1b, \u{202e}.
[[nodiscard]] std::string printable(std::string_view bytes);

// The same for JSON text, which stays JSON: \u009b, \u202e.
[[nodiscard]] std::string printable_json(std::string_view line);

// Columns that printable text takes: 2 for wide characters (East Asian, emoji), 0 for combining marks.
[[nodiscard]] int display_width(std::string_view utf8);

// At most `columns` wide; what is cut away is replaced by `ellipsis`.
[[nodiscard]] std::string fit(std::string_view utf8, int columns, std::string_view ellipsis = "…");

// Filled with spaces to `columns`, at the left when `right_aligned`. Never cuts.
[[nodiscard]] std::string pad(std::string_view utf8, int columns, bool right_aligned = false);

// The length of the longest prefix that does not end within a UTF-8 character.
[[nodiscard]] std::size_t whole_characters(std::string_view bytes);

} // namespace ferry::cli
