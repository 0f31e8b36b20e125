#include "tests/integration/node_lab.hpp"

#include "tests/support/file_text.hpp"

#include <algorithm>
#include <sstream>

namespace ferry::tests {

std::string diary(const std::filesystem::path& file, const std::string& then) {
  return "echo begin $$ $(cut -d' ' -f1 /proc/uptime) >> " + file.string() + "; i=0; while [ ! -e " + file.string() +
         ".go ]; do echo alive $$ $(cut -d' ' -f1 /proc/uptime) >> " + file.string() + "; sleep 0.05; done; " + then;
}

std::vector<execution> executions_in(const std::filesystem::path& file) {
  std::vector<execution> all;
  std::istringstream lines(text_of(file));
  for (std::string what, process, at; lines >> what >> process >> at;) {
    if (what == "begin")
      all.push_back({process, std::stod(at), std::stod(at)});
    for (auto& one : all)
      if (one.process == process)
        one.last = std::stod(at);
  }
  return all;
}

void do_not_overlap(std::vector<execution> all) {
  std::sort(all.begin(), all.end(), [](const execution& a, const execution& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < all.size(); ++i) {
    INFO(all[i - 1].process << " ran until " << all[i - 1].last << ", " << all[i].process << " from " << all[i].first);
    CHECK(all[i - 1].last < all[i].first);
  }
}

} // namespace ferry::tests
