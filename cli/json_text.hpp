// JSON as text: reading what people type, writing what they read.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferry::cli {

// Errors: invalid_argument that names `where` (an option, a file and line) and the place of the fault.
[[nodiscard]] result<json> json_from(std::string_view text, const std::string& where);

// Indented, fields in their order, nothing that could steer the terminal. Text that is not JSON comes back printable.
[[nodiscard]] std::string json_for_terminal(std::string_view text);

// The body of a request. Errors: invalid_argument where a text is not UTF-8 (nothing is replaced on its way to the daemon).
[[nodiscard]] result<std::string> body_from(const json& document);

// Compact, for people; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string to_text(const json& value);

// Fields of answers: "", nothing, false where a field is missing, null or of another type.
[[nodiscard]] std::string text_field(const json& object, const char* key);
[[nodiscard]] std::optional<std::int64_t> integer_field(const json& object, const char* key);
[[nodiscard]] std::optional<double> number_field(const json& object, const char* key);
[[nodiscard]] bool true_field(const json& object, const char* key);
// The object or array there, or an empty one.
[[nodiscard]] const json& object_field(const json& object, const char* key);
[[nodiscard]] const json& array_field(const json& object, const char* key);

} // namespace ferry::cli
