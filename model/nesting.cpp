#include "model/nesting.hpp"

#include <algorithm>

namespace ferry {

std::size_t nesting_of(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

json parse_bounded(std::string_view text, std::size_t depth_max) {
  return nesting_of(text) > depth_max ? json(json::value_t::discarded) : json::parse(text, nullptr, false);
}

} // namespace ferry
