// Which devices a job may run on, as its user asked: `--on gpu=h100 --on node=alpha`. All that it names has to hold.
#pragma once

#include "model/device.hpp"
#include "model/error.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ferry {

struct device_selector {
  // By label. "gpu": a part of a GPU's name, whatever the case, or its id; "device": its id; "node": the machine; else a label that
  // the machine's configuration gives its devices.
  std::map<std::string, std::string> labels;

  [[nodiscard]] bool is_empty() const { return labels.empty(); }
  [[nodiscard]] bool accepts(const device& d) const;
  friend bool operator==(const device_selector&, const device_selector&) = default;
};

[[nodiscard]] std::string to_string(const device_selector& selector); // "gpu=h100, node=alpha"
[[nodiscard]] nlohmann::json to_json(const device_selector& selector);
// What to_json made; empty where it is anything else.
[[nodiscard]] device_selector device_selector_from(const nlohmann::json& object);

// Labels are named [a-z][a-z0-9_-]*, and their values are text without control characters; both are bounded by config/limits.hpp.
[[nodiscard]] bool is_label_name(std::string_view name);
// Not to be given by a configuration: what they mean is fixed.
[[nodiscard]] bool is_reserved_label(std::string_view name);

} // namespace ferry
