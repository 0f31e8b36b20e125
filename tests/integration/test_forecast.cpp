// When jobs will start, why they wait, and what a change would do to them, by the real daemon.
#include "tests/integration/daemon_process.hpp"

#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;
using ferry::tests::run_program;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

// Waits for a file; how long that takes is learnt by how often it is told.
constexpr const char* types = R"(
[job_types.draw]
command = ["sh", "-c", "{params.script}"]
estimate.parameters = ["steps"]
[job_types.draw.parameters]
type = "object"
properties = { script = { type = "string", default = "true" }, steps = { type = "integer", default = 10 } }
)";

std::int64_t draw(daemon_process& daemon, const std::string& script, int steps = 10) {
  return daemon.post("/jobs", {{"type", "draw"}, {"params", {{"script", script}, {"steps", steps}}}})["id"];
}

std::string until_exists(const std::filesystem::path& file) { return "while [ ! -e " + file.string() + " ]; do sleep 0.01; done"; }

} // namespace

TEST_CASE("queued jobs say when they are expected to start, and what keeps them") {
  daemon_process daemon(types, 1);
  daemon.start();
  daemon.finished(draw(daemon, "sleep 0.2"));
  const auto go = daemon.directory() / "go";
  const auto blocker = draw(daemon, until_exists(go)), first = draw(daemon, "true"), second = draw(daemon, "true");
  eventually([&] { return daemon.get(path_of(blocker))["status"] == "running"; });
  eventually([&] { return daemon.get(path_of(second))["expected_start"].is_string(); });
  const json queue = daemon.get("/queue");
  CHECK(queue["jobs"][0]["id"] == blocker);
  CHECK(queue["jobs"][0]["expected_start"].is_null());
  CHECK(queue["jobs"][1]["expected_start"] <= queue["jobs"][2]["expected_start"]);
  CHECK(queue["jobs"][2]["expected_start"] <= queue["jobs"][2]["expected_start_p90"]);

  const json why = daemon.get(path_of(second, "/explanation"));
  CAPTURE(why.dump());
  CHECK(why["position"] == 2);
  CHECK(why["waiting_for"] == "1 job before it");
  REQUIRE(why["devices"].size() == 1);
  CHECK(why["devices"][0]["why"] == "needs 1 slot; 0 of 1 are free");
  CHECK(why["devices"][0]["jobs"] == json({blocker}));
  CHECK(why["devices"][0]["until"].is_string());
  CHECK(why["planned"]["jobs"] == json({second}));
  CHECK(why["promised"]["start"].is_string());
  CHECK(daemon.get(path_of(blocker, "/explanation"))["devices"].empty());
  CHECK(daemon.refused("GET", path_of(999, "/explanation")).code == error_code::not_found);

  const auto shown = run_program({FERRY_PROGRAM, "explain", std::to_string(second), "--socket", daemon.socket().string()});
  CHECK(shown.status == 0);
  CHECK(shown.output.find("until job " + std::to_string(blocker) + " ends, about") != std::string::npos);

  std::ofstream(go).put('\n');
  CHECK(daemon.finished(first)["status"] == "completed");
  CHECK(daemon.finished(second)["status"] == "completed");
  const json promised = daemon.get("/statistics")["promised_starts"];
  CHECK(promised[0]["starts"] >= 2);
  CHECK(daemon.get("/statistics")["types"]["draw"]["jobs"] == 4);
}

TEST_CASE("a dry run says whose start would change, and changes nothing") {
  daemon_process daemon(types, 1);
  daemon.start();
  daemon.finished(draw(daemon, "sleep 0.2"));
  const auto go = daemon.directory() / "go";
  const auto blocker = draw(daemon, until_exists(go));
  const auto a = draw(daemon, "true"), b = draw(daemon, "true"), c = draw(daemon, "true");
  eventually([&] { return daemon.get(path_of(blocker))["status"] == "running"; });
  const json moved = daemon.post(path_of(c, "/move"), {{"position", "top"}, {"dry_run", true}});
  CAPTURE(moved.dump());
  CHECK(moved["dry_run"] == true);
  REQUIRE(moved["changes"].size() == 3);
  CHECK(moved["changes"][0]["job"] == c);
  CHECK(moved["changes"][0]["before"]["position"] == 3);
  CHECK(moved["changes"][0]["after"]["position"] == 1);
  CHECK(moved["changes"][0]["after"]["start"] < moved["changes"][0]["before"]["start"]);
  CHECK(moved["changes"][1]["job"] == a);
  CHECK(moved["changes"][1]["after"]["start"] > moved["changes"][1]["before"]["start"]);
  const json raised = daemon.patch(path_of(b), {{"priority", 90}, {"dry_run", true}});
  CHECK(raised["changes"][0]["job"] == b);
  CHECK(daemon.patch(path_of(b), {{"priority", 50}, {"dry_run", true}})["changes"].empty());
  CHECK(daemon.refused("PATCH", path_of(b), R"({"dry_run": true})").code == error_code::invalid_argument);
  CHECK(daemon.refused("PATCH", path_of(b), R"({"dry_run": true, "priority": 101})").code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", path_of(c, "/move"), R"({"position": 9, "dry_run": true})").code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", path_of(blocker, "/move"), R"({"position": 1, "dry_run": true})").code == error_code::conflict);
  std::vector<json> order;
  const json queue = daemon.get("/queue");
  for (const json& job : queue["jobs"])
    order.push_back(job["id"]);
  CHECK(order == std::vector<json>{blocker, a, b, c});
  for (const auto& words : {std::vector<std::string>{"move", std::to_string(c), "top"}, {"priority", std::to_string(c), "90"}}) {
    std::vector<std::string> argv{FERRY_PROGRAM};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.insert(argv.end(), {"--dry-run", "--socket", daemon.socket().string()});
    const auto shown = run_program(argv);
    CHECK(shown.status == 0);
    CHECK(shown.output.find("earlier") != std::string::npos);
    CHECK(shown.output.find("nothing was changed") != std::string::npos);
  }
  std::ofstream(go).put('\n');
  daemon.finished(c);
}

