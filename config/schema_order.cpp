#include "config/schema_order.hpp"

#include "config/schema_keywords.hpp"

#include <algorithm>

namespace ferry::config {
namespace {

constexpr const char* order_keyword = "x-order";

// Dotted keys and headers may name a property anywhere: what counts is where it is named first.
json names_as_written(const toml::table& properties) {
  std::vector<const toml::key*> keys;
  for (const auto& [name, unused] : properties)
    keys.push_back(&name);
  std::ranges::stable_sort(keys, [](const toml::key* a, const toml::key* b) { return a->source().begin < b->source().begin; });
  json names = json::array();
  for (const toml::key* name : keys)
    names.push_back(std::string(name->str()));
  return names;
}

void add_to_all(json& schemas, const toml::node& written) {
  if (const auto* table = written.as_table(); table != nullptr && schemas.is_object())
    for (const auto& [name, inner] : *table)
      add_written_order(schemas[std::string(name.str())], inner);
  if (const auto* list = written.as_array(); list != nullptr && schemas.is_array())
    for (std::size_t i = 0; i < list->size(); ++i)
      add_written_order(schemas[i], *list->get(i));
}

} // namespace

void add_written_order(json& schema, const toml::node& written) {
  const auto* table = written.as_table();
  if (table == nullptr || !schema.is_object())
    return;
  for (const auto& [name, inner] : *table) {
    const keyword* known = find_keyword(name.str());
    if (known == nullptr)
      continue;
    json& part = schema[std::string(name.str())];
    switch (known->value) {
    case form::schema: add_written_order(part, inner); break;
    case form::schema_map:
    case form::dependencies:
    case form::schemas: add_to_all(part, inner); break;
    case form::items:
      if (inner.is_array())
        add_to_all(part, inner);
      else
        add_written_order(part, inner);
      break;
    default: break;
    }
  }
  if (const auto* properties = table->get_as<toml::table>("properties"); properties != nullptr && !schema.contains(order_keyword))
    schema[order_keyword] = names_as_written(*properties);
}

} // namespace ferry::config
