// Prepared statements of one connection, each compiled once. A statement in use is reset when its handle goes, so that no read
// holds the WAL back and no write stays half done.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ferry::storage {

// Bytes that are no text.
struct blob_view {
  std::string_view bytes;
};

// A statement with its values bound. Text is bound without a copy: the strings given must outlive this handle.
class bound_statement {
public:
  explicit bound_statement(SQLite::Statement& statement) : statement_(&statement) {}
  bound_statement(const bound_statement&) = delete;
  bound_statement& operator=(const bound_statement&) = delete;
  ~bound_statement() { statement_->tryReset(); }

  // True while there is a row.
  bool next() { return statement_->executeStep(); }

  [[nodiscard]] std::int64_t integer(int column) const { return statement_->getColumn(column).getInt64(); }
  [[nodiscard]] bool is_null(int column) const { return statement_->isColumnNull(column); }
  [[nodiscard]] std::string text(int column) const { return statement_->getColumn(column).getString(); }
  // Valid until the next row.
  [[nodiscard]] std::string_view view(int column) const {
    const auto value = statement_->getColumn(column);
    const void* bytes = value.getBlob();
    return {static_cast<const char*>(bytes), bytes ? static_cast<std::size_t>(value.getBytes()) : 0};
  }
  [[nodiscard]] instant time(int column) const { return from_unix_ms(integer(column)); }
  [[nodiscard]] std::optional<instant> optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional{time(column)};
  }

private:
  SQLite::Statement* statement_;
};

class statement_cache {
public:
  explicit statement_cache(SQLite::Database& database) : database_(database) {}

  // `sql` must be a string constant: its address is the key.
  template <class... Values>
  [[nodiscard]] bound_statement query(const char* sql, const Values&... values) {
    SQLite::Statement& statement = prepared(sql);
    int index = 0;
    (bind(statement, ++index, values), ...);
    return bound_statement{statement};
  }
  template <class... Values>
  void run(const char* sql, const Values&... values) {
    auto statement = query(sql, values...);
    while (statement.next()) {}
  }
  // Of a statement that changes at most one row: whether it found it.
  template <class... Values>
  [[nodiscard]] bool changes(const char* sql, const Values&... values) {
    run(sql, values...);
    return database_.getChanges() > 0;
  }

  [[nodiscard]] SQLite::Database& database() { return database_; }

private:
  SQLite::Statement& prepared(const char* sql) {
    if (const auto found = statements_.find(sql); found != statements_.end())
      return found->second;
    return statements_.emplace(sql, SQLite::Statement{database_, sql}).first->second;
  }

  template <std::integral Value>
  static void bind(SQLite::Statement& statement, int index, Value value) {
    statement.bind(index, static_cast<std::int64_t>(value));
  }
  static void bind(SQLite::Statement& statement, int index, const std::string& value) { statement.bindNoCopy(index, value); }
  static void bind(SQLite::Statement& statement, int index, blob_view value) {
    statement.bindNoCopy(index, value.bytes.data(), static_cast<int>(value.bytes.size()));
  }
  static void bind(SQLite::Statement& statement, int index, instant value) { statement.bind(index, to_unix_ms(value)); }
  static void bind(SQLite::Statement& statement, int index, std::nullopt_t) { statement.bind(index); }
  // "None" is stored as NULL.
  template <class Tag>
  static void bind(SQLite::Statement& statement, int index, strong_id<Tag> value) {
    if (value.is_none())
      statement.bind(index);
    else
      statement.bind(index, value.value);
  }
  template <class Value>
  static void bind(SQLite::Statement& statement, int index, const std::optional<Value>& value) {
    if (value)
      bind(statement, index, *value);
    else
      statement.bind(index);
  }

  SQLite::Database& database_;
  std::unordered_map<const char*, SQLite::Statement> statements_;
};

} // namespace ferry::storage
