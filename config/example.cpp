// The text of ferry.example.toml, generated from the declarations.
#include "config/options.hpp"
#include "model/job.hpp"

#include <array>

namespace ferry::config {
namespace {

struct unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<unit, 5> units{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

// TOML's basic strings escape as JSON does.
std::string quoted(const std::string& text) { return json(text).dump(); }

std::string bounds_of(const declaration& declared) {
  if (declared.kind == option_kind::integer)
    return std::to_string(declared.least) + " to " + std::to_string(declared.most);
  if (declared.kind == option_kind::duration)
    return duration_text(declared.least) + " to " + duration_text(declared.most);
  if (declared.kind != option_kind::choice)
    return {};
  std::string all;
  for (const std::string_view c : declared.choices)
    all += (all.empty() ? "" : ", ") + quoted(std::string(c));
  return all;
}

void add_comment(std::string& out, const declaration& declared) {
  std::string_view rest = declared.comment;
  std::string lines;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines += "\n# " + std::string(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  out += lines;
  if (const std::string bounds = bounds_of(declared); !bounds.empty())
    out += "  (" + bounds + ")";
  out += "\n";
}

} // namespace

std::string duration_text(std::int64_t ms) {
  if (ms == 0)
    return "0s";
  for (const auto& [name, in_ms] : units)
    if (ms % in_ms == 0)
      return std::to_string(ms / in_ms) + std::string(name);
  return std::to_string(ms) + "ms";
}

std::string to_toml(const declaration& declared, const option_value& value) {
  if (const bool* flag = std::get_if<bool>(&value))
    return *flag ? "true" : "false";
  if (const std::int64_t* number = std::get_if<std::int64_t>(&value))
    return declared.kind == option_kind::duration ? quoted(duration_text(*number)) : std::to_string(*number);
  if (const std::string* text = std::get_if<std::string>(&value))
    return quoted(*text);
  std::string out;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& word : *list)
      out += (out.empty() ? "" : ", ") + quoted(word);
    return "[" + out + "]";
  }
  if (const auto* numbers = std::get_if<std::map<std::string, double>>(&value)) {
    for (const auto& [name, number] : *numbers)
      out += (out.empty() ? " " : ", ") + quoted(name) + " = " + json(number).dump();
    return "{" + out + (out.empty() ? "}" : " }");
  }
  for (const auto& [name, text] : std::get<std::map<std::string, std::string>>(value))
    out += (out.empty() ? " " : ", ") + quoted(name) + " = " + quoted(text);
  return "{" + out + (out.empty() ? "}" : " }");
}

std::string example_toml() {
  std::string out =
      "# Every option of ferry, with its default. What you leave out keeps the default; what ferry does not know is an error.\n"
      "# `ferryd --check-config` checks a file and names every problem in it.\n"
      "# Looked for in this order: ferryd --config FILE, $FERRY_CONFIG, $XDG_CONFIG_HOME/ferry/ferry.toml\n"
      "# (~/.config/ferry/ferry.toml), /etc/ferry/ferry.toml. Paths may begin with \"~/\"; relative ones are relative to the "
      "file.\n";
  const settings none;
  std::string section;
  for (const auto& declared : options()) {
    const std::size_t dot = declared.key.rfind('.');
    if (const std::string wanted(declared.key.substr(0, dot)); wanted != section) {
      section = wanted;
      out += "\n[" + section + "]\n";
    }
    add_comment(out, declared);
    out += std::string(declared.key.substr(dot + 1)) + " = " + to_toml(declared, declared.get(none)) + "\n";
  }
  out += "\n# Job types: what may be submitted, one table each. Names: a lower-case letter, then lower-case letters, digits, _ and "
         "-.\n"
         "# Built in is `command`, which runs any program (`ferry submit command -- PROGRAM ARGUMENTS`); a [job_types.command] "
         "table may set\n"
         "# all but command, shell, runner, parameters, progress and resume_arguments of it.\n"
         "# The keys of a job type, with their defaults:\n#\n# [job_types.example]\n";
  const job_type plain;
  for (const auto& declared : job_type_options()) {
    std::string text;
    add_comment(text, declared);
    text += std::string(declared.key) + " = " + (declared.get ? to_toml(declared, declared.get(plain)) : "{ }") + "\n";
    std::size_t at = 1; // every line of it is a comment
    while (at < text.size()) {
      const std::size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      out += "#   " + line + "\n";
      at = end + 1;
    }
  }
  return out + "\n";
}

} // namespace ferry::config
