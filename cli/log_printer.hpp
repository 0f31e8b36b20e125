// How the bytes of a job's log are shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferry::cli {

class log_printer {
public:
  virtual ~log_printer() = default;
  // What to write for the next bytes, which stand at `offset` in the log.
  [[nodiscard]] virtual std::string take(std::string_view bytes, std::int64_t offset) = 0;
  // What was kept back, once the log is at its end.
  [[nodiscard]] virtual std::string finish() = 0;
};

// As they are.
class raw_log_printer final : public log_printer {
public:
  [[nodiscard]] std::string take(std::string_view bytes, std::int64_t) override { return std::string(bytes); }
  [[nodiscard]] std::string finish() override { return {}; }
};

// For a terminal with a progress line below: whole lines only, and of a line that rewrites itself (a bar made with carriage
// returns) its last state. Keeps back at most 64 KiB.
class tidy_log_printer final : public log_printer {
public:
  [[nodiscard]] std::string take(std::string_view bytes, std::int64_t offset) override;
  [[nodiscard]] std::string finish() override;

private:
  std::string pending_;
};

// A line of JSON for each line: {"offset": 0, "line": "…"}. Bytes that are not UTF-8 are replaced.
class json_log_printer final : public log_printer {
public:
  [[nodiscard]] std::string take(std::string_view bytes, std::int64_t offset) override;
  [[nodiscard]] std::string finish() override;

private:
  std::string pending_;
  std::int64_t begins_at_ = 0;
};

} // namespace ferry::cli
