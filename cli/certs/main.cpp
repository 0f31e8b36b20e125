// ferry-certs: what `ferry certs` starts, a program of its own for OpenSSL's sake.
#include "cli/certs/certs_actions.hpp"
#include "cli/help.hpp"

#include <string>
#include <vector>

namespace {

using namespace ferry;
using namespace ferry::cli;

result<int> perform(context& c, const std::vector<std::string>& words) {
  certs_request wanted;
  arguments taken;
  bool help = false;
  wanted.declare(taken);
  declare_common(taken, c, help);
  for (const std::string& word : words)
    if (word == "--help" || word == "-h") {
      c.print(verb_help(*find_verb("certs")));
      return exit_completed;
    }
  if (auto parsed = taken.parse(words); !parsed)
    return fail(parsed.error());
  if (auto settled = c.settle(); !settled)
    return fail(settled.error());
  if (auto checked = wanted.check(); !checked)
    return fail(checked.error());
  return perform_certs(c, wanted, wall_clock_now());
}

} // namespace

int main(int count, char** words) {
  context c;
  const auto status = perform(c, {words + 1, words + (count > 0 ? count : 1)});
  const auto written = c.flush();
  for (const error* why : {status ? nullptr : &status.error(), written ? nullptr : &written.error()})
    if (why != nullptr) {
      c.report(*why);
      return exit_status_of(why->code);
    }
  return *status;
}
