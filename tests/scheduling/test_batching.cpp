// Who may run together, on which worker, and what a failed batch means for each of its jobs.
#include "scheduling/attempts.hpp"
#include "scheduling/batch_decision.hpp"
#include "scheduling/batch_groups.hpp"
#include "scheduling/batch_traits.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

const device gpu{.id = "GPU-a", .kind = device_kind::gpu, .name = "A", .slots = 1, .memory_mib = 8000};
const device other_gpu{.id = "GPU-b", .kind = device_kind::gpu, .name = "B", .slots = 1, .memory_mib = 8000};

config::job_type type_with(config::batch_rules rules, std::vector<std::string> warm_key = {}) {
  config::job_type type;
  type.name = "t";
  type.batch = std::move(rules);
  type.worker.warm_key = std::move(warm_key);
  return type;
}

instant at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

struct wish {
  group_index group = 0;
  std::vector<double> tolerated = {};
  int items = 1;
  instant created = {};
  int batch_max = 0;
  std::uint64_t warm = 0;
  std::int64_t memory_mib = 0;
};

std::vector<candidate> line(const config::batch_rules& rules, const std::vector<wish>& wishes, bool on_worker = false) {
  std::vector<candidate> all;
  for (const wish& w : wishes) {
    const auto id = static_cast<std::int64_t>(all.size()) + 1;
    all.push_back({.job = {.id = {id},
                           .order_key = id,
                           .created = w.created,
                           .group = w.group,
                           .items = static_cast<std::uint16_t>(w.items),
                           .batch_max = static_cast<std::uint8_t>(w.batch_max)},
                   .needs = {.memory_mib = w.memory_mib + w.items * rules.memory_mib_per_item},
                   .batching = &rules,
                   .tolerated = w.tolerated,
                   .on_worker = on_worker,
                   .warm = w.warm});
  }
  return all;
}

std::vector<std::int64_t> jobs_of(const batch_decision& decision) {
  std::vector<std::int64_t> ids;
  if (const auto* chosen = std::get_if<dispatch_batch>(&decision))
    for (const job_id id : chosen->jobs)
      ids.push_back(id.value);
  return ids;
}

using ids = std::vector<std::int64_t>;

} // namespace

TEST_CASE("what must be equal, what may differ, and what is loaded are taken from the parameters by dotted path") {
  const auto type = type_with({.max_items = 8,
                               .same = {"steps", "size.w"},
                               .within = {{"weights.edge", 0.1}, {"weights.vis", 0.1}},
                               .same_keys = {"weights"},
                               .items = "prompts"},
                              {"model", "lora.name"});
  const auto traits =
      traits_of(type, json::parse(R"({"model": "a", "steps": 20, "size": {"w": 64}, "weights": {"vis": 0.5, "depth": 0, "seg": 1},
                                                      "prompts": ["x", "y", "z"]})"));
  CHECK(traits.warm == R"({"lora.name":null,"model":"a"})");
  CHECK(traits.exact == R"([20,64,["seg","vis"]])");
  CHECK(traits.tolerated == std::vector<double>{0, 0.5});
  CHECK(traits.items == 3);
  CHECK(traits_of(type, json::object()).items == 1);
  CHECK_FALSE(has_traits(type_with({})));
  CHECK(has_traits(type));
}

TEST_CASE("a tolerance holds up to its bound, decimal fractions included") {
  const config::batch_rules rules{.max_items = 2, .within = {{"w", 0.1}}};
  CHECK(may_share(rules, {0.3}, {0.4}));
  CHECK(may_share(rules, {0.7}, {0.6}));
  CHECK_FALSE(may_share(rules, {0.3}, {0.41}));
  CHECK_FALSE(may_share(rules, {0.3}, {std::numeric_limits<double>::quiet_NaN()}));
  CHECK_FALSE(may_share(rules, {}, {0.3}));
}

