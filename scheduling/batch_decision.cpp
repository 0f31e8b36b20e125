#include "scheduling/batch_decision.hpp"

#include "scheduling/batch_cost.hpp"
#include "scheduling/company.hpp"
#include "scheduling/job_parts.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

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
    if (l.device != a.owner.id || l.follows)
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
  if (const auto* worker = c.on_worker ? devices.find_idle(a, c.warm) : nullptr;
      worker && c.needs.memory_mib <= a.memory_free_mib() + worker->memory_mib)
    return site{&a, worker, {}, a.memory_free_mib() + worker->memory_mib};
  auto ends = devices.make_room(a, c.needs.memory_mib);
  if (!ends)
    return std::nullopt;
  std::int64_t free = a.memory_free_mib();
  for (const worker_id id : *ends)
    free += devices.workers().at(id).memory_mib;
  return site{&a, nullptr, std::move(*ends), std::min(free, a.owner.memory_of_one_lease_mib())};
}

// Better: a warm worker; else a device of one's own or of a node, since in Slurm's queue it may wait; then fewer workers that end,
// and those longest idle; then more free slots and memory.
bool is_better(const device_ledger& devices, const site& x, const site& y) {
  const auto rank = [&](const site& s) {
    instant last_used{};
    for (const worker_id id : s.ends_workers)
      last_used = std::max(last_used, devices.workers().at(id).idle_since);
    return std::tuple{s.worker == nullptr, s.on->owner.id == slurm_device, s.ends_workers.size(), last_used, -s.on->slots_free(),
                      -s.memory_free_mib};
  };
  return rank(x) < rank(y);
}

dispatch_batch dispatch(const candidate& head, std::span<const candidate> behind, const site& where, instant now) {
  const auto together = choose_company(head, behind, where.memory_free_mib);
  dispatch_batch batch{.jobs = {},
                       .items = {},
                       .type = head.job.type,
                       .place = {},
                       .warm = head.warm,
                       .marginal = head.marginal,
                       .ends_workers = where.ends_workers};
  int items = 0;
  bool goes_on = false;
  std::optional<duration> longest = head.estimate;
  for (const candidate* c : together) {
    batch.jobs.push_back(c->job.id);
    batch.items.push_back(c->job.items);
    items += c->job.items;
    goes_on = goes_on || has_more_parts(c->job);
    longest = longest && c->estimate ? std::optional(std::max(*longest, *c->estimate)) : std::nullopt;
  }
  const std::int64_t for_company = head.batching ? (items - head.job.items) * head.batching->memory_mib_per_item : 0;
  batch.place = {.device = where.on->owner.id,
                 .slots = head.needs.slots,
                 .memory_mib = head.needs.memory_mib + for_company,
                 .worker = where.worker ? where.worker->id : worker_id{},
                 .tier = head.job.tier,
                 .preemptible = head.preemptible,
                 .since = now,
                 .goes_on = goes_on};
  batch.starts_worker = head.on_worker && !where.worker;
  if (longest)
    batch.place.ends = now + batch_time(*longest, static_cast<double>(together.size()), head.marginal) +
                       (batch.starts_worker ? head.load.value_or(duration{0}) : duration{0});
  return batch;
}

// What one device may be given now: its head, and whom that lets pass.
struct door {
  const account* of = nullptr;
  const candidate* head = nullptr;
  instant earliest{};                    // submitted, of those that stand in front of the one that is looked at
  std::optional<std::int64_t> of_others; // the first order key among them that took turns with the head
  bool is_open = false;

  // Called for each candidate that may run there, in order: may it start before all that came before it?
  [[nodiscard]] bool lets_in(const candidate& c) {
    if (!head) {
      head = &c;
      earliest = c.job.created;
      is_open = true;
      return true;
    }
    const auto overtaking = head->batching ? head->batching->overtaking : std::chrono::milliseconds{0};
    const bool may = is_open && c.job.tier == head->job.tier && c.job.effective() == head->job.effective() &&
                     c.job.created <= earliest + overtaking && is_in_turn(c, overtaking);
    earliest = std::min(earliest, c.job.created);
    if (!is_of_head(c) && !of_others)
      of_others = c.job.order_key;
    return may;
  }

  [[nodiscard]] bool is_of_head(const candidate& c) const { return c.job.user == head->job.user && c.job.lane == head->job.lane; }

