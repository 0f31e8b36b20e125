// Parameters of a job as they are typed: --json and --param.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ferry::cli {

// An object from `{"a": 1}`, `@FILE` or `-` (standard input).
// Errors: invalid_argument naming `option` or the file; too_large.
[[nodiscard]] result<json> object_from(const std::string& text, const std::string& option);

// One --param. A dotted key reaches into objects and makes them where they are missing.
//   key=value    value is a JSON number, true, false, null, array or object where it reads as one; text otherwise
//   key:=JSON    always JSON (`seed:='"7"'` is the text 7)
//   key=@FILE    the text of a file; key:=@FILE its JSON
// Errors: invalid_argument, too_large.
[[nodiscard]] result<void> assign_parameter(json& params, const std::string& assignment);

// All of one command line: --json first, then each --param over it.
[[nodiscard]] result<json> parameters_from(const std::string* json_option, const std::vector<std::string>& param_options);

// The first segment of an assignment's key, when the key is dotted; else "".
[[nodiscard]] std::string dotted_root(std::string_view assignment);

// The contents of a file, of standard input for "-". Errors: invalid_argument when it cannot be read; too_large.
[[nodiscard]] result<std::string> read_whole(const std::string& path);

} // namespace ferry::cli