TEST_CASE("jobs that agree are of one group; groups that nobody uses are forgotten and their numbers used again") {
  batch_groups groups({"a", "b"});
  const batch_traits one{.warm = "{}", .exact = "[1]"}, two{.warm = "{}", .exact = "[2]"};
  const auto first = groups.find_or_add(0, one);
  CHECK(first == 2);
  CHECK(groups.find_or_add(0, one) == first);
  const auto second = groups.find_or_add(0, two), third = groups.find_or_add(1, one);
  CHECK(groups.at(third).type == 1);
  CHECK(groups.at(first).warm == groups.at(second).warm);
  CHECK(groups.at(first).warm != groups.at(third).warm);
  auto pin = groups.pin({third});
  groups.forget_unused([&](group_index g) { return g == first; });
  CHECK(groups.size() == 4);
  CHECK(groups.find_or_add(1, one) == third);
  CHECK(groups.find_or_add(1, two) == second); // the number that became free
  pin.reset();
  groups.forget_unused([](group_index) { return false; });
  CHECK(groups.size() == 2);
}

TEST_CASE("the first in order takes with it those behind that fit, in order, up to max_items") {
  const device_ledger devices({gpu});
  const config::batch_rules rules{.max_items = 3};
  CHECK(jobs_of(choose_batch(line(rules, {{5}, {6}, {5}, {5}, {5}}), devices, at(0))) == ids{1, 3, 4});
  CHECK(jobs_of(choose_batch(line(rules, {{5, {}, 2}, {5, {}, 2}, {5, {}, 1}}), devices, at(0))) == ids{1, 3}); // items, not jobs
  CHECK(jobs_of(choose_batch(line(rules, {{5, {}, 7}, {5}}), devices, at(0))) == ids{1}); // more than fit, alone
}

TEST_CASE("each two of a batch are within the tolerance and the window") {
  const device_ledger devices({gpu});
  const config::batch_rules near{.max_items = 8, .within = {{"w", 0.1}}};
  CHECK(jobs_of(choose_batch(line(near, {{5, {0.5}}, {5, {0.6}}, {5, {0.4}}, {5, {0.55}}}), devices, at(0))) == ids{1, 2, 4});
  const config::batch_rules soon{.max_items = 8, .window = 30s};
  CHECK(jobs_of(choose_batch(line(soon, {{5, {}, 1, at(20)}, {5, {}, 1, at(50)}, {5, {}, 1, at(0)}, {5, {}, 1, at(51)}}), devices,
                             at(60))) == ids{1, 2});
}

TEST_CASE("suspects of a failed batch run with suspects only, in ever smaller batches") {
  const device_ledger devices({gpu});
  const config::batch_rules rules{.max_items = 8};
  const auto with = [](int most) { return wish{.group = 5, .batch_max = most}; };
  CHECK(jobs_of(choose_batch(line(rules, {with(2), with(0), with(4), with(2)}), devices, at(0))) == ids{1, 3});
  CHECK(jobs_of(choose_batch(line(rules, {with(1), with(1)}), devices, at(0))) == ids{1});
  CHECK(jobs_of(choose_batch(line(rules, {with(0), with(4), with(0)}), devices, at(0))) == ids{1, 3});
}

TEST_CASE("a batch takes no more memory than there is") {
  const device_ledger devices({gpu});
  const config::batch_rules rules{.max_items = 8, .memory_mib_per_item = 1000};
  const auto decision = choose_batch(line(rules, std::vector<wish>(8, {.group = 5, .memory_mib = 5000})), devices, at(0));
  CHECK(jobs_of(decision) == ids{1, 2, 3});
  CHECK(std::get<dispatch_batch>(decision).place.memory_mib == 8000);
  // Also the first of them alone: 7500 and its one item do not fit.
  CHECK(std::holds_alternative<stay_idle>(choose_batch(line(rules, {{.group = 5, .memory_mib = 7500}}), devices, at(0))));
  device_ledger grown({gpu});
  grown.add_worker({.id = {7}, .device = "GPU-a", .warm = 1, .memory_mib = 6000});
  const auto larger =
      choose_batch(line(rules, std::vector<wish>(8, {.group = 5, .warm = 1, .memory_mib = 5000}), true), grown, at(0));
  CHECK(jobs_of(larger) == ids{1, 2, 3});
  grown.grant({9}, std::get<dispatch_batch>(larger).place);
  CHECK(grown.accounts()[0].memory_free_mib() == 0); // its worker keeps what it has taken
  CHECK_FALSE(grown.check_invariants());
  grown.release({9}, at(1));
  CHECK(grown.accounts()[0].memory_free_mib() == 0);
}