TEST_CASE("what would run together is shown before it does, also while the queue is paused") {
  daemon_process daemon(R"(
[job_types.warm]
runner = "worker"
command = ["/usr/bin/python3", ")" FERRY_SCRIPTED_WORKER R"("]
[job_types.warm.batch]
max_items = 4
same = ["steps"]
)",
                        1);
  daemon.start();
  daemon.post("/queue/pause");
  std::vector<std::int64_t> ids;
  for (const int steps : {1, 2, 1, 1, 1, 1})
    ids.push_back(daemon.post("/jobs", {{"type", "warm"}, {"params", {{"value", 1}, {"steps", steps}}}})["id"]);
  json plan = daemon.get("/batches");
  CAPTURE(plan.dump());
  REQUIRE(plan["next"].size() == 3);
  CHECK(plan["running"].empty());
  CHECK(plan["next"][0]["jobs"] == json({ids[0], ids[2], ids[3], ids[4]}));
  CHECK(plan["next"][0]["loads_model"] == true);
  CHECK(plan["next"][0]["saved_share"].is_null()); // nothing was measured yet
  CHECK(plan["is_whole"] == true);
  CHECK(daemon.get("/batches?limit=1")["next"].size() == 1);
  CHECK(daemon.get("/batches?limit=1")["is_whole"] == false);
  CHECK(daemon.get(path_of(ids[5]))["expected_start"].is_null());
  const auto shown = run_program({FERRY_PROGRAM, "batches", "--socket", daemon.socket().string()});
  CHECK(shown.status == 0);
  CHECK(shown.output.find(std::to_string(ids[0]) + ", " + std::to_string(ids[2]) + "-" + std::to_string(ids[4])) !=
        std::string::npos);
  daemon.post("/queue/unpause");
  for (const auto id : ids)
    CHECK(daemon.finished(id)["status"] == "completed");
  CHECK(daemon.get(path_of(ids[0]))["batch"] == daemon.get(path_of(ids[4]))["batch"]);
  const json measured = daemon.get("/statistics")["types"]["warm"];
  CHECK(measured["jobs"] == 6);
  CHECK(measured["loads"] == 1);
  CHECK(measured["warmth"]["jobs"] == 5);
  CHECK(measured["warmth"]["saved_seconds"] > 0);
  const auto table = run_program({FERRY_PROGRAM, "stats", "batches", "--socket", daemon.socket().string()});
  CHECK(table.status == 0);
  CHECK(table.output.find("warm") != std::string::npos);
  CHECK(run_program({FERRY_PROGRAM, "stats", "nonsense", "--socket", daemon.socket().string()}).status != 0);
}

TEST_CASE("estimates of jobs that wait follow what is learnt meanwhile") {
  daemon_process daemon(types, 1);
  daemon.start();
  const auto go = daemon.directory() / "go";
  const auto first = draw(daemon, until_exists(go), 30);
  const auto second = draw(daemon, until_exists(daemon.directory() / "again"), 30), third = draw(daemon, "true", 30);
  CHECK(daemon.get(path_of(third, "/explanation"))["expected_start"].is_null()); // nothing was measured yet
  std::ofstream(go).put('\n');
  daemon.finished(first);
  eventually([&] { return daemon.get(path_of(third))["expected_start"].is_string(); });
  std::ofstream(daemon.directory() / "again").put('\n');
  daemon.finished(second);
  daemon.finished(third);
}
