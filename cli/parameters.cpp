#include "cli/parameters.hpp"

#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "config/limits.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace ferry::cli {
namespace {

// The place that a dotted key names; made on the way where it is missing.
result<json*> place_for(json& params, std::string_view key, const std::string& assignment) {
  json* at = &params;
  std::string_view rest = key;
  std::string so_far;
  for (;;) {
    const auto dot = rest.find('.');
    const std::string segment(rest.substr(0, dot));
    if (segment.empty())
      return fail(error_code::invalid_argument, "--param \"" + printable(assignment) + "\" has an empty name in its key",
                  "write key=value, or weights.vis=0.5 for a value within an object");
    if (!at->is_object())
      return fail(error_code::invalid_argument, "--param \"" + printable(assignment) + "\": " + printable(so_far) + " is " +
                                                    to_text(*at) + " and holds nothing named " + printable(segment));
    so_far += (so_far.empty() ? "" : ".") + segment;
    const bool existed = at->contains(segment);
    at = &(*at)[segment];
    if (dot == std::string_view::npos)
      return at;
    if (!existed)
      *at = json::object();
    rest.remove_prefix(dot + 1);
  }
}

// What `key=value` means: JSON where it reads as JSON other than a quoted text.
result<json> value_from(const std::string& text, const std::string& assignment) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded() || value.is_string())
    return json(text);
  if (value.is_number_float() && text.find_first_of(".eE") == text.npos)
    return fail(error_code::invalid_argument, "--param \"" + printable(assignment) + "\": the number does not fit in 64 bits",
                "as text: key:='\"…\"'");
  return value;
}

} // namespace

result<std::string> read_whole(const std::string& path) {
  const bool standard_input = path == "-";
  const int descriptor = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  ssize_t got = descriptor < 0 ? -1 : 0;
  if (descriptor >= 0) {
    std::vector<char> chunk(64 * 1024);
    while ((got = ::read(descriptor, chunk.data(), chunk.size())) > 0 || (got < 0 && errno == EINTR))
      if (got > 0 && text.append(chunk.data(), static_cast<std::size_t>(got)).size() > limits::request_body_bytes_max)
        break;
  }
  const int reason = errno;
  if (descriptor >= 0 && !standard_input)
    ::close(descriptor);
  const std::string name = standard_input ? "standard input" : printable(path);
  if (got < 0)
    return fail(error_code::invalid_argument, name + " cannot be read: " + std::strerror(reason));
  if (text.size() > limits::request_body_bytes_max)
    return fail(error_code::too_large, name + " is larger than " + std::to_string(limits::request_body_bytes_max) + " bytes");
  return text;
}

result<json> object_from(const std::string& text, const std::string& option) {
  std::string source = text;
  if (text == "-" || text.starts_with("@")) {
    auto read = read_whole(text == "-" ? text : text.substr(1));
    if (!read)
      return fail(read.error());
    source = std::move(*read);
  }
  auto value = json_from(source, option);
  if (value && !value->is_object())
    return fail(error_code::invalid_argument, option + " must be a JSON object such as {\"steps\": 20}, is " + value->type_name());
  return value;
}

result<void> assign_parameter(json& params, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == assignment.npos || equals == 0)
    return fail(error_code::invalid_argument, "--param must be key=value, is \"" + printable(assignment) + "\"");
  const bool is_json = assignment[equals - 1] == ':';
  const std::string_view key(assignment.data(), is_json ? equals - 1 : equals);
  std::string text = assignment.substr(equals + 1);
  const bool from_file = text.starts_with("@");
  if (from_file) {
    auto read = read_whole(text.substr(1));
    if (!read) {
      read.error().hint = "a text that begins with @ is written key:='\"@…\"'";
      return fail(read.error());
    }
    text = std::move(*read);
  }
  auto value = is_json     ? json_from(text, "--param " + printable(key))
               : from_file ? result<json>(json(text))
                           : value_from(text, assignment);
  if (!value)
    return fail(value.error());
  auto place = place_for(params, key, assignment);
  if (!place)
    return fail(place.error());
  **place = std::move(*value);
  return {};
}

result<json> parameters_from(const std::string* json_option, const std::vector<std::string>& param_options) {
  json params = json::object();
  if (json_option) {
    auto given = object_from(*json_option, "--json");
    if (!given)
      return given;
    params = std::move(*given);
  }
  for (const std::string& assignment : param_options)
    if (auto assigned = assign_parameter(params, assignment); !assigned)
      return fail(assigned.error());
  return params;
}

std::string dotted_root(std::string_view assignment) {
  const std::string_view key = assignment.substr(0, assignment.find('='));
  const auto dot = key.find('.');
  return dot == key.npos ? std::string() : std::string(key.substr(0, dot));
}

} // namespace ferry::cli
