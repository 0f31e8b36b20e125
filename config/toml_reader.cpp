#include "config/toml_reader.hpp"

#include "config/limits.hpp"
#include "config/locations.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace ferry::config {
namespace {

int line_of(const toml::node* node) { return node == nullptr ? 0 : static_cast<int>(node->source().begin.line); }

} // namespace

std::string dotted(const std::string& prefix, std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(),
                                                [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  const std::string last = bare ? std::string(key) : "\"" + shortened(key) + "\"";
  return prefix.empty() ? last : prefix + "." + last;
}

std::string shown(const toml::node& node) {
  switch (node.type()) {
  case toml::node_type::table: return "a table";
  case toml::node_type::array: return "a list";
  case toml::node_type::string: return "\"" + shortened(node.as_string()->get()) + "\"";
  case toml::node_type::integer: return std::to_string(node.as_integer()->get());
  case toml::node_type::floating_point:
    return std::isfinite(node.as_floating_point()->get()) ? config::shown(json(node.as_floating_point()->get())) : "not finite";
  case toml::node_type::boolean: return node.as_boolean()->get() ? "true" : "false";
  case toml::node_type::date:
  case toml::node_type::time:
  case toml::node_type::date_time: return "a date or time";
  default: return "nothing";
  }
}

void toml_reader::report_line(const std::string& key, int line, std::string what, std::string hint) {
  problems_.push_back({key, std::move(what), std::move(hint), file_, line});
}

void toml_reader::report(const std::string& key, const toml::node* node, std::string what, std::string hint) {
  report_line(key, line_of(node), std::move(what), std::move(hint));
}

void toml_reader::report_unknown(const std::string& key, const toml::key& name, const std::vector<std::string>& known,
                                 std::string hint) {
  if (hint.empty())
    hint = did_you_mean(name.str(), known);
  if (hint.empty() && !known.empty())
    hint = "known here: " + joined(known, ", ");
  report_line(key, static_cast<int>(name.source().begin.line), "is not an option", std::move(hint));
}

std::vector<problem> toml_reader::take_problems() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const problem& a, const problem& b) { return a.line < b.line; });
  if (problems_.size() > limits::problems_max) {
    const std::size_t more = problems_.size() - limits::problems_max;
    problems_.resize(limits::problems_max);
    problems_.push_back({"", "and " + std::to_string(more) + " more problems", {}, file_, 0});
  }
  return std::move(problems_);
}

std::string toml_reader::anchored(const std::string& path) const {
  if (path.empty())
    return path;
  std::filesystem::path out = path;
  if (path == "~" || path.starts_with("~/"))
    out = home_directory() / path.substr(std::min<std::size_t>(2, path.size()));
  else if (out.is_relative())
    out = std::filesystem::absolute(folder_ / out);
  return out.lexically_normal().string();
}

std::optional<option_value> toml_reader::read(const declaration& declared, const std::string& key, const toml::node& node) {
  switch (declared.kind) {
  case option_kind::boolean:
    if (!node.is_boolean()) {
      report(key, &node, "must be true or false, is " + shown(node));
      return std::nullopt;
    }
    return node.as_boolean()->get();
  case option_kind::integer: return read_integer(declared, key, node);
  case option_kind::duration: return read_duration(declared, key, node);
  case option_kind::choice: return read_choice(declared, key, node);
  case option_kind::text_list: return read_list(key, node);
  case option_kind::text_map: return read_map(key, node);
  case option_kind::number_map: return read_numbers(declared, key, node);
  case option_kind::text: return read_text(key, node, "text in quotes");
  case option_kind::path: {
    auto path = read_text(key, node, "a path in quotes");
    return path ? std::optional<option_value>(anchored(*path)) : std::nullopt;
  }
  case option_kind::schema: break;
  }
  return std::nullopt;
}

std::optional<option_value> toml_reader::read_integer(const declaration& declared, const std::string& key, const toml::node& node) {
  if (!node.is_integer()) {
    report(key, &node, "must be a whole number, is " + shown(node));
    return std::nullopt;
  }
  const std::int64_t value = node.as_integer()->get();
  if (value < declared.least || value > declared.most) {
    const bool low = value < declared.least;
    report(key, &node,
           (low ? "must be at least " + std::to_string(declared.least) : "must be at most " + std::to_string(declared.most)) +
               ", is " + std::to_string(value));
    return std::nullopt;
  }
  return value;
}

std::optional<option_value> toml_reader::read_duration(const declaration& declared, const std::string& key,
                                                       const toml::node& node) {
  const auto text = node.is_string() ? parse_duration(node.as_string()->get()) : std::nullopt;
  if (!text) {
    report(key, &node, "must be a duration such as \"90s\", \"30m\", \"2h\" or \"1d\", is " + shown(node));
    return std::nullopt;
  }
  if (*text < declared.least || *text > declared.most) {
    report(key, &node,
           "must be at least " + duration_text(declared.least) + " and at most " + duration_text(declared.most) + ", is " +
               shown(node));
    return std::nullopt;
  }
  if (*text % declared.step != 0) {
    report(key, &node, "must be a multiple of " + duration_text(declared.step) + ", is " + shown(node));
    return std::nullopt;
  }
  return *text;
}

