// Every option, declared once: its key, what it means, its unit, default and bounds, and where its value lives. The loader walks
// these tables and ferry.example.toml is generated from them.
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ferry::config {

enum class option_kind {
  boolean,
  integer,
  text,
  path,     // "~/" is the home directory; relative ones are relative to the file's folder
  duration, // "90s", "30m", "2h", "1d", "500ms"
  choice,   // one of `choices`
  text_list,
  text_map,
  number_map, // bounds are those of each number
  schema,     // a JSON Schema written as a table; read by the job type loader
};

// Durations are milliseconds here, paths and choices text.
using option_value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>, std::map<std::string, std::string>,
                                  std::map<std::string, double>>;

struct declaration {
  std::string_view key; // dotted; for job types below [job_types.<name>]
  option_kind kind = option_kind::text;
  std::string_view comment;         // one line or more
  std::int64_t least = 0, most = 0; // of integers; of durations in milliseconds
  std::int64_t step = 1;            // durations are a multiple of it, in milliseconds
  std::vector<std::string_view> choices = {};
};

template <class Target>
struct option : declaration {
  std::function<option_value(const Target&)> get;
  std::function<void(Target&, const option_value&)> set;
};

[[nodiscard]] const std::vector<option<settings>>& options();
[[nodiscard]] const std::vector<option<job_type>>& job_type_options();

// A value as TOML.
[[nodiscard]] std::string to_toml(const declaration& declared, const option_value& value);
// "2h", "90s", "1500ms": the largest unit that says it exactly.
[[nodiscard]] std::string duration_text(std::int64_t ms);

// The text of ferry.example.toml up to the job types that ferry ships: every option with its comment and its default, and every key
// of a job type.
[[nodiscard]] std::string example_toml();

} // namespace ferry::config
