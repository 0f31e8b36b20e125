// Reads declared values out of a parsed TOML file and collects every fault with file and line.
#pragma once

#include "config/options.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <toml++/toml.h>
#include <vector>

namespace ferry::config {

class toml_reader {
public:
  explicit toml_reader(const std::filesystem::path& file) : file_(file.string()), folder_(file.parent_path()) {}

  // The value of `node` as declared, or nothing and a problem.
  std::optional<option_value> read(const declaration& declared, const std::string& key, const toml::node& node);
  // A table as JSON; dates, times and numbers that are not finite are problems.
  json to_json(const toml::node& node, const std::string& key);

  void report(const std::string& key, const toml::node* node, std::string what, std::string hint = {});
  void report_line(const std::string& key, int line, std::string what, std::string hint = {});
  // A key that nothing declares.
  void report_unknown(const std::string& key, const toml::key& name, const std::vector<std::string>& known, std::string hint = {});

  // A path with its "~/" expanded, absolute and normal; empty stays empty.
  [[nodiscard]] std::string anchored(const std::string& path) const;
  [[nodiscard]] std::vector<problem> take_problems();
  [[nodiscard]] bool has_problems() const { return !problems_.empty(); }
  [[nodiscard]] std::size_t problem_count() const { return problems_.size(); }

private:
  std::optional<option_value> read_integer(const declaration& declared, const std::string& key, const toml::node& node);
  std::optional<option_value> read_duration(const declaration& declared, const std::string& key, const toml::node& node);
  std::optional<option_value> read_choice(const declaration& declared, const std::string& key, const toml::node& node);
  std::optional<std::string> read_text(const std::string& key, const toml::node& node, const char* what);
  std::optional<option_value> read_list(const std::string& key, const toml::node& node);
  std::optional<option_value> read_map(const std::string& key, const toml::node& node);
  std::optional<option_value> read_numbers(const declaration& declared, const std::string& key, const toml::node& node);

  std::string file_;
  std::filesystem::path folder_;
  std::vector<problem> problems_;
};

// "a.b", with what is not a bare key in quotes.
[[nodiscard]] std::string dotted(const std::string& prefix, std::string_view key);
// "true", "12", "\"text\"", "a table": a TOML value for a message.
[[nodiscard]] std::string shown(const toml::node& node);

} // namespace ferry::config