std::optional<option_value> toml_reader::read_choice(const declaration& declared, const std::string& key, const toml::node& node) {
  if (node.is_string() &&
      std::find(declared.choices.begin(), declared.choices.end(), node.as_string()->get()) != declared.choices.end())
    return node.as_string()->get();
  std::vector<std::string> names(declared.choices.begin(), declared.choices.end());
  report(key, &node, "must be one of \"" + joined(names, "\", \"") + "\", is " + shown(node),
         node.is_string() ? did_you_mean(node.as_string()->get(), names) : "");
  return std::nullopt;
}

std::optional<std::string> toml_reader::read_text(const std::string& key, const toml::node& node, const char* what) {
  if (!node.is_string()) {
    report(key, &node, std::string("must be ") + what + ", is " + shown(node));
    return std::nullopt;
  }
  const std::string& text = node.as_string()->get();
  if (text.find('\0') != std::string::npos) {
    report(key, &node, "must not hold a NUL character, is " + shown(node));
    return std::nullopt;
  }
  if (text.size() > limits::config_text_bytes_max) {
    report(key, &node,
           "must have at most " + std::to_string(limits::config_text_bytes_max) + " bytes, has " + std::to_string(text.size()));
    return std::nullopt;
  }
  return text;
}

std::optional<option_value> toml_reader::read_list(const std::string& key, const toml::node& node) {
  if (!node.is_array()) {
    report(key, &node, "must be a list of texts, is " + shown(node), node.is_string() ? "write [\"one\", \"two\"]" : "");
    return std::nullopt;
  }
  std::vector<std::string> words;
  bool good = true;
  std::size_t index = 0;
  for (const toml::node& item : *node.as_array()) {
    auto word = read_text(key + "[" + std::to_string(index++) + "]", item, "text in quotes");
    good = good && word.has_value();
    if (word)
      words.push_back(std::move(*word));
  }
  return good ? std::optional<option_value>(std::move(words)) : std::nullopt;
}

std::optional<option_value> toml_reader::read_map(const std::string& key, const toml::node& node) {
  if (!node.is_table()) {
    report(key, &node, "must be a table of texts, is " + shown(node), "write { NAME = \"value\" }");
    return std::nullopt;
  }
  std::map<std::string, std::string> map;
  bool good = true;
  for (const auto& [name, item] : *node.as_table()) {
    auto text = read_text(dotted(key, name.str()), item, "text in quotes");
    good = good && text.has_value();
    if (text)
      map.emplace(std::string(name.str()), std::move(*text));
  }
  return good ? std::optional<option_value>(std::move(map)) : std::nullopt;
}

std::optional<option_value> toml_reader::read_numbers(const declaration& declared, const std::string& key, const toml::node& node) {
  if (!node.is_table()) {
    report(key, &node, "must be a table of numbers, is " + shown(node), "write { \"name\" = 0.1 }");
    return std::nullopt;
  }
  std::map<std::string, double> map;
  bool good = true;
  for (const auto& [name, item] : *node.as_table()) {
    const auto number = item.value<double>();
    const bool fits = number && item.is_number() && *number >= static_cast<double>(declared.least) &&
                      *number <= static_cast<double>(declared.most); // not a number fails too
    if (!fits)
      report(dotted(key, name.str()), &item,
             "must be a number from " + std::to_string(declared.least) + " to " + std::to_string(declared.most) + ", is " +
                 shown(item),
             item.is_table() ? "put a dotted path in quotes" : "");
    else
      map.emplace(std::string(name.str()), *number);
    good = good && fits;
  }
  return good ? std::optional<option_value>(std::move(map)) : std::nullopt;
}

json toml_reader::to_json(const toml::node& node, const std::string& key) {
  if (const auto* table = node.as_table()) {
    json out = json::object();
    for (const auto& [name, item] : *table)
      out[std::string(name.str())] = to_json(item, dotted(key, name.str()));
    return out;
  }
  if (const auto* list = node.as_array()) {
    json out = json::array();
    for (const toml::node& item : *list)
      out.push_back(to_json(item, key + "[" + std::to_string(out.size()) + "]"));
    return out;
  }
  if (const auto* text = node.as_string())
    return text->get();
  if (const auto* number = node.as_integer())
    return number->get();
  if (const auto* flag = node.as_boolean())
    return flag->get();
  if (const auto* number = node.as_floating_point(); number != nullptr && std::isfinite(number->get()))
    return number->get();
  report(key, &node,
         std::string(node.is_floating_point() ? "must be a finite number" : "must not be a date or time") + ": JSON has none",
         node.is_floating_point() ? "" : "write it as text in quotes");
  return nullptr;
}

} // namespace ferry::config
