#include "bench/report.hpp"

#include <cmath>
#include <cstdio>

namespace ferry::bench {

std::string goal::verdict() const {
  if (is_met())
    return "met";
  const double by = direction == better::more ? 1 - measured / bound : measured / bound - 1;
  return "missed by " + std::to_string(std::lround(by * 100)) + "%";
}

void report::put(const std::string& line) {
  text_ += line + "\n";
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void report::heading(const std::string& text) {
  put("");
  put("## " + text);
  put("");
}

void report::line(const std::string& text) { put(text); }

void report::columns(const std::vector<std::string>& titles) {
  row(titles);
  put("|" + [&] {
    std::string rule;
    for (std::size_t i = 0; i < titles.size(); ++i)
      rule += "---|";
    return rule;
  }());
}

void report::row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells)
    text += " " + cell + " |";
  put(text);
}

void report::figure(const std::string& name, const std::string& measured, const std::string& goal_in_words,
                    const std::vector<goal>& goals) {
  std::string verdict;
  for (const goal& g : goals) {
    verdict += (verdict.empty() ? "" : ", ") + g.verdict();
    missed_ += g.is_met() ? 0 : 1;
  }
  row({name, measured, goal_in_words, verdict});
}

} // namespace ferry::bench
