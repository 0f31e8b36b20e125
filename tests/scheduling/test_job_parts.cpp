// Jobs with more items than may run together.
#include "scheduling/job_parts.hpp"

#include "scheduling/attempts.hpp"
#include "scheduling/batch_decision.hpp"
#include "scheduling/company.hpp"
#include "scheduling/forecast.hpp"
#include "scheduling/outlook.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

instant at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

config::job_type drawing(int max_items = 8) {
  config::job_type type;
  type.name = "draw";
  type.batch.max_items = max_items;
  type.batch.items = "prompts";
  type.estimate.parameters = {"prompts"};
  return type;
}

json prompts(int count) {
  json list = json::array();
  for (int i = 0; i < count; ++i)
    list.push_back("p" + std::to_string(i));
  return {{"prompts", list}, {"steps", 5}};
}

queued_job job_of(int items, const config::job_type& type, std::int64_t id = 1, int done = 0) {
  queued_job job{.id = {id}, .order_key = id, .items_done = static_cast<std::uint16_t>(done)};
  set_items(job, traits_of(type, prompts(items)), type.batch);
  return job;
}

job_outcome completed() { return {.result = json{{"made", 3}}}; }

} // namespace

TEST_CASE("a job with more items than may run together takes as many as may, until all are done") {
  const auto type = drawing(8);
  auto job = job_of(20, type);
  std::vector<job_part> parts;
  for (;;) {
    parts.push_back(part_of(job));
    if (!has_more_parts(job))
      break;
    finish_part(job);
  }
  CHECK(parts == std::vector<job_part>{{0, 8, 20}, {8, 8, 20}, {16, 4, 20}});
  CHECK(part_of(job_of(8, type)).is_all());
  CHECK(parts_after(job_of(20, type)) == 2);
  CHECK(parts_after(job_of(3, type)) == 0);
}

