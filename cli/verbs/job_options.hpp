// The options that describe a job, shared by `submit` and `run`.
#pragma once

#include "cli/arguments.hpp"
#include "cli/parameters.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ferry::cli {

struct job_options {
  std::optional<std::string> type;
  std::vector<std::string> params;
  std::optional<std::string> document;
  std::optional<std::string> directory;
  std::vector<std::string> argv;

  void declare(arguments& a, bool type_required);
  // The parameters of one job. A `command` gets what stands after -- as params.argv, and the current directory as params.cwd.
  // Errors: invalid_argument.
  [[nodiscard]] result<json> parameters() const;
  // The same without what only a single job needs.
  [[nodiscard]] result<json> shared_parameters() const;
  // What relative paths among the parameters start from: the current directory. Empty for a `command`, which gets that as
  // params.cwd.
  [[nodiscard]] static result<std::string> base_directory(const std::string& type);
  [[nodiscard]] static result<std::string> absolute_directory(const std::string& directory);
};

} // namespace ferry::cli
