#include "scheduling/job_queue.hpp"
#include "tests/support/seeds.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

queued_job job(std::int64_t id, int priority = priority_default, bool held = false, type_index type = 0) {
  return {.id = {id},
          .order_key = id * order_key_step,
          .group = type,
          .type = type,
          .priority = static_cast<std::uint8_t>(priority),
          .held = held};
}

std::vector<std::int64_t> ids(const std::vector<queued_job>& jobs) {
  std::vector<std::int64_t> all;
  for (const auto& j : jobs)
    all.push_back(j.id.value);
  return all;
}

using id_list = std::vector<std::int64_t>;

// Applies a planned move.
void carry_out(job_queue& queue, const std::vector<queued_job>& changes) {
  for (const auto& changed : changes)
    REQUIRE(queue.replace(changed));
}

} // namespace

TEST_CASE("jobs are ordered by priority, then by order key, held ones last") {
  job_queue queue;
  for (const auto& j : {job(1), job(2, 90), job(3, 10), job(4), job(5, 90), job(6, 100, true)})
    REQUIRE(queue.add(j));
  CHECK(ids(queue.page(0, 10)) == id_list{2, 5, 1, 4, 3, 6});
  CHECK(queue.position({4}) == 4);
  CHECK(queue.position({6}) == std::nullopt);
  CHECK(queue.position({99}) == std::nullopt);
  CHECK(queue.kept_back() == 1);
  CHECK(ids(queue.page(1, 2)) == id_list{5, 1});
  CHECK(queue.page(6, 2).empty());
}

TEST_CASE("an id stands in the queue once") {
  job_queue queue;
  REQUIRE(queue.add(job(1)));
  CHECK_FALSE(queue.add(job(1, 90)));
  CHECK(queue.find({1})->priority == priority_default);
  CHECK(queue.remove({1}) == job(1));
  CHECK(queue.remove({1}) == std::nullopt);
  CHECK_FALSE(queue.replace(job(1)));
}

TEST_CASE("the heads of each group are merged in order and leave held jobs out") {
  job_queue queue;
  for (std::int64_t id = 1; id <= 100; ++id)
    queue.add(job(id, id == 100 ? 90 : 50, id == 3, id % 2 == 0 ? 0 : 1));
  CHECK(ids(queue.heads([](const queued_job&) { return std::size_t{2}; })) == id_list{100, 1, 2, 5});
  CHECK(queue.has_group(1));
  CHECK_FALSE(queue.has_group(2));
}

TEST_CASE("a move stays within the priority of the job and names the places allowed") {
  job_queue queue;
  for (const auto& j : {job(1, 90), job(2), job(3), job(4), job(5, 10)})
    queue.add(j);
  const auto outside = queue.plan_move({3}, to_position{1});
  REQUIRE_FALSE(outside);
  CHECK(outside.error().code == error_code::invalid_argument);
  CHECK(outside.error().what == "position 1 is outside of priority 50, which holds positions 2 to 4");
  CHECK_FALSE(queue.plan_move({3}, to_position{5}));
  CHECK(queue.plan_move({99}, to_top{}).error().code == error_code::not_found);

  carry_out(queue, *queue.plan_move({4}, to_top{}));
  CHECK(ids(queue.page(0, 9)) == id_list{1, 4, 2, 3, 5});
  carry_out(queue, *queue.plan_move({4}, to_bottom{}));
  CHECK(ids(queue.page(0, 9)) == id_list{1, 2, 3, 4, 5});
  carry_out(queue, *queue.plan_move({2}, to_position{3}));
  CHECK(ids(queue.page(0, 9)) == id_list{1, 3, 2, 4, 5});
  CHECK(queue.plan_move({2}, to_position{3})->empty());
}

TEST_CASE("a held job has no place to be moved to") {
  job_queue queue;
  queue.add(job(1, 50, true));
  CHECK(queue.plan_move({1}, to_top{}).error().code == error_code::conflict);
}

TEST_CASE("moves find room between neighbours without any") {
  job_queue queue;
  for (std::int64_t id = 1; id <= 4; ++id)
    queue.add({.id = {id}, .order_key = id}); // keys 1, 2, 3, 4
  carry_out(queue, *queue.plan_move({4}, to_position{2}));
  CHECK(ids(queue.page(0, 9)) == id_list{1, 4, 2, 3});
  CHECK(queue.check_invariants() == std::nullopt);
}

TEST_CASE("jobs of a higher tier come first, whatever their priority") {
  job_queue queue;
  auto low = job(1, 100), high = job(2, 0);
  high.tier = 1;
  queue.add(low);
  queue.add(high);
  CHECK(ids(queue.page(0, 9)) == id_list{2, 1});
  CHECK_FALSE(queue.plan_move({1}, to_position{1})); // not past the tier above
}

