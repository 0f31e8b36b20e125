#include "cli/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ferry::cli {
namespace {

struct character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// Decodes by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80)
    return {first, 1, true};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return {first, 1, false};
  char32_t code = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U)
      return {first, 1, false};
    code = code << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (code < least[length] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
    return {first, 1, false};
  return {code, length, true};
}

struct range {
  char32_t first, last;
};

// From Unicode 15's East Asian Width (W, F) and emoji presentation, joined where only unassigned codes lie between.
constexpr std::array wide{
    range{0x1100, 0x115f},   range{0x231a, 0x231b},   range{0x2329, 0x232a},   range{0x23e9, 0x23ec},   range{0x23f0, 0x23f0},
    range{0x23f3, 0x23f3},   range{0x25fd, 0x25fe},   range{0x2614, 0x2615},   range{0x2648, 0x2653},   range{0x267f, 0x267f},
    range{0x2693, 0x2693},   range{0x26a1, 0x26a1},   range{0x26aa, 0x26ab},   range{0x26bd, 0x26be},   range{0x26c4, 0x26c5},
    range{0x26ce, 0x26ce},   range{0x26d4, 0x26d4},   range{0x26ea, 0x26ea},   range{0x26f2, 0x26f3},   range{0x26f5, 0x26f5},
    range{0x26fa, 0x26fa},   range{0x26fd, 0x26fd},   range{0x2705, 0x2705},   range{0x270a, 0x270b},   range{0x2728, 0x2728},
    range{0x274c, 0x274c},   range{0x274e, 0x274e},   range{0x2753, 0x2755},   range{0x2757, 0x2757},   range{0x2795, 0x2797},
    range{0x27b0, 0x27b0},   range{0x27bf, 0x27bf},   range{0x2b1b, 0x2b1c},   range{0x2b50, 0x2b50},   range{0x2b55, 0x2b55},
    range{0x2e80, 0x303e},   range{0x3041, 0x33ff},   range{0x3400, 0x4dbf},   range{0x4e00, 0xa4cf},   range{0xa960, 0xa97c},
    range{0xac00, 0xd7a3},   range{0xf900, 0xfaff},   range{0xfe10, 0xfe19},   range{0xfe30, 0xfe6b},   range{0xff01, 0xff60},
    range{0xffe0, 0xffe6},   range{0x16fe0, 0x18cd5}, range{0x1aff0, 0x1b2fb}, range{0x1f004, 0x1f004}, range{0x1f0cf, 0x1f0cf},
    range{0x1f18e, 0x1f18e}, range{0x1f191, 0x1f19a}, range{0x1f200, 0x1f320}, range{0x1f32d, 0x1f335}, range{0x1f337, 0x1f37c},
    range{0x1f37e, 0x1f393}, range{0x1f3a0, 0x1f3ca}, range{0x1f3cf, 0x1f3d3}, range{0x1f3e0, 0x1f3f0}, range{0x1f3f4, 0x1f3f4},
    range{0x1f3f8, 0x1f43e}, range{0x1f440, 0x1f440}, range{0x1f442, 0x1f4fc}, range{0x1f4ff, 0x1f53d}, range{0x1f54b, 0x1f567},
    range{0x1f57a, 0x1f57a}, range{0x1f595, 0x1f596}, range{0x1f5a4, 0x1f5a4}, range{0x1f5fb, 0x1f64f}, range{0x1f680, 0x1f6c5},
    range{0x1f6cc, 0x1f6cc}, range{0x1f6d0, 0x1f6d7}, range{0x1f6dc, 0x1f6df}, range{0x1f6eb, 0x1f6ec}, range{0x1f6f4, 0x1f6fc},
    range{0x1f7e0, 0x1f7f0}, range{0x1f90c, 0x1f93a}, range{0x1f93c, 0x1f945}, range{0x1f947, 0x1f9ff}, range{0x1fa70, 0x1faff},
    range{0x20000, 0x3fffd}};
