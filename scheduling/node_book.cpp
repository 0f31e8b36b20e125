#include "scheduling/node_book.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace ferry::scheduling {
namespace {

bool holds(const node_offer& offer, batch_id batch) {
  return std::find(offer.holds.begin(), offer.holds.end(), batch) != offer.holds.end();
}

} // namespace

void node_book::know(const std::string& node, const std::string& id) { nodes_[node].id = id; }

void node_book::expect(const std::string& node, batch_id batch, bool survives_partition, boot_instant now) {
  extend(nodes_[node], now);
  batches_.insert_or_assign(batch, given{.node = node, .is_sent = true, .survives_partition = survives_partition});
}

result<void> node_book::check(const node_offer& offer, boot_instant now) const {
  if (auto refused = refusal_of(offer, now))
    return fail(std::move(*refused));
  return {};
}

result<node_welcome> node_book::join(const node_offer& offer, session_number fresh, boot_instant now) {
  if (auto refused = refusal_of(offer, now))
    return fail(std::move(*refused));
  member& node = nodes_[offer.name];
  node_welcome welcome{.session = fresh, .never_started = end_session(offer.name, node)};
  node.id = offer.id;
  node.session = fresh;
  node.heard = now;
  extend(node, now);
  for (auto& [batch, what] : batches_) {
    if (what.node != offer.name)
      continue;
    what.is_missing = !holds(offer, batch);
    node.is_unsettled |= what.is_missing;
    if (!what.is_missing)
      welcome.adopt.push_back(batch);
  }
  for (const batch_id batch : offer.holds)
    if (const auto known = batches_.find(batch); known == batches_.end() || known->second.node != offer.name)
      welcome.end.push_back(batch);
  return welcome;
}

// Whether the machine that offers itself may be another one than the name stands for, while that counts.
std::optional<error> node_book::refusal_of(const node_offer& offer, boot_instant now) const {
  const auto known = nodes_.find(offer.name);
  if (known == nodes_.end())
    return std::nullopt;
  const member& node = known->second;
  const auto left = batches_of(offer.name);
  // Where the id is not known, a run of ours tells the machine.
  const bool is_same = node.id.empty() ? std::any_of(left.begin(), left.end(), [&](batch_id each) { return holds(offer, each); })
                                       : node.id == offer.id;
  if (is_same || (node.session == 0 && left.empty()))
    return std::nullopt;
  if (node.session != 0)
    return error{error_code::conflict, "another machine is connected as node \"" + offer.name + "\"",
                 "give one of the two another node.name"};
  return may_still_run(offer.name, now);
}

error node_book::may_still_run(const std::string& name, boot_instant now) const {
  const auto there = batches_of(name);
  std::string text = "node \"" + name + "\" may still run " +
                     (there.size() == 1 ? "batch " + to_string(there.front()) : std::to_string(there.size()) + " batches");
  const auto until = lease_of(name);
  if (until && *until < boot_instant::max())
    text += ", for " + to_words(std::chrono::ceil<duration>(std::max(*until - now, boot_clock::duration::zero())));
  else if (until)
    text += ", with no end to be foreseen: its type survives partitions";
  return {error_code::conflict, std::move(text), "start that machine, or remove the node by force once it is off"};
}

bool node_book::heard(const std::string& node, session_number session, boot_instant now) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || session == 0 || found->second.session != session)
    return false;
  member& from = found->second;
  from.heard = std::max(from.heard, now);
  extend(from, now);
  if (std::exchange(from.is_unsettled, false)) // it knows its session: so its offer was what it had, and not an older one
    for (auto each = batches_.begin(); each != batches_.end();) {
      if (each->second.node == node && each->second.is_missing) {
        never_started_.push_back(each->first);
        each = batches_.erase(each);
      } else {
        ++each;
      }
    }
  return true;
}

std::vector<batch_id> node_book::left(const std::string& node, session_number session, boot_instant) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || session == 0 || found->second.session != session)
    return {};
  return end_session(node, found->second);
}

// Whether what is missing was ever there is not known any more: the next session, or the end of the lease, will tell.
std::vector<batch_id> node_book::end_session(const std::string& name, member& node) {
  std::vector<batch_id> unsent;
  for (auto each = batches_.begin(); each != batches_.end();) {
    given& what = each->second;
    if (what.node == name && !what.is_sent) {
      unsent.push_back(each->first);
      each = batches_.erase(each);
      continue;
    }
    if (what.node == name)
      what.is_missing = false;
    ++each;
  }
  node.session = 0;
  node.is_unsettled = false;
  return unsent;
}

void node_book::extend(member& node, boot_instant now) const {
  const boot_instant until = now + rules_.lease + rules_.margin;
  node.lease = node.lease ? std::max(*node.lease, until) : until;
}

