// How deep a JSON text nests, told before it is parsed: what is written again, or walked through, takes stack for each level, and a
// text of others must not decide how much.
#pragma once

#include "model/job.hpp"

#include <cstddef>
#include <string_view>

namespace ferry {

// Of brackets, outside of strings.
[[nodiscard]] std::size_t nesting_of(std::string_view text);
// Discarded where it is not JSON, or nests more than `depth_max` levels deep.
[[nodiscard]] json parse_bounded(std::string_view text, std::size_t depth_max);

} // namespace ferry
