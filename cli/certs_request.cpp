#include "cli/certs_request.hpp"

#include "cli/text.hpp"
#include "config/limits.hpp"

namespace ferry::cli {

void certs_request::declare(arguments& a) {
  a.positional("ACTION", action, value_kind::choice, "init, issue or show");
  a.suggest({"init", "issue", "show"});
  a.positional("NAME|FILE", names, value_kind::file, "issue: the name of the node; show: certificates, default all of the folder",
               false);
  a.text("-d,--dir", folder, "DIR", "the folder of the authority; default ~/.config/ferry/certs", value_kind::directory);
  a.text("-n,--name", authority_name, "NAME", "init: what the authority is called; default ferry-ca");
  a.list("-H,--host", hosts, "HOST", "issue: a DNS name or address of the node; default its name");
  a.integer("--days", days, "N", "how long it is valid; default 3650 for init, 365 for issue", 1, limits::certificate_days_max);
  a.flag("--renew", renew, "issue: another time for a certificate that is there; its key and hosts stay");
}

result<void> certs_request::check() const {
  if (action != "init" && action != "issue" && action != "show")
    return fail(error_code::invalid_argument, "ACTION must be init, issue or show, is '" + printable(*action) + "'");
  if (action == "init" && !names.empty())
    return fail(error_code::invalid_argument, "\"" + printable(names.front()) + "\" is one word too many",
                "init takes the authority's name as --name NAME");
  if (action == "issue" && names.size() != 1)
    return fail(error_code::invalid_argument,
                names.empty() ? "NAME is missing: which node"
                              : "one certificate at a time: \"" + printable(names[1]) + "\" is one word too many");
  if (action != "init" && authority_name)
    return fail(error_code::invalid_argument, "--name goes with init alone");
  if (action != "issue" && (!hosts.empty() || renew))
    return fail(error_code::invalid_argument, std::string(renew ? "--renew" : "--host") + " goes with issue alone");
  if (folder && folder->empty())
    return fail(error_code::invalid_argument, "--dir is empty");
  if (action == "show" && days)
    return fail(error_code::invalid_argument, "--days goes with init and issue");
  return {};
}

std::vector<std::string> certs_request::words() const {
  std::vector<std::string> all{*action};
  const auto add = [&](const char* option, const std::optional<std::string>& value) {
    if (value)
      all.push_back(std::string(option) + "=" + *value);
  };
  add("--dir", folder);
  add("--name", authority_name);
  for (const std::string& host : hosts)
    add("--host", host);
  if (days)
    add("--days", std::to_string(*days));
  if (renew)
    all.emplace_back("--renew");
  all.insert(all.end(), names.begin(), names.end());
  return all;
}

} // namespace ferry::cli