bool node_book::give(const std::string& node, batch_id batch, bool survives_partition) {
  return is_connected(node) && batches_.emplace(batch, given{.node = node, .survives_partition = survives_partition}).second;
}

void node_book::sent(batch_id batch) {
  if (const auto found = batches_.find(batch); found != batches_.end())
    found->second.is_sent = true;
}

void node_book::over(batch_id batch) {
  batches_.erase(batch);
  std::erase(never_started_, batch);
}

bool node_book::believes(const std::string& node, session_number session, batch_id batch) const {
  const auto from = nodes_.find(node);
  const auto what = batches_.find(batch);
  return from != nodes_.end() && session != 0 && from->second.session == session && what != batches_.end() &&
         what->second.node == node && what->second.is_sent && !what->second.is_missing;
}

node_book::changes node_book::look(boot_instant now) {
  changes found{.never_started = std::exchange(never_started_, {})};
  for (auto& [name, node] : nodes_) {
    const bool lease_is_over = node.lease && now >= *node.lease;
    if (node.session != 0 && (now >= node.heard + rules_.silent_after || lease_is_over)) {
      found.silent.push_back(name);
      const auto unsent = end_session(name, node);
      found.never_started.insert(found.never_started.end(), unsent.begin(), unsent.end());
    }
    if (!lease_is_over)
      continue;
    node.lease.reset();
    found.expired.push_back(name);
    std::erase_if(batches_, [&, &of = name](const auto& each) {
      const bool is_lost = each.second.node == of && !each.second.survives_partition;
      if (is_lost)
        found.lost.push_back(each.first);
      return is_lost;
    });
  }
  return found;
}

std::optional<boot_instant> node_book::next_due() const {
  std::optional<boot_instant> due;
  const auto at = [&](boot_instant when) { due = due ? std::min(*due, when) : when; };
  if (!never_started_.empty())
    at(boot_instant{});
  for (const auto& [name, node] : nodes_) {
    if (node.session != 0)
      at(node.heard + rules_.silent_after);
    if (node.lease)
      at(*node.lease);
  }
  return due;
}

result<std::vector<batch_id>> node_book::remove(const std::string& node, bool force, boot_instant now) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end())
    return fail(error_code::not_found, "there is no node \"" + node + "\"");
  if (found->second.session != 0)
    return fail(error_code::conflict, "node \"" + node + "\" is connected", "stop ferryd there first");
  auto given_up = batches_of(node);
  const auto until = lease_of(node);
  if (!force && !given_up.empty() && until && now < *until)
    return fail(may_still_run(node, now));
  for (const batch_id batch : given_up)
    batches_.erase(batch);
  nodes_.erase(found);
  return given_up;
}

bool node_book::is_connected(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found != nodes_.end() && found->second.session != 0;
}

std::optional<boot_instant> node_book::lease_of(const std::string& node) const {
  for (const auto& [batch, what] : batches_)
    if (what.node == node && what.is_sent && what.survives_partition)
      return boot_instant::max();
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? std::nullopt : found->second.lease;
}

std::vector<batch_id> node_book::batches_of(const std::string& node) const {
  std::vector<batch_id> all;
  for (const auto& [batch, what] : batches_)
    if (what.node == node)
      all.push_back(batch);
  return all;
}

std::optional<std::string> node_book::check_invariants() const {
  std::set<session_number> sessions;
  for (const auto& [name, node] : nodes_) {
    if (node.session == 0) {
      if (node.is_unsettled)
        return "node " + name + " has no session, and yet an offer to be settled";
      continue;
    }
    if (!sessions.insert(node.session).second)
      return "session " + std::to_string(node.session) + " of node " + name + " is another's too";
    if (node.id.empty())
      return "node " + name + " is connected, and nobody knows which machine it is";
    if (!node.lease || *node.lease < node.heard + rules_.lease + rules_.margin)
      return "the lease of node " + name + " is shorter than what it was promised";
  }
  for (const auto& [batch, what] : batches_) {
    const auto on = nodes_.find(what.node);
    if (on == nodes_.end())
      return "batch " + to_string(batch) + " is on a node that is not known: " + what.node;
    if (!what.is_sent && on->second.session == 0)
      return "batch " + to_string(batch) + " was never sent, and its session is over";
    if (what.is_missing && (!what.is_sent || !on->second.is_unsettled))
      return "batch " + to_string(batch) + " is missing, and nothing will settle that";
    if (what.is_sent && !what.survives_partition && !on->second.lease)
      return "batch " + to_string(batch) + " runs without a lease";
    if (std::find(never_started_.begin(), never_started_.end(), batch) != never_started_.end())
      return "batch " + to_string(batch) + " never started, and is on node " + what.node;
  }
  return std::nullopt;
}

} // namespace ferry::scheduling
