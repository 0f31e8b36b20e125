#include "http/event_id.hpp"

#include <algorithm>
#include <charconv>

namespace ferry::http {
namespace {

template <class Number>
bool read_number(std::string_view& text, Number& into) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (failed != std::errc{})
    return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool skip_dash(std::string_view& text) {
  if (!text.starts_with('-'))
    return false;
  text.remove_prefix(1);
  return true;
}

} // namespace

std::string to_text(const event_id& id) {
  auto text = id.start + "-" + std::to_string(id.number);
  if (id.log)
    text += "-" + to_string(id.log->batch) + "-" + std::to_string(id.log->offset);
  return text;
}

std::optional<event_id> event_id_from(std::string_view text) {
  event_id id;
  const auto dash = std::min(text.find('-'), text.size());
  id.start = std::string(text.substr(0, dash));
  text.remove_prefix(dash);
  if (id.start.empty() || !skip_dash(text) || !read_number(text, id.number))
    return std::nullopt;
  if (text.empty())
    return id;
  log_place log;
  if (!skip_dash(text) || !read_number(text, log.batch.value) || !skip_dash(text) || !read_number(text, log.offset) ||
      !text.empty() || log.batch.value < 0 || log.offset < 0)
    return std::nullopt;
  id.log = log;
  return id;
}

} // namespace ferry::http
