#include "config/limits.hpp"
#include "scheduling/users.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

const auto start = from_unix_ms(24LL * 3600 * 1000 * 20'000); // where a day and an hour begin

user_book day_book() { return user_book({.window = 24h, .weights = {{"ada", 2.5}}}); }

} // namespace

TEST_CASE("users are known by name, those who name nobody among them") {
  auto users = day_book();
  const auto ada = *users.find_or_add("ada");
  CHECK(*users.find_or_add("ada") == ada);
  CHECK(*users.find_or_add("") == 0);
  CHECK(users.at(ada).weight == 2.5);
  CHECK(users.at(0).weight == 1);
  CHECK_FALSE(users.find("ben"));
  CHECK(users.all() == std::vector<user_index>{0, ada});
  CHECK_FALSE(users.has_jobs(ada, {}));
  users.arriving(ada);
  CHECK(users.has_jobs(ada, {}));
  users.arrived(ada);
  users.started(ada);
  CHECK(users.has_jobs(ada, {}));
  users.ended(ada);
  CHECK(users.has_jobs(ada, [](user_index) { return true; }));
}

TEST_CASE("use counts for as long as the window, to a 24th of it") {
  auto users = day_book();
  const auto ada = *users.find_or_add("ada"), ben = *users.find_or_add("ben");
  users.count(ada, {.device_ms = 100, .completed = 1}, start);
  users.count(ada, {.device_ms = 50, .completed = 2}, start + 12h);
  users.count(ben, {.device_ms = 10}, start + 12h);
  CHECK(users.use_of(ada, start + 23h).device_ms == 150);
  CHECK(users.use_of(ada, start + 23h).completed == 3);
  CHECK(users.use_of(ada, start + 24h).device_ms == 50);
  CHECK(users.use_of(ada, start + 36h).device_ms == 0);
  users.count(ada, {.device_ms = 1}, start); // the clock was set back
  CHECK(users.use_of(ada, start + 35h).device_ms == 51);
  const auto all = [](user_index) { return true; };
  CHECK(users.least_use(all, start + 13h) == 0); // nobody known used nothing
  CHECK(users.least_use([&](user_index index) { return index == ada || index == ben; }, start + 13h) == 10);
  CHECK(users.least_use([&](user_index index) { return index == ada; }, start + 13h) == 151 / 2.5);
  CHECK_FALSE(users.least_use({}, start + 13h));
}

TEST_CASE("with a window of 0 nothing is counted") {
  user_book users({.window = 0ms});
  CHECK_FALSE(users.shares());
  users.count(0, {.device_ms = 100}, start);
  CHECK(users.use_of(0, start).device_ms == 0);
}

TEST_CASE("what users used is stored and read again, also into a book of another window") {
  auto users = day_book();
  users.count(*users.find_or_add("ben"), {.device_ms = 2.5, .completed = 3}, start + 5h);
  users.count(0, {.device_ms = 7}, start + 6h);
  const json stored = json::parse(users.to_json(start + 6h).dump());
  auto again = day_book();
  REQUIRE(again.restore(stored));
  CHECK(again.use_of(*again.find("ben"), start + 6h).device_ms == 2.5);
  CHECK(again.use_of(*again.find("ben"), start + 6h).completed == 3);
  CHECK(again.use_of(0, start + 6h).device_ms == 7);
  user_book week({.window = 7 * 24h});
  REQUIRE(week.restore(stored));
  CHECK(week.use_of(0, start + 5 * 24h).device_ms == 7);
  CHECK(again.restore(json::parse("[]")).error().code == error_code::damaged);
  CHECK(again.restore(json::parse(R"({"version":99})")).error().code == error_code::newer_version);
}

TEST_CASE("where there are too many users, one without jobs makes way, who used least first") {
  auto users = day_book();
  for (std::size_t i = 1; i <= limits::users_max; ++i)
    users.count(*users.find_or_add("u" + std::to_string(i)), {.device_ms = static_cast<double>(i)}, start);
  const auto u1 = *users.find("u1"), u2 = *users.find("u2");
  CHECK(*users.find_or_add("late", [&](user_index index) { return index == u1; }) == u2);
  CHECK_FALSE(users.find("u2"));
  CHECK(users.use_of(u2, start).device_ms == 0);
  const auto refused = users.find_or_add("later", [](user_index) { return true; });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::too_large);
}

TEST_CASE("the name of a user is a short text without a slash") {
  CHECK(check_user_name("Ada Lovelace"));
  CHECK(check_user_name("").error().code == error_code::invalid_argument);
  CHECK(check_user_name("a/b").error().what.find("the name of a user") == 0);
  CHECK_FALSE(check_user_name("a\nb"));
  CHECK(check_user_name(std::string(limits::user_name_bytes_max, 'u')));
  CHECK(check_user_name(std::string(limits::user_name_bytes_max + 1, 'u')).error().code == error_code::too_large);
}
