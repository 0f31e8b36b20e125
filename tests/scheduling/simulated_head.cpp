#include "simulated_head.hpp"

#include "simulated_node.hpp"

namespace ferry::scheduling::test {
namespace {

using namespace std::chrono_literals;

constexpr auto heartbeat = 1s;
constexpr std::size_t slots = 2; // of each node

} // namespace

node_rules simulated_head::rules_with(flaw wrong) {
  node_rules rules{.silent_after = 3s, .lease = lease, .margin = 2s};
  if (wrong == flaw::head_gives_up_early)
    rules.lease /= 2;
  if (wrong == flaw::margin_is_too_small)
    rules.margin /= 2;
  return rules;
}

void simulated_head::start() {
  if (daemon_.is_alive())
    return;
  daemon_.start();
  ++starts_;
  book_ = node_book(rules_);
  taken_.clear();
  orders_.clear();
  waiting_.clear();
  for (auto& [id, each] : jobs_)
    each.is_running = false;
  for (const auto& [name, id] : machines_)
    book_.know(name, id);
  for (const auto& [id, each] : batches_) {
    jobs_[each.job].is_running = true;
    book_.expect(each.node, id, jobs_[each.job].survives, in_.now);
  }
  tick();
}

void simulated_head::submit(bool survives, nanoseconds length) {
  jobs_[job_id{static_cast<std::int64_t>(jobs_.size()) + 1}] = {.survives = survives, .length = length};
  ++jobs_left_;
}

bool simulated_head::counts_on(batch_id which, job_id of, const std::string& node) const {
  const auto found = batches_.find(which);
  return found != batches_.end() && found->second.job == of && found->second.node == node;
}

void simulated_head::tick() {
  look();
  dispatch();
  daemon_.after(250ms, [this] { tick(); });
}

void simulated_head::look() {
  const auto found = book_.look(in_.now);
  if (found.silent.empty())
    in_.seen.sent_in_vain += static_cast<int>(found.never_started.size());
  never_started(found.never_started);
  lost(found.lost);
  for (const std::string& name : found.silent) {
    orders_.erase(name);
    waiting_.erase(name);
  }
}

// ---- what is to run ---------------------------------------------------------------------------------------------------------

void simulated_head::dispatch() {
  for (auto& [id, each] : jobs_) {
    if (each.is_running || each.is_done)
      continue;
    std::vector<std::string> free;
    for (const auto& [name, machine] : machines_)
      if (book_.is_connected(name) && book_.batches_of(name).size() < slots)
        free.push_back(name);
    if (free.empty())
      return;
    const auto& name = free[in_.pick(free.size())];
    const batch_id fresh{++last_batch_};
    each.is_running = true;
    if (in_.wrong == flaw::head_sends_before_it_stores) {
      give(fresh, id, name);
      daemon_.after(in_.between(0ms, 200ms), [=, this, of = id] { batches_[fresh] = {of, name}; });
      continue;
    }
    batches_[fresh] = {id, name};
    daemon_.after(in_.between(0ms, 20ms), [=, this, of = id] { give(fresh, of, name); });
  }
}

void simulated_head::give(batch_id which, job_id of, const std::string& node) {
  const job& what = jobs_.at(of);
  if (!book_.give(node, which, what.survives))
    return never_started({which});
  orders_[node].push_back({which, of, what.survives, what.length});
  answer_orders(node);
}

void simulated_head::stop_something() {
  if (!daemon_.is_alive() || batches_.empty())
    return;
  const auto which = std::next(batches_.begin(), static_cast<std::ptrdiff_t>(in_.pick(batches_.size())));
  if (!book_.is_connected(which->second.node))
    return;
  orders_[which->second.node].push_back({.batch = which->first});
  answer_orders(which->second.node);
}

void simulated_head::again(batch_id which) {
  const auto found = batches_.find(which);
  if (found == batches_.end())
    return in_.fail("batch " + to_string(which) + " is to run again, and was not stored");
  jobs_[found->second.job].is_running = false;
  batches_.erase(found);
}

void simulated_head::lost(const std::vector<batch_id>& all) {
  for (const batch_id each : all) {
    ++in_.seen.lost;
    again(each);
  }
}

void simulated_head::never_started(const std::vector<batch_id>& all) {
  for (const batch_id each : all) {
    if (in_.has_begun(each))
      in_.fail("batch " + to_string(each) + " never started, the head was told, and it had");
    ++in_.seen.never_started;
    again(each);
  }
}

void simulated_head::ended(batch_id which, run_end how) {
  book_.over(which);
  const auto found = batches_.find(which);
  if (found == batches_.end())
    return in_.fail("batch " + to_string(which) + " ended, and was not stored");
  job& of = jobs_[found->second.job];
  of.is_running = false;
  batches_.erase(found);
  in_.seen.ended_by_lease += how == run_end::by_lease ? 1 : 0;
  in_.seen.refused += how == run_end::refused ? 1 : 0;
  if (how != run_end::completed)
    return;
  ++in_.seen.completed;
  if (std::exchange(of.is_done, true))
    in_.fail("a job ended twice, the second time in batch " + to_string(which));
  --jobs_left_;
}

void simulated_head::remove_by_force(const simulated_node& gone) {
  if (daemon_.is_alive() && machines_[gone.name()] == gone.id())
    if (const auto given_up = book_.remove(gone.name(), true, in_.now)) // else it counts as connected for a moment yet
      lost(*given_up);
}

// ---- what nodes say ---------------------------------------------------------------------------------------------------------

void simulated_head::send(simulated_node& to, const answer& what) const {
  in_.send(to.down_is_cut, [&to, what] { to.receive(what); });
}

void simulated_head::receive(simulated_node& from, const request& said) {
  daemon_.receive([this, &from, said] {
    if (said.what == request::kind::join)
      return take_join(from, said);
    if (!book_.heard(from.name(), said.session, in_.now))
      return said.what == request::kind::leave ? void() : send(from, {.number = said.number});
    if (said.what == request::kind::leave) {
      never_started(book_.left(from.name(), said.session, in_.now));
      orders_.erase(from.name());
      waiting_.erase(from.name());
      return;
    }
    auto& last = taken_[said.session][said.what];
    if (said.number <= last && in_.wrong != flaw::head_answers_requests_twice)
      return;
    last = said.number;
    if (said.what == request::kind::report)
      return take_report(from, said);
    waiting_[from.name()] = {&from, said.number, said.session};
    if (!orders_[from.name()].empty())
      return answer_orders(from.name());
    daemon_.after(heartbeat, [this, name = from.name(), number = said.number] {
      if (waiting_[name].number == number)
        answer_orders(name);
    });
  });
}

void simulated_head::take_join(simulated_node& from, const request& said) {
  auto offer = said.offer;
  if (in_.wrong == flaw::other_machines_take_names)
    offer.id = "any";
  const session_number fresh = (starts_ << 32U) | ++last_session_;
  auto welcome = book_.join(offer, fresh, in_.now);
  if (!welcome) {
    ++in_.seen.names_refused;
    return send(from, {.number = said.number});
  }
  in_.seen.adopted += static_cast<int>(welcome->adopt.size());
  in_.seen.ended_at_join += static_cast<int>(welcome->end.size());
  never_started(welcome->never_started);
  orders_.erase(offer.name);
  waiting_.erase(offer.name);
  machines_[offer.name] = offer.id;
  if (in_.wrong == flaw::late_joins_are_believed)
    (void)book_.heard(offer.name, fresh, in_.now);
  send(from, {.number = said.number, .session = fresh, .welcome = std::move(*welcome)});
}

void simulated_head::take_report(simulated_node& from, const request& said) {
  for (const ending& each : said.endings)
    if (book_.believes(from.name(), said.session, each.batch))
      ended(each.batch, each.how);
  daemon_.after(in_.between(0ms, 20ms), [this, &from, said] { send(from, {.number = said.number, .session = said.session}); });
}

void simulated_head::answer_orders(const std::string& node) {
  const auto asked = std::exchange(waiting_[node], {});
  if (!asked.from)
    return;
  if (!book_.heard(node, asked.session, in_.now))
    return send(*asked.from, {.number = asked.number});
  auto orders = std::exchange(orders_[node], {});
  for (const order& each : orders)
    if (!each.job.is_none())
      book_.sent(each.batch);
  send(*asked.from, {.number = asked.number, .session = asked.session, .orders = std::move(orders)});
}

} // namespace ferry::scheduling::test
