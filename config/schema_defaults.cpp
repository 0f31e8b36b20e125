#include "config/schema_defaults.hpp"

#include "config/schema_violations.hpp"

#include <optional>
#include <utility>

namespace ferry::config {

struct default_plan::parts {
  struct member {
    std::string name;
    std::optional<json> value;
    default_plan inside;
  };
  std::vector<member> members;
  default_plan items;
  std::vector<default_plan> all_of;
  json condition; // of the two below
  default_plan when, otherwise;
};

default_plan::default_plan(const json& schema) {
  if (!schema.is_object())
    return;
  parts p;
  if (const auto properties = schema.find("properties"); properties != schema.end())
    for (const auto& [name, sub] : properties->items()) {
      parts::member m{name, std::nullopt, default_plan(sub)};
      if (sub.is_object() && sub.contains("default"))
        m.value = sub.at("default");
      if (m.value || !m.inside.is_empty())
        p.members.push_back(std::move(m));
    }
  if (const auto items = schema.find("items"); items != schema.end())
    p.items = default_plan(*items);
  if (const auto all = schema.find("allOf"); all != schema.end())
    for (const json& part : *all)
      if (default_plan plan(part); !plan.is_empty())
        p.all_of.push_back(std::move(plan));
  if (const auto condition = schema.find("if"); condition != schema.end()) {
    p.condition = *condition;
    p.when = default_plan(schema.value("then", json()));
    p.otherwise = default_plan(schema.value("else", json()));
  }
  if (!p.members.empty() || !p.items.is_empty() || !p.all_of.empty() || !p.when.is_empty() || !p.otherwise.is_empty())
    parts_ = std::make_shared<const parts>(std::move(p));
}

void default_plan::fill(json& value, const pattern_table& patterns) const {
  if (is_empty())
    return;
  const parts& p = *parts_;
  if (value.is_array())
    for (json& item : value)
      p.items.fill(item, patterns);
  if (!value.is_object())
    return;
  for (const parts::member& m : p.members) {
    auto it = value.find(m.name);
    if (it == value.end()) {
      if (!m.value)
        continue;
      it = value.emplace(m.name, *m.value).first;
    }
    m.inside.fill(*it, patterns);
  }
  for (const default_plan& part : p.all_of)
    part.fill(value, patterns);
  if (!p.when.is_empty() || !p.otherwise.is_empty())
    (obeys(p.condition, patterns, value) ? p.when : p.otherwise).fill(value, patterns);
}

} // namespace ferry::config
