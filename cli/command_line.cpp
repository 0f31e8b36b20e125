#include "cli/help.hpp"
#include "cli/text.hpp"
#include "cli/verb.hpp"
#include "config/text.hpp"

#include <algorithm>

namespace ferry::cli {
namespace {

struct split_words {
  std::string verb;
  std::vector<std::string> others; // options that stood before the verb, and all that stood after it
  bool help = false;
};

// Finds the verb: the first word that is neither an option nor the value of one.
result<split_words> find_verb_in(const std::vector<std::string>& words) {
  split_words found;
  std::size_t i = 0;
  for (; i < words.size() && words[i].starts_with("-"); ++i) {
    if (words[i] == "-h" || words[i] == "--help") {
      found.verb = "help";
    } else if (words[i] == "-V" || words[i] == "--version") {
      found.verb = "version";
    } else if (words[i] == "--format" || words[i] == "--socket") {
      found.others.push_back(words[i]);
      if (++i < words.size())
        found.others.push_back(words[i]);
    } else if (words[i].starts_with("--format=") || words[i].starts_with("--socket=")) {
      found.others.push_back(words[i]);
    } else {
      return fail(error_code::invalid_argument, "there is no option " + printable(words[i]) + " before the verb",
                  "`ferry help` lists the verbs");
    }
  }
  if (found.verb.empty() && i < words.size())
    found.verb = words[i++];
  found.others.insert(found.others.end(), words.begin() + static_cast<std::ptrdiff_t>(std::min(i, words.size())), words.end());
  const auto dashes = std::ranges::find(found.others, "--");
  found.help = std::any_of(found.others.begin(), dashes, [](const std::string& w) { return w == "--help" || w == "-h"; });
  return found;
}

result<int> perform(context& c, const std::vector<std::string>& words) {
  auto found = find_verb_in(words);
  if (!found)
    return fail(found.error());
  const verb* chosen = find_verb(found->verb.empty() ? "help" : found->verb);
  if (!chosen) {
    std::vector<std::string> known;
    for (const verb& v : all_verbs())
      known.emplace_back(v.name);
    const std::string near = config::nearest(found->verb, known);
    return fail(error_code::invalid_argument, "there is no verb \"" + printable(found->verb) + "\"",
                near.empty() ? "`ferry help` lists the verbs" : "did you mean `ferry " + near + "`?");
  }
  if (found->help) {
    c.print(verb_help(*chosen));
    return exit_completed;
  }
  const auto doing = chosen->make();
  arguments taken;
  bool help = false;
  doing->declare(taken);
  declare_common(taken, c, help);
  if (auto parsed = taken.parse(std::move(found->others)); !parsed) {
    error& e = parsed.error();
    if (e.hint.empty())
      e.hint = "`ferry help " + std::string(chosen->name) + "` says what it takes";
    return fail(e);
  }
  if (auto settled = c.settle(); !settled)
    return fail(settled.error());
  return doing->run(c);
}

} // namespace

void declare_common(arguments& a, context& c, bool& help) {
  a.choice("--format", c.format, "FORMAT", {"table", "json"}, false,
           "table (for people) or json; default $FERRY_FORMAT, else table");
  a.text("--socket", c.socket, "PATH", "the daemon's socket; default $FERRY_SOCKET, else http.socket of the configuration",
         value_kind::file);
  a.flag("-h,--help", help, "say what this verb does and takes");
}

int run_command_line(const std::vector<std::string>& words) {
  context c;
  const auto status = perform(c, words);
  const auto written = c.flush();
  if (!status) {
    c.report(status.error());
    return exit_status_of(status.error().code);
  }
  if (!written) {
    c.report(written.error());
    return exit_status_of(written.error().code);
  }
  return *status;
}

} // namespace ferry::cli
