// A text that is edited by the user's editor.
#pragma once

#include "model/error.hpp"

#include <string>
#include <string_view>

namespace ferry::cli {

// A private temporary file, removed at the end unless it is kept.
class edited_file {
public:
  // `name` is how the file's name ends, so that editors know its kind.
  explicit edited_file(std::string name) : name_(std::move(name)) {}
  ~edited_file();
  edited_file(const edited_file&) = delete;
  edited_file& operator=(const edited_file&) = delete;

  [[nodiscard]] result<void> write(std::string_view text);
  [[nodiscard]] result<std::string> read() const;
  // $VISUAL, else $EDITOR, else vi; a command line that the shell takes apart, as for git. Waits until it ends.
  // Errors: invalid_argument when it ends with a status other than 0.
  [[nodiscard]] result<void> open_in_editor() const;
  // Its path; from now on it stays.
  [[nodiscard]] std::string keep();

private:
  std::string name_;
  std::string directory_;
  bool kept_ = false;
};

} // namespace ferry::cli
