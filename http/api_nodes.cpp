// The machines that lend this daemon their devices.
#include "http/api.hpp"
#include "http/views.hpp"

namespace ferry::http {

using actors::actor_handles;

api::reply api::list_nodes(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  const auto nodes = co_await ask<actors::node_list>(&actor_handles::nodes, actors::read_nodes{});
  if (!nodes)
    co_return fail(nodes.error());
  json list = json::array();
  for (const auto& node : *nodes)
    list.push_back(node_json(node));
  co_return json_response(200, {{"nodes", std::move(list)}});
}

api::reply api::set_drained(const request& r, bool drained) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  actors::drain_node message{r.path[1], drained};
  const auto changed = co_await ask<result<actors::done>>(&actor_handles::nodes, message);
  if (!changed)
    co_return fail(changed.error());
  co_return json_response(200, {{"name", r.path[1]}, {"drained", drained}});
}

api::reply api::drain_node(const request& r) { co_return co_await set_drained(r, true); }
api::reply api::resume_node(const request& r) { co_return co_await set_drained(r, false); }

api::reply api::remove_node(const request& r) {
  if (auto known = check_query(r, {"force"}); !known)
    co_return fail(known.error());
  const auto force = query_boolean(r, "force", false);
  if (!force)
    co_return fail(force.error());
  actors::remove_node message{r.path[1], *force};
  const auto removed = co_await ask<result<actors::done>>(&actor_handles::nodes, message);
  if (!removed)
    co_return fail(removed.error());
  co_return json_response(200, {{"name", r.path[1]}, {"removed", true}});
}

} // namespace ferry::http
