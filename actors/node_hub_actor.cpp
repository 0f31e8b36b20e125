// Sessions: who joins, who is heard of, who falls silent.
#include "actors/node_hub_state.hpp"

#include "config/limits.hpp"
#include "model/version.hpp"

#include <algorithm>
#include <iterator>
#include <spdlog/spdlog.h>

namespace ferry::actors {

using namespace std::chrono_literals;

namespace {

// One timer never runs longer than this; what settles is asked for so often.
constexpr duration look_max = 1s, look_min = 10ms;

} // namespace

node_hub_state::handle::behavior_type node_hub_state::make_behavior() {
  for (const auto& node : parts_.nodes->all())
    book_.know(node.name, node.id);
  return {
      [this](run_batch& what) { run_there(what); },
      [this](const adopt_batch& what) { adopt(what); },
      [this](const stop_batch& what) { stop(what); },
      [this](const end_workers& what) { end(what); },
      [this](const adopt_worker& what) { adopt(what); },
      [this](wire::join& what) { return join(what); },
      [this](const wire::await_orders& what) { return await_orders(what); },
      [this](wire::report& what) { return report(what); },
      [this](const wire::piece& what) { return take(what); },
      [this](const wire::fetch& what) { return give_piece(what); },
      [this](const wire::leave& what) { return leave(what); },
      [this](read_nodes) { return list(); },
      [this](const drain_node& what) { return drain(what); },
      [this](const remove_node& what) { return remove(what); },
      [this](nodes_due) {
        armed_.reset();
        look();
      },
  };
}

// ---- joining ----------------------------------------------------------------------------------------------------------------

result<void> node_hub_state::check(const wire::join& what) const {
  const auto bound = [](const char* of, std::size_t count, std::size_t most) -> result<void> {
    if (count <= most)
      return {};
    return fail(error_code::too_large,
                "the node has " + std::to_string(count) + " " + of + "; at most " + std::to_string(most) + " are allowed");
  };
  if (what.protocol != remote::protocol_version)
    return fail(error_code::invalid_argument,
                "the node speaks protocol " + std::to_string(what.protocol) + ", this head " +
                    std::to_string(remote::protocol_version),
                "let both run ferry " + std::string(version));
  if (auto named = remote::check_node_name(what.name); !named)
    return named;
  if (!what.head.empty() && what.head != parts_.nodes->head_id() && (!what.holds.empty() || !what.workers.empty()))
    return fail(error_code::conflict, "node " + what.name + " has " + std::to_string(what.holds.size()) + " runs of another head",
                "let it join that head until they have ended, or remove the folder node/ in its data directory");
  for (const auto& within :
       {bound("devices", what.devices.size(), limits::node_devices_max), bound("runs", what.holds.size(), limits::node_runs_max),
        bound("workers", what.workers.size(), limits::node_runs_max),
        bound("job types", what.job_types.size(), limits::job_types_max)})
    if (!within)
      return within;
  for (const device& d : what.devices)
    if (d.id.empty() || d.id.find(':') != std::string::npos || d.slots < 0 || d.memory_mib < 0 || d.threads < 1)
      return fail(error_code::invalid_argument, "the node has a device that cannot be: '" + d.id + "'");
  return {};
}

caf::result<remote::answer<wire::welcome>> node_hub_state::join(wire::join& what) {
  if (auto checked = check(what); !checked)
    return answer<wire::welcome>(remote::to_refusal(checked.error()));
  const auto now = boot_clock::now();
  look();                           // what time has brought counts first
  if (removed_.contains(what.name)) // what it would be given would be lost with it
    return answer<wire::welcome>(remote::to_refusal({error_code::unavailable, "the node is being removed", "join again", {}}));
  remote::known_node node{.name = what.name,
                          .id = what.id,
                          .version = what.version,
                          .address = what.address,
                          .devices = what.devices,
                          .joined = wall_clock_now()};
  std::sort(what.job_types.begin(), what.job_types.end());
  for (device& d : node.devices) {
    d.job_types = what.job_types;
    d.labels[node_label] = what.name;
  }
  const scheduling::node_offer offer{what.name, what.id, what.holds};
  if (auto allowed = book_.check(offer, now); !allowed) // before it is entered in place of the machine that has the name
    return answer<wire::welcome>(remote::to_refusal(allowed.error()));
  if (const auto known = parts_.nodes->find(what.name); !known || known->devices != node.devices) {
    if (auto stored = parts_.nodes->put(node); !stored)
      return answer<wire::welcome>(remote::to_refusal(stored.error()));
    spdlog::info("node {} at {} lends {} devices: everything is started again with them", what.name, what.address,
                 node.devices.size());
    parts_.on_change();
    return answer<wire::welcome>(remote::to_refusal({error_code::unavailable, "the node is being taken in", "join again", {}}));
  }
  const auto fresh = (std::uint64_t{random_()} << 32U) | random_() | 1U;
  auto admitted = book_.join(offer, fresh, now);
  if (!admitted)
    return answer<wire::welcome>(remote::to_refusal(admitted.error()));
  if (auto stored = parts_.nodes->put(std::move(node)); !stored)
    spdlog::warn("{}", to_string(stored.error()));
  take_up(what, *admitted);
  arm();
  return answer<wire::welcome>(
      wire::welcome{.session = fresh, .head = parts_.nodes->head_id(), .lease = parts_.rules.lease, .heartbeat = parts_.heartbeat});
}

void node_hub_state::take_up(const wire::join& what, const scheduling::node_welcome& admitted) {
  session_over(what.name, admitted.never_started, "it was not there when its node joined");
  peer& of = peers_[what.name];
  of.session = admitted.session;
  of.heard = wall_clock_now();
  of.troubles.clear();
  for (const batch_id batch : admitted.adopt) {
    const run& known = runs_.at(batch);
    give(what.name, wire::adopt{batch, known.type, std::string(local_id(known.device)), known.jobs});
    if (known.stop)
      give(what.name, wire::stop{batch, scheduling::to_text(known.stop->reason), known.stop->jobs});
  }
  for (const batch_id batch : admitted.end)
    if (!settling_.contains(batch))
      give(what.name, wire::forget{batch});
  of.workers = what.workers;
  spdlog::info("node {} ({}, ferry {}) has joined: {} of its runs go on", what.name, what.address, what.version,
               admitted.adopt.size());
  tell_devices(what.name);
}

void node_hub_state::reconcile_workers(const std::string& node, const std::vector<wire::worker>& live) {
  std::set<worker_id> there;
  for (const wire::worker& one : live) {
    there.insert(one.id);
    const auto known = workers_.find(one.id);
    if (known != workers_.end() && known->second.is_counted) {
      give(node, wire::adopt_worker{one.id, one.device});
      if (known->second.is_leaving)
        give(node, wire::end_workers{one.device, {one.id}});
      continue;
    }
    // The optimizer does not know of it, so it is to be gone when its batch is over: now, where it has none.
    workers_.insert_or_assign(one.id, worker{.device = node + ":" + one.device, .is_leaving = true, .is_counted = false});
    give(node, wire::adopt_worker{one.id, one.device});
    give(node, wire::end_workers{one.device, {one.id}});
  }
  for (auto at = workers_.begin(); at != workers_.end();)
    if (node_of(at->second.device) == node && at->second.since != peers_[node].session && !there.contains(at->first)) {
      if (at->second.is_counted)
        send(self_, parts_.optimizer, worker_gone{at->first});
      at = workers_.erase(at);
    } else {
      ++at;
    }
}

// ---- being there ------------------------------------------------------------------------------------------------------------

caf::result<remote::answer<wire::orders>> node_hub_state::await_orders(const wire::await_orders& what) {
  look();
  if (!book_.heard(what.name, what.session, boot_clock::now()))
    return answer<wire::orders>(remote::to_refusal(over(what.name)));
  auto promise = self_->make_response_promise<answer<wire::orders>>();
  peer& of = peers_[what.name];
  of.heard = wall_clock_now();
  if (const auto workers = std::exchange(of.workers, std::nullopt)) {
    // Before what was given since it joined: that may be for one of these.
    const auto first = std::find_if(of.waiting.begin(), of.waiting.end(),
                                    [](const wire::order& one) { return std::holds_alternative<wire::run>(one); });
    std::vector<wire::order> given(std::make_move_iterator(first), std::make_move_iterator(of.waiting.end()));
    of.waiting.erase(first, of.waiting.end());
    reconcile_workers(what.name, *workers);
    std::move(given.begin(), given.end(), std::back_inserter(of.waiting));
  }
  if (of.parked) // of a request that the node no longer waits for
    of.parked->deliver(answer<wire::orders>(remote::to_refusal(over(what.name))));
  of.parked = promise;
  const auto number = ++of.parked_number;
  self_->run_delayed(parts_.heartbeat, [this, name = what.name, number] {
    peer& later = peers_[name];
    if (later.parked && later.parked_number == number)
      flush(name);
  });
  if (!of.waiting.empty())
    flush(what.name);
  arm();
  return promise;
}

caf::result<remote::answer<wire::acknowledged>> node_hub_state::leave(const wire::leave& what) {
  if (const auto found = peers_.find(what.name); found != peers_.end() && found->second.session == what.session) {
    session_over(what.name, book_.left(what.name, what.session, boot_clock::now()), "its node left before it was told");
    spdlog::info("node {} has left; what runs there goes on", what.name);
    tell_devices(what.name);
  }
  arm();
  return answer<wire::acknowledged>(wire::acknowledged{});
}

// Whatever was on its way in it counts no more.
void node_hub_state::session_over(const std::string& node, const std::vector<batch_id>& not_started, const std::string& why) {
  peer& of = peers_[node];
  of.session = 0;
  of.workers.reset();
  of.waiting.clear();
  if (auto parked = std::exchange(of.parked, std::nullopt))
    parked->deliver(answer<wire::orders>(remote::to_refusal(over(node))));
  for (const batch_id batch : not_started)
    never_started(batch, why);
  for (auto at = runs_.begin(); at != runs_.end();) { // its place would be told free only in that session
    if (at->second.node == node && at->second.has_ended && !at->second.is_freed)
      free(at->first, at->second, false);
    at = at->second.has_ended && at->second.is_freed ? runs_.erase(at) : std::next(at);
  }
}

void node_hub_state::look() {
  auto changes = book_.look(boot_clock::now());
  for (const batch_id batch : changes.never_started)
    never_started(batch, "its node fell silent before it was told");
  for (const auto& node : changes.silent) {
    spdlog::warn("node {} is not heard of: nothing new is started there", node);
    session_over(node, {}, {});
    tell_devices(node);
  }
  for (const batch_id batch : changes.lost)
    give_up(batch, "its node was not heard of until its lease was over");
  for (const auto& node : changes.expired) {
    if (std::any_of(runs_.begin(), runs_.end(), [&](const auto& one) { return one.second.node == node; }))
      continue; // what survives partitions may be at work on them
    std::erase_if(workers_, [&](const auto& one) {
      if (node_of(one.second.device) != node)
        return false;
      if (one.second.is_counted)
        send(self_, parts_.optimizer, worker_gone{one.first});
      return true;
    });
  }
  for (const auto& node : parts_.nodes->all())
    tell_devices(node.name);
  settle();
  arm();
}

void node_hub_state::arm() {
  auto next = book_.next_due();
  const auto now = boot_clock::now();
  if (!settling_.empty())
    next = std::min(next.value_or(now + look_max), now + look_max);
  if (!next || (armed_ && *armed_ <= *next && *armed_ > now))
    return;
  const auto wait = std::clamp<duration>(std::chrono::ceil<duration>(*next - now), look_min, look_max);
  armed_ = now + wait;
  send_later(self_, wait, nodes_due{});
}

// ---- what users see and wish ------------------------------------------------------------------------------------------------

std::string node_hub_state::trouble_of(const remote::known_node& node, const device& on) const {
  const auto found = peers_.find(node.name);
  if (found == peers_.end() || found->second.session == 0)
    return "node " + node.name + " is not connected";
  if (node.is_drained)
    return "node " + node.name + " is drained";
  const auto own = found->second.troubles.find(on.id);
  return own == found->second.troubles.end() ? std::string() : own->second.trouble;
}

void node_hub_state::tell_devices(const std::string& node) {
  const auto known = parts_.nodes->find(node);
  if (!known)
    return;
  for (const device& d : known->devices) {
    const auto id = node + ":" + d.id;
    auto trouble = trouble_of(*known, d);
    const auto before = told_.find(id);
    if (before != told_.end() && before->second == trouble)
      continue;
    const auto& troubles = peers_[node].troubles;
    const auto own = troubles.find(d.id);
    const bool ends_runs = own != troubles.end() && own->second.ends_runs && own->second.trouble == trouble;
    told_.insert_or_assign(id, trouble);
    send(self_, parts_.queue, device_state{id, std::move(trouble), ends_runs});
  }
}

node_list node_hub_state::list() const {
  node_list all;
  const auto now = boot_clock::now();
  for (auto& node : parts_.nodes->all()) {
    node_view view{
        .name = node.name, .version = node.version, .address = node.address, .devices = node.devices, .trouble = {}, .runs = {}};
    view.is_drained = node.is_drained;
    if (const auto found = peers_.find(node.name); found != peers_.end()) {
      view.is_connected = found->second.session != 0;
      view.heard = found->second.heard;
    }
    if (!node.devices.empty())
      view.trouble = trouble_of(node, node.devices.front());
    view.runs = book_.batches_of(node.name);
    if (const auto ends = book_.lease_of(node.name); ends && *ends < boot_instant::max())
      view.lease_ends = wall_clock_now() + std::chrono::duration_cast<duration>(*ends - now);
    all.push_back(std::move(view));
  }
  return all;
}

caf::result<result<done>> node_hub_state::drain(const drain_node& what) {
  if (auto changed = parts_.nodes->set_drained(what.name, what.drained); !changed)
    return result<done>(fail(changed.error()));
  spdlog::info("node {} is {}", what.name, what.drained ? "drained: nothing new is started there" : "back in service");
  tell_devices(what.name);
  return result<done>(done{});
}

caf::result<result<done>> node_hub_state::remove(const remove_node& what) {
  look();
  // One that is known no more may have been given something as it was removed.
  const bool is_known = parts_.nodes->find(what.name).has_value();
  auto given_up = book_.remove(what.name, what.force, boot_clock::now());
  if (!given_up && given_up.error().code != error_code::not_found)
    return result<done>(fail(given_up.error()));
  if (!given_up && !is_known)
    return result<done>(fail(parts_.nodes->remove(what.name).error()));
  if (given_up)
    for (const batch_id batch : *given_up)
      give_up(batch, "its node was removed");
  if (is_known)
    removed_.insert(what.name);
  forget_removed();
  arm();
  return result<done>(done{});
}

// Everything is started again without them: by then what became of their runs is on disk.
void node_hub_state::forget_removed() {
  bool is_changed = false;
  for (auto at = removed_.begin(); at != removed_.end();) {
    if (std::any_of(settling_.begin(), settling_.end(), [&](const auto& one) { return one.second == *at; })) {
      ++at;
      continue;
    }
    if (auto removed = parts_.nodes->remove(*at); !removed)
      spdlog::error("{}", to_string(removed.error()));
    else
      is_changed = true;
    spdlog::info("node {} is removed", *at);
    at = removed_.erase(at);
  }
  if (is_changed)
    parts_.on_change();
}

node_hub_actor spawn_node_hub(caf::actor_system& system, node_hub_parts parts) {
  return spawn<node_hub_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