TEST_CASE("a job goes to the device whose idle worker has its model, else a worker is started") {
  device_ledger devices({gpu, other_gpu});
  const config::batch_rules rules{};
  devices.add_worker({.id = {7}, .device = "GPU-b", .warm = 1, .memory_mib = 5000});
  const auto warm = std::get<dispatch_batch>(choose_batch(line(rules, {{.warm = 1}}, true), devices, at(0)));
  CHECK(warm.place.device == "GPU-b");
  CHECK(warm.place.worker == worker_id{7});
  CHECK_FALSE(warm.starts_worker);
  const auto cold = std::get<dispatch_batch>(choose_batch(line(rules, {{.warm = 2}}, true), devices, at(0)));
  CHECK(cold.place.device == "GPU-a"); // more free memory
  CHECK(cold.starts_worker);
  devices.grant({9}, warm.place);
  CHECK(devices.workers().at({7}).busy_with == batch_id{9});
  CHECK_FALSE(devices.check_invariants());
  CHECK(std::get<dispatch_batch>(choose_batch(line(rules, {{.warm = 1}}, true), devices, at(0))).starts_worker);
  REQUIRE(devices.release({9}, at(3)));
  CHECK(devices.workers().at({7}).is_idle());
  CHECK(devices.workers().at({7}).idle_since == at(3));
  CHECK(devices.accounts()[1].memory_free_mib() == 3000); // it stays
  REQUIRE(devices.remove_worker({7}));
  CHECK(devices.accounts()[1].memory_free_mib() == 8000);
}

TEST_CASE("a job whose model is loaded passes others within the bound, its own tier and its own priority, and no further") {
  device_ledger devices({gpu});
  devices.add_worker({.id = {7}, .device = "GPU-a", .warm = 1, .memory_mib = 5000});
  const config::batch_rules rules{.overtaking = 120s};
  const auto first = [&](instant warm_created, std::uint8_t priority = 50) {
    auto two = line(rules, {{.group = 2, .created = at(1000), .warm = 2}, {.group = 1, .created = warm_created, .warm = 1}}, true);
    two[0].job.priority = priority;
    return jobs_of(choose_batch(two, devices, at(2000))).front();
  };
  CHECK(first(at(1120)) == 2);
  CHECK(first(at(1121)) == 1);
  CHECK(first(at(900)) == 2); // moved behind it by hand
  CHECK(first(at(1120), 60) == 1);
}

TEST_CASE(
    "where tiers share, a job whose model is loaded passes one of another tier only as far as that is little in virtual time") {
  device_ledger devices({gpu});
  devices.add_worker({.id = {7}, .device = "GPU-a", .warm = 1, .memory_mib = 5000});
  const config::batch_rules rules{.overtaking = 120s};
  const auto first = [&](std::uint8_t lane, duration behind) {
    auto two = line(rules, {{.group = 2, .created = at(1000), .warm = 2}, {.group = 1, .created = at(1000), .warm = 1}}, true);
    two[1].job.lane = lane;
    two[1].job.order_key = two[0].job.order_key + behind.count() * order_keys_per_ms;
    return jobs_of(choose_batch(two, devices, at(2000))).front();
  };
  CHECK(first(2, 120s) == 2);
  CHECK(first(2, 121s) == 1);
  CHECK(first(0, 121s) == 2); // of the same user and tier: in the order of their submission
}

