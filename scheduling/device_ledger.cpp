#include "scheduling/device_ledger.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

std::int64_t own_memory(const lease& l) { return l.worker.is_none() ? l.memory_mib : 0; }

} // namespace

device_ledger::device_ledger(std::vector<device> devices) {
  for (device& d : devices) {
    has_gpu_ = has_gpu_ || d.kind == device_kind::gpu;
    accounts_.push_back({.owner = std::move(d)});
  }
}

bool device_ledger::suits(const account& a, const demand& d) const {
  using enum config::device_choice;
  const bool wants_gpu = d.device == gpu || (d.device == automatic && has_gpu_);
  return (a.owner.kind == device_kind::gpu) == wants_gpu && d.slots <= a.owner.slots &&
         d.memory_mib <= a.owner.memory_of_one_lease_mib() && d.accepts(a.owner);
}

int device_ledger::slots_free() const {
  int sum = 0;
  for (const account& a : accounts_)
    sum += std::max(0, a.slots_free());
  return sum;
}

int device_ledger::slots_on_offer() const {
  int sum = slots_free();
  for (const auto& [batch, l] : leases_)
    if (l.preemptible && !l.follows && !leaving_.contains(batch))
      sum += l.slots;
  return sum;
}

device_ledger::account* device_ledger::account_of(const lease& l) {
  const auto found = std::find_if(accounts_.begin(), accounts_.end(), [&](const account& a) { return a.owner.id == l.device; });
  return found == accounts_.end() ? nullptr : &*found;
}

bool device_ledger::grant(batch_id batch, const lease& l) {
  const auto [granted, is_new] = leases_.emplace(batch, l);
  if (!is_new)
    return false;
  std::int64_t more = own_memory(l);
  const auto worker = workers_.find(l.worker);
  granted->second.follows = l.follows && worker != workers_.end() && !worker->second.busy_with.is_none();
  if (worker != workers_.end()) {
    if (granted->second.follows)
      worker->second.following.push_back(batch);
    else
      worker->second.busy_with = batch;
    // A larger batch than any before it: what a process has taken once it seldom gives back.
    more = std::max<std::int64_t>(l.memory_mib - worker->second.memory_mib, 0);
    worker->second.memory_mib += more;
  }
  if (auto* a = account_of(l)) {
    a->slots_used += granted->second.follows ? 0 : l.slots;
    a->memory_leased_mib += more;
  }
  return true;
}

bool device_ledger::release(batch_id batch, instant now) {
  const auto found = leases_.find(batch);
  if (found == leases_.end())
    return false;
  if (auto* a = account_of(found->second)) {
    a->slots_used -= found->second.follows ? 0 : found->second.slots;
    a->memory_leased_mib -= own_memory(found->second);
  }
  const auto worker = workers_.find(found->second.worker);
  leases_.erase(found);
  leaving_.erase(batch);
  if (worker == workers_.end())
    return true;
  std::erase(worker->second.following, batch);
  if (worker->second.busy_with == batch) {
    worker->second.busy_with = {};
    worker->second.idle_since = now;
    if (!worker->second.is_leaving) // else they are given back
      begin_next(worker->second, now);
  }
  return true;
}

void device_ledger::begin_next(warm_worker& worker, instant now) {
  if (worker.following.empty())
    return;
  worker.busy_with = worker.following.front();
  worker.following.erase(worker.following.begin());
  lease& next = leases_.at(worker.busy_with);
  next.follows = false;
  if (next.ends)
    *next.ends += now - next.since;
  next.since = now;
  if (auto* a = account_of(next))
    a->slots_used += next.slots;
}

std::optional<lease> device_ledger::find(batch_id batch) const {
  const auto found = leases_.find(batch);
  return found == leases_.end() ? std::nullopt : std::optional{found->second};
}

bool device_ledger::add_worker(const warm_worker& worker) {
  if (!workers_.emplace(worker.id, worker).second)
    return false;
  for (account& a : accounts_)
    if (a.owner.id == worker.device)
      a.memory_leased_mib += worker.memory_mib;
  return true;
}

bool device_ledger::remove_worker(worker_id id) {
  const auto found = workers_.find(id);
  if (found == workers_.end())
    return false;
  for (account& a : accounts_)
    if (a.owner.id == found->second.device)
      a.memory_leased_mib -= found->second.memory_mib;
  workers_.erase(found);
  return true;
}

bool device_ledger::worker_leaves(worker_id id) {
  const auto found = workers_.find(id);
  if (found == workers_.end())
    return false;
  found->second.is_leaving = true;
  return true;
}

const warm_worker* device_ledger::find_idle(const account& a, std::uint64_t warm) const {
  const warm_worker* best = nullptr;
  for (const auto& [id, worker] : workers_)
    if (worker.device == a.owner.id && worker.warm == warm && worker.is_idle() && (!best || worker.idle_since > best->idle_since))
      best = &worker;
  return best;
}

