// Users take turns: one device that serves a queue in its order, and users who submit whatever seeds say.
#include "config/limits.hpp"
#include "scheduling/batch_decision.hpp"
#include "scheduling/fair_share.hpp"
#include "tests/support/seeds.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>
#include <set>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

using id_list = std::vector<std::int64_t>;

struct place_of_work {
  explicit place_of_work(std::map<std::string, double> weights = {}, duration aging = 0ms)
      : place_of_work(config::fair_share_rules{.window = 24h, .weights = std::move(weights)}, aging) {}
  explicit place_of_work(const config::fair_share_rules& shared, duration aging = 0ms)
      : rules(shared), users(shared), queue(aging) {}

  std::int64_t submit(const std::string& user, duration takes, int priority = 50, int tier = 0) {
    queued_job job{.id = {++last_id},
                   .created = now,
                   .waits_since = now,
                   .user = *users.find_or_add(user),
                   .priority = static_cast<std::uint8_t>(priority),
                   .tier = rules.order_tier(tier),
                   .lane = rules.lane(tier)};
    fair_placing(share, {.jobs = queue, .users = users, .now = now}).place(job, takes);
    took[job.id] = takes;
    queue.add(job);
    return last_id;
  }

  // The next job runs to its end.
  queued_job serve() {
    while (queue.age(now, 1'000) > 0) {}
    const queued_job job = queue.page(0, 1).front();
    queue.remove(job.id);
    share.started(job.tier, job.order_key, queue.first_key(job.tier, job.priority));
    now += took.at(job.id);
    users.count(job.user, {.device_ms = static_cast<double>(took.at(job.id).count()), .completed = 1}, now);
    served[job.user] += took.at(job.id);
    served_of_lane[{job.user, job.lane}] += took.at(job.id);
    return job;
  }
  id_list serve_all() {
    id_list order;
    while (queue.size() > 0)
      order.push_back(serve().id.value);
    return order;
  }
  [[nodiscard]] id_list order() const {
    id_list ids;
    for (const auto& job : queue.page(0, queue.size()))
      ids.push_back(job.id.value);
    return ids;
  }
  [[nodiscard]] double work_of(const std::string& user) { return static_cast<double>(served[*users.find_or_add(user)].count()); }

  config::fair_share_rules rules;
  user_book users;
  fair_share share;
  job_queue queue;
  instant now = from_unix_ms(1'700'000'000'000);
  std::int64_t last_id = 0;
  std::map<job_id, duration> took;
  std::map<user_index, duration> served;
  std::map<std::pair<user_index, int>, duration> served_of_lane;
};

int below(std::mt19937& random, int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }

} // namespace

TEST_CASE("jobs of one user start in the order they were submitted, whatever they take and whenever they come") {
  for (const auto seed : tests::seeds(200)) {
    CAPTURE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    place_of_work work({{"ada", 1 + below(random, 5)}});
    std::map<int, id_list> submitted, started;
    for (int step = 0; step < 200; ++step) {
      if (below(random, 2) == 0 || work.queue.size() == 0) {
        const int priority = 10 * below(random, 3);
        submitted[priority].push_back(work.submit("ada", std::chrono::seconds(below(random, 10'000)), priority));
      } else if (below(random, 8) == 0) { // to where the next one is submitted behind it
        const auto ids = work.order();
        const job_id moved{ids[random() % ids.size()]};
        const auto changes = work.queue.plan_move(moved, to_bottom{});
        REQUIRE(changes);
        for (const auto& changed : *changes) {
          work.queue.replace(changed);
          fair_placing(work.share, {.jobs = work.queue, .users = work.users, .now = work.now}).note(changed, 1s);
          auto& order = submitted[changed.priority];
          if (changed.id == moved) {
            std::erase(order, moved.value);
            order.push_back(moved.value);
          }
        }
      } else {
        const auto job = work.serve();
        started[job.priority].push_back(job.id.value);
      }
    }
    while (work.queue.size() > 0) {
      const auto job = work.serve();
      started[job.priority].push_back(job.id.value);
    }
    CHECK(started == submitted);
    CHECK(work.queue.check_invariants() == std::nullopt);
  }
}

TEST_CASE("aging changes nothing among the jobs of one user and priority") {
  place_of_work work(std::map<std::string, double>{}, 1h);
  id_list submitted;
  for (int i = 0; i < 40; ++i)
    submitted.push_back(work.submit("ada", 20min));
  CHECK(work.serve_all() == submitted);
}

TEST_CASE("two users who always have jobs waiting get device time by their weights, within a job of each") {
  for (const auto seed : tests::seeds(100)) {
    CAPTURE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    const double ada = 0.25 * (1 + below(random, 16)), ben = 0.25 * (1 + below(random, 16));
    place_of_work work({{"ada", ada}, {"ben", ben}});
    const int longest = 1 + below(random, 3'000);
    for (int i = 0; i < 600; ++i)
      for (const char* user : {"ada", "ben"})
        work.submit(user, std::chrono::seconds(1 + below(random, longest)));
    const double most = longest * 1000.0 + 1;
    const auto of = [&](const char* name) { return work.queue.queued_of(*work.users.find(name)); };
    while (of("ada") > 0 && of("ben") > 0) {
      work.serve();
      CHECK(std::abs(work.work_of("ada") / ada - work.work_of("ben") / ben) <= most / ada + most / ben + 1);
    }
  }
}

TEST_CASE("tiers that share by weight get device time by it, each user's jobs in them by both weights") {
  for (const auto seed : tests::seeds(100)) {
    CAPTURE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    const auto weight = [&] { return 0.25 * (1 + below(random, 16)); };
    place_of_work work({.window = 24h, .weights = {{"ada", weight()}, {"ben", weight()}}, .tier_weights = {{"2", weight()}}});
    struct flow {
      user_index user;
      int lane;
      double weight;
    };
    std::vector<flow> flows;
    for (const char* user : {"ada", "ben"})
      for (const int tier : {0, 2}) {
        const double of_tier = tier == 0 ? 1 : work.rules.tier_weights.at("2");
        flows.push_back({*work.users.find_or_add(user), tier, work.rules.weights.at(user) * of_tier});
        CHECK(work.users.weight_of(flows.back().user, tier) == flows.back().weight);
      }
    const int longest = 1 + below(random, 3'000);
    for (int i = 0; i < 300; ++i)
      for (const auto& [user, tier, of_both] : flows)
        work.submit(work.users.at(user).name, std::chrono::seconds(1 + below(random, longest)), 50, tier);
    const auto left = [&](const flow& f) {
      return std::ranges::any_of(work.queue.page(0, work.queue.size()),
                                 [&](const queued_job& job) { return job.user == f.user && job.lane == f.lane; });
    };
    const double most = longest * 1000.0 + 1;
    for (int i = 0; std::ranges::all_of(flows, left); ++i) {
      work.serve();
      for (std::size_t a = 0; a < flows.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) {
          const auto had = [&](const flow& f) {
            return static_cast<double>(work.served_of_lane[{f.user, f.lane}].count()) / f.weight;
          };
          CHECK(std::abs(had(flows[a]) - had(flows[b])) <= most / flows[a].weight + most / flows[b].weight + 1);
        }
    }
    CHECK(work.queue.check_invariants() == std::nullopt);
  }
}

TEST_CASE("without weights a tier comes before those below it, whoever had the devices") {
  place_of_work work;
  const auto low = work.submit("ada", 1min);
  const auto high = work.submit("ben", 10h, 0, 2);
  const auto high_again = work.submit("ben", 10h, 0, 2);
  CHECK(work.serve_all() == id_list{high, high_again, low});
}

TEST_CASE("nobody starves: the work of another that passes a job is bounded by its place, and so is its place") {
  for (const auto seed : tests::seeds(100)) {
    CAPTURE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    const std::vector<std::string> names{"ada", "ben", "cem", "dot"};
    std::map<std::string, double> weights;
    for (const auto& name : names)
      weights[name] = 0.5 * (1 + below(random, 6));
    place_of_work work(weights);
    constexpr int longest_s = 2'000;
    struct promise {
      std::int64_t ahead;                  // of its key, when it was queued, to virtual time
      std::map<user_index, duration> then; // what had been served of each
    };
    std::map<job_id, promise> promises;
    const auto submit = [&] {
      const std::string& name = names[static_cast<std::size_t>(below(random, 4))];
      const user_index user = *work.users.find_or_add(name);
      double own_ms = 0;
      for (const auto& job : work.queue.page(0, work.queue.size()))
        own_ms += job.user == user ? static_cast<double>(work.took.at(job.id).count()) / weights.at(name) : 0;
      const auto id = work.submit(name, std::chrono::seconds(below(random, longest_s)));
      const auto key = work.queue.find({id})->order_key;
      const auto ahead = key - std::min(work.share.now(0), work.queue.first_key(0, 50).value());
      CHECK(ahead <= (static_cast<std::int64_t>(own_ms + longest_s * 1000.0 / weights.at(name)) + limits::use_debt_ms_max + 1'000) *
                         order_keys_per_ms);
      promises[{id}] = {ahead, work.served};
    };
    const auto serve = [&] {
      const auto job = work.serve();
      const auto& told = promises.at(job.id);
      for (const auto& name : names) {
        const user_index other = *work.users.find_or_add(name);
        if (other == job.user)
          continue;
        const auto before = told.then.contains(other) ? told.then.at(other) : 0ms;
        const auto passed = static_cast<double>((work.served[other] - before).count());
        CHECK(passed <= static_cast<double>(told.ahead) / order_keys_per_ms * weights.at(name) + longest_s * 1000.0 + 1'000);
      }
    };
    for (int step = 0; step < 400; ++step)
      if (work.queue.size() == 0 || below(random, 3) > 0)
        submit();
      else
        serve();
    while (work.queue.size() > 0)
      serve();
  }
}

TEST_CASE("who was idle begins where the others are, and has saved up no turns") {
  place_of_work work;
  for (int i = 0; i < 300; ++i)
    work.submit("ada", 10min);
  for (int i = 0; i < 100; ++i) // ben looks on
    work.serve();
  for (int i = 0; i < 50; ++i)
    work.submit("ben", 10min);
  const double before = work.work_of("ada");
  while (work.queue.queued_of(*work.users.find("ben")) > 0) {
    work.serve();
    CHECK(std::abs(work.work_of("ada") - before - work.work_of("ben")) <= 600'001);
  }
}

TEST_CASE("who used much lately comes behind who used little, by no more than the bound") {
  place_of_work work;
  for (int i = 0; i < 60; ++i) { // ada alone, ten hours, a job at a time
    work.submit("ada", 10min);
    work.serve();
  }
  for (int i = 0; i < 60; ++i)
    work.submit("ben", 10min);
  const auto late = work.submit("ada", 10min);
  while (work.serve().id.value != late) {}
  CHECK(work.work_of("ben") >= 3.9 * 3'600'000);
  CHECK(work.work_of("ben") <= static_cast<double>(limits::use_debt_ms_max) + 600'000);
  work.now += 25h; // it is forgotten
  work.serve_all();
  for (int i = 0; i < 3; ++i)
    work.submit("cem", 10min);
  const auto now = work.submit("ada", 10min);
  CHECK(work.order().at(1) == now);
}

TEST_CASE("a newcomer is not passed by what has waited for longer at the same priority") {
  place_of_work work(std::map<std::string, double>{}, 1h);
  for (int i = 0; i < 40; ++i)
    work.submit("ada", 20min);
  for (int i = 0; i < 12; ++i) // four hours: what waits counts 90 by now
    work.serve();
  const auto newcomer = work.submit("ben", 20min);
  CHECK(work.queue.position({newcomer}) <= 2);
  CHECK(work.queue.find({newcomer})->effective() == 90);
  const auto less = work.submit("ben", 20min, 10); // but it does not gain by what waits at another priority
  CHECK(work.queue.find({less})->effective() == 10);
  CHECK(work.queue.position({less}) == work.queue.size());
}

TEST_CASE("a job that passes others does not take virtual time along") {
  place_of_work work;
  id_list waits; // for a device that is busy for long
  for (int i = 0; i < 50; ++i)
    waits.push_back(work.submit("ada", 1h));
  const auto passes = work.submit("ada", 1min); // on another one
  const auto job = *work.queue.remove({passes});
  work.share.started(0, job.order_key, work.queue.first_key(0, 50));
  const auto newcomer = work.submit("ben", 1h);
  CHECK(work.queue.position({newcomer}) == 2);
  const auto of_closed_group = [&](const queued_job& one) { return one.id.value != waits.front(); };
  CHECK(work.queue.first_key(0, 50, of_closed_group) == work.queue.find({newcomer})->order_key);
}

TEST_CASE("what is cancelled or refused is not held against its user") {
  place_of_work work;
  const auto first = work.submit("ada", 1min);
  for (int i = 0; i < 20; ++i)
    work.submit("ben", 1min);
  const auto flow = fair_flow::of(*work.queue.find({first}));
  const auto end = work.share.key_for(flow, {}, 0);
  const auto costly = work.submit("ada", 100h);
  const auto job = *work.queue.remove({costly});
  work.share.withdrawn(flow, job.order_key, fair_length(100h, 1));
  CHECK(work.share.key_for(flow, {}, 0) == end);
  work.submit("ada", 100h);
  work.queue.remove({work.last_id});
  const auto last = work.queue.last_alike(job);
  REQUIRE(last);
  CHECK(last->id.value == first);
  work.share.shortened(flow, last->order_key + fair_length(1min, 1));
  CHECK(work.share.key_for(flow, {}, 0) == end);
}

TEST_CASE("P7: the same submissions at the same times get the same places") {
  for (const auto seed : tests::seeds(20)) {
    CAPTURE(seed);
    const auto play = [&] {
      std::mt19937 random(static_cast<unsigned>(seed));
      place_of_work work({{"u1", 3}}, 1h);
      id_list order;
      for (int step = 0; step < 500; ++step)
        if (work.queue.size() == 0 || below(random, 5) < 3)
          work.submit("u" + std::to_string(below(random, 6)), std::chrono::seconds(below(random, 5'000)), 10 * below(random, 4));
        else
          order.push_back(work.serve().id.value);
      CHECK(work.queue.check_invariants() == std::nullopt);
      return order;
    };
    CHECK(play() == play());
  }
}

TEST_CASE("keys stay within their bounds, whatever jobs are thought to take") {
  place_of_work work({{"ada", limits::user_weight_min}});
  std::int64_t previous = -1;
  for (int i = 0; i < 3'000; ++i) {
    const auto key = work.queue.find({work.submit("ada", 49 * 24h)})->order_key;
    CHECK(key > previous);
    CHECK(key <= INT64_MAX / 2);
    previous = key;
  }
  CHECK(fair_length(duration::max(), limits::user_weight_min) == limits::job_cost_ms_max * order_keys_per_ms);
  CHECK(fair_length(0ms, 1'000) == 1);
  // Where all queued jobs are as long as can be, the last key is still one.
  CHECK(limits::job_cost_ms_max * order_keys_per_ms <= INT64_MAX / static_cast<std::int64_t>(limits::queued_jobs_max));
}

TEST_CASE("the virtual times of tiers are kept apart, and can be stored") {
  fair_share share;
  share.started(0, 5'000, {});
  share.started(2, 70, 60);
  share.started(0, 4'000, {}); // it does not go back
  CHECK(share.now(0) == 5'000);
  CHECK(share.now(1) == 0);
  CHECK(share.now(2) == 60);
  fair_share again;
  REQUIRE(again.restore(json::parse(share.to_json().dump())));
  CHECK(again.now(0) == 5'000);
  CHECK(again.now(2) == 60);
  CHECK(again.restore(json::parse(R"([["a"]])")).error().code == error_code::damaged);
  CHECK(again.now(0) == 5'000);
}

TEST_CASE("a job counts what its type takes on its part of a device; the default where nothing is known") {
  const std::vector<device> devices{{.id = "cpu", .kind = device_kind::cpu, .name = "", .slots = 4, .memory_mib = 0}};
  config::job_type type;
  type.slots = 2;
  CHECK(expected_device_time({}, type, nullptr, devices, {}) == duration{limits::unknown_job_ms / 2});
  CHECK(expected_device_time({.estimate_ms = 10'000}, type, nullptr, devices, {}) == 5s);
  type_knowledge known;
  known.learn({.jobs = {{.features = {}, .expected = {}}}, .took = 40s}, from_unix_ms(1));
  CHECK(expected_device_time({}, type, &known, devices, from_unix_ms(2)) == 20s);
  known.saved.shared_jobs = 8; // half of the time that it takes alone
  known.saved.worked_ms = 100'000;
  known.saved.shared_ms = 100'000;
  known.saved.shared_alone_ms = 200'000;
  CHECK(expected_device_time({}, type, &known, devices, from_unix_ms(2)) == 10s);
}

TEST_CASE("a warm worker lets another user's jobs pass only those that are near in virtual time") {
  const config::batch_rules rules{.overtaking = 2min};
  const device gpu{.id = "gpu", .kind = device_kind::gpu, .name = "", .slots = 1, .memory_mib = 1'000};
  device_ledger ledger({gpu});
  ledger.add_worker({.id = {1}, .device = "gpu", .type = 0, .warm = 7, .memory_mib = 600});
  const auto wants = [&](std::int64_t id, user_index user, duration place, std::uint64_t warm) {
    return candidate{.job = {.id = {id},
                             .order_key = place.count() * order_keys_per_ms,
                             .created = from_unix_ms(100'000 - id), // those behind came before it
                             .group = static_cast<group_index>(warm),
                             .user = user},
                     .needs = {.device = config::device_choice::gpu, .slots = 1, .memory_mib = 600},
                     .batching = &rules,
                     .on_worker = true,
                     .warm = warm};
  };
  const auto first = [&](const std::vector<candidate>& in_order) {
    return std::get<dispatch_batch>(choose_batch(in_order, ledger, from_unix_ms(200'000))).jobs.front().value;
  };
  CHECK(first({wants(1, 1, 0s, 9), wants(2, 2, 2min, 7)}) == 2);
  CHECK(first({wants(1, 1, 0s, 9), wants(2, 2, 2min + 1s, 7)}) == 1);
  CHECK(first({wants(1, 1, 0s, 9), wants(2, 1, 1h, 7)}) == 2);                       // its own user's may
  CHECK(first({wants(1, 1, 0s, 9), wants(3, 2, 1min, 8), wants(2, 1, 1h, 7)}) == 1); // but not past those of others
  CHECK(first({wants(1, 1, 0s, 9), wants(3, 2, 59min, 8), wants(2, 1, 1h, 7)}) == 2);
}
