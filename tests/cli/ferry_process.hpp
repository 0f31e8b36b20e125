// Runs the real `ferry` as a user does, and says what it printed and how it ended.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::cli::test {

struct ran {
  int status = -1; // exit status, or 128 + signal
  std::string out, err;
};

struct how {
  std::map<std::string, std::string> environment = {}; // besides PATH, HOME, TMPDIR and a UTF-8 LANG
  std::optional<std::filesystem::path> socket = {};    // becomes FERRY_SOCKET
  std::string input = {};
  std::filesystem::path directory = "/";
  int columns = 0; // other than 0: standard output and error are one terminal of this width, and `out` is what it received
};

[[nodiscard]] ran run_ferry(const std::vector<std::string>& words, const how& h);
// Any program.
[[nodiscard]] ran run_program(const std::vector<std::string>& argv, const how& h);

} // namespace ferry::cli::test
