// Ties a declaration to the field that it declares; for the files that declare options alone.
#pragma once

#include "config/options.hpp"

#include <type_traits>

namespace ferry::config {

// How a field is shown as an option_value and set from one. Enumerators stand in the order of the declared choices.
template <class Field>
option_value value_of(const Field& field, const declaration& declared) {
  if constexpr (std::is_same_v<Field, bool>)
    return field;
  else if constexpr (std::is_enum_v<Field>)
    return std::string(declared.choices.at(static_cast<std::size_t>(field)));
  else if constexpr (std::is_integral_v<Field>)
    return std::int64_t{field};
  else if constexpr (std::is_same_v<Field, std::filesystem::path>)
    return field.string();
  else if constexpr (requires {
                       field.count();
                       typename Field::period;
                     })
    return std::chrono::duration_cast<std::chrono::milliseconds>(field).count();
  else
    return field;
}

template <class Field>
void assign(Field& field, const option_value& value, const declaration& declared) {
  if constexpr (std::is_same_v<Field, bool>) {
    field = std::get<bool>(value);
  } else if constexpr (std::is_enum_v<Field>) {
    for (std::size_t i = 0; i < declared.choices.size(); ++i)
      if (declared.choices[i] == std::get<std::string>(value))
        field = static_cast<Field>(i);
  } else if constexpr (std::is_integral_v<Field>) {
    field = static_cast<Field>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<Field, std::filesystem::path>) {
    field = std::get<std::string>(value);
  } else if constexpr (requires {
                         field.count();
                         typename Field::period;
                       }) {
    field = std::chrono::duration_cast<Field>(std::chrono::milliseconds(std::get<std::int64_t>(value)));
  } else {
    field = std::get<Field>(value);
  }
}

// `at` leads from the target to the field's address.
template <class Target, class Accessor>
option<Target> bound(declaration declared, Accessor at) {
  // Accessors hand out mutable pointers; here the field is only read.
  const auto get = [at, declared](const Target& target) { return value_of(*at(const_cast<Target&>(target)), declared); };
  const auto set = [at, declared](Target& target, const option_value& value) { assign(*at(target), value, declared); };
  return {std::move(declared), get, set};
}

[[nodiscard]] inline option<settings> setting(declaration declared, auto at) { return bound<settings>(std::move(declared), at); }
[[nodiscard]] inline option<job_type> type_key(declaration declared, auto at) { return bound<job_type>(std::move(declared), at); }

inline constexpr std::int64_t second_ms = 1000;

[[nodiscard]] inline declaration one_of(std::string_view key, std::string_view comment, std::vector<std::string_view> choices) {
  return {key, option_kind::choice, comment, 0, 0, 1, std::move(choices)};
}

} // namespace ferry::config
