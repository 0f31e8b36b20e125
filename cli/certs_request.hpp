// What `ferry certs` is asked for: declared once, for the verb, which checks it and starts ferry-certs, and for that program.
#pragma once

#include "cli/arguments.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ferry::cli {

struct certs_request {
  std::optional<std::string> action; // init, issue or show
  std::vector<std::string> names;    // issue: one name; show: files
  std::optional<std::string> folder, authority_name;
  std::vector<std::string> hosts;
  std::optional<std::int64_t> days;
  bool renew = false;

  // The request must stay where it is until `a` has parsed.
  void declare(arguments& a);
  // Whether the parts go together. Errors: invalid_argument.
  [[nodiscard]] result<void> check() const;
  // As words that parse to the same.
  [[nodiscard]] std::vector<std::string> words() const;
};

} // namespace ferry::cli
