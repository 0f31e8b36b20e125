// Nodes: jobs on other machines' devices, and what must hold when either side fails.
#include "tests/integration/node_lab.hpp"
#include "tests/support/file_text.hpp"

#include <fstream>

using namespace ferry;
using ferry::tests::diary;
using ferry::tests::do_not_overlap;
using ferry::tests::eventually;
using ferry::tests::executions_in;
using ferry::tests::far_type;
using ferry::tests::head_with_nodes;
using ferry::tests::node_process;
using ferry::tests::text_of;

TEST_CASE("a job runs on a node, and its log, result and files are the head's") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto id =
      lab.submit("echo hello from afar; mkdir -p deep/er; echo content > deep/er/file.txt; : > empty; "
                 "head -c 3000000 /dev/zero > large; echo '{\"type\":\"done\",\"result\":{\"answer\":42}}' >> $FERRY_EVENTS");
  const json job = lab.head.finished(id);
  INFO(job.dump(2));
  REQUIRE(job["status"] == "completed");
  CHECK(job["device"] == "alpha:cpu");
  CHECK(job["result"]["answer"] == 42);
  CHECK(job["attempts"] == 1);
  const auto run = lab.head.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>());
  CHECK(text_of(run / "output.log") == "hello from afar\n");
  const auto files = run / "jobs" / std::to_string(id);
  CHECK(text_of(files / "deep/er/file.txt") == "content\n");
  CHECK(std::filesystem::file_size(files / "empty") == 0);
  CHECK(std::filesystem::file_size(files / "large") == 3'000'000);
  // Once the end is on the head's disk the node needs them no more.
  eventually([&] { return !std::filesystem::exists(alpha.run(job["batch"])); });
  CHECK(alpha.stop() == 0);
}

TEST_CASE("what runs on a node is shown as it happens, and cancelled to its last process") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto pid_file = lab.scratch.path() / "pid";
  const auto id =
      lab.submit("echo first line; echo '{\"type\":\"progress\",\"value\":0.25}' >> $FERRY_EVENTS; setsid sleep 1000 & echo $! > " +
                 pid_file.string() + "; wait");
  const auto batch = lab.running(id);
  eventually([&] { return text_of(lab.head.data() / "runs" / std::to_string(batch) / "output.log") == "first line\n"; });
  eventually([&] { return lab.job(id)["progress"].is_object() && lab.job(id)["progress"]["fraction"] == 0.25; });
  eventually([&] { return !text_of(pid_file).empty(); });
  const int pid = std::stoi(text_of(pid_file));
  lab.head.post("/jobs/" + std::to_string(id) + "/cancel");
  CHECK(lab.head.finished(id)["status"] == "cancelled");
  CHECK_FALSE(std::filesystem::exists("/proc/" + std::to_string(pid)));
}

TEST_CASE("P3 a job on a node outlives the daemons of the node and of the head") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = lab.scratch.path() / "diary";
  const auto id = lab.submit(diary(file, "echo the end"));
  lab.running(id);
  eventually([&] { return executions_in(file).size() == 1; });
  alpha.kill();
  alpha.start();
  lab.wait_for("alpha");
  CHECK(lab.job(id)["status"] == "running");
  lab.head.crash_and_start();
  lab.wait_for("alpha");
  CHECK(lab.job(id)["status"] == "running");
  alpha.kill();
  lab.head.crash_and_start();
  std::ofstream(file.string() + ".go") << "go";
  alpha.start();
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 1);
  CHECK(executions_in(file).size() == 1);
  CHECK(text_of(lab.head.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>()) / "output.log") == "the end\n");
}

TEST_CASE("P4 what a silent node had starts elsewhere only when its lease is over, and the node has ended it by then") {
  head_with_nodes lab("heartbeat = \"100ms\"\nsilent_after = \"1s\"\nlease = \"6s\"\n");
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = lab.scratch.path() / "diary";
  const auto id = lab.submit(diary(file));
  lab.running(id);
  eventually([&] { return executions_in(file).size() == 1; });
  node_process beta(lab.known, lab.port, "beta", far_type);
  beta.start();
  lab.wait_for("beta");
  SECTION("its daemon is stopped, and goes on later") {
    alpha.freeze();
    eventually([&] { return executions_in(file).size() >= 2; });
    alpha.thaw();
    lab.wait_for("alpha");
  }
  SECTION("its daemon is dead") {
    alpha.kill();
    eventually([&] { return executions_in(file).size() >= 2; });
    alpha.start();
    lab.wait_for("alpha");
  }
  SECTION("its daemon is dead, and the head dies and starts meanwhile") {
    alpha.kill();
    lab.head.crash_and_start();
    eventually([&] { return executions_in(file).size() >= 2; });
  }
  CHECK(lab.job(id)["device"] == "beta:cpu");
  std::ofstream(file.string() + ".go") << "go";
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == executions_in(file).size());
  do_not_overlap(executions_in(file));
}

