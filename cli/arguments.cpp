#include "cli/arguments.hpp"

#include "cli/text.hpp"
#include "config/text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <charconv>

namespace ferry::cli {
namespace {

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  for (;;) {
    const auto at = text.find(by);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos)
      return parts;
    text.remove_prefix(at + 1);
  }
}

result<std::int64_t> whole_number(const std::string& option, std::string_view word, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failed != std::errc{} || end != word.data() + word.size() || value < least || value > most)
    return fail(error_code::invalid_argument, option + " must be a whole number from " + std::to_string(least) + " to " +
                                                  std::to_string(most) + ", is \"" + printable(word) + "\"");
  return value;
}

result<void> check_choice(const std::string& option, const std::string& word, const std::vector<std::string>& choices) {
  if (std::ranges::find(choices, word) != choices.end())
    return {};
  std::string all;
  for (const std::string& c : choices)
    all += (all.empty() ? "" : ", ") + c;
  const std::string near = config::nearest(word, choices);
  return fail(error_code::invalid_argument, option + " must be one of " + all + ", is \"" + printable(word) + "\"",
              near.empty() ? "" : "did you mean " + near + "?");
}

std::string shown_name(const option_declaration& o) { return o.long_name().empty() ? o.short_name() : o.long_name(); }

} // namespace

std::string option_declaration::long_name() const {
  for (const std::string& name : split(names, ','))
    if (name.starts_with("--"))
      return name;
  return {};
}

std::string option_declaration::short_name() const {
  for (const std::string& name : split(names, ','))
    if (name.size() == 2 && name[0] == '-')
      return name;
  return {};
}

option_declaration& arguments::add(option_declaration declared) { return declarations_.emplace_back(std::move(declared)); }

void arguments::flag(std::string names, bool& into, std::string help) {
  add({.names = std::move(names), .help = std::move(help), .kind = value_kind::nothing}).assign =
      [&into](const auto&) -> result<void> {
    into = true;
    return {};
  };
}

void arguments::text(std::string names, std::optional<std::string>& into, std::string value_name, std::string help,
                     value_kind kind) {
  add({.names = std::move(names), .value_name = std::move(value_name), .help = std::move(help), .kind = kind}).assign =
      [&into](const auto& words) -> result<void> {
    into = words.back();
    return {};
  };
}

void arguments::integer(std::string names, std::optional<std::int64_t>& into, std::string value_name, std::string help,
                        std::int64_t least, std::int64_t most) {
  auto& o =
      add({.names = std::move(names), .value_name = std::move(value_name), .help = std::move(help), .kind = value_kind::integer});
  o.assign = [&into, &o, least, most](const auto& words) -> result<void> {
    auto value = whole_number(shown_name(o), words.back(), least, most);
    if (!value)
      return fail(value.error());
    into = *value;
    return {};
  };
}

void arguments::choice(std::string names, std::optional<std::string>& into, std::string value_name,
                       std::vector<std::string> choices, bool comma_separated, std::string help) {
  auto& o = add({.names = std::move(names),
                 .value_name = std::move(value_name),
                 .help = std::move(help),
                 .kind = value_kind::choice,
                 .choices = std::move(choices)});
  o.assign = [&into, &o, comma_separated](const auto& words) -> result<void> {
    for (const std::string& word : comma_separated ? split(words.back(), ',') : std::vector{words.back()})
      if (auto checked = check_choice(shown_name(o), word, o.choices); !checked)
        return checked;
    into = words.back();
    return {};
  };
}

void arguments::list(std::string names, std::vector<std::string>& into, std::string value_name, std::string help, value_kind kind) {
  add({.names = std::move(names), .value_name = std::move(value_name), .help = std::move(help), .kind = kind, .many = true})
      .assign = [&into](const auto& words) -> result<void> {
    into = words;
    return {};
  };
}

void arguments::positional(std::string name, std::optional<std::string>& into, value_kind kind, std::string help, bool required) {
  add({.names = name, .value_name = name, .help = std::move(help), .kind = kind, .positional = true, .required = required}).assign =
      [&into](const auto& words) -> result<void> {
    into = words.back();
    return {};
  };
}

void arguments::positional(std::string name, std::vector<std::string>& into, value_kind kind, std::string help, bool required) {
  add({.names = name,
       .value_name = name,
       .help = std::move(help),
       .kind = kind,
       .positional = true,
       .required = required,
       .many = true})
      .assign = [&into](const auto& words) -> result<void> {
    into = words;
    return {};
  };
}

void arguments::job(std::string name, std::int64_t& into, std::string help) {
  add({.names = name,
       .value_name = name,
       .help = std::move(help),
       .kind = value_kind::job_id,
       .positional = true,
       .required = true})
      .assign = [&into](const auto& words) -> result<void> {
    auto id = job_id_from(words.back());
    if (!id)
      return fail(id.error());
    into = *id;
    return {};
  };
}

