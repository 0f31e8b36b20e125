// What waits long enough comes first.
#include "tests/integration/daemon_process.hpp"

#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

TEST_CASE("a job that has waited comes before later ones that are more important, also after a crash") {
  daemon_process daemon("[queue]\naging = \"1s\"\n", 1);
  daemon.start();
  const auto path = [](std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; };
  const auto file = (daemon.directory() / "order").string(), go = (daemon.directory() / "go").string();
  const auto blocking = daemon.submit_script("while ! test -e " + go + "; do sleep 0.02; done");
  eventually([&] { return daemon.get(path(blocking))["status"] == "running"; });
  const auto low = daemon.submit_script("echo low >> " + file, {{"priority", 80}});
  CHECK(daemon.get(path(low))["effective_priority"].is_null());
  const auto held = daemon.submit_script("echo held >> " + file, {{"priority", 80}, {"held", true}});
  eventually([&] { return daemon.get(path(low))["effective_priority"] == 100; });
  const auto high = daemon.submit_script("echo high >> " + file, {{"priority", 100}});
  daemon.post(path(held, "/release")); // it begins to wait now
  const auto places = [&] {
    CHECK(daemon.get(path(low))["position"] == 1);
    CHECK(daemon.get(path(low))["priority"] == 80);
    CHECK(daemon.get(path(high))["position"] == 2);
  };
  places();
  daemon.crash_and_start();
  places();
  CHECK(daemon.get(path(low))["effective_priority"] == 100);
  CHECK(daemon.post(path(high, "/move"), {{"position", "top"}})["position"] == 1);
  CHECK(daemon.post(path(high, "/move"), {{"position", 2}})["position"] == 2);
  std::ofstream(go) << "";
  for (const auto id : {low, held, high})
    daemon.finished(id);
  std::ifstream in(file);
  std::string first;
  in >> first;
  CHECK(first == "low");
}