TEST_CASE("a node that is away for less than its lease loses nothing") {
  head_with_nodes lab("heartbeat = \"100ms\"\nsilent_after = \"200ms\"\nlease = \"60s\"\n");
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = lab.scratch.path() / "diary";
  const auto id = lab.submit(diary(file));
  const auto waits = lab.submit("exit 0", {{"needs", {id}}});
  lab.running(id);
  eventually([&] { return executions_in(file).size() == 1; });
  alpha.freeze();
  eventually([&] { return lab.node("alpha")["connected"] == false; });
  CHECK(lab.job(id)["status"] == "running");
  std::ofstream(file.string() + ".go") << "go";
  alpha.thaw();
  CHECK(lab.head.finished(id)["status"] == "completed");
  CHECK(lab.head.finished(waits)["status"] == "completed");
  CHECK(executions_in(file).size() == 1);
}

TEST_CASE("a drained node gets nothing new, and keeps what it has") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = lab.scratch.path() / "diary";
  const auto first = lab.submit(diary(file));
  lab.running(first);
  lab.head.post("/nodes/alpha/drain");
  const auto second = lab.submit("exit 0");
  std::ofstream(file.string() + ".go") << "go";
  CHECK(lab.head.finished(first)["status"] == "completed");
  CHECK(lab.job(second)["status"] == "queued");
  CHECK(lab.head.get("/jobs/" + std::to_string(second) + "/explanation").dump().find("drained") != std::string::npos);
  lab.head.post("/nodes/alpha/resume");
  CHECK(lab.head.finished(second)["status"] == "completed");
}

TEST_CASE("a node that stops leaves at once, and is removed only when nothing of it can run any more") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  CHECK(lab.head.refused("DELETE", "/nodes/alpha").code == error_code::conflict);
  CHECK(alpha.stop() == 0);
  CHECK(lab.node("alpha")["connected"] == false);
  // What no machine could run is refused; a known node may come back.
  const auto id = lab.submit("exit 0");
  CHECK(lab.job(id)["status"] == "queued");
  lab.head.post("/jobs/" + std::to_string(id) + "/cancel");
  eventually([&] { return lab.head.connect()->send({"DELETE", "/nodes/alpha?force=true"}).has_value(); });
  eventually([&] { return lab.head.connect()->send({"GET", "/nodes"}).has_value() && lab.head.get("/nodes")["nodes"].empty(); });
}

TEST_CASE("what a job reads is brought to its node: a file, a folder, the result of another job, each once") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto read = [&](const std::string& source) {
    const json job = lab.head.finished(lab.head.post("/jobs", {{"type", "reader"}, {"params", {{"source", source}}}}).at("id"));
    INFO(job.dump(2) << alpha.log());
    CHECK(job["status"] == "completed");
    return text_of(lab.head.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>()) / "output.log");
  };
  const auto cache = (alpha.data() / "node" / "cache").string();
  const auto file = lab.scratch.path() / "input.txt";
  std::ofstream(file) << "some text\n";
  const auto first = read(file.string());
  CHECK(first.starts_with(cache));
  CHECK(first.ends_with("/input.txt\nsome text\n"));
  CHECK(read(file.string()) == first);
  std::ofstream(file) << "another text\n";
  CHECK(read(file.string()).ends_with("another text\n"));

  const auto folder = lab.scratch.path() / "folder";
  std::filesystem::create_directories(folder / "deep");
  std::ofstream(folder / "a") << "1\n";
  std::ofstream(folder / "b").flush();
  std::ofstream(folder / "deep" / "c") << "2\n" << std::string(2'500'000, 'x') << "\n";
  const auto of_folder = read(folder.string());
  CHECK(of_folder.starts_with(cache));
  CHECK(of_folder.ends_with("/folder\n1\n2\n" + std::string(2'500'000, 'x') + "\n"));

  const auto made = lab.submit("echo made elsewhere > out.txt; "
                               "echo '{\"type\":\"done\",\"result\":{\"path\":\"'$PWD'/out.txt\"}}' >> $FERRY_EVENTS");
  CHECK(lab.head.finished(made)["result"]["path"] == "out.txt");
  CHECK(read("job:" + std::to_string(made)).ends_with("/out.txt\nmade elsewhere\n"));
}

TEST_CASE("what lies on a shared file system is read from there") {
  const ferry::tests::scratch_directory shared;
  const auto folders = "[paths]\nshared = [\"" + shared.path().string() + "\"]\n";
  head_with_nodes lab({}, folders);
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = shared.path() / "input.txt";
  std::ofstream(file) << "shared text\n";
  const json job =
      lab.head.finished(lab.head.post("/jobs", {{"type", "reader"}, {"params", {{"source", file.string()}}}}).at("id"));
  INFO(job.dump(2) << alpha.log());
  REQUIRE(job["status"] == "completed");
  CHECK(text_of(lab.head.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>()) / "output.log") ==
        file.string() + "\nshared text\n");
}

