#include "cli/each_type.hpp"

#include "cli/client.hpp"
#include "cli/json_text.hpp"
#include "cli/text.hpp"

namespace ferry::cli {

result<int> post_to_type(context& c, const std::string& type, const std::vector<std::int64_t>& ids, const std::string& action) {
  if (!ids.empty())
    return fail(error_code::invalid_argument, "name jobs or a type, not both");
  auto body = c.call({.method = "POST", .path = "/job-types/" + query_escape(type) + "/" + action});
  if (!body)
    return fail(body.error());
  if (c.wants_json())
    c.print_json(*body);
  else if (action == "hold")
    c.print("no job of type " + printable(type) + " is started until `ferry release --type " + printable(type) + "`\n");
  else
    c.print("jobs of type " + printable(type) + " may start again\n");
  return exit_completed;
}

} // namespace ferry::cli
