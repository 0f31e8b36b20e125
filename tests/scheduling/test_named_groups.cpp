#include "config/limits.hpp"
#include "scheduling/job_queue.hpp"
#include "scheduling/named_groups.hpp"
#include "tests/support/seeds.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

queued_job job(std::int64_t id, named_group_index named = 0, group_index group = 0) {
  return {.id = {id}, .order_key = id * order_key_step, .group = group, .named_group = named};
}

std::vector<std::int64_t> ids(const std::vector<queued_job>& jobs) {
  std::vector<std::int64_t> all;
  for (const auto& j : jobs)
    all.push_back(j.id.value);
  return all;
}

using id_list = std::vector<std::int64_t>;

std::function<std::size_t(const queued_job&)> of_each(std::size_t count) {
  return [count](const queued_job&) { return count; };
}

} // namespace

TEST_CASE("a group has room for as many jobs as its limit leaves, none while it is paused, and says why") {
  named_groups groups;
  const auto night = *groups.find_or_add("night");
  CHECK(*groups.find_or_add("night") == night);
  CHECK(*groups.find_or_add("") == 0);
  CHECK(groups.room(night) == SIZE_MAX);
  CHECK(groups.why_closed(night).empty());
  groups.set(night, {.parallel = 2});
  groups.started(night);
  CHECK(groups.room(night) == 1);
  CHECK(groups.have_room({night, 0, 0}));
  CHECK_FALSE(groups.have_room({night, 0, night}));
  groups.started(night);
  CHECK(groups.room(night) == 0);
  CHECK(groups.why_closed(night) == "group night runs 2 of at most 2 jobs");
  groups.set(night, {.parallel = 1}); // two run already
  CHECK(groups.room(night) == 0);
  groups.ended(night);
  groups.ended(night);
  CHECK(groups.room(night) == 1);
  groups.set(night, {.paused = true});
  CHECK(groups.room(night) == 0);
  CHECK(groups.why_closed(night) == "group night is paused");
  CHECK(groups.why_closed(0).empty());
}

TEST_CASE("groups that nobody uses make way for new ones, others do not") {
  named_groups groups;
  const auto nobody = [](named_group_index) { return false; };
  for (std::size_t i = 0; i < limits::named_groups_max; ++i)
    groups.started(*groups.find_or_add("group " + std::to_string(i)));
  CHECK(groups.find_or_add("one more", nobody).error().code == error_code::too_large);
  const auto seventh = *groups.find("group 7");
  groups.ended(seventh);
  CHECK_FALSE(groups.find_or_add("one more", [&](named_group_index index) { return index == seventh; }));
  CHECK(*groups.find_or_add("one more", nobody) == seventh);
  CHECK_FALSE(groups.find("group 7"));
  CHECK(groups.all().size() == limits::named_groups_max);
}

TEST_CASE("names of groups and limits are checked") {
  CHECK(check_group_name("night"));
  CHECK(check_group_name("nächtlich, leise"));
  CHECK_FALSE(check_group_name(""));
  CHECK_FALSE(check_group_name("a/b"));
  CHECK_FALSE(check_group_name("a\nb"));
  CHECK(check_group_name(std::string(limits::group_name_bytes_max + 1, 'x')).error().code == error_code::too_large);
  CHECK(check_parallel(0));
  CHECK(check_parallel(-1).error().what == "parallel must be from 0 (no limit) to 100000, is -1");
  CHECK_FALSE(check_parallel(limits::group_parallel_max + 1));
}

TEST_CASE("jobs of a full or paused group keep their place and are passed over") {
  job_queue queue;
  for (std::int64_t id = 1; id <= 500; ++id)
    queue.add(job(id, 1));
  queue.add(job(501));
  queue.add(job(502, 2));
  const auto room = [](named_group_index index) { return index == 1 ? std::size_t{0} : SIZE_MAX; };
  CHECK(ids(queue.heads(of_each(3), room)) == id_list{501, 502});
  CHECK(ids(queue.heads(of_each(3))) == id_list{1, 2, 3});
  CHECK(ids(queue.heads(of_each(3), [](named_group_index index) { return index == 1 ? std::size_t{2} : SIZE_MAX; })) ==
        id_list{1, 2, 501});
  CHECK(queue.position({501}) == 501);
  CHECK(queue.queued_in(1) == 500);
  queue.remove({7});
  CHECK(queue.queued_in(1) == 499);
  CHECK(queue.queued_in(9) == 0);
}

TEST_CASE("heads are what a walk through the whole order would find, whatever groups have room") {
  for (const auto seed : tests::seeds(60)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    job_queue queue;
    for (std::int64_t id = 1; id <= 200; ++id) {
      auto one = job(id, static_cast<named_group_index>(below(5)), static_cast<group_index>(below(3)));
      one.priority = static_cast<std::uint8_t>(below(3) * 10);
      one.held = below(10) == 0;
      queue.add(one);
    }
    std::map<named_group_index, std::size_t> rooms{{0, SIZE_MAX}};
    for (named_group_index g = 1; g < 5; ++g)
      rooms[g] = below(3) == 0 ? SIZE_MAX : below(6);
    const auto per_group = 1 + below(20);
    id_list expected;
    std::map<group_index, std::size_t> taken;
    std::map<std::pair<group_index, named_group_index>, std::size_t> of_both;
    for (const auto& one : queue.page(0, queue.size()))
      if (one.may_start() && taken[one.group] < per_group && of_both[{one.group, one.named_group}] < rooms.at(one.named_group)) {
        ++taken[one.group];
        ++of_both[{one.group, one.named_group}];
        expected.push_back(one.id.value);
      }
    REQUIRE(ids(queue.heads(of_each(per_group), [&](named_group_index g) { return rooms.at(g); })) == expected);
    REQUIRE(queue.check_invariants() == std::nullopt);
  }
}
