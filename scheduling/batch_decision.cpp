#include "scheduling/batch_decision.hpp"

#include "scheduling/batch_traits.hpp"

#include <algorithm>
#include <tuple>

namespace ferry::scheduling {
namespace {

using account = device_ledger::account;

struct victims {
  std::vector<batch_id> batches;
  bool enough = false;
};

// Which batches of a device would have to go for this job to fit; those already going are counted on.
victims find_victims(const device_ledger& devices, const account& a, const candidate& c) {
  struct one {
    batch_id batch;
    const lease* of;
  };
  std::vector<one> preemptible;
  int slots = a.slots_free();
  std::int64_t memory = a.memory_free_mib();
  for (const auto& [batch, l] : devices.leases()) {
    if (l.device != a.owner.id)
      continue;
    if (devices.is_leaving(batch)) {
      slots += l.slots;
      memory += l.memory_mib;
    } else if (l.preemptible && l.tier < c.job.tier) {
      preemptible.push_back({batch, &l});
    }
  }
  std::sort(preemptible.begin(), preemptible.end(), [](const one& x, const one& y) {
    return std::tuple{x.of->tier, y.of->since, y.batch} < std::tuple{y.of->tier, x.of->since, x.batch};
  });
  victims found;
  const auto fits = [&] { return c.needs.slots <= slots && c.needs.memory_mib <= memory; };
  for (auto next = preemptible.begin(); !fits() && next != preemptible.end(); ++next) {
    found.batches.push_back(next->batch);
    slots += next->of->slots;
    memory += next->of->memory_mib;
  }
  found.enough = fits();
  return found;
}

// The device where the fewest have to go, if there is one where that is enough.
std::optional<preempt_batches> preempt_for(const device_ledger& devices, const std::vector<bool>& kept, const candidate& c) {
  std::optional<victims> best;
  if (c.job.tier == 0)
    return std::nullopt;
  const auto& accounts = devices.accounts();
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    if (kept[i] || !accounts[i].out_of_service.empty() || !devices.suits(accounts[i], c.needs))
      continue;
    auto found = find_victims(devices, accounts[i], c);
    if (found.enough && (!best || found.batches.size() < best->batches.size()))
      best = std::move(found);
  }
  if (!best || best->batches.empty())
    return std::nullopt;
  return preempt_batches{.batches = std::move(best->batches), .for_job = c.job.id};
}

} // namespace

namespace {

struct site {
  const account* on = nullptr;
  const warm_worker* worker = nullptr; // that has its model loaded
  std::vector<worker_id> ends_workers;
  std::int64_t memory_free_mib = 0; // for it, once these have gone
};

std::optional<site> find_site(const device_ledger& devices, const account& a, const candidate& c) {
  if (!a.out_of_service.empty() || !devices.suits(a, c.needs) || c.needs.slots > a.slots_free())
    return std::nullopt;
  if (const auto* worker = c.on_worker ? devices.find_idle(a, c.warm) : nullptr)
    return site{&a, worker, {}, a.memory_free_mib() + worker->memory_mib};
  auto ends = devices.make_room(a, c.needs.memory_mib);
  if (!ends)
    return std::nullopt;
  std::int64_t free = a.memory_free_mib();
  for (const worker_id id : *ends)
    free += devices.workers().at(id).memory_mib;
  return site{&a, nullptr, std::move(*ends), free};
}

// Better: a warm worker, then more free slots, then more free memory.
bool is_better(const site& x, const site& y) {
  const auto rank = [](const site& s) { return std::tuple{s.worker != nullptr, s.on->slots_free(), s.memory_free_mib}; };
  return rank(x) > rank(y);
}

// Those that join `head`, in order; it is the first of them.
std::vector<const candidate*> company_of(const candidate& head, std::span<const candidate> behind, std::int64_t memory_free_mib) {
  std::vector<const candidate*> together{&head};
  const auto* rules = head.batching;
  if (!rules || rules->max_items <= 1)
    return together;
  int items = head.job.items;
  const auto fits_memory = [&](int count) {
    return head.needs.memory_mib + std::int64_t{count} * rules->memory_mib_per_item <= memory_free_mib;
  };
  const auto joins = [&](const candidate& c) {
    if (c.job.group != head.job.group || (c.job.batch_max > 0) != (head.job.batch_max > 0) ||
        items + c.job.items > rules->max_items || !fits_memory(items + c.job.items))
      return false;
    return std::all_of(together.begin(), together.end(), [&](const candidate* other) {
      const auto apart = std::chrono::abs(c.job.created - other->job.created);
      const auto most = static_cast<std::size_t>(std::min(c.job.batch_max, other->job.batch_max));
      return may_share(*rules, c.tolerated, other->tolerated) && (rules->window.count() == 0 || apart <= rules->window) &&
             (most == 0 || together.size() < most);
    });
  };
  for (const candidate& c : behind)
    if (joins(c)) {
      together.push_back(&c);
      items += c.job.items;
    }
  return together;
}

dispatch_batch dispatch(const candidate& head, std::span<const candidate> behind, const site& where, instant now) {
  const auto together = company_of(head, behind, where.memory_free_mib);
  dispatch_batch batch{.jobs = {}, .type = head.job.type, .place = {}, .warm = head.warm, .ends_workers = where.ends_workers};
  int items = 0;
  for (const candidate* c : together) {
    batch.jobs.push_back(c->job.id);
    items += c->job.items;
  }
  const std::int64_t for_items = head.batching ? items * head.batching->memory_mib_per_item : 0;
  batch.place = {.device = where.on->owner.id,
                 .slots = head.needs.slots,
                 .memory_mib = head.needs.memory_mib + for_items,
                 .worker = where.worker ? where.worker->id : worker_id{},
                 .tier = head.job.tier,
                 .preemptible = head.preemptible,
                 .since = now};
  batch.starts_worker = head.on_worker && !where.worker;
  return batch;
}

} // namespace

batch_decision choose_batch(std::span<const candidate> in_order, const device_ledger& devices, instant now) {
  const auto& accounts = devices.accounts();
  std::vector<bool> kept(accounts.size(), false);
  for (std::size_t at = 0; at < in_order.size(); ++at) {
    const candidate& c = in_order[at];
    std::optional<site> best;
    for (std::size_t i = 0; i < accounts.size(); ++i)
      if (!kept[i])
        if (auto found = find_site(devices, accounts[i], c); found && (!best || is_better(*found, *best)))
          best = std::move(found);
    if (best)
      return dispatch(c, in_order.subspan(at + 1), *best, now);
    if (auto preempted = preempt_for(devices, kept, c))
      return std::move(*preempted);
    for (std::size_t i = 0; i < accounts.size(); ++i)
      kept[i] = kept[i] || devices.suits(accounts[i], c.needs);
    if (std::all_of(kept.begin(), kept.end(), [](bool k) { return k; }))
      break;
  }
  return stay_idle{};
}

} // namespace ferry::scheduling
