#include "cli/help.hpp"

#include "cli/text.hpp"

#include <algorithm>

namespace ferry::cli {

std::string overview() {
  std::string page = "ferry: a durable queue for GPU jobs\n\n"
                     "  ferry submit TYPE --param key=value     put a job in the queue\n"
                     "  ferry submit command -- PROGRAM ARG…    the same for any program\n"
                     "  ferry queue                             see what runs and what waits\n"
                     "  ferry help VERB                         say more about a verb\n\nVerbs:\n";
  int width = 0;
  for (const verb& v : all_verbs())
    width = std::max(width, display_width(v.name));
  for (const verb& v : all_verbs())
    page += "  " + pad(v.name, width) + "  " + std::string(v.summary) + "\n";
  page += "\nExit status: 0 done; 1 a job did not complete; 2 wrong usage or input; 3 no daemon, or it is not ready;\n"
          "4 not allowed; 5 no such job or type; 6 the job's state forbids it; 7 trouble at the daemon or the disk;\n"
          "130 interrupted. `ferry run` and `ferry submit --wait` end with the job's own status.\n"
          "\nEnvironment: FERRY_SOCKET (the daemon's socket), FERRY_CONFIG (configuration file), FERRY_FORMAT (table or json),\n"
          "NO_COLOR, DISABLE_QUEUE=true (`ferry submit` runs jobs directly, without daemon or queue).\n";
  return page;
}

std::string verb_help(const verb& v) {
  const auto described = v.make();
  arguments taken;
  context unused;
  bool help = false;
  described->declare(taken);
  declare_common(taken, unused, help);
  std::string page =
      std::string(v.summary) + "\n\nUsage: ferry " + std::string(v.name) + " " + taken.usage() + "\n" + taken.describe();
  if (!v.alias.empty())
    page += "\nAlso: ferry " + std::string(v.alias) + "\n";
  if (!v.details.empty())
    page += "\n" + std::string(v.details) + "\n";
  return page;
}

} // namespace ferry::cli
