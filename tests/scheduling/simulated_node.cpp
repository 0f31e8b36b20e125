#include "simulated_node.hpp"

#include "simulated_head.hpp"

namespace ferry::scheduling::test {
namespace {

using namespace std::chrono_literals;

constexpr auto answered_within = 3s;

nanoseconds scaled(nanoseconds time, double by) {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) * by));
}

} // namespace

simulated_node::simulated_node(world& in, simulated_head& head, std::string name, std::string id)
    : in_(in),
      head_(head),
      name_(std::move(name)),
      id_(std::move(id)),
      drift_(std::chrono::duration<double>(in.between(-1s, 1s)).count() * drift_max),
      booted_(in.now),
      boot_offset_(in.between(1h, 1000h)),
      daemon_(in) {}

boot_instant simulated_node::clock() const { return boot_instant(boot_offset_ + scaled(in_.now - booted_, 1 + drift_)); }

nanoseconds simulated_node::true_time(nanoseconds of_machine) const { return scaled(of_machine, 1 / (1 + drift_)) + 1us; }

simulated_node::run* simulated_node::find(batch_id batch, std::uint64_t number) {
  const auto found = runs_.find(batch);
  return found == runs_.end() || found->second.at != stage::running || found->second.number != number ? nullptr : &found->second;
}

// ---- the machine ------------------------------------------------------------------------------------------------------------

void simulated_node::start_daemon() {
  if (!on_ || destroyed_ || daemon_.is_alive())
    return;
  daemon_.start();
  lease_ = {};
  join_ = report_ = await_ = {};
  std::erase_if(runs_, [](const auto& each) { return each.second.at == stage::launching; }); // no shim ever had them
  join();
}

void simulated_node::power_off() {
  on_ = false;
  daemon_.kill();
  for (auto& [batch, each] : runs_)
    if (each.at == stage::running) {
      in_.ends(each.what.job);
      each.at = stage::ended;
      each.how = run_end::vanished;
    }
}

void simulated_node::power_on() {
  if (on_ || destroyed_)
    return;
  on_ = true;
  booted_ = in_.now;
  boot_offset_ = in_.between(1s, 1000h);
  lease_file_ = {}; // of another boot
  start_daemon();
}

void simulated_node::destroy() {
  power_off();
  destroyed_ = true;
}

std::vector<simulated_node::execution> simulated_node::executions() const {
  std::vector<execution> all;
  for (const auto& [batch, each] : runs_)
    if (each.at == stage::running) {
      all.push_back({batch, each.what.job});
      if (const auto left = lease_file_ - clock(); !each.what.survives)
        all.back().until = left > 0ns ? in_.now + true_time(left) + kill_takes_max : in_.now;
    }
  return all;
}

// ---- its daemon -------------------------------------------------------------------------------------------------------------

void simulated_node::join() { ask(request::kind::join, join_); }

// The session is over: whatever is still on its way in it counts no more.
void simulated_node::join_later() {
  if (lease_.session() != 0 && in_.chance(0.5)) {
    request said{.what = request::kind::leave, .session = lease_.session()};
    in_.send(up_is_cut, [this, said] { head_.receive(*this, said); });
  }
  lease_.left();
  join_ = report_ = await_ = {};
  daemon_.after(in_.between(200ms, 2s), [this] { join(); });
}

void simulated_node::ask(request::kind what, outstanding& as, std::vector<ending> endings) {
  request said{.what = what, .number = ++last_request_, .session = lease_.session(), .endings = std::move(endings)};
  as = {.number = said.number, .sent = clock()};
  for (const ending& each : said.endings)
    as.reported.push_back(each.batch);
  if (what == request::kind::join) {
    said.offer = {name_, id_, {}};
    for (const auto& [batch, each] : runs_)
      said.offer.holds.push_back(batch);
  }
  daemon_.after(answered_within, [this, &as, number = said.number] {
    if (as.number == number)
      join_later();
  });
  in_.send(up_is_cut, [this, said = std::move(said)] { head_.receive(*this, said); });
}

void simulated_node::report() {
  std::vector<ending> endings;
  for (const auto& [batch, each] : runs_)
    if (each.at == stage::ended && each.is_known)
      endings.push_back({batch, each.how});
  if (endings.empty() || report_.number != 0 || lease_.session() == 0)
    return;
  ask(request::kind::report, report_, endings);
  if (in_.wrong == flaw::node_forgets_before_the_ack)
    for (const ending& each : endings)
      runs_.erase(each.batch);
}

