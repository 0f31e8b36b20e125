// Users take turns.
#include "config/locations.hpp"
#include "tests/integration/daemon_process.hpp"

#include <fstream>
#include <unistd.h>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;
using ferry::tests::run_program;

namespace {

using id_list = std::vector<std::int64_t>;

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

id_list waiting(daemon_process& daemon) {
  id_list ids;
  const json answer = daemon.get("/queue");
  for (const json& job : answer["jobs"])
    if (job["status"] == "queued")
      ids.push_back(job["id"]);
  return ids;
}

// One slot, which a job of ada's keeps until `open` is called.
struct busy_daemon {
  explicit busy_daemon(const std::string& config = {}) : daemon(config, 1) {
    daemon.start();
    const auto id = daemon.submit_script("while ! test -e " + go() + "; do sleep 0.02; done", {{"user", "ada"}});
    eventually([&] { return daemon.get(path_of(id))["status"] == "running"; });
  }
  [[nodiscard]] std::string go() const { return (daemon.directory() / "go").string(); }
  void open() const { std::ofstream(go()) << ""; }
  std::int64_t submit(const std::string& user, const json& more = json::object()) {
    json fields{{"user", user}};
    fields.update(more);
    return daemon.submit_script("echo $FERRY_JOB_ID >> " + file(), fields);
  }
  [[nodiscard]] std::string file() const { return (daemon.directory() / "order").string(); }
  id_list started() {
    id_list ids;
    std::ifstream in(file());
    for (std::int64_t id = 0; in >> id;)
      ids.push_back(id);
    return ids;
  }
  daemon_process daemon;
};

json user_named(daemon_process& daemon, const std::string& name) {
  const json answer = daemon.get("/statistics");
  for (const json& one : answer["users"])
    if (one["name"] == name)
      return one;
  return nullptr;
}

} // namespace

TEST_CASE("jobs of several users take turns, in the same order after a crash, and a newcomer need not wait for a backlog") {
  busy_daemon busy;
  auto& daemon = busy.daemon;
  id_list ada, ben;
  for (int i = 0; i < 6; ++i)
    ada.push_back(busy.submit("ada"));
  for (int i = 0; i < 3; ++i)
    ben.push_back(busy.submit("ben"));
  const id_list turns{ben[0], ada[0], ben[1], ada[1], ben[2], ada[2], ada[3], ada[4], ada[5]};
  CHECK(waiting(daemon) == turns);
  const json why = daemon.get(path_of(ada[0], "/explanation"));
  CHECK(why["fair_share"].get<std::string>().find("1 job of other users that came later stands before it") == 0);
  CHECK(daemon.get(path_of(ben[0], "/explanation"))["fair_share"].is_null());
  CHECK(user_named(daemon, "ben")["queued"] == 3);
  CHECK(user_named(daemon, "ada")["running"] == 1);
  daemon.crash_and_start();
  CHECK(waiting(daemon) == turns);
  const auto cem = busy.submit("cem"), again = busy.submit("ada");
  CHECK(daemon.get(path_of(cem))["position"] == 2);
  CHECK(daemon.get(path_of(again))["position"] == 11);
  CHECK(daemon.post(path_of(ada[5], "/move"), {{"position", "top"}})["position"] == 1);
  id_list all{ada[5], ben[0], cem, ada[0], ben[1], ada[1], ben[2], ada[2], ada[3], ada[4], again};
  CHECK(waiting(daemon) == all);
  daemon.crash_and_start();
  CHECK(waiting(daemon) == all);
  busy.open();
  for (const auto id : all)
    daemon.finished(id);
  CHECK(busy.started() == all);
  CHECK(user_named(daemon, "ada")["completed"] == 8);
  CHECK(user_named(daemon, "ada")["device_seconds"].get<double>() > 0);
  CHECK(user_named(daemon, "ada")["share"].get<double>() > 0.5);
  CHECK(user_named(daemon, "ada")["queued"] == 0);
  const auto page = run_program({FERRY_PROGRAM, "stats", "users"}, {"FERRY_SOCKET=" + daemon.socket().string()});
  CHECK(page.status == 0);
  CHECK(page.output.find("USER  WEIGHT  SHARE  DEVICE TIME  COMPLETED") == 0);
  CHECK(page.output.find("\nben") != std::string::npos);
}

TEST_CASE("a weight of two is two turns for one; a window of 0 is the order of submission") {
  {
    busy_daemon busy("[queue.fair_share]\nweights = { ben = 2 }\n");
    id_list ada, ben;
    for (int i = 0; i < 4; ++i)
      ada.push_back(busy.submit("ada"));
    for (int i = 0; i < 5; ++i)
      ben.push_back(busy.submit("ben"));
    CHECK(waiting(busy.daemon) == id_list{ben[0], ben[1], ada[0], ben[2], ben[3], ada[1], ben[4], ada[2], ada[3]});
    CHECK(user_named(busy.daemon, "ben")["weight"] == 2);
  }
  busy_daemon busy("[queue.fair_share]\nwindow = \"0s\"\n");
  id_list all;
  for (const char* user : {"ada", "ada", "ben", "ada", "ben"})
    all.push_back(busy.submit(user));
  CHECK(waiting(busy.daemon) == all);
  CHECK(busy.daemon.get(path_of(all[3], "/explanation"))["fair_share"].is_null());
}

