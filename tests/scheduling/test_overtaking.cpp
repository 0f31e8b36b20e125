// Simulated days through the real decision: who may pass whom, and by how much, whatever comes.
#include "scheduling/batch_decision.hpp"
#include "scheduling/batch_groups.hpp"
#include "tests/support/seeds.hpp"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

constexpr auto bound = 120s;

struct world {
  config::batch_rules rules{.max_items = 4, .overtaking = bound};
  std::vector<device> devices;
  std::vector<candidate> jobs; // by id − 1
  bool estimates = true;

  explicit world(std::mt19937& random) {
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    for (int i = 0; i <= below(3); ++i)
      devices.push_back(
          {.id = "gpu" + std::to_string(i), .kind = device_kind::gpu, .name = "", .slots = 1 + below(2), .memory_mib = 1000});
    estimates = below(3) > 0;
    const int models = 1 + below(6), count = 10 + below(50), spread = 1 + below(400);
    for (int i = 1; i <= count; ++i) {
      const int model = below(models);
      candidate c{.job = {.id = {i},
                          .order_key = below(10) == 0 ? below(count) : i, // some were moved
                          .created = from_unix_ms(1000LL * (i * spread / 10)),
                          .group = static_cast<group_index>(model),
                          .items = static_cast<std::uint16_t>(1 + below(2)),
                          .priority = static_cast<std::uint8_t>(below(8) == 0 ? 60 : 50)},
                  .needs = {.device = config::device_choice::gpu, .slots = 1, .memory_mib = 600},
                  .batching = &rules,
                  .on_worker = true,
                  .warm = static_cast<std::uint64_t>(model) + 1};
      if (estimates) {
        c.estimate = std::chrono::seconds(1 + below(60));
        c.load = std::chrono::seconds(below(40));
      }
      jobs.push_back(c);
    }
  }
};

struct run {
  instant ends;
  std::vector<job_id> jobs;
};

// Plays it through; what every decision has to keep is checked on the way.
std::vector<std::pair<batch_id, std::vector<job_id>>> play(world& w) {
  device_ledger ledger(w.devices);
  job_queue queue;
  std::map<batch_id, run> running;
  std::vector<std::pair<batch_id, std::vector<job_id>>> schedule;
  batch_id last{};
  std::size_t arrived = 0, done = 0;
  instant now{};
  std::optional<instant> again;
  while (done < w.jobs.size()) {
    for (; arrived < w.jobs.size() && w.jobs[arrived].job.created <= now; ++arrived)
      queue.add(w.jobs[arrived].job);
    again.reset();
    for (;;) {
      std::vector<candidate> in_order;
      for (const auto& job : queue.heads([](const queued_job&) { return std::size_t{16}; }))
        in_order.push_back(w.jobs[static_cast<std::size_t>(job.id.value) - 1]);
      const auto decision = choose_batch(in_order, ledger, now);
      if (const auto* later = std::get_if<wait_until>(&decision))
        again = later->when;
      const auto* chosen = std::get_if<dispatch_batch>(&decision);
      if (!chosen)
        break;
      // The bound: nobody in front was submitted more than that before the one that leads the batch.
      const auto& leader = w.jobs[static_cast<std::size_t>(chosen->jobs.front().value) - 1].job;
      for (const auto& job : queue.page(0, queue.size()))
        if (comes_before(job, leader)) {
          CAPTURE(job.id.value, leader.id.value);
          REQUIRE(job.priority == leader.priority);
          REQUIRE(leader.created - job.created <= bound);
        }
      int items = 0;
      last.value += 1;
      auto place = chosen->place;
      for (const worker_id ended : chosen->ends_workers) {
        REQUIRE(ledger.workers().at(ended).is_idle());
        ledger.remove_worker(ended);
      }
      duration takes{};
      for (const job_id id : chosen->jobs) {
        const auto& c = w.jobs[static_cast<std::size_t>(id.value) - 1];
        REQUIRE(c.job.group == leader.group);
        items += c.job.items;
        takes = std::max<duration>(takes, c.estimate.value_or(10s));
        REQUIRE(queue.remove(id));
      }
      REQUIRE((items <= w.rules.max_items || chosen->jobs.size() == 1));
      if (chosen->starts_worker) {
        takes += w.jobs[static_cast<std::size_t>(leader.id.value) - 1].load.value_or(5s);
        place.worker = {last.value};
        ledger.add_worker({.id = place.worker, .device = place.device, .warm = chosen->warm, .memory_mib = place.memory_mib});
      }
      REQUIRE(ledger.grant(last, place));
      REQUIRE_FALSE(ledger.check_invariants());
      for (const auto& a : ledger.accounts()) {
        REQUIRE(a.slots_free() >= 0);
        REQUIRE(a.memory_free_mib() >= 0);
      }
      running.emplace(last, run{now + takes, chosen->jobs});
      schedule.emplace_back(last, chosen->jobs);
    }
    // On to whatever comes next; something always does.
    std::optional<instant> next;
    const auto consider = [&](instant when) { next = std::min(next.value_or(when), when); };
    if (arrived < w.jobs.size())
      consider(w.jobs[arrived].job.created);
    for (const auto& [id, r] : running)
      consider(r.ends);
    if (again && *again > now)
      consider(*again);
    REQUIRE(next);
    now = *next;
    for (auto it = running.begin(); it != running.end();) {
      if (it->second.ends > now) {
        ++it;
        continue;
      }
      done += it->second.jobs.size();
      ledger.release(it->first, now);
      it = running.erase(it);
    }
  }
  return schedule;
}

} // namespace

TEST_CASE("P7: in thousands of simulated days every job is served, nobody is passed by more than the bound allows, and no device "
          "is overfull") {
  for (const auto seed : tests::seeds(3000)) {
    CAPTURE(seed);
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed)), again(static_cast<std::mt19937::result_type>(seed));
    world one(random), two(again);
    const auto schedule = play(one);
    if (seed % 10 == 0)
      REQUIRE(play(two) == schedule); // the same again
  }
}