TEST_CASE("a job continues on another node from the checkpoint that reached the head") {
  head_with_nodes lab("heartbeat = \"100ms\"\nsilent_after = \"1s\"\nlease = \"6s\"\n");
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto id =
      lab.submit("if [ -n \"$FERRY_RESUME_FROM\" ]; then echo went on from $(cat $FERRY_RESUME_FROM); exit 0; fi; "
                 "echo the middle > state; echo '{\"type\":\"checkpoint\",\"path\":\"state\",\"step\":7}' >> $FERRY_EVENTS; "
                 "sleep 1000");
  const auto batch = lab.running(id);
  const auto copied = lab.head.data() / "runs" / std::to_string(batch) / "jobs" / std::to_string(id) / "state";
  eventually([&] { return text_of(copied) == "the middle\n"; });
  node_process beta(lab.known, lab.port, "beta", far_type);
  beta.start();
  lab.wait_for("beta");
  eventually([&] { return lab.job(id).dump().find("checkpoint") != std::string::npos; });
  alpha.kill();
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << beta.log());
  CHECK(job["status"] == "completed");
  CHECK(job["device"] == "beta:cpu");
  CHECK(text_of(lab.head.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>()) / "output.log") ==
        "went on from the middle\n");
}

TEST_CASE("a node that is removed by force gives up what it ran, and that ends or starts elsewhere at once") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  node_process beta(lab.known, lab.port, "beta", far_type);
  const auto file = lab.scratch.path() / "diary";
  const auto id = lab.submit(diary(file));
  lab.running(id);
  eventually([&] { return executions_in(file).size() == 1; });
  beta.start();
  lab.wait_for("beta");
  alpha.kill();
  ferry::tests::end_jobs(alpha.data()); // the machine is off
  eventually([&] { return lab.head.connect()->send({"DELETE", "/nodes/alpha?force=true"}).has_value(); });
  eventually([&] { return executions_in(file).size() == 2; });
  std::ofstream(file.string() + ".go") << "go";
  const json job = lab.head.finished(id);
  INFO(job.dump(2));
  CHECK(job["status"] == "completed");
  CHECK(job["device"] == "beta:cpu");
  CHECK(job["attempts"] == 2);
  eventually([&] { return lab.node("alpha").is_null(); });
  do_not_overlap(executions_in(file));
}

TEST_CASE("a job runs on the devices that it asks for, and says what it waits for; also after a restart, and when it is retried") {
  head_with_nodes lab({}, "[job_types.near]\ncommand = [\"true\"]\ndevice = \"cpu\"\n");
  const std::string types = far_type + "[job_types.near]\ncommand = [\"true\"]\ndevice = \"cpu\"\n";
  node_process alpha(lab.known, lab.port, "alpha", "[devices.labels]\nroom = \"attic\"\n" + types),
      beta(lab.known, lab.port, "beta", "[devices.labels]\nroom = \"lab\"\n" + types);
  alpha.start();
  lab.wait_for("alpha");
  beta.start();
  lab.wait_for("beta");
  const auto submit = [&](json on) -> std::int64_t {
    return lab.head.post("/jobs", {{"type", "near"}, {"on", std::move(on)}}).at("id");
  };
  const auto device_of = [&](std::int64_t id) { return lab.head.finished(id)["device"].get<std::string>(); };
  CHECK(device_of(submit({{"node", "beta"}})) == "beta:cpu");
  CHECK(device_of(submit({{"room", "attic"}})) == "alpha:cpu");
  CHECK(device_of(submit({{"device", "cpu"}})) == "cpu");
  const auto refused = lab.head.refused("POST", "/jobs", R"({"type":"near","on":{"room":"lab","node":"alpha"}})");
  CHECK(refused.code == error_code::invalid_argument);
  CHECK(refused.problems.at(0).where == "/on");
  CHECK(lab.head.refused("POST", "/jobs", R"({"type":"near","on":["gpu"]})").code == error_code::invalid_argument);

  beta.kill();
  eventually([&] { return lab.node("beta")["connected"] == false; });
  const auto waits = submit({{"room", "lab"}});
  CHECK(device_of(submit(json::object())) != "beta:cpu"); // others pass it
  eventually(
      [&] { return lab.job(waits)["waiting_for"].get<std::string>().find("beta:cpu is out of service") != std::string::npos; });
  CHECK(lab.job(waits)["on"] == json{{"room", "lab"}});
  lab.head.crash_and_start();
  CHECK(lab.job(waits)["status"] == "queued");
  beta.start();
  CHECK(device_of(waits) == "beta:cpu");
  const std::int64_t again = lab.head.post("/jobs", {{"type", "near"}, {"held", true}, {"on", {{"room", "lab"}}}}).at("id");
  lab.head.post("/jobs/" + std::to_string(again) + "/cancel");
  lab.head.post("/jobs/" + std::to_string(again) + "/retry");
  CHECK(device_of(again) == "beta:cpu");
}
