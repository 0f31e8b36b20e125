#include "scheduling/device_ledger.hpp"

#include <algorithm>

namespace ferry::scheduling {

device_ledger::device_ledger(std::vector<device> devices) {
  for (device& d : devices) {
    has_gpu_ = has_gpu_ || d.kind == device_kind::gpu;
    accounts_.push_back({.owner = std::move(d)});
  }
}

bool device_ledger::suits(const account& a, const demand& d) const {
  using enum config::device_choice;
  const bool wants_gpu = d.device == gpu || (d.device == automatic && has_gpu_);
  return (a.owner.kind == device_kind::gpu) == wants_gpu && d.slots <= a.owner.slots && d.memory_mib <= a.owner.memory_mib;
}

bool device_ledger::has_room(const account& a, const demand& d) {
  return a.out_of_service.empty() && d.slots <= a.slots_free() && d.memory_mib <= a.memory_free_mib();
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
    if (l.preemptible && !leaving_.contains(batch))
      sum += l.slots;
  return sum;
}

bool device_ledger::grant(batch_id batch, const lease& l) {
  if (!leases_.emplace(batch, l).second)
    return false;
  for (account& a : accounts_)
    if (a.owner.id == l.device) {
      a.slots_used += l.slots;
      a.memory_leased_mib += l.memory_mib;
    }
  return true;
}

bool device_ledger::release(batch_id batch) {
  const auto found = leases_.find(batch);
  if (found == leases_.end())
    return false;
  for (account& a : accounts_)
    if (a.owner.id == found->second.device) {
      a.slots_used -= found->second.slots;
      a.memory_leased_mib -= found->second.memory_mib;
    }
  leases_.erase(found);
  leaving_.erase(batch);
  return true;
}

std::optional<lease> device_ledger::find(batch_id batch) const {
  const auto found = leases_.find(batch);
  return found == leases_.end() ? std::nullopt : std::optional{found->second};
}

bool device_ledger::set_out_of_service(const std::string& device, const std::string& why) {
  for (account& a : accounts_)
    if (a.owner.id == device && a.out_of_service != why) {
      a.out_of_service = why;
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
        slots += l.slots;
        memory += l.memory_mib;
      }
    if (slots != a.slots_used || memory != a.memory_leased_mib)
      return "the account of device " + a.owner.id + " differs from its leases";
  }
  return std::nullopt;
}

std::optional<std::string> why_unplaceable(const std::vector<device>& devices, const demand& d) {
  const device_ledger empty(devices);
  int most_slots = 0;
  std::int64_t most_memory = 0;
  bool kind_exists = false;
  for (const auto& a : empty.accounts()) {
    if (empty.suits(a, d))
      return std::nullopt;
    if (empty.suits(a, demand{.device = d.device, .slots = 0, .memory_mib = 0})) {
      kind_exists = true;
      most_slots = std::max(most_slots, a.owner.slots);
      most_memory = std::max(most_memory, a.owner.memory_mib);
    }
  }
  if (!kind_exists)
    return std::string("it needs a ") + (d.device == config::device_choice::gpu ? "GPU" : "CPU device") +
           " and this machine has none";
  return "it needs " + std::to_string(d.slots) + " slots and " + std::to_string(d.memory_mib) +
         " MiB on one device; the largest have " + std::to_string(most_slots) + " slots and " + std::to_string(most_memory) +
         " MiB";
}

} // namespace ferry::scheduling