TEST_CASE("a delayed job has no position and does not start until its time, then it is where it was") {
  job_queue queue;
  for (std::int64_t id = 1; id <= 3; ++id)
    queue.add(job(id));
  queue.delay(*queue.find({1}), from_unix_ms(100));
  CHECK(queue.kept_back() == 1);
  CHECK_FALSE(queue.position({1}));
  CHECK(ids(queue.heads([](const queued_job&) { return std::size_t{9}; })) == id_list{2, 3});
  CHECK(queue.next_due() == from_unix_ms(100));
  CHECK(queue.release_due(from_unix_ms(99)) == 0);
  CHECK(queue.release_due(from_unix_ms(100)) == 1);
  CHECK(ids(queue.heads([](const queued_job&) { return std::size_t{9}; })) == id_list{1, 2, 3});
  CHECK_FALSE(queue.next_due());
  queue.delay(*queue.find({2}), from_unix_ms(200));
  REQUIRE(queue.remove({2})); // cancelled: its time is forgotten
  CHECK_FALSE(queue.next_due());
  CHECK(queue.check_invariants() == std::nullopt);
}

// The queue against a sorted vector, under every operation.
TEST_CASE("the queue agrees with a sorted list under random operations") {
  for (const auto seed : tests::seeds(30)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](std::int64_t least, std::int64_t most) {
      return std::uniform_int_distribution<std::int64_t>(least, most)(random);
    };
    job_queue queue;
    std::vector<queued_job> model;
    const auto sort = [&] { std::sort(model.begin(), model.end(), comes_before); };
    std::int64_t next = 1;
    for (int step = 0; step < 400; ++step) {
      const auto what = pick(0, 9);
      if (what <= 3 || model.empty()) {
        auto added = job(next++, static_cast<int>(pick(0, 3)) * 33, pick(0, 9) == 0, static_cast<type_index>(pick(0, 3)));
        added.tier = added.type == 3 ? 2 : 0; // the tier is the type's
        REQUIRE(queue.add(added));
        model.push_back(added);
      } else {
        auto& chosen = model[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(model.size()) - 1))];
        if (what == 4) {
          REQUIRE(queue.remove(chosen.id) == chosen);
          std::erase_if(model, [id = chosen.id](const queued_job& j) { return j.id == id; });
        } else if (what == 5 && pick(0, 1) == 0) {
          const auto until = from_unix_ms(pick(1, 1000));
          queue.delay(chosen, until);
          chosen.delayed = true;
          REQUIRE(queue.delayed_until(chosen.id) == until);
          const auto now = from_unix_ms(pick(1, 1000));
          std::size_t due = 0;
          for (queued_job& each : model)
            if (each.delayed && *queue.delayed_until(each.id) <= now) {
              each.delayed = false;
              each.begin_to_wait(*queue.delayed_until(each.id));
              ++due;
            }
          REQUIRE(queue.release_due(now) == due);
          REQUIRE((!queue.next_due() || *queue.next_due() > now));
        } else if (what == 5) {
          chosen.held = !chosen.held;
          REQUIRE(queue.replace(chosen));
        } else if (what == 6) {
          chosen.priority = static_cast<std::uint8_t>(pick(0, 3) * 33);
          REQUIRE(queue.replace(chosen));
        } else if (chosen.may_start()) {
          sort();
          const auto id = model[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(model.size()) - 1))].id;
          const auto moved = *std::find_if(model.begin(), model.end(), [&](const queued_job& j) { return j.id == id; });
          if (!moved.may_start())
            continue;
          const auto in_level = [&](const queued_job& j) {
            return j.may_start() && j.tier == moved.tier && j.priority == moved.priority;
          };
          const auto first = std::find_if(model.begin(), model.end(), in_level) - model.begin();
          const auto size = std::count_if(model.begin(), model.end(), in_level);
          const auto target = first + pick(0, size - 1);
          const auto plan = queue.plan_move(id, to_position{static_cast<std::size_t>(target + 1)});
          REQUIRE(plan);
          carry_out(queue, *plan);
          // What the list should look like: the job taken out and put in at its place.
          auto expected = model;
          std::erase_if(expected, [&](const queued_job& j) { return j.id == id; });
          expected.insert(expected.begin() + target, moved);
          REQUIRE(ids(queue.page(0, expected.size())) == ids(expected));
          model = queue.page(0, queue.size());
        }
      }
      sort();
      REQUIRE(queue.check_invariants() == std::nullopt);
      REQUIRE(ids(queue.page(0, model.size() + 1)) == ids(model));
    }
  }
}
