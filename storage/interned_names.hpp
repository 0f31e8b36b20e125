// Names that stand in many rows (job types, devices) are stored once and referred to by number. Keeps the numbers it has met;
// forget them when a transaction is undone, because a number given in it was undone too.
#pragma once

#include "storage/statements.hpp"

#include <string>
#include <unordered_map>

namespace ferry::storage {

class interned_names {
public:
  // The statements: one that finds `id` by name, one that inserts a name and returns its `id`.
  interned_names(statement_cache& statements, const char* select, const char* insert)
      : statements_(statements), select_(select), insert_(insert) {}

  [[nodiscard]] std::int64_t number_of(const std::string& name) {
    if (const auto known = numbers_.find(name); known != numbers_.end())
      return known->second;
    auto number = ask(select_, name);
    if (number == 0)
      number = ask(insert_, name);
    if (numbers_.size() >= names_kept)
      numbers_.clear();
    return numbers_.emplace(name, number).first->second;
  }
  void forget() { numbers_.clear(); }

private:
  static constexpr std::size_t names_kept = 10'000; // what is forgotten is asked for again
  std::int64_t ask(const char* sql, const std::string& name) {
    auto row = statements_.query(sql, name);
    if (!row.next())
      return 0;
    const auto number = row.integer(0);
    while (row.next()) {} // an INSERT … RETURNING is done when it has been stepped to its end
    return number;
  }
  statement_cache& statements_;
  const char* select_;
  const char* insert_;
  std::unordered_map<std::string, std::int64_t> numbers_;
};

} // namespace ferry::storage