TEST_CASE("only a list is divided, where its type allows it") {
  auto type = drawing(8);
  CHECK(traits_of(type, prompts(20)).is_divisible);
  CHECK_FALSE(traits_of(type, {{"prompts", 20}}).is_divisible);
  CHECK_FALSE(traits_of(type, {{"prompts", "p"}}).is_divisible);
  CHECK_FALSE(traits_of(type, prompts(70'000)).is_divisible); // more than are told apart: none is to be left out
  type.batch.split = false;
  const auto whole = job_of(20, type);
  CHECK(whole.items == 20);
  CHECK(part_of(whole).is_all());
  CHECK_FALSE(has_more_parts(whole));
}

TEST_CASE("a part sees its own items in the list, and all other parameters") {
  const auto part = params_of_part(prompts(5), "prompts", {3, 2, 5});
  REQUIRE(part);
  CHECK(*part == json{{"prompts", {"p3", "p4"}}, {"steps", 5}});
  CHECK(*params_of_part(prompts(5), "prompts", {}) == prompts(5));
  const json deep{{"of", {{"these", {1, 2, 3}}}}};
  CHECK(*params_of_part(deep, "of.these", {0, 2, 3}) == json{{"of", {{"these", {1, 2}}}}});
  for (const auto& wrong : {params_of_part(prompts(4), "prompts", {3, 2, 5}), params_of_part(prompts(5), "steps", {3, 2, 5}),
                            params_of_part(prompts(5), "prompts", {4, 2, 5})}) {
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == error_code::invalid_argument);
  }
}

TEST_CASE("a run takes no more items than was learnt to fit, nor than the job was found to manage") {
  const auto type = drawing(8);
  auto job = job_of(20, type);
  group_outlook outlook{.items_max = 5};
  CHECK(candidate_of(job, type, outlook, nullptr).job.items == 5);
  job.items_max = 3;
  CHECK(candidate_of(job, type, outlook, nullptr).job.items == 3);
  outlook.items_max = 256;
  job.items_max = 0;
  CHECK(candidate_of(job, type, outlook, nullptr).job.items == 8);
  CHECK(candidate_of(job_of(20, type, 1, 16), type, outlook, nullptr).job.items == 4);
}

TEST_CASE("the last part shares its run with others, and a full one with none") {
  const auto type = drawing(8);
  const group_outlook outlook;
  const auto together = [&](const queued_job& head, const queued_job& behind) {
    const auto first = candidate_of(head, type, outlook, nullptr);
    const std::vector rest{candidate_of(behind, type, outlook, nullptr)};
    return choose_company(first, rest, 1'000'000).size();
  };
  CHECK(together(job_of(20, type), job_of(1, type, 2)) == 1);
  CHECK(together(job_of(20, type, 1, 16), job_of(4, type, 2)) == 2);
  CHECK(together(job_of(20, type, 1, 16), job_of(5, type, 2)) == 1);
  CHECK(together(job_of(4, type), job_of(20, type, 2)) == 1); // it is not begun with a part that is less than may be
}

TEST_CASE("a part that completed is followed by the next one, and counts as no attempt") {
  const auto type = drawing(8);
  const auto job = job_of(20, type);
  const auto waits = std::get<job_waits>(decide_after(completed(), job, &type, user_wish::none, at(0)));
  CHECK(waits.how == attempt_end::part_done);
  CHECK_FALSE(counts(waits.how));
  CHECK_FALSE(waits.held);
  CHECK(std::get<job_ends>(decide_after(completed(), job_of(20, type, 1, 16), &type, user_wish::none, at(0))).state ==
        job_state::completed);
  const auto cancelled = std::get<job_waits>(decide_after(completed(), job, &type, user_wish::cancel, at(0)));
  CHECK(cancelled.how == attempt_end::part_done); // it is cancelled next
  CHECK(cancelled.held_for == cancelled_reason);
  const auto suspended = std::get<job_waits>(decide_after(completed(), job, &type, user_wish::suspend, at(0)));
  CHECK(suspended.how == attempt_end::part_done); // its items are done all the same
  CHECK(suspended.held);
  CHECK(suspended.held_for == suspended_reason);
  // Also where the configuration has lost the type meanwhile.
  CHECK(std::holds_alternative<job_waits>(decide_after(completed(), job, nullptr, user_wish::none, at(0))));
}

TEST_CASE("a job that runs out of memory alone tries again with half the items, and without as a failure in the end") {
  const auto type = drawing(8);
  const job_outcome oom{.state = job_state::failed, .why_failed = failure{failure_kind::oom, "out of memory"}};
  auto job = job_of(8, type);
  std::vector<int> tried;
  for (;;) {
    tried.push_back(job.items);
    const auto then = decide_after(oom, job, &type, user_wish::none, at(0));
    const auto* waits = std::get_if<job_waits>(&then);
    if (!waits)
      break;
    CHECK(waits->how == attempt_end::regrouped);
    CHECK(waits->retries == 0);
    CHECK_FALSE(tells_of_type(oom, then)); // no storm of failures: it goes on
    job.items_max = static_cast<std::uint8_t>(waits->items_max);
    job.items = static_cast<std::uint16_t>(items_of_next_run(job, 8));
  }
  CHECK(tried == std::vector{8, 4, 2, 1});
  CHECK(tells_of_type(oom, decide_after(oom, job, &type, user_wish::none, at(0))));
  auto whole = drawing(8);
  whole.batch.split = false;
  CHECK(std::holds_alternative<job_ends>(decide_after(oom, job_of(8, whole), &whole, user_wish::none, at(0))));
}

TEST_CASE("items that are done cannot be edited, all else can") {
  auto after = prompts(5);
  after["steps"] = 9;
  CHECK(check_items_kept(prompts(5), after, "prompts"));
  const auto refused = check_items_kept(prompts(5), prompts(6), "prompts");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::conflict);
}

TEST_CASE("a forecast plays all parts of a job, and what needs it starts after the last") {
  const std::vector types{drawing(8)};
  queue_picture picture{.now = at(1'000), .types = types};
  picture.devices = device_ledger({device{.id = "gpu0", .kind = device_kind::gpu, .slots = 1, .memory_mib = 8'000}});
  picture.groups[0] = {};
  auto job = job_of(20, types[0]);
  job.estimate_ms = 10'000; // of eight items; four take (1 + 0.5 × 3) / (1 + 0.5 × 7) of it
  picture.in_order = {job};
  auto waiting = job_of(1, types[0], 2);
  waiting.blocked = true;
  picture.blocked.emplace_back(waiting, std::vector<job_id>{{1}});
  const auto seen = foresee(picture);
  REQUIRE(seen.runs.size() == 4);
  CHECK(seen.find({1})->starts == at(1'000));
  CHECK(seen.runs[1].starts == at(1'010));
  CHECK(seen.find_last({1})->starts == at(1'020));
  CHECK(seen.find_last({1})->ends == at(1'020) + 5'556ms);
  CHECK(seen.find({2})->starts == seen.find_last({1})->ends);

  // The same of one whose first part runs.
  picture.in_order.clear();
  picture.devices.grant({1}, {.device = "gpu0", .since = at(990), .ends = at(1'005)});
  auto next = job;
  finish_part(next);
  picture.running[{1}] = {.jobs = {{1}}, .go_on = {next}, .named = {0}, .ends = expected_end{at(1'005), {}}};
  const auto later = foresee(picture);
  REQUIRE(later.runs.size() == 3);
  CHECK(later.find({1})->starts == at(1'005));
  CHECK(later.find({2})->starts == later.find_last({1})->ends);
}
