// What a verb takes on the command line: declared once, and read by the parser, `--help` and the shell completions alike.
// Values land in the variables given here when parse() succeeds. Errors: invalid_argument naming the option, what was given and the
// nearest known name.
#pragma once

#include "model/error.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::cli {

// What a value stands for; tells the shells what to offer.
enum class value_kind { nothing, text, integer, file, directory, job_type, job_id, group, dataset, node, choice };

struct option_declaration {
  std::string names;      // "-f,--follow"; of a positional its name for people ("ID")
  std::string value_name; // "TEXT"; empty for flags
  std::string help;
  value_kind kind = value_kind::text;
  std::vector<std::string> choices; // of value_kind::choice, or words offered besides ids
  bool positional = false;
  bool required = false; // positionals only
  bool many = false;     // may be given more than once
  std::function<result<void>(const std::vector<std::string>&)> assign;

  [[nodiscard]] std::string long_name() const;  // "--follow", or "" where there is none
  [[nodiscard]] std::string short_name() const; // "-f", or ""
};

class arguments {
public:
  void flag(std::string names, bool& into, std::string help);
  void text(std::string names, std::optional<std::string>& into, std::string value_name, std::string help,
            value_kind kind = value_kind::text);
  void integer(std::string names, std::optional<std::int64_t>& into, std::string value_name, std::string help, std::int64_t least,
               std::int64_t most);
  // One of `choices`, or with `comma_separated` a list of them (kept as given).
  void choice(std::string names, std::optional<std::string>& into, std::string value_name, std::vector<std::string> choices,
              bool comma_separated, std::string help);
  void list(std::string names, std::vector<std::string>& into, std::string value_name, std::string help,
            value_kind kind = value_kind::text);

  void positional(std::string name, std::optional<std::string>& into, value_kind kind, std::string help, bool required = true);
  void positional(std::string name, std::vector<std::string>& into, value_kind kind, std::string help, bool required = true);
  void job(std::string name, std::int64_t& into, std::string help);
  void jobs(std::string name, std::vector<std::int64_t>& into, std::string help, bool required = true);
  // Words offered to the shells for the positional declared last, besides what its kind brings.
  void suggest(std::vector<std::string> words);
  // Everything after `--`. A verb that does not ask for it refuses it.
  void rest(std::vector<std::string>& into, std::string value_name, std::string help);

  [[nodiscard]] result<void> parse(std::vector<std::string> words);

  [[nodiscard]] const std::deque<option_declaration>& declarations() const { return declarations_; }
  // "[OPTIONS] ID… [-- ARGV…]"
  [[nodiscard]] std::string usage() const;
  // Two tables: what is given by place, and the options.
  [[nodiscard]] std::string describe() const;

private:
  option_declaration& add(option_declaration declared);

  std::deque<option_declaration> declarations_;
  std::vector<std::string>* rest_ = nullptr;
  std::string rest_name_;
  std::string rest_help_;
};

// A job id as people write it: "42". Errors: invalid_argument.
[[nodiscard]] result<std::int64_t> job_id_from(std::string_view word);

} // namespace ferry::cli
