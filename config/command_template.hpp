// The words of a job type's command, taken apart: literal text and placeholders.
// A placeholder is one of {spec} {dir} {job_id} {batch_id} {device} {threads} {memory_mib} {checkpoint} {config_dir}
// {params.<dotted path>}, or {params.<dotted path>...} alone in its word. "{{" and "}}" are literal braces.
#pragma once

#include "model/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ferry::config {

struct template_piece {
  enum class kind { literal, placeholder, parameter, parameter_list };
  kind what = kind::literal;
  std::string text; // the literal, the placeholder's name, or the parameter's dotted path without "params."

  friend bool operator==(const template_piece&, const template_piece&) = default;
};

// Errors: invalid_argument that says what is wrong and where in the word.
[[nodiscard]] result<std::vector<template_piece>> parse_template(std::string_view word);

} // namespace ferry::config