TEST_CASE("tiers with weights take turns and take no device, in the same order after a crash") {
  busy_daemon busy("[job_types.low]\ncommand = [\"true\"]\n[job_types.high]\ncommand = [\"true\"]\ntier = 2\n"
                   "[queue.fair_share]\ntier_weights = { 2 = 2 }\n");
  auto& daemon = busy.daemon;
  const auto submit = [&](const char* type, int count) {
    id_list ids;
    for (int i = 0; i < count; ++i)
      ids.push_back(daemon.post("/jobs", {{"type", type}, {"user", "ben"}})["id"]);
    return ids;
  };
  const auto low = submit("low", 3), high = submit("high", 5);
  const id_list turns{low[0], high[0], high[1], low[1], high[2], high[3], low[2], high[4]};
  CHECK(waiting(daemon) == turns);
  const json why = daemon.get(path_of(low[1], "/explanation"));
  CHECK(why["fair_share"].get<std::string>().find(
            "2 jobs of other users or tiers that came later stand before it: they take turns") == 0);
  daemon.crash_and_start();
  CHECK(waiting(daemon) == turns);
  daemon.post(path_of(high[0], "/cancel"));
  daemon.post(path_of(high[0], "/retry"));
  CHECK(daemon.get(path_of(high[0]))["position"] == 8); // behind the last of its tier
  busy.open();
  for (const auto& ids : {low, high})
    for (const auto id : ids)
      CHECK(daemon.finished(id)["status"] == "completed");
}

TEST_CASE("what a user cancels is not held against them; a job that is retried or raised gets a place among its user's") {
  busy_daemon busy;
  auto& daemon = busy.daemon;
  id_list ada, ben;
  for (int i = 0; i < 4; ++i)
    ada.push_back(busy.submit("ada"));
  for (int i = 0; i < 4; ++i)
    ben.push_back(busy.submit("ben"));
  for (int i = 1; i < 4; ++i)
    daemon.post(path_of(ada[static_cast<std::size_t>(i)], "/cancel"));
  const auto next = busy.submit("ada");
  CHECK(waiting(daemon) == id_list{ben[0], ada[0], ben[1], ben[2], next, ben[3]});
  daemon.post(path_of(ada[1], "/retry"));
  CHECK(waiting(daemon) == id_list{ben[0], ada[0], ben[1], ben[2], next, ada[1], ben[3]});
  const auto urgent = busy.submit("ben", {{"priority", 60}});
  CHECK(daemon.patch(path_of(ada[1]), {{"priority", 60}})["position"] == 1); // not behind what ada has waiting at 50
  CHECK(daemon.get(path_of(urgent))["position"] == 2);
}

TEST_CASE("a job belongs to the user named, else to who sent it, and bad names are refused") {
  daemon_process daemon;
  daemon.start();
  const auto own = config::login_name(::getuid());
  const auto job = daemon.submit_script("true");
  CHECK(daemon.get(path_of(job))["user"] == own);
  CHECK(daemon.get(path_of(daemon.submit_script("true", {{"user", "Ada Lovelace"}})))["user"] == "Ada Lovelace");
  for (const json& bad : {json(""), json("a/b"), json("a\nb"), json(std::string(101, 'u')), json(5)}) {
    const json body{{"type", "command"}, {"params", {{"argv", {"true"}}}}, {"user", bad}};
    const auto refusal = daemon.refused("POST", "/jobs", body.dump());
    CHECK((bad.is_string() ? refusal.problems.at(0).where == "/user" : refusal.what.find("user") == 0));
  }
  const json good{{"type", "command"}, {"params", {{"argv", {"true"}}}}}, bad{{"type", "command"}, {"user", "/"}};
  CHECK(daemon.refused("POST", "/jobs", json{{"jobs", {good, bad}}}.dump()).problems.at(0).where == "/jobs/1/user");
  const std::vector<std::string> environment{"FERRY_SOCKET=" + daemon.socket().string()};
  const auto shown = run_program({FERRY_PROGRAM, "submit", "-q", "--user", "cem", "command", "--", "true"}, environment);
  CHECK(shown.status == 0);
  CHECK(daemon.get(path_of(std::stoll(shown.output)))["user"] == "cem");
  CHECK(run_program({FERRY_PROGRAM, "show", "3"}, environment).output.find("user") != std::string::npos);
  CHECK(run_program({FERRY_PROGRAM, "submit", "--user", "a/b", "command", "--", "true"}, environment).status != 0);
}