TEST_CASE("a job waits for a busy worker that is nearer than loading its model again, if that is known") {
  device_ledger devices({gpu, other_gpu});
  devices.add_worker({.id = {7}, .device = "GPU-a", .warm = 1});
  devices.grant({3}, {.device = "GPU-a", .worker = {7}, .since = at(0), .ends = at(100)});
  const config::batch_rules rules{.max_items = 4};
  auto wants = line(rules, {{.group = 1, .warm = 1}}, true);
  CHECK(jobs_of(choose_batch(wants, devices, at(90))) == ids{1}); // nothing was measured: it does not wait
  wants[0].estimate = 20s;
  wants[0].load = 15s;
  const auto later = choose_batch(wants, devices, at(90));
  REQUIRE(std::holds_alternative<wait_until>(later));
  CHECK(std::get<wait_until>(later).when == at(100));
  CHECK(jobs_of(choose_batch(wants, devices, at(80))) == ids{1}); // twenty seconds off, and loading takes fifteen
  CHECK(std::get<wait_until>(choose_batch(wants, devices, at(104))).when == at(118)); // overdue by four: ten and four more
  CHECK(jobs_of(choose_batch(wants, devices, at(106))) == ids{1});
  auto many = line(rules, std::vector<wish>(5, {.group = 1, .warm = 1}), true);
  for (auto& c : many)
    c.estimate = 20s, c.load = 15s;
  CHECK(jobs_of(choose_batch(many, devices, at(90))).size() == 4); // a full batch goes before the last of them
}

TEST_CASE("a job joins only if sharing saves more than its length costs the others") {
  const device_ledger devices({gpu});
  const config::batch_rules rules{.max_items = 8};
  auto jobs = line(rules, {{5}, {5}, {5}, {5}});
  const std::array seconds{10, 10, 100, 12};
  for (std::size_t i = 0; i < jobs.size(); ++i)
    jobs[i].estimate = std::chrono::seconds(seconds.at(i));
  CHECK(jobs_of(choose_batch(jobs, devices, at(0))) == ids{1, 2, 4});
  for (auto& c : jobs)
    c.marginal = 1.0; // a further item costs as much as the first
  CHECK(jobs_of(choose_batch(jobs, devices, at(0))) == ids{1});
  jobs[1].estimate.reset(); // of one nobody knows: those that fit are taken
  CHECK(jobs_of(choose_batch(jobs, devices, at(0))) == ids{1, 2, 3, 4});
}

TEST_CASE("idle workers end where their memory is needed, the longest idle first, and no busy one") {
  device_ledger devices({gpu});
  const config::batch_rules rules{};
  devices.add_worker({.id = {1}, .device = "GPU-a", .warm = 1, .memory_mib = 3000, .idle_since = at(20)});
  devices.add_worker({.id = {2}, .device = "GPU-a", .warm = 2, .memory_mib = 3000, .idle_since = at(10)});
  const auto wants = [&](std::int64_t mib) {
    return choose_batch(line(rules, {{.warm = 9, .memory_mib = mib}}, true), devices, at(30));
  };
  CHECK(std::get<dispatch_batch>(wants(2000)).ends_workers.empty());
  CHECK(std::get<dispatch_batch>(wants(4000)).ends_workers == std::vector{worker_id{2}});
  CHECK(std::get<dispatch_batch>(wants(6000)).ends_workers == std::vector{worker_id{2}, worker_id{1}});
  devices.worker_leaves({2}); // its memory is on its way, and waited for
  CHECK(std::get<dispatch_batch>(wants(4000)).ends_workers == std::vector{worker_id{2}});
  devices.grant({5}, {.device = "GPU-a", .slots = 0, .worker = {1}});
  CHECK(std::holds_alternative<stay_idle>(wants(6000)));
}

