// A program in the foreground, with our own standard streams.
#pragma once

#include "model/error.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::cli {

struct foreground_program {
  std::vector<std::string> argv;                  // argv[0] is looked up in the PATH of `environment`
  std::map<std::string, std::string> environment; // the whole of it
  std::string directory;
  // Where set, its standard input and output are pipes: this is called with each line that it prints, and what it answers is
  // written to the program; nothing closes its input.
  std::function<std::optional<std::string>(std::string_view)> converse = {};
};

// Its exit status, or 128 + the signal that ended it. While it runs Ctrl-C is the program's to answer; SIGTERM and SIGHUP are
// passed on to it. Errors: not started: invalid_argument with the reason; io.
[[nodiscard]] result<int> run_in_foreground(const foreground_program& what);

} // namespace ferry::cli
