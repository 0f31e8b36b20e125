// The report: a table in Markdown, printed line by line as figures come in and written to a file as a whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ferry::bench {

enum class better { more, less };

// One number held against its goal.
struct goal {
  double measured = 0;
  double bound = 0;
  better direction = better::more;
  [[nodiscard]] bool is_met() const { return direction == better::more ? measured >= bound : measured <= bound; }
  // "met", or by how much it was missed.
  [[nodiscard]] std::string verdict() const;
};

class report {
public:
  void heading(const std::string& text);
  void line(const std::string& text);
  void columns(const std::vector<std::string>& titles);
  void row(const std::vector<std::string>& cells);
  // A row of the table of figures: figure, measured, limit or goal in words, verdict (all goals).
  void figure(const std::string& name, const std::string& measured, const std::string& goal_in_words,
              const std::vector<goal>& goals = {});
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] int missed() const { return missed_; }

private:
  void put(const std::string& line);

  std::string text_;
  int missed_ = 0;
};

} // namespace ferry::bench
