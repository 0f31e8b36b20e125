#include "config/command_template.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <utility>

namespace ferry::config {
namespace {

const std::vector<std::string>& plain_names() {
  static const std::vector<std::string> names{"spec",    "dir",        "job_id",     "batch_id",  "device",
                                              "threads", "memory_mib", "checkpoint", "config_dir"};
  return names;
}

bool is_path(std::string_view path) {
  if (path.empty() || path.front() == '.' || path.back() == '.' || path.find("..") != std::string_view::npos)
    return false;
  return std::all_of(path.begin(), path.end(), [](unsigned char c) { return c > 0x20 && c != '{' && c != '}' && c != 0x7F; });
}

result<template_piece> placeholder(std::string_view inside) {
  constexpr std::string_view prefix = "params.", spread = "...";
  const std::string whole = "{" + shortened(inside) + "}";
  if (inside.starts_with(prefix)) {
    std::string_view path = inside.substr(prefix.size());
    const bool list = path.ends_with(spread);
    if (list)
      path.remove_suffix(spread.size());
    if (!is_path(path))
      return fail(error_code::invalid_argument, whole + " does not name a parameter",
                  "write {params.name} or {params.outer.inner}");
    return template_piece{list ? template_piece::kind::parameter_list : template_piece::kind::parameter, std::string(path)};
  }
  const auto& names = plain_names();
  if (std::find(names.begin(), names.end(), inside) != names.end())
    return template_piece{template_piece::kind::placeholder, std::string(inside)};
  std::string hint = did_you_mean(inside, names);
  if (hint.empty())
    hint = "known are {" + joined(names, "}, {") + "} and {params.name}; literal braces are doubled";
  return fail(error_code::invalid_argument, whole + " is not a placeholder", std::move(hint));
}

} // namespace

result<std::vector<template_piece>> parse_template(std::string_view word) {
  std::vector<template_piece> pieces;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty())
      pieces.push_back({template_piece::kind::literal, std::exchange(literal, {})});
  };
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (c != '{' && c != '}') {
      literal += c;
      continue;
    }
    if (i + 1 < word.size() && word[i + 1] == c) {
      literal += c;
      ++i;
      continue;
    }
    if (c == '}')
      return fail(error_code::invalid_argument, "a closing brace has no opening one in \"" + shortened(word) + "\"",
                  "write }} for a literal brace");
    const std::size_t end = word.find_first_of("{}", i + 1);
    if (end == std::string_view::npos || word[end] == '{')
      return fail(error_code::invalid_argument, "an opening brace is never closed in \"" + shortened(word) + "\"",
                  "write {{ for a literal brace");
    auto piece = placeholder(word.substr(i + 1, end - i - 1));
    if (!piece)
      return fail(std::move(piece.error()));
    flush();
    pieces.push_back(std::move(*piece));
    i = end;
  }
  flush();
  const bool spreads = std::any_of(pieces.begin(), pieces.end(),
                                   [](const template_piece& p) { return p.what == template_piece::kind::parameter_list; });
  if (spreads && pieces.size() != 1)
    return fail(error_code::invalid_argument, "a list placeholder must stand alone in its word, here \"" + shortened(word) + "\"");
  return pieces;
}

} // namespace ferry::config
