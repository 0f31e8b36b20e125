// Nodes: a network that loses, delays and parts, between a head and a node in network namespaces of their own.
#include "tests/integration/network.hpp"
#include "tests/integration/node_lab.hpp"
#include "tests/support/file_text.hpp"

#include <chrono>
#include <csignal>
#include <fstream>

using namespace ferry;
using namespace ferry::tests;
using namespace std::chrono_literals;

namespace {

void skip_without_networks() {
  if (const auto obstacle = network::obstacle(); !obstacle.empty())
    SKIP("no network namespaces here: " << obstacle);
}

struct parted_lab {
  explicit parted_lab(const std::string& lease)
      : known(network::head_address),
        head("[node]\nlisten = \"" + std::string(network::head_address) + ":7879\"\n" + known.files("head") +
                 "heartbeat = \"100ms\"\nsilent_after = \"400ms\"\nlease = \"" + lease + "\"\n" + far_type,
             1),
        alpha(known, 7879, "alpha", far_type, 2, "silent_after = \"400ms\"\n", network::head_address),
        beta(known, 7879, "beta", far_type, 2, "silent_after = \"400ms\"\n", network::head_address) {
    head.run_under(between.head());
    alpha.run_under(between.node());
    beta.run_under(between.head()); // near the head, whatever happens to the link
    head.start();
    alpha.start();
    wait_for("alpha", true);
  }
  void wait_for(const std::string& name, bool connected) {
    eventually([&] {
      const json list = head.get("/nodes");
      for (const json& one : list["nodes"])
        if (one["name"] == name)
          return one["connected"] == connected;
      return false;
    });
  }
  json job(std::int64_t id) { return head.get("/jobs/" + std::to_string(id)); }
  // A job that writes its diary, once it does.
  std::int64_t start_diary() {
    const std::int64_t id =
        head.post("/jobs", {{"type", "far"}, {"params", {{"script", diary(file(), "echo the end; echo kept > kept.txt")}}}})["id"];
    eventually([&] { return executions_in(file()).size() == 1 && job(id)["status"] == "running"; });
    return id;
  }
  void let_it_end() const { std::ofstream(file().string() + ".go") << "go"; }
  [[nodiscard]] std::filesystem::path file() const { return scratch.path() / "diary"; }

  network between;
  certificates known;
  daemon_process head;
  node_process alpha, beta;
  scratch_directory scratch;
};

} // namespace

TEST_CASE("P3 a link that loses everything for less than the lease costs a job nothing") {
  skip_without_networks();
  parted_lab lab("60s");
  const auto id = lab.start_diary();
  SECTION("in both directions") { lab.between.cut(); }
  SECTION("from the head") { lab.between.lose_from_head(); }
  SECTION("from the node") { lab.between.lose_from_node(); }
  lab.wait_for("alpha", false);
  CHECK(lab.job(id)["status"] == "running");
  lab.alpha.wait_for_log("not connected to the head");
  lab.between.mend();
  lab.wait_for("alpha", true);
  lab.let_it_end();
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << lab.alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 1);
  CHECK(executions_in(lab.file()).size() == 1);
  CHECK(text_of(std::filesystem::path(job["directory"].get<std::string>()) / "kept.txt") == "kept\n");
}

TEST_CASE("P4 a link that loses everything for longer than the lease: the job starts elsewhere once it has ended here") {
  skip_without_networks();
  parted_lab lab("5s");
  const auto id = lab.start_diary();
  lab.beta.start();
  lab.wait_for("beta", true);
  SECTION("in both directions") { lab.between.cut(); }
  SECTION("from the head") { lab.between.lose_from_head(); }
  SECTION("from the node") { lab.between.lose_from_node(); }
  eventually([&] { return executions_in(lab.file()).size() >= 2; });
  CHECK(lab.job(id)["device"] == "beta:cpu");
  lab.between.mend();
  lab.wait_for("alpha", true);
  lab.let_it_end();
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << lab.alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == executions_in(lab.file()).size());
  do_not_overlap(executions_in(lab.file()));
  eventually([&] { return lab.alpha.job_processes().empty() && lab.alpha.run_directories() == 0; });
}

TEST_CASE("what ended while the link was cut is told when it is mended, with its files") {
  skip_without_networks();
  parted_lab lab("60s");
  const auto id = lab.start_diary();
  lab.between.cut();
  lab.wait_for("alpha", false);
  lab.let_it_end();
  eventually([&] { return lab.alpha.job_processes().empty(); });
  lab.between.mend();
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << lab.alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 1);
  CHECK(text_of(lab.head.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>()) / "output.log") == "the end\n");
  CHECK(text_of(std::filesystem::path(job["directory"].get<std::string>()) / "kept.txt") == "kept\n");
}

TEST_CASE("a node that is far away, by 100 ms each way, runs jobs as any other") {
  skip_without_networks();
  parted_lab lab("60s");
  if (!lab.between.delay(100))
    SKIP("this kernel has no netem");
  for (int i = 0; i < 3; ++i) {
    const std::int64_t id =
        lab.head.post("/jobs", {{"type", "far"}, {"params", {{"script", "head -c 3000000 /dev/zero > large"}}}})["id"];
    const json job = lab.head.finished(id);
    CHECK(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
  }
}

TEST_CASE("P4 what a shim that is killed while its node reaches no head leaves behind, the node's daemon ends") {
  skip_without_networks();
  parted_lab lab("60s");
  const auto id = lab.start_diary();
  lab.between.cut();
  lab.wait_for("alpha", false);
  lab.alpha.wait_for_log("not connected to the head");
  const auto shim = json::parse(text_of(lab.alpha.run(lab.job(id)["batch"]) / "shim.json"));
  REQUIRE(::kill(shim["pid"].get<int>(), SIGKILL) == 0);
  eventually([&] { return lab.alpha.job_processes().empty(); });
  CHECK(lab.job(id)["status"] == "running"); // nobody has told the head
  lab.let_it_end();
  lab.between.mend();
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << lab.alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 2);
  do_not_overlap(executions_in(lab.file()));
}

TEST_CASE("a node whose link loses everything stops as soon as it is asked to") {
  skip_without_networks();
  parted_lab lab("60s");
  lab.between.cut();
  lab.wait_for("alpha", false);
  lab.alpha.wait_for_log("nobody takes connections there");
  const auto asked = std::chrono::steady_clock::now();
  CHECK(lab.alpha.stop() == 0);
  CHECK(std::chrono::steady_clock::now() - asked < 5s);
}