std::optional<std::vector<worker_id>> device_ledger::make_room(const account& a, std::int64_t memory_mib) const {
  if (memory_mib == 0) // it need not wait for anybody
    return std::vector<worker_id>{};
  std::vector<const warm_worker*> idle;
  std::int64_t free = a.memory_free_mib();
  for (const auto& [id, worker] : workers_) {
    if (worker.device != a.owner.id)
      continue;
    if (worker.is_leaving)
      free += worker.memory_mib; // whoever starts here waits for it to be gone
    else if (worker.is_idle())
      idle.push_back(&worker);
  }
  std::sort(idle.begin(), idle.end(), [](const warm_worker* x, const warm_worker* y) {
    return std::pair{x->idle_since, x->id} < std::pair{y->idle_since, y->id};
  });
  std::vector<worker_id> leave;
  for (const auto& [id, worker] : workers_) // also these are waited for
    if (worker.device == a.owner.id && worker.is_leaving && a.memory_free_mib() < memory_mib)
      leave.push_back(id);
  for (const warm_worker* worker : idle) {
    if (free >= memory_mib)
      break;
    if (worker->memory_mib > 0) {
      leave.push_back(worker->id);
      free += worker->memory_mib;
    }
  }
  return free >= memory_mib ? std::optional(std::move(leave)) : std::nullopt;
}

bool device_ledger::set_out_of_service(const std::string& device, const std::string& why) {
  for (account& a : accounts_)
    if (a.owner.id == device && a.out_of_service != why) {
      a.out_of_service = why;
      return true;
    }
  return false;
}

bool device_ledger::set_memory_taken(const std::string& device, std::int64_t mib) {
  for (account& a : accounts_)
    if (a.owner.id == device && a.memory_taken_mib != mib) {
      a.memory_taken_mib = mib;
      return true;
    }
  return false;
}

std::optional<std::string> device_ledger::check_invariants() const {
  for (const account& a : accounts_) {
    int slots = 0;
    std::int64_t memory = 0;
    for (const auto& [batch, l] : leases_)
      if (l.device == a.owner.id) {
        slots += l.follows ? 0 : l.slots;
        memory += own_memory(l);
      }
    for (const auto& [id, worker] : workers_)
      if (worker.device == a.owner.id)
        memory += worker.memory_mib;
    if (slots != a.slots_used || memory != a.memory_leased_mib)
      return "the account of device " + a.owner.id + " differs from its leases and workers";
  }
  for (const auto& [id, worker] : workers_)
    if (!worker.busy_with.is_none() && (!leases_.contains(worker.busy_with) || leases_.at(worker.busy_with).worker != id))
      return "worker " + to_string(id) + " is busy with a batch that is not its";
  for (const auto& [id, worker] : workers_)
    for (const batch_id next : worker.following)
      if (!leases_.contains(next) || leases_.at(next).worker != id || !leases_.at(next).follows)
        return "batch " + to_string(next) + " does not follow on worker " + to_string(id);
  return std::nullopt;
}

std::optional<std::string> why_unplaceable(const std::vector<device>& devices, const demand& d) {
  const device_ledger empty(devices);
  int most_slots = 0;
  std::int64_t most_memory = 0;
  bool kind_exists = false, type_exists = false, is_named = false;
  for (const auto& a : empty.accounts()) {
    if (empty.suits(a, d))
      return std::nullopt;
    type_exists = type_exists || d.type.empty() || a.owner.runs(d.type);
    is_named = is_named || d.accepts(a.owner);
    if (empty.suits(a, demand{.device = d.device, .slots = 0, .memory_mib = 0, .type = d.type, .on = d.on})) {
      kind_exists = true;
      most_slots = std::max(most_slots, a.owner.slots);
      most_memory = std::max(most_memory, a.owner.memory_of_one_lease_mib());
    }
  }
  if (!type_exists)
    return "no device runs jobs of type '" + std::string(d.type) + "'";
  if (!is_named)
    return "no device that runs it is on " + to_string(*d.on) + " (`ferry status --format json` has the labels of devices)";
  if (!kind_exists && d.on)
    return std::string("none of the devices on ") + to_string(*d.on) + " is of the kind that it needs";
  if (!kind_exists)
    return std::string("it needs a ") + (d.device == config::device_choice::gpu ? "GPU" : "CPU device") +
           " and this machine has none";
  return "it needs " + std::to_string(d.slots) + " slots and " + std::to_string(d.memory_mib) +
         " MiB on one device; the largest have " + std::to_string(most_slots) + " slots and " + std::to_string(most_memory) +
         " MiB";
}

instant expected_end_of(const lease& l, instant now) {
  const auto planned = *l.ends - l.since;
  const auto left = *l.ends - now;
  return left > planned / 10 ? *l.ends : now + planned / 10 + std::max(-left, duration{0});
}

} // namespace ferry::scheduling