void simulated_node::receive(const answer& said) {
  daemon_.receive([this, said] {
    if (said.number == join_.number)
      take_welcome(said);
    else if (said.number == await_.number)
      take_orders(said);
    else if (said.number == report_.number) {
      const auto asked = std::exchange(report_, {});
      if (said.session == 0)
        return join_later();
      lease_.answered(said.session, asked.sent, simulated_head::lease);
      lease_is_longer();
      for (const batch_id batch : asked.reported)
        runs_.erase(batch);
      report();
    } else if (in_.wrong == flaw::node_obeys_earlier_sessions) {
      for (const order& each : said.orders)
        obey(each);
    }
  });
}

void simulated_node::take_welcome(const answer& said) {
  const auto asked = std::exchange(join_, {});
  if (said.session == 0)
    return join_later();
  const bool is_wrong = in_.wrong == flaw::node_counts_from_the_answer;
  lease_.joined(said.session, is_wrong ? clock() : asked.sent, simulated_head::lease);
  lease_is_longer();
  for (const batch_id batch : said.welcome.end) {
    const auto found = runs_.find(batch);
    if (found == runs_.end())
      continue;
    if (found->second.at != stage::running) {
      runs_.erase(found);
      continue;
    }
    found->second.is_known = false;
    in_.after(in_.between(0ms, kill_takes_max),
              [this, batch, number = found->second.number] { end(batch, number, run_end::stopped); });
  }
  report();
  ask(request::kind::await_orders, await_);
}

void simulated_node::take_orders(const answer& said) {
  const auto asked = std::exchange(await_, {});
  if (said.session == 0)
    return join_later();
  const bool is_wrong = in_.wrong == flaw::node_counts_from_the_answer;
  lease_.answered(said.session, is_wrong ? clock() : asked.sent, simulated_head::lease);
  lease_is_longer();
  // The head believes that what it sent may run: a new session tells it what did not.
  if (lease_.obeys(said.session, clock())) {
    for (const order& each : said.orders)
      obey(each);
  } else {
    return join_later();
  }
  ask(request::kind::await_orders, await_);
}

void simulated_node::obey(const order& what) {
  const auto found = runs_.find(what.batch);
  if (!what.job.is_none() && found == runs_.end()) {
    runs_[what.batch] = {.what = what, .grace = in_.between(0ms, 6s), .heeds = in_.chance(0.6)};
    // A worker may have to end before.
    daemon_.after(in_.between(1ms, in_.chance(0.1) ? 20s : 50ms), [this, batch = what.batch] { launch(batch); });
  } else if (what.job.is_none() && found != runs_.end() && found->second.at == stage::running && !found->second.asked) {
    ask_to_end(what.batch, found->second, run_end::stopped, found->second.grace);
  }
}

void simulated_node::lease_is_longer() { lease_file_ = lease_.until(); }

// ---- the shims --------------------------------------------------------------------------------------------------------------

void simulated_node::launch(batch_id batch) {
  const auto found = runs_.find(batch);
  if (found == runs_.end() || found->second.at != stage::launching)
    return;
  run& each = found->second;
  const bool ends_with_lease = !each.what.survives && in_.wrong != flaw::shims_ignore_the_lease;
  if (ends_with_lease && lease_file_ <= clock()) {
    each.at = stage::ended;
    each.how = run_end::refused;
    report();
    return;
  }
  each.at = stage::running;
  each.number = ++last_run_;
  in_.begins(each.what.job, batch, id_);
  in_.after(each.what.length, [this, batch, number = each.number] { end(batch, number, run_end::completed); });
  if (ends_with_lease)
    watch_lease(batch, each.number);
}

void simulated_node::watch_lease(batch_id batch, std::uint64_t number) {
  run* const each = find(batch, number);
  if (!each)
    return;
  const nanoseconds left = lease_file_ - clock();
  if (!each->asked && left <= each->grace)
    ask_to_end(batch, *each, run_end::by_lease, std::max(left, 0ns));
  if (left <= 0ns)
    in_.after(in_.between(0ms, kill_takes_max), [=, this] { end(batch, number, run_end::by_lease); });
  else
    in_.after(true_time(each->asked ? left : left - each->grace), [=, this] { watch_lease(batch, number); });
}

void simulated_node::ask_to_end(batch_id batch, run& which, run_end how, nanoseconds grace) {
  which.asked = true;
  const auto ended = [this, batch, number = which.number, how] { end(batch, number, how); };
  if (which.heeds)
    in_.after(in_.between(0ns, true_time(grace)), ended);
  in_.after(true_time(grace) + in_.between(0ms, kill_takes_max), ended);
}

void simulated_node::end(batch_id batch, std::uint64_t number, run_end how) {
  run* const each = find(batch, number);
  if (!each)
    return;
  in_.ends(each->what.job);
  each->at = stage::ended;
  each->how = how;
  if (!each->is_known)
    runs_.erase(batch);
  else
    daemon_.receive([this] { report(); });
}

} // namespace ferry::scheduling::test
