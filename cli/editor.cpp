#include "cli/editor.hpp"

#include "cli/foreground.hpp"
#include "cli/parameters.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::cli {
namespace {

std::map<std::string, std::string> our_environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (const auto equals = text.find('='); equals != text.npos)
      all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

std::string editor_command() {
  for (const char* name : {"VISUAL", "EDITOR"})
    if (const char* value = std::getenv(name); value && *value)
      return value;
  return "vi";
}

} // namespace

edited_file::~edited_file() {
  std::error_code ignored;
  if (!directory_.empty() && !kept_)
    std::filesystem::remove_all(directory_, ignored);
}

result<void> edited_file::write(std::string_view text) {
  std::error_code problem;
  std::string made = (std::filesystem::temp_directory_path(problem) / "ferry-edit-XXXXXX").string();
  if (problem || !::mkdtemp(made.data()))
    return fail(error_code::io, "no temporary directory can be made: " + made, "set TMPDIR to a directory you may write to");
  directory_ = made;
  const std::string path = directory_ + "/" + name_;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0)
    return fail(error_code::io, path + " cannot be made: " + std::strerror(errno));
  auto written = write_all(descriptor, text);
  ::close(descriptor);
  return written;
}

result<std::string> edited_file::read() const { return read_whole(directory_ + "/" + name_); }

result<void> edited_file::open_in_editor() const {
  const std::string command = editor_command();
  const auto status = run_in_foreground({.argv = {"/bin/sh", "-c", command + " \"$@\"", command, directory_ + "/" + name_},
                                         .environment = our_environment(),
                                         .directory = std::filesystem::current_path().string()});
  if (!status)
    return fail(status.error());
  if (*status != 0)
    return fail(error_code::invalid_argument,
                "the editor \"" + printable(command) + "\" ended with status " + std::to_string(*status) + "; nothing was changed",
                "set VISUAL or EDITOR to your editor");
  return {};
}

std::string edited_file::keep() {
  kept_ = true;
  return directory_ + "/" + name_;
}

} // namespace ferry::cli