// The combining marks of the scripts in common use, joiners and variation selectors.
constexpr std::array zero{
    range{0x0300, 0x036f}, range{0x0483, 0x0489}, range{0x0591, 0x05bd}, range{0x0610, 0x061a},   range{0x064b, 0x065f},
    range{0x06d6, 0x06dc}, range{0x0900, 0x0902}, range{0x093a, 0x093a}, range{0x093c, 0x093c},   range{0x0941, 0x0948},
    range{0x094d, 0x094d}, range{0x0e31, 0x0e31}, range{0x0e34, 0x0e3a}, range{0x0e47, 0x0e4e},   range{0x1ab0, 0x1aff},
    range{0x1dc0, 0x1dff}, range{0x200b, 0x200d}, range{0x20d0, 0x20f0}, range{0x302a, 0x302d},   range{0x3099, 0x309a},
    range{0xfe00, 0xfe0f}, range{0xfe20, 0xfe2f}, range{0xfeff, 0xfeff}, range{0x1f3fb, 0x1f3ff}, range{0xe0100, 0xe01ef}};

template <std::size_t N>
bool within(const std::array<range, N>& ranges, char32_t code) {
  const auto* at = std::upper_bound(ranges.begin(), ranges.end(), code, [](char32_t c, const range& r) { return c < r.first; });
  return at != ranges.begin() && code <= std::prev(at)->last;
}

int width_of(char32_t code) {
  if (code < 0x300)
    return 1;
  return within(zero, code) ? 0 : within(wide, code) ? 2 : 1;
}

constexpr std::string_view hex_digits = "0123456789abcdef";

bool steers(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void append_four_digits(std::string& out, char32_t code) {
  for (int shift = 12; shift >= 0; shift -= 4)
    out += hex_digits[code >> static_cast<unsigned>(shift) & 15U];
}

void append_escape(std::string& out, char32_t code) {
  switch (code) {
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  default: break;
  }
  if (code < 0x100) {
    out += "\\x";
    out += hex_digits[code >> 4U];
    out += hex_digits[code & 15U];
    return;
  }
  out += "\\u{";
  append_four_digits(out, code);
  out += "}";
}

void append_json_escape(std::string& out, char32_t code) {
  out += "\\u";
  append_four_digits(out, code);
}

template <class Append>
std::string escaped(std::string_view bytes, Append append) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const character c = decode(bytes);
    if (!c.valid || steers(c.code))
      append(out, c.code);
    else
      out += bytes.substr(0, c.bytes);
    bytes.remove_prefix(c.bytes);
  }
  return out;
}

} // namespace

std::string printable(std::string_view bytes) { return escaped(bytes, append_escape); }

std::string printable_json(std::string_view line) { return escaped(line, append_json_escape); }

int display_width(std::string_view utf8) {
  int width = 0;
  while (!utf8.empty()) {
    const character c = decode(utf8);
    width += width_of(c.code);
    utf8.remove_prefix(c.bytes);
  }
  return width;
}

std::string fit(std::string_view utf8, int columns, std::string_view ellipsis) {
  if (display_width(utf8) <= columns)
    return std::string(utf8);
  const int room = columns - display_width(ellipsis);
  if (room < 0)
    return {};
  int width = 0;
  std::size_t end = 0;
  while (end < utf8.size()) {
    const character c = decode(utf8.substr(end));
    if (width + width_of(c.code) > room)
      break;
    width += width_of(c.code);
    end += c.bytes;
  }
  return std::string(utf8.substr(0, end)) + std::string(ellipsis);
}

std::string pad(std::string_view utf8, int columns, bool right_aligned) {
  const int missing = std::max(0, columns - display_width(utf8));
  const std::string spaces(static_cast<std::size_t>(missing), ' ');
  return right_aligned ? spaces + std::string(utf8) : std::string(utf8) + spaces;
}

std::size_t whole_characters(std::string_view bytes) {
  // Only the last three bytes can be the beginning of a longer character.
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xc0U) == 0x80U)
      continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return length > back ? bytes.size() - back : bytes.size();
  }
  return bytes.size();
}

} // namespace ferry::cli
