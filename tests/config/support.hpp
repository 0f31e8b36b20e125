// What the tests of the configuration share.
#pragma once

#include "config/settings.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>

namespace ferry::config::testing {

// Sets or removes an environment variable until the end of the scope.
class scoped_variable {
public:
  scoped_variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name))
      before_ = old;
    if (value != nullptr)
      ::setenv(name, value, 1);
    else
      ::unsetenv(name);
  }
  scoped_variable(const scoped_variable&) = delete;
  scoped_variable& operator=(const scoped_variable&) = delete;
  ~scoped_variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

private:
  const char* name_;
  std::optional<std::string> before_;
};

// A folder of its own, removed at the end of the scope.
class scoped_folder {
public:
  scoped_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ferry-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  scoped_folder(const scoped_folder&) = delete;
  scoped_folder& operator=(const scoped_folder&) = delete;
  ~scoped_folder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

private:
  std::filesystem::path path_;
};

// The user's own environment must not decide what a test sees.
struct plain_environment {
  scoped_variable home{"HOME", "/home/ada"}, data{"XDG_DATA_HOME", nullptr}, runtime{"XDG_RUNTIME_DIR", nullptr},
      configuration{"XDG_CONFIG_HOME", nullptr}, file{"FERRY_CONFIG", nullptr}, socket{"FERRY_SOCKET", nullptr};
};

inline std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline std::filesystem::path source_file(const char* name) { return std::filesystem::path(FERRY_SOURCE_DIR) / name; }

// The first problem about `where`, or nothing.
inline const problem* find_problem(const error& e, const std::string& where) {
  for (const problem& p : e.problems)
    if (p.where == where)
      return &p;
  return nullptr;
}

} // namespace ferry::config::testing
