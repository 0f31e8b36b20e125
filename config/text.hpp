// Small helpers for messages: the nearest known name, and values short enough to print.
#pragma once

#include "model/job.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::config {

// Levenshtein distance, where swapping two neighbours counts as one edit.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that `name` was most likely meant to be, or empty when none is near.
[[nodiscard]] std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

// "did you mean grace?", or empty when no candidate is near.
[[nodiscard]] std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

// At most `bytes_max` bytes, cut between characters and marked with an ellipsis; control characters are escaped.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t bytes_max = 60);

// A JSON value as text for a message, shortened.
[[nodiscard]] std::string shown(const json& value);

// Milliseconds of "90s", "1h30m"; nothing when the text is not a duration or too long for the type.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::string_view separator);

} // namespace ferry::config
