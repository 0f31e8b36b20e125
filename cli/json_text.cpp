#include "cli/json_text.hpp"

#include "cli/text.hpp"

namespace ferry::cli {
namespace {

const json* find(const json& object, const char* key) {
  if (!object.is_object())
    return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

} // namespace

result<json> json_from(std::string_view text, const std::string& where) {
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    std::string_view what = e.what();
    if (const auto end = what.find("] "); end != what.npos)
      what.remove_prefix(end + 2);
    return fail(error_code::invalid_argument, where + " is not valid JSON: " + printable(what));
  }
}

std::string json_for_terminal(std::string_view text) {
  const auto document = nlohmann::ordered_json::parse(text, nullptr, false);
  if (document.is_discarded())
    return printable(text);
  const std::string dumped = document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string out;
  // JSON escapes what is below U+0020 itself; the rest line by line, since the newlines are ours.
  for (std::size_t at = 0; at < dumped.size();) {
    const auto end = std::min(dumped.find('\n', at), dumped.size());
    out += printable_json(std::string_view(dumped).substr(at, end - at));
    if (end < dumped.size())
      out += '\n';
    at = end + 1;
  }
  return out;
}

result<std::string> body_from(const json& document) {
  try {
    return document.dump();
  } catch (const json::exception&) {
    return fail(error_code::invalid_argument,
                "a parameter, name or argument holds bytes that are not UTF-8: " + printable(fit(to_text(document), 200)));
  }
}

std::string to_text(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string text_field(const json& object, const char* key) {
  const json* value = find(object, key);
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

std::optional<std::int64_t> integer_field(const json& object, const char* key) {
  const json* value = find(object, key);
  return value && value->is_number() ? std::optional(value->get<std::int64_t>()) : std::nullopt;
}

std::optional<double> number_field(const json& object, const char* key) {
  const json* value = find(object, key);
  return value && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

bool true_field(const json& object, const char* key) {
  const json* value = find(object, key);
  return value && value->is_boolean() && value->get<bool>();
}

const json& object_field(const json& object, const char* key) {
  static const json none = json::object();
  const json* value = find(object, key);
  return value && value->is_object() ? *value : none;
}

const json& array_field(const json& object, const char* key) {
  static const json none = json::array();
  const json* value = find(object, key);
  return value && value->is_array() ? *value : none;
}

} // namespace ferry::cli