TEST_CASE("of a failed batch each job is regrouped in half the number, and the last one left stands for itself") {
  const failure died{.kind = failure_kind::signal, .message = "its worker ended with signal 9"};
  const auto together = judge({.exit_status = 0, .broken = died, .jobs_left = 5, .jobs_in_all = 5}, {});
  CHECK(together.interrupted == attempt_end::regrouped);
  CHECK(together.batch_max == 3);
  const auto alone = judge({.exit_status = 0, .broken = died, .jobs_left = 1, .jobs_in_all = 1}, {});
  CHECK(alone.state == job_state::failed);
  CHECK(alone.why_failed == died);
  const auto last = judge({.exit_status = 0, .broken = died, .jobs_left = 1, .jobs_in_all = 3}, {});
  CHECK(last.interrupted == attempt_end::regrouped); // it may have been one that had ended
  CHECK(last.batch_max == 1);
  CHECK(judge({.exit_status = 3, .jobs_left = 2, .jobs_in_all = 2}, {}).interrupted == attempt_end::regrouped);
  CHECK(judge({.lost = true, .jobs_left = 2, .jobs_in_all = 2}, {}).interrupted == attempt_end::regrouped);
  CHECK(judge({.signal = 15, .stopped_by = "timeout: too long", .jobs_left = 4, .jobs_in_all = 4}, {}).batch_max == 2);
  CHECK(judge({.signal = 15, .stopped_by = "device: gone", .jobs_left = 4, .jobs_in_all = 4}, {}).state == job_state::failed);
}

TEST_CASE("what a worker said of a job is its end, whatever became of the batch") {
  const failure died{.kind = failure_kind::signal, .message = "died"};
  const run_ending broken{.exit_status = 0, .broken = died, .jobs_left = 3, .jobs_in_all = 3};
  CHECK(judge(broken, {.has_ended = true, .result = json(1)}).state == job_state::completed);
  CHECK(judge(broken, {.has_ended = true, .why_failed = died}).why_failed == died);
  CHECK(judge(broken, {.has_ended = true, .was_cancelled = true}).state == job_state::cancelled);
}

TEST_CASE("a stop for another job's sake costs a job its run, and no attempt") {
  const run_ending stopped{.signal = 15, .stopped_by = "cancel", .jobs_left = 2, .jobs_in_all = 2};
  CHECK(judge(stopped, {}).state == job_state::cancelled);
  const auto innocent = judge(stopped, {.stop_is_its = false});
  CHECK(innocent.interrupted == attempt_end::regrouped);
  CHECK(innocent.batch_max == 0);
  const auto then = decide_after(innocent, {.id = {1}, .retries = 2, .batch_max = 4}, nullptr, user_wish::none, at(0));
  const auto& waits = std::get<job_waits>(then);
  CHECK(waits.how == attempt_end::regrouped);
  CHECK(waits.retries == 2);
  CHECK(waits.batch_max == 4); // what was found out of it before is not forgotten
  CHECK_FALSE(waits.not_before);
}

TEST_CASE("jobs that ask for different devices share no batch, and a worker's model is the same for all") {
  batch_groups groups({"a"});
  const batch_traits traits{.warm = "{}", .exact = "[1]", .tolerated = {}};
  const device_selector alpha{{{"node", "alpha"}}}, beta{{{"node", "beta"}}};
  const auto anywhere = groups.find_or_add(0, traits), there = groups.find_or_add(0, traits, alpha);
  CHECK(there != anywhere);
  CHECK(groups.find_or_add(0, traits, beta) != there);
  CHECK(groups.find_or_add(0, traits, alpha) == there);
  CHECK_FALSE(groups.at(anywhere).on);
  CHECK(*groups.at(there).on == alpha);
  CHECK(groups.at(there).warm == groups.at(anywhere).warm);
  CHECK(groups.at(there).cost_key == groups.at(anywhere).cost_key);
}
