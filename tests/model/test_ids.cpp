#include "model/ids.hpp"

#include <catch2/catch_test_macros.hpp>
#include <type_traits>
#include <unordered_set>

using namespace ferry;

TEST_CASE("ids are ordered, printed and hashed by their number, and kinds do not mix") {
  static_assert(!std::is_convertible_v<job_id, batch_id>);
  static_assert(!std::is_constructible_v<job_id, batch_id>);
  CHECK(job_id{}.is_none());
  CHECK_FALSE(job_id{1}.is_none());
  CHECK(job_id{2} > job_id{1});
  CHECK(to_string(job_id{9'007'199'254'740'993}) == "9007199254740993");
  const std::unordered_set<job_id> set{job_id{1}, job_id{2}, job_id{1}};
  CHECK(set.size() == 2);
}
