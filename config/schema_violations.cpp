#include "config/schema_violations.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace ferry::config {
namespace {

struct type_word {
  const char* type;
  const char* word;
};
constexpr type_word type_words[] = {
    {"integer", "a whole number"}, {"number", "a number"},  {"string", "text"}, {"boolean", "true or false"},
    {"array", "a list"},           {"object", "an object"}, {"null", "null"}};

std::string word_of(const std::string& type) {
  for (const auto& [name, word] : type_words)
    if (type == name)
      return word;
  return type;
}

bool has_type(const json& value, const std::string& type) {
  if (type == "integer")
    return value.is_number_integer();
  if (type == "number")
    return value.is_number();
  return type == (value.is_string()    ? "string"
                  : value.is_boolean() ? "boolean"
                  : value.is_array()   ? "array"
                  : value.is_object()  ? "object"
                  : value.is_null()    ? "null"
                                       : "");
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string counted(std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

class finder {
public:
  finder(const pattern_table& patterns, std::size_t enough) : patterns_(patterns), enough_(enough) {}

  void judge(const json& schema, const json& value, const std::string& at);
  [[nodiscard]] bool is_enough() const { return found_.size() >= enough_; }
  std::vector<problem> take() { return std::move(found_); }

private:
  void report(const std::string& at, std::string what, std::string hint = {}) {
    if (!is_enough())
      found_.push_back({at, std::move(what), std::move(hint)});
  }
  [[nodiscard]] bool accepts(const json& schema, const json& value) const { return obeys(schema, patterns_, value); }
  [[nodiscard]] bool matches(const std::string& pattern, const std::string& text) const {
    return std::regex_search(text, patterns_.at(pattern));
  }

  bool judge_type(const json& schema, const json& value, const std::string& at);
  void judge_choice(const json& schema, const json& value, const std::string& at);
  void judge_number(const json& schema, const json& value, const std::string& at);
  void judge_text(const json& schema, const json& value, const std::string& at);
  void judge_list(const json& schema, const json& value, const std::string& at);
  void judge_items(const json& schema, const json& value, const std::string& at);
  void judge_object(const json& schema, const json& value, const std::string& at);
  void judge_members(const json& schema, const json& value, const std::string& at);
  void judge_dependencies(const json& schema, const json& value, const std::string& at);
  void judge_combinations(const json& schema, const json& value, const std::string& at);

  const pattern_table& patterns_;
  std::size_t enough_;
  std::vector<problem> found_;
};

// The bound of a keyword as a number of things, or nothing when the schema does not set it.
std::optional<std::size_t> bound(const json& schema, const char* keyword) {
  const auto it = schema.find(keyword);
  return it == schema.end() ? std::nullopt : std::optional{it->get<std::size_t>()};
}

std::string description_of(const json& schema) {
  const auto it = schema.find("description");
  return it != schema.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

void finder::judge(const json& schema, const json& value, const std::string& at) {
  if (is_enough())
    return;
  if (schema.is_boolean()) {
    if (!schema.get<bool>())
      report(at, "is not allowed here");
    return;
  }
  // A value of the wrong type breaks other rules as well, but saying so would not help.
  if (!judge_type(schema, value, at))
    return;
  judge_choice(schema, value, at);
  if (value.is_number())
    judge_number(schema, value, at);
  else if (value.is_string())
    judge_text(schema, value, at);
  else if (value.is_array())
    judge_list(schema, value, at);
  else if (value.is_object())
    judge_object(schema, value, at);
  judge_combinations(schema, value, at);
}

bool finder::judge_type(const json& schema, const json& value, const std::string& at) {
  const auto it = schema.find("type");
  if (it == schema.end())
    return true;
  std::vector<std::string> types;
  if (it->is_string())
    types.push_back(it->get<std::string>());
  else
    types = it->get<std::vector<std::string>>();
  if (std::any_of(types.begin(), types.end(), [&](const std::string& type) { return has_type(value, type); }))
    return true;
  std::vector<std::string> words;
  std::transform(types.begin(), types.end(), std::back_inserter(words), word_of);
  report(at, "must be " + joined(words, " or ") + ", is " + shown(value), description_of(schema));
  return false;
}

void finder::judge_choice(const json& schema, const json& value, const std::string& at) {
  if (const auto it = schema.find("enum"); it != schema.end()) {
    if (std::none_of(it->begin(), it->end(), [&](const json& choice) { return choice == value; })) {
      std::vector<std::string> choices;
      for (const json& choice : *it)
        choices.push_back(shown(choice));
      std::string hint;
      if (value.is_string())
        hint = did_you_mean(shown(value), choices);
      report(at, "must be one of " + shortened(joined(choices, ", "), 300) + ", is " + shown(value), hint);
    }
  }
  if (const auto it = schema.find("const"); it != schema.end() && *it != value)
    report(at, "must be " + shown(*it) + ", is " + shown(value));
}

void finder::judge_number(const json& schema, const json& value, const std::string& at) {
  const double number = value.get<double>();
  const auto compare = [&](const char* keyword, const char* words, auto breaks) {
    if (const auto it = schema.find(keyword); it != schema.end() && breaks(number, it->get<double>()))
      report(at, std::string("must be ") + words + " " + shown(*it) + ", is " + shown(value));
  };
  compare("minimum", "at least", [](double v, double b) { return v < b; });
  compare("maximum", "at most", [](double v, double b) { return v > b; });
  compare("exclusiveMinimum", "more than", [](double v, double b) { return v <= b; });
  compare("exclusiveMaximum", "less than", [](double v, double b) { return v >= b; });
  if (const auto it = schema.find("multipleOf"); it != schema.end() && value.get<std::int64_t>() % it->get<std::int64_t>() != 0)
    report(at, "must be a multiple of " + shown(*it) + ", is " + shown(value));
}

void finder::judge_text(const json& schema, const json& value, const std::string& at) {
  const auto& text = value.get_ref<const std::string&>();
  const std::size_t length = characters(text);
  if (const auto least = bound(schema, "minLength"); least && length < *least)
    report(at, "must have at least " + counted(*least, "character") + ", has " + std::to_string(length), description_of(schema));
  const auto most = bound(schema, "maxLength");
  if (most && length > *most) {
    report(at, "must have at most " + counted(*most, "character") + ", has " + std::to_string(length));
    return; // matching a pattern is bounded by maxLength
  }
  if (const auto it = schema.find("pattern"); it != schema.end() && !matches(it->get<std::string>(), text))
    report(at, "must match the pattern " + it->get<std::string>() + ", is " + shown(value), description_of(schema));
}

void finder::judge_list(const json& schema, const json& value, const std::string& at) {
  if (const auto least = bound(schema, "minItems"); least && value.size() < *least)
    report(at, "must have at least " + counted(*least, "item") + ", has " + std::to_string(value.size()), description_of(schema));
  if (const auto most = bound(schema, "maxItems"); most && value.size() > *most) {
    report(at, "must have at most " + counted(*most, "item") + ", has " + std::to_string(value.size()));
    return; // comparing items with each other is bounded by maxItems
  }
  judge_items(schema, value, at);
  if (const auto it = schema.find("contains"); it != schema.end())
    if (std::none_of(value.begin(), value.end(), [&](const json& item) { return accepts(*it, item); }))
      report(at, "must contain an item of the required form", description_of(*it));
  if (schema.value("uniqueItems", false))
    for (std::size_t i = 0; i < value.size() && !is_enough(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (value[i] == value[j]) {
          report(at + "/" + std::to_string(i), "must not be in the list twice, is " + shown(value[i]));
          break;
        }
}

void finder::judge_items(const json& schema, const json& value, const std::string& at) {
  const auto items = schema.find("items");
  if (items == schema.end())
    return;
  for (std::size_t i = 0; i < value.size() && !is_enough(); ++i) {
    const std::string item_at = at + "/" + std::to_string(i);
    if (!items->is_array())
      judge(*items, value[i], item_at);
    else if (i < items->size())
      judge((*items)[i], value[i], item_at);
    else if (const auto more = schema.find("additionalItems"); more != schema.end())
      judge(*more, value[i], item_at);
  }
}

void finder::judge_object(const json& schema, const json& value, const std::string& at) {
  if (const auto least = bound(schema, "minProperties"); least && value.size() < *least)
    report(at, "must have at least " + counted(*least, "member") + ", has " + std::to_string(value.size()));
  if (const auto most = bound(schema, "maxProperties"); most && value.size() > *most)
    report(at, "must have at most " + counted(*most, "member") + ", has " + std::to_string(value.size()));
  const auto properties = schema.find("properties");
  if (const auto it = schema.find("required"); it != schema.end())
    for (const json& name : *it)
      if (!value.contains(name.get_ref<const std::string&>())) {
        std::string hint;
        if (properties != schema.end() && properties->contains(name.get_ref<const std::string&>()))
          hint = description_of(properties->at(name.get_ref<const std::string&>()));
        report(at + "/" + pointer_token(name.get<std::string>()), "is missing", hint);
      }
  judge_members(schema, value, at);
  if (const auto it = schema.find("propertyNames"); it != schema.end())
    for (const auto& [name, member] : value.items())
      if (!accepts(*it, name))
        report(at + "/" + pointer_token(shortened(name)), "is not a name allowed here", description_of(*it));
  judge_dependencies(schema, value, at);
}

void finder::judge_members(const json& schema, const json& value, const std::string& at) {
  const auto properties = schema.find("properties");
  const auto patterned = schema.find("patternProperties");
  const auto additional = schema.find("additionalProperties");
  for (const auto& [name, member] : value.items()) {
    if (is_enough())
      return;
    const std::string member_at = at + "/" + pointer_token(shortened(name));
    bool known = false;
    if (properties != schema.end())
      if (const auto it = properties->find(name); it != properties->end()) {
        judge(*it, member, member_at);
        known = true;
      }
    if (patterned != schema.end())
      for (const auto& [pattern, sub] : patterned->items())
        if (matches(pattern, name)) {
          judge(sub, member, member_at);
          known = true;
        }
    if (known || additional == schema.end())
      continue;
    if (additional->is_boolean() && !additional->get<bool>()) {
      std::vector<std::string> names;
      if (properties != schema.end())
        for (const auto& [property, unused] : properties->items())
          names.push_back(property);
      std::string hint = did_you_mean(name, names);
      if (hint.empty() && !names.empty())
        hint = "known are " + shortened(joined(names, ", "), 300);
      report(member_at, "is not known", hint);
    } else {
      judge(*additional, member, member_at);
    }
  }
}

void finder::judge_dependencies(const json& schema, const json& value, const std::string& at) {
  const auto dependencies = schema.find("dependencies");
  if (dependencies == schema.end())
    return;
  for (const auto& [name, dependency] : dependencies->items()) {
    if (!value.contains(name))
      continue;
    if (!dependency.is_array()) {
      judge(dependency, value, at);
      continue;
    }
    for (const json& needed : dependency)
      if (!value.contains(needed.get_ref<const std::string&>()))
        report(at + "/" + pointer_token(needed.get<std::string>()), "is missing, and " + name + " needs it");
  }
}

void finder::judge_combinations(const json& schema, const json& value, const std::string& at) {
  if (const auto it = schema.find("allOf"); it != schema.end())
    for (const json& part : *it)
      judge(part, value, at);
  const auto fitting = [&](const json& forms) {
    return std::count_if(forms.begin(), forms.end(), [&](const json& form) { return accepts(form, value); });
  };
  const auto of_none = [&](const json& forms) {
    if (forms.size() == 1)
      return judge(forms[0], value, at);
    std::vector<std::string> descriptions;
    for (const json& form : forms)
      if (std::string text = form.is_object() ? description_of(form) : ""; !text.empty())
        descriptions.push_back(std::move(text));
    report(at, "fits none of the " + std::to_string(forms.size()) + " forms allowed, is " + shown(value),
           descriptions.empty() ? description_of(schema) : joined(descriptions, "; or "));
  };
  if (const auto it = schema.find("anyOf"); it != schema.end() && fitting(*it) == 0)
    of_none(*it);
  if (const auto it = schema.find("oneOf"); it != schema.end()) {
    const auto fits = fitting(*it);
    if (fits == 0)
      of_none(*it);
    else if (fits > 1)
      report(at, "fits " + std::to_string(fits) + " forms of which exactly one is allowed, is " + shown(value),
             description_of(schema));
  }
  if (const auto it = schema.find("not"); it != schema.end() && accepts(*it, value))
    report(at, "has a form that is not allowed, is " + shown(value), it->is_object() ? description_of(*it) : "");
  if (const auto it = schema.find("if"); it != schema.end())
    if (const auto branch = schema.find(accepts(*it, value) ? "then" : "else"); branch != schema.end())
      judge(*branch, value, at);
}

} // namespace

std::vector<problem> violations(const json& schema, const pattern_table& patterns, const json& value) {
  finder all(patterns, limits::problems_max);
  all.judge(schema, value, "");
  return all.take();
}

bool obeys(const json& schema, const pattern_table& patterns, const json& value) {
  finder first(patterns, 1);
  first.judge(schema, value, "");
  return first.take().empty();
}

std::string pointer_token(std::string_view key) {
  std::string token;
  for (const char c : key) {
    if (c == '~')
      token += "~0";
    else if (c == '/')
      token += "~1";
    else
      token += c;
  }
  return token;
}

} // namespace ferry::config
