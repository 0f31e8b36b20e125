// Pages of the queue that show some of its jobs.
#include "tests/integration/daemon_process.hpp"

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

using numbers = std::vector<std::int64_t>;

numbers ids(const json& page) {
  numbers all;
  for (const json& job : page["jobs"])
    all.push_back(job["id"]);
  return all;
}

} // namespace

TEST_CASE("the queue is shown by type, user, name and state, and positions stay those of the whole queue") {
  daemon_process daemon("[job_types.other]\ncommand = [\"true\"]\n", 2);
  daemon.start();
  const auto runs = daemon.submit_script("sleep 1000", {{"name", "Alpha runs"}, {"user", "ada"}});
  eventually([&] { return daemon.get("/jobs/" + std::to_string(runs))["phase"] == "running"; });
  daemon.post("/queue/pause");
  const auto a = daemon.submit_script("true", {{"name", "alpha one"}, {"user", "ada"}});
  const auto b = daemon.submit_script("true", {{"name", "beta"}, {"user", "bob"}});
  const auto held = daemon.submit_script("true", {{"name", "ALPHA held"}, {"user", "bob"}, {"held", true}});
  const std::int64_t other = daemon.post("/jobs", {{"type", "other"}, {"name", "gamma"}, {"user", "ada"}})["id"];

  const auto page = [&](const std::string& query) { return daemon.get("/queue?" + query); };
  CHECK(ids(page("limit=100")).size() == 5);
  CHECK(page("limit=100")["next_offset"].is_null());
  CHECK(ids(page("type=other")) == numbers{other});
  CHECK(page("type=other")["jobs"][0]["position"] == daemon.get("/jobs/" + std::to_string(other))["position"]);
  CHECK(ids(page("user=bob&may_start=true")) == numbers{b});
  CHECK(ids(page("user=bob")) == numbers{b, held});
  CHECK(ids(page("user=nobody")).empty());
  CHECK(ids(page("name=alpha")) == numbers{runs, a, held});
  CHECK(ids(page("name=alpha&user=ada&status=queued")) == numbers{a});
  CHECK(ids(page("status=running")) == numbers{runs});
  CHECK(ids(page("may_start=false")) == numbers{held});
  CHECK(page("type=other")["counts"] == page("limit=100")["counts"]); // of the whole queue

  // In pages: each goes on where the one before it ended.
  for (const std::string filter : {"name=alpha&", "user=ada&", ""}) {
    numbers all;
    json next = 0;
    for (int pages = 0; !next.is_null(); ++pages) {
      REQUIRE(pages < 10);
      const auto one = page(filter + "limit=1&offset=" + next.dump());
      for (const auto id : ids(one))
        all.push_back(id);
      next = one["next_offset"];
    }
    CHECK(all == ids(page(filter + "limit=100")));
  }
  for (const char* wrong : {"status=completed", "may_start=maybe", "may_start=true&status=running", "held=true"})
    CHECK(daemon.refused("GET", std::string("/queue?") + wrong).code == error_code::invalid_argument);
}