void arguments::jobs(std::string name, std::vector<std::int64_t>& into, std::string help, bool required) {
  add({.names = name,
       .value_name = name,
       .help = std::move(help),
       .kind = value_kind::job_id,
       .positional = true,
       .required = required,
       .many = true})
      .assign = [&into](const auto& words) -> result<void> {
    for (const std::string& word : words) {
      auto id = job_id_from(word);
      if (!id)
        return fail(id.error());
      into.push_back(*id);
    }
    return {};
  };
}

void arguments::suggest(std::vector<std::string> words) { declarations_.back().choices = std::move(words); }

void arguments::rest(std::vector<std::string>& into, std::string value_name, std::string help) {
  rest_ = &into;
  rest_name_ = std::move(value_name);
  rest_help_ = std::move(help);
}

result<void> arguments::parse(std::vector<std::string> words) {
  if (const auto dashes = std::ranges::find(words, "--"); dashes != words.end()) {
    if (!rest_)
      return fail(error_code::invalid_argument, "nothing can be given after --");
    rest_->assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  struct bound {
    CLI::Option* parsed;
    option_declaration* declared;
  };
  std::vector<bound> options;
  int place = 0;
  for (option_declaration& o : declarations_) {
    const std::string name = o.positional ? "place" + std::to_string(place++) : o.names;
    CLI::Option* parsed = o.kind == value_kind::nothing ? app.add_flag(name) : app.add_option(name, CLI::callback_t{});
    if (o.many)
      parsed->expected(o.positional ? -1 : 1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(o.positional);
    else
      parsed->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    options.push_back({parsed, &o});
  }
  try {
    std::ranges::reverse(words);
    app.parse(words);
  } catch (const CLI::ParseError& e) { return fail(error_code::invalid_argument, printable(e.what())); }
  if (const auto extra = app.remaining(); !extra.empty()) {
    if (!extra.front().starts_with("-") || extra.front() == "-")
      return fail(error_code::invalid_argument, "\"" + printable(extra.front()) + "\" is one word too many",
                  rest_ ? "a command to run is given after --" : "");
    std::vector<std::string> known;
    for (const option_declaration& o : declarations_)
      if (!o.positional)
        for (std::string& name : split(o.names, ','))
          known.push_back(std::move(name));
    const std::string given = extra.front().substr(0, extra.front().find('='));
    const std::string near = config::nearest(given, known);
    return fail(error_code::invalid_argument, "there is no option " + printable(given),
                near.empty() ? "" : "did you mean " + near + "?");
  }
  for (const auto& [parsed, declared] : options) {
    if (parsed->count() > 0) {
      if (auto assigned = declared->assign(parsed->results()); !assigned)
        return assigned;
    } else if (declared->required) {
      return fail(error_code::invalid_argument, declared->value_name + " is missing: " + declared->help);
    }
  }
  return {};
}

std::string arguments::usage() const {
  std::string line = "[OPTIONS]";
  for (const option_declaration& o : declarations_)
    if (o.positional)
      line += (o.required ? " " : " [") + o.value_name + (o.many ? "…" : "") + (o.required ? "" : "]");
  if (rest_)
    line += " [-- " + rest_name_ + "…]";
  return line;
}

std::string arguments::describe() const {
  struct row {
    std::string left, right;
  };
  std::vector<row> places, options;
  for (const option_declaration& o : declarations_) {
    if (o.positional) {
      places.push_back({o.value_name + (o.many ? "…" : ""), o.help});
      continue;
    }
    const std::string short_name = o.short_name();
    std::string left = short_name.empty() ? "    " : short_name + (o.long_name().empty() ? "" : ", ");
    left += o.long_name();
    if (!o.value_name.empty())
      left += " " + o.value_name;
    options.push_back({left, o.help + (o.many ? " (may be given many times)" : "")});
  }
  if (rest_)
    places.push_back({"-- " + rest_name_ + "…", rest_help_});
  int width = 0;
  for (const auto* rows : {&places, &options})
    for (const row& r : *rows)
      width = std::max(width, display_width(r.left));
  std::string page;
  for (const auto* rows : {&places, &options}) {
    if (rows->empty())
      continue;
    page += "\n";
    for (const row& r : *rows)
      page += "  " + pad(r.left, width) + "  " + r.right + "\n";
  }
  return page;
}

result<std::int64_t> job_id_from(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failed != std::errc{} || end != word.data() + word.size() || value <= 0)
    return fail(error_code::invalid_argument, "a job's id is a number such as 42, not \"" + printable(word) + "\"");
  return value;
}

} // namespace ferry::cli
