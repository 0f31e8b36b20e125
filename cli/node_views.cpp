#include "cli/node_views.hpp"

#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"

#include <map>

namespace ferry::cli {
namespace {

constexpr std::string_view no_nodes =
    "no nodes: another machine lends its devices to this one when its ferry.toml says `[node] join = \"HOST:PORT\"`,\n"
    "which is where this daemon lets nodes in (`[node] listen` in its own)\n";

bool is_in_trouble(const json& node) {
  return true_field(node, "connected") && !true_field(node, "drained") && !text_field(node, "trouble").empty();
}

cell state_of(const json& node) {
  const bool is_drained = true_field(node, "drained");
  if (!true_field(node, "connected"))
    return {is_drained ? "away, drained" : "away", tone::red};
  if (is_drained)
    return {"drained", tone::yellow};
  return is_in_trouble(node) ? cell{"out of service", tone::red} : cell{"connected", tone::green};
}

// "2 × NVIDIA H100, 64 cores": alike ones are counted.
std::string devices_of(const json& node, const style& look) {
  std::vector<std::string> names;
  std::map<std::string, int> counts;
  for (const json& device : array_field(node, "devices")) {
    const auto name = text_field(device, "name");
    if (++counts[name] == 1)
      names.push_back(name);
  }
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") +
            (counts[name] > 1 ? std::to_string(counts[name]) + (look.unicode ? " × " : " x ") : std::string()) + name;
  return text;
}

// What becomes of that which an absent node was given; "" where it was given nothing.
std::string left_behind(const json& node, instant now) {
  const auto runs = static_cast<std::int64_t>(array_field(node, "runs").size());
  if (true_field(node, "connected") || runs == 0)
    return "";
  const auto ends = time_field(node, "lease_ends");
  return count_of(runs, "batch", "batches") + (ends ? " may run there until " + clock_on(*ends, now)
                                                    : std::string(" of it: what became of them is known once it is back"));
}

} // namespace

std::string nodes_page(const json& answer, const style& look, instant now) {
  const json& nodes = array_field(answer, "nodes");
  if (nodes.empty())
    return std::string(no_nodes);
  table t({{"NAME", false, 10}, {"STATE"}, {"DEVICES", false, 12}, {"RUNS", true}, {"HEARD"}, {"VERSION"}});
  for (const json& node : nodes) {
    const auto heard = time_field(node, "heard");
    t.add({{text_field(node, "name"), tone::bold},
           state_of(node),
           {devices_of(node, look)},
           {std::to_string(array_field(node, "runs").size())},
           {heard ? ago(*heard, now) : ""},
           {text_field(node, "version"), tone::dim}});
  }
  std::string page = t.render(look);
  for (const json& node : nodes) {
    const auto name = printable(text_field(node, "name"));
    if (is_in_trouble(node))
      page += look.paint("out of service:", tone::red) + " " + name + ": " + printable(text_field(node, "trouble")) + "\n";
    if (const auto left = left_behind(node, now); !left.empty())
      page += look.paint("away:", tone::red) + " " + name + ": " + left + "\n";
  }
  return page;
}

} // namespace ferry::cli
