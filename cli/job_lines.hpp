// Jobs from a file of JSON Lines: one object a line, as POST /jobs takes it.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace ferry::cli {

class job_lines {
public:
  // `base` is what holds for lines that do not say otherwise: type, priority, name, held, and single params.
  job_lines(std::string file, json base) : file_(std::move(file)), base_(std::move(base)) {}
  ~job_lines();
  job_lines(const job_lines&) = delete;
  job_lines& operator=(const job_lines&) = delete;

  // "-" is standard input. Errors: invalid_argument.
  [[nodiscard]] result<void> open();
  // The next job, or null at the end. Empty lines are passed over. Errors: invalid_argument with file and line; too_large.
  [[nodiscard]] result<json> next();
  // Of the job that next() gave last; the first is 1.
  [[nodiscard]] int line() const { return line_; }
  [[nodiscard]] const std::string& name() const { return name_; }

private:
  [[nodiscard]] result<bool> read_line(std::string_view& into);
  [[nodiscard]] error at_line(error e) const;

  std::string file_, name_;
  json base_;
  int descriptor_ = -1;
  int line_ = 0;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool ended_ = false;
};

} // namespace ferry::cli
