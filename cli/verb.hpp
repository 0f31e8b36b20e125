// A verb of the command line (`ferry submit`, `ferry queue`, …) and what it works with.
#pragma once

#include "cli/arguments.hpp"
#include "cli/client.hpp"
#include "cli/terminal.hpp"
#include "model/error.hpp"
#include "model/job.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ferry::cli {

// The options that every verb has, the daemon, and the two streams. Errors are printed here and nowhere else.
class context {
public:
  context();

  [[nodiscard]] client& daemon(); // connects with the first request

  // One request; the answer's body, or the answer parsed (internal when it is not the JSON it should be).
  [[nodiscard]] result<std::string> call(const request& what);
  [[nodiscard]] result<json> ask(const request& what);

  [[nodiscard]] bool wants_json() const { return json_; }
  [[nodiscard]] const style& out() const { return out_; }
  [[nodiscard]] const style& err() const { return err_; }

  void print(std::string_view text);      // to standard output, kept until flush()
  void print_json(std::string_view text); // as it is, indented for a terminal, with a newline
  void note(std::string_view text);       // to standard error: ferry's own words beside a job's output
  void report(const error& e);            // to standard error, as words or, for --format json, as the error document
  [[nodiscard]] result<void> flush();

  std::optional<std::string> format; // what the options of all verbs were set to
  std::optional<std::string> socket;
  // Makes those options count. Errors: invalid_argument.
  [[nodiscard]] result<void> settle();

private:
  bool json_ = false;
  style out_, err_;
  std::string pending_;
  std::unique_ptr<client> daemon_;
};

class action {
public:
  virtual ~action() = default;
  virtual void declare(arguments& a) = 0;
  // The exit status, or an error that becomes one.
  [[nodiscard]] virtual result<int> run(context& c) = 0;
};

struct verb {
  std::string_view name;
  std::string_view alias;   // may be empty
  std::string_view summary; // one line for `ferry help`
  std::string_view details; // more for `ferry help VERB`; lines, may be empty
  std::unique_ptr<action> (*make)();
};

// In the order of `ferry help`.
[[nodiscard]] std::span<const verb> all_verbs();
[[nodiscard]] const verb* find_verb(std::string_view name);
// Adds --format, --socket and --help.
void declare_common(arguments& a, context& c, bool& help);

// The whole program. Returns the exit status.
[[nodiscard]] int run_command_line(const std::vector<std::string>& words);

inline constexpr int exit_completed = 0;
inline constexpr int exit_not_completed = 1;
inline constexpr int exit_interrupted = 130;

} // namespace ferry::cli
