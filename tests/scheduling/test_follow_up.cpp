#include "scheduling/follow_up.hpp"
#include "tests/support/seeds.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

const device cpu{.id = "cpu", .kind = device_kind::cpu, .name = "host", .slots = 1, .memory_mib = 1000};
const instant now{instant{} + 1h};
constexpr std::uint64_t model = 7, other_model = 8;

candidate wants(std::int64_t id, duration estimate = 2ms, std::uint64_t warm = model) {
  return {.job = {.id = {id}, .order_key = id}, .needs = {}, .on_worker = true, .warm = warm, .estimate = estimate};
}

std::vector<candidate> many(std::int64_t count, duration estimate = 2ms) {
  std::vector<candidate> all;
  for (std::int64_t id = 1; id <= count; ++id)
    all.push_back(wants(id, estimate));
  return all;
}

// One worker, busy until `ends`.
device_ledger with_busy_worker(std::optional<instant> ends, int slots = 1) {
  device on = cpu;
  on.slots = slots;
  device_ledger devices({on});
  devices.add_worker({.id = {1}, .device = "cpu", .warm = model, .memory_mib = 100});
  devices.grant({1}, {.device = "cpu", .worker = {1}, .since = now, .ends = ends});
  return devices;
}

// Commits all that can be; the first job of each batch.
std::vector<std::int64_t> commit_all(std::vector<candidate> in_order, device_ledger& devices, std::int64_t first_batch = 2) {
  std::vector<std::int64_t> heads;
  while (const auto next = choose_follow_up(in_order, devices, now)) {
    heads.push_back(next->jobs.front().value);
    devices.grant({first_batch++}, next->place);
    std::erase_if(in_order, [&](const candidate& c) {
      return std::find(next->jobs.begin(), next->jobs.end(), c.job.id) != next->jobs.end();
    });
    REQUIRE_FALSE(devices.check_invariants());
  }
  return heads;
}

} // namespace

TEST_CASE("a worker that is about to be free is given what comes next, in order, and no more than it does in 100 ms") {
  auto devices = with_busy_worker(now + 25ms);
  CHECK(follow_ups_on_offer(devices, now) == static_cast<int>(follow_ups_max));
  CHECK(commit_all(many(20, 25ms), devices) == std::vector<std::int64_t>{1, 2, 3, 4}); // at 25, 50, 75 and 100 ms
  CHECK(follow_ups_on_offer(devices, now) == 0);
  auto quick = with_busy_worker(now + 1ms);
  CHECK(commit_all(many(20, 1ms), quick).size() == follow_ups_max);
}

TEST_CASE("nothing is committed to a worker that stays busy, of which nobody knows, or that leaves") {
  auto busy = with_busy_worker(now + 10s), unknown = with_busy_worker(std::nullopt), leaving = with_busy_worker(now + 1ms);
  leaving.worker_leaves({1});
  auto preempted = with_busy_worker(now + 1ms);
  preempted.leaving({1});
  for (auto* devices : {&busy, &unknown, &leaving, &preempted}) {
    CHECK(follow_ups_on_offer(*devices, now) == 0);
    CHECK(commit_all(many(3), *devices).empty());
  }
}

TEST_CASE("nobody is passed by: what the worker cannot run first keeps it from being committed") {
  auto devices = with_busy_worker(now + 1ms);
  CHECK(commit_all({wants(1, 1ms, other_model), wants(2)}, devices).empty()); // overtaking 0: the first goes first
  auto large = with_busy_worker(now + 1ms, 2);
  candidate whole = wants(1);
  whole.on_worker = false;
  whole.needs.slots = 2;
  CHECK(commit_all({whole, wants(2)}, large).empty());
}

TEST_CASE("where jobs may share a run only a full batch is committed") {
  config::batch_rules rules;
  rules.max_items = 4;
  auto jobs = many(6, 1ms);
  for (auto& job : jobs)
    job.batching = &rules;
  auto devices = with_busy_worker(now + 1ms);
  CHECK(commit_all(jobs, devices) == std::vector<std::int64_t>{1}); // and 5 and 6 wait for others
}

TEST_CASE("nothing is committed behind a part of a job whose next part is to come, nor behind one that is committed itself") {
  config::batch_rules rules;
  rules.max_items = 2;
  auto jobs = many(3, 1ms);
  for (auto& one : jobs) {
    one.batching = &rules;
    one.job.items = 2;
  }
  jobs[1].job.items_in_all = 5;
  auto devices = with_busy_worker(now + 1ms);
  CHECK(commit_all(jobs, devices) == std::vector<std::int64_t>{1, 2});
  devices.release({1}, now + 1ms);
  devices.release({2}, now + 2ms); // the part runs now
  CHECK(follow_ups_on_offer(devices, now + 2ms) == 0);
}

TEST_CASE("what follows takes no slot until its turn, and is free to be given back before") {
  auto devices = with_busy_worker(now + 1ms);
  commit_all(many(3), devices);
  const auto& account = devices.accounts().front();
  CHECK(account.slots_used == 1);
  CHECK(account.memory_leased_mib == 100);
  devices.release({3}, now); // was to come second
  CHECK(account.slots_used == 1);
  devices.release({1}, now + 3ms);
  CHECK(devices.workers().at({1}).busy_with == batch_id{2});
  CHECK(account.slots_used == 1);
  CHECK(devices.find({2})->since == now + 3ms);
  CHECK(devices.find({2})->ends == now + 5ms);
  devices.release({2}, now + 5ms);
  devices.release({4}, now + 5ms);
  CHECK(account.slots_used == 0);
  CHECK(devices.workers().at({1}).is_idle());
  CHECK_FALSE(devices.check_invariants());
}

TEST_CASE("a worker that ends in the middle leaves what follows to be given back") {
  auto devices = with_busy_worker(now + 1ms);
  commit_all(many(2), devices);
  devices.worker_leaves({1});
  devices.release({1}, now);
  CHECK(devices.workers().at({1}).busy_with.is_none());
  CHECK(devices.accounts().front().slots_used == 0);
  devices.remove_worker({1});
  devices.release({2}, now);
  devices.release({3}, now);
  CHECK(devices.leases().empty());
  CHECK_FALSE(devices.check_invariants());
}

TEST_CASE("whatever comes and goes, the accounts agree and everything committed is begun in order") {
  for (const auto seed : tests::seeds(200)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    auto devices = with_busy_worker(now + 1ms, 2);
    std::int64_t next_batch = 2, next_job = 1;
    batch_id last_begun{1};
    for (int step = 0; step < 60; ++step) {
      if (random() % 2 == 0) {
        std::vector<candidate> jobs;
        for (std::uint64_t i = 0; i < random() % 4; ++i)
          jobs.push_back(wants(next_job++, duration{static_cast<std::int64_t>(random() % 8 + 1)}));
        next_batch += static_cast<std::int64_t>(commit_all(jobs, devices, next_batch).size());
      } else if (!devices.leases().empty()) {
        auto which = devices.leases().begin();
        std::advance(which, static_cast<std::ptrdiff_t>(random() % devices.leases().size()));
        devices.release(which->first, now);
      }
      REQUIRE_FALSE(devices.check_invariants());
      const auto busy = devices.workers().at({1}).busy_with;
      if (!busy.is_none()) {
        CHECK(busy >= last_begun);
        last_begun = busy;
      }
      CHECK(devices.workers().at({1}).following.size() <= follow_ups_max);
    }
  }
}