  // Jobs of another user or lane, which may have been submitted long before, pass one only as far as that is little in virtual
  // time.
  [[nodiscard]] bool is_in_turn(const candidate& c, duration overtaking) const {
    const auto first = is_of_head(c) ? of_others : std::optional(head->job.order_key);
    return !first || c.job.order_key <= *first + overtaking.count() * order_keys_per_ms;
  }
};

// How long until a busy worker that has the job's model loaded could take it; nothing: there is none, or nobody knows.
struct elsewhere {
  bool is_loaded = false;
  std::optional<instant> free_at = {};
};
elsewhere find_elsewhere(const device_ledger& devices, const candidate& c, std::size_t wanting_it, instant now) {
  elsewhere found;
  for (const auto& [id, worker] : devices.workers()) {
    if (worker.warm != c.warm || worker.busy_with.is_none() || worker.is_leaving)
      continue;
    found.is_loaded = true;
    const auto busy = devices.leases().find(worker.busy_with);
    if (busy == devices.leases().end() || !busy->second.ends || !c.estimate)
      continue;
    // Before it go full batches of those that wait for the same.
    const auto items = static_cast<std::size_t>(c.batching ? std::max(c.batching->max_items, 1) : 1);
    const auto batches = static_cast<double>((wanting_it - 1) / items);
    const auto each = static_cast<double>(c.estimate->count()) * (1 + c.marginal * static_cast<double>(items - 1));
    const auto free_at = expected_end_of(busy->second, now) + duration{static_cast<std::int64_t>(batches * each)};
    if (!found.free_at || free_at < *found.free_at)
      found.free_at = free_at;
  }
  return found;
}

} // namespace

batch_decision choose_batch(std::span<const candidate> in_order, const device_ledger& devices, instant now) {
  const auto& accounts = devices.accounts();
  std::vector<door> doors(accounts.size());
  for (std::size_t i = 0; i < accounts.size(); ++i)
    doors[i].of = &accounts[i];
  std::unordered_map<std::uint64_t, std::size_t> wanted; // how many candidates want the same model
  for (const candidate& c : in_order)
    if (c.on_worker)
      ++wanted[c.warm];

  struct choice {
    int rank = 0;
    std::size_t at = 0;
    site where;
  };
  std::optional<choice> best;
  std::optional<instant> worth_waiting;
  std::unordered_set<group_index> seen; // of a group the first is as good as those behind it
  for (std::size_t at = 0; at < in_order.size(); ++at) {
    const candidate& c = in_order[at];
    const bool leads_group = seen.insert(c.job.group).second;
    std::optional<site> site_here;
    for (door& d : doors) {
      if (!devices.suits(*d.of, c.needs))
        continue;
      const bool is_head = d.head == nullptr;
      if (!d.lets_in(c) || !(leads_group || is_head))
        continue;
      auto found = find_site(devices, *d.of, c);
      if (is_head && !found) {
        d.is_open = false; // kept for it
        continue;
      }
      if (found && (!site_here || is_better(devices, *found, *site_here)))
        site_here = std::move(found);
    }
    if (site_here) {
      int rank = site_here->worker ? 0 : 1;
      if (rank == 1 && c.on_worker) {
        const auto other = find_elsewhere(devices, c, wanted.at(c.warm), now);
        if (other.free_at && c.load && *other.free_at <= now + *c.load) {
          worth_waiting = std::min(worth_waiting.value_or(instant::max()), std::max(*other.free_at, now));
          continue;
        }
        rank = other.is_loaded ? 2 : 1;
      }
      if (!best || rank < best->rank)
        best = choice{rank, at, std::move(*site_here)};
      if (best->rank == 0)
        break;
    } else if (leads_group) {
      const auto is_kept = [&](const door& d) { return d.head == &c && !d.is_open; };
      std::vector<bool> kept_for_others;
      for (const door& d : doors)
        kept_for_others.push_back(!is_kept(d));
      if (!best)
        if (auto preempted = preempt_for(devices, kept_for_others, c))
          return std::move(*preempted);
    }
    if (std::all_of(doors.begin(), doors.end(), [](const door& d) { return d.head && !d.is_open; }))
      break;
  }
  if (best)
    return dispatch(in_order[best->at], in_order.subspan(best->at + 1), best->where, now);
  if (worth_waiting)
    return wait_until{*worth_waiting};
  return stay_idle{};
}

} // namespace ferry::scheduling
