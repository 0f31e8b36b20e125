#include "model/device_selector.hpp"

#include <algorithm>
#include <cctype>

namespace ferry {
namespace {

constexpr std::string_view gpu_label = "gpu";
constexpr std::string_view device_label = "device";

bool is_same_letter(unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }

bool holds(const device& d, const std::string& name, const std::string& value) {
  if (name == device_label)
    return d.id == value;
  if (name == gpu_label)
    return d.kind == device_kind::gpu && (local_id(d.id) == value || std::search(d.name.begin(), d.name.end(), value.begin(),
                                                                                 value.end(), is_same_letter) != d.name.end());
  const auto found = d.labels.find(name);
  return found != d.labels.end() && found->second == value;
}

} // namespace

bool device_selector::accepts(const device& d) const {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) { return holds(d, label.first, label.second); });
}

std::string to_string(const device_selector& selector) {
  std::string text;
  for (const auto& [name, value] : selector.labels)
    text += (text.empty() ? "" : ", ") + name + "=" + value;
  return text;
}

nlohmann::json to_json(const device_selector& selector) { return selector.labels; }

device_selector device_selector_from(const nlohmann::json& object) {
  device_selector selector;
  if (object.is_object())
    for (const auto& [name, value] : object.items())
      if (value.is_string())
        selector.labels.emplace(name, value.get<std::string>());
  return selector;
}

bool is_label_name(std::string_view name) {
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_small(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_small(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

bool is_reserved_label(std::string_view name) { return name == gpu_label || name == device_label || name == node_label; }

} // namespace ferry
