// P2 and P3: after a restart it is known of each run whether it never started, lives, ended, or was lost.
#include "run_harness.hpp"
#include "runners/run_directory.hpp"
#include "runners/run_folders.hpp"
#include "runners/unattended_runs.hpp"

#include <catch2/catch_all.hpp>
#include <csignal>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;
using namespace std::chrono_literals;

namespace {

std::filesystem::path job_dir(harness& h, batch_id batch) { return h.directory(batch) / "jobs" / to_string(batch); }

// Says "up", waits for the file go, says "again", waits for the file end.
const std::string two_steps =
    say("up") + "while [ ! -e go ]; do sleep 0.01; done; " + say("again") + "while [ ! -e end ]; do sleep 0.01; done";

void write_text(const std::filesystem::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

// A run directory as the daemon leaves it when it dies before a shim has it.
void make_unstarted(harness& h, const run_spec& spec) {
  json document = to_json(spec);
  document["boot_id"] = boot_id();
  REQUIRE(make_run_folder(h.directory(spec.batch).parent_path(), spec, document.dump()).has_value());
}

template <class Condition>
bool is(harness& h, batch_id batch) {
  return std::holds_alternative<Condition>(h.control().inspect(batch));
}

void kill_shim(harness& h, batch_id batch) {
  const auto shim = find_process(h.shim_of(batch));
  REQUIRE(shim.has_value());
  REQUIRE(::kill(shim->pid, SIGKILL) == 0);
}

} // namespace

TEST_CASE("P3 a run outlives its daemon, is adopted, followed from its first event on, and harvested") {
  harness h;
  const batch_id batch = h.launch_shell(two_steps + "; exit 6");
  h.wait_message(batch, "up");
  CHECK(is<run_alive>(h, batch));
  h.restart();
  CHECK(is<run_alive>(h, batch));
  REQUIRE(h.control().adopt(batch).has_value());
  CHECK(h.control().adopt(batch).error().code == error_code::conflict);
  const auto first = h.wait(batch, [](const history& seen) { return seen.all<run_progressed>().size() == 1; });
  CHECK(first.all<run_started>().size() == 1);
  std::filesystem::create_directory(job_dir(h, batch) / "go");
  h.wait_message(batch, "again");
  const auto shim = find_process(h.shim_of(batch)).value();
  std::filesystem::create_directory(job_dir(h, batch) / "end");
  const auto seen = h.wait_over(batch);
  CHECK(seen.all<run_exited>().at(0).exit_status == 6);
  CHECK(seen.all<run_started>().size() == 1);
  CHECK(seen.reports_over == 1);
  CHECK(is<run_over>(h, batch));
  wait_gone(shim);
  CHECK_FALSE(std::filesystem::exists(h.directory(batch) / "control.sock"));
}

TEST_CASE("P3 an adopted run can be stopped, also before its shim was found") {
  harness h;
  const batch_id batch = h.launch_shell("trap '' TERM; " + say("up") + "while :; do sleep 1000; done");
  h.wait_message(batch, "up");
  h.restart();
  REQUIRE(h.control().adopt(batch).has_value());
  h.control().stop(batch, "cancelled", 20ms);
  const auto end = h.wait_exit(batch);
  CHECK(end.stopped_by == "cancelled");
  CHECK(end.signal == SIGKILL);
}

TEST_CASE("P3 a run that was handed over as the daemon died is started all the same") {
  harness h;
  for (int i = 0; i < 10; ++i) {
    const batch_id batch = h.launch_shell("exit 8");
    h.restart();
    REQUIRE_FALSE(is<run_never_started>(h, batch));
    REQUIRE(h.control().adopt(batch).has_value());
    CHECK(h.wait_exit(batch).exit_status == 8);
  }
}

TEST_CASE("P3 a run survives one daemon after another") {
  harness h;
  const batch_id batch = h.launch_shell(two_steps);
  h.wait_message(batch, "up");
  for (int restarts = 0; restarts < 5; ++restarts) {
    h.restart();
    REQUIRE(h.control().adopt(batch).has_value());
    h.wait_message(batch, "up");
  }
  struct stat info {};
  REQUIRE(::stat((h.directory(batch) / "control.sock").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  std::filesystem::create_directory(job_dir(h, batch) / "go");
  std::filesystem::create_directory(job_dir(h, batch) / "end");
  CHECK(h.wait_exit(batch).exit_status == 0);
}

TEST_CASE("P3 a run that ended while no daemon was there is harvested") {
  harness h;
  const batch_id batch = h.launch_shell(two_steps + "; echo x > file; exit 4");
  h.wait_message(batch, "up");
  const auto shim = find_process(h.shim_of(batch));
  REQUIRE(shim.has_value());
  h.shut_down();
  std::filesystem::create_directory(job_dir(h, batch) / "go");
  std::filesystem::create_directory(job_dir(h, batch) / "end");
  wait_gone(*shim);
  h.restart();
  const auto condition = h.control().inspect(batch);
  REQUIRE(std::holds_alternative<run_over>(condition));
  const auto& over = std::get<run_over>(condition);
  CHECK(over.exit.exit_status == 4);
  CHECK(std::holds_alternative<run_started>(over.events.front()));
  CHECK(std::holds_alternative<run_exited>(over.events.back()));
  // Between inspect() and adopt() it may have ended just as well.
  REQUIRE(h.control().adopt(batch).has_value());
  CHECK(h.wait_exit(batch).exit_status == 4);
}

TEST_CASE("P4 when its shim is killed, what the run left is ended before it is reported over") {
  harness h;
  const batch_id batch = h.launch_shell(R"(
    run=$FERRY_RUN_DIR
    setsid sh -c 'trap "" TERM; echo $$ > "$1/session.pid"; while :; do sleep 1000; done' sh "$run" &
    env -i /bin/sh -c 'echo $$ > "$1/bare.pid"; while :; do sleep 1000; done' sh "$run" &
    while ! [ -s "$run/session.pid" -a -s "$run/bare.pid" ]; do sleep 0.01; done
    echo $$ > "$run/main.pid"; )" + say("up") +
                                        "while :; do sleep 1000; done");
  h.wait_message(batch, "up");
  std::vector<process_entry> all;
  for (const std::string file : {"main.pid", "session.pid", "bare.pid"})
    all.push_back(h.process_from(batch, file));
  kill_shim(h, batch);
  const auto seen = h.wait_over(batch);
  CHECK(seen.all<run_exited>().empty());
  for (const auto& process : all)
    CHECK_FALSE(is_alive(process));
  CHECK(h.wait_exit(h.launch_shell("exit 0")).exit_status == 0);
}

TEST_CASE("P4 a run lost while no daemon was there is found with its survivors, and these can be ended") {
  harness h;
  const batch_id batch = h.launch_shell("echo $$ > \"$FERRY_RUN_DIR/main.pid\"; " + say("up") + "while :; do sleep 1000; done");
  const batch_id bystander = h.launch_shell(two_steps);
  h.wait_message(batch, "up");
  h.wait_message(bystander, "up");
  const auto process = h.process_from(batch, "main.pid");
  const auto shim = find_process(h.shim_of(batch));
  h.shut_down();
  REQUIRE(::kill(shim->pid, SIGKILL) == 0);
  wait_gone(*shim);
  h.restart();
  const auto condition = h.control().inspect(batch);
  REQUIRE(std::holds_alternative<run_lost>(condition));
  const auto& survivors = std::get<run_lost>(condition).survivors;
  CHECK(std::find(survivors.begin(), survivors.end(), process.pid) != survivors.end());
  CHECK(is_alive(process));
  REQUIRE(h.control().end_survivors(batch).has_value());
  CHECK_FALSE(is_alive(process));
  CHECK(std::get<run_lost>(h.control().inspect(batch)).survivors.empty());
  CHECK(is<run_alive>(h, bystander));
  REQUIRE(h.control().adopt(bystander).has_value());
  h.control().stop(bystander, "end of test", 0ms);
  h.wait_over(bystander);
}

TEST_CASE("P4 what killed shims left behind is ended where nobody follows it, and nothing else is") {
  harness h;
  const auto sleeper = "echo $$ > \"$FERRY_RUN_DIR/main.pid\"; " + say("up") + "while :; do sleep 1000; done";
  const batch_id lost = h.launch_shell(sleeper), alive = h.launch_shell(sleeper), over = h.launch_shell("exit 0");
  h.wait_message(lost, "up");
  h.wait_message(alive, "up");
  h.wait_over(over);
  const auto orphan = h.process_from(lost, "main.pid"), attended = h.process_from(alive, "main.pid");
  const auto shim = find_process(h.shim_of(lost));
  h.shut_down();
  unattended_runs unattended(h.directory(lost).parent_path());
  CHECK(unattended.end_orphans().empty());
  REQUIRE(::kill(shim->pid, SIGKILL) == 0);
  wait_gone(*shim);
  CHECK(unattended.end_orphans() == std::vector{h.directory(lost)});
  wait_gone(orphan);
  CHECK(is_alive(attended));
  CHECK(unattended.end_orphans().empty());
  h.restart();
  CHECK(is<run_lost>(h, lost));
  CHECK(is<run_alive>(h, alive));
  REQUIRE(h.control().adopt(alive).has_value());
  h.control().stop(alive, "end of test", 0ms);
  h.wait_over(alive);
}

TEST_CASE("P4 adopting a run that is lost ends its survivors and reports it over") {
  harness h;
  const batch_id batch = h.launch_shell("echo $$ > \"$FERRY_RUN_DIR/main.pid\"; " + say("up") + "while :; do sleep 1000; done");
  h.wait_message(batch, "up");
  const auto process = h.process_from(batch, "main.pid");
  const auto shim = find_process(h.shim_of(batch));
  h.shut_down();
  REQUIRE(::kill(shim->pid, SIGKILL) == 0);
  wait_gone(*shim);
  h.restart();
  REQUIRE(h.control().adopt(batch).has_value());
  const auto seen = h.wait_over(batch);
  CHECK(seen.all<run_exited>().empty());
  CHECK_FALSE(is_alive(process));
}

TEST_CASE("P2 a run whose shim never made a process has never started") {
  harness h;
  const auto spec = h.spec({"true"});
  CHECK(is<run_absent>(h, spec.batch));
  make_unstarted(h, spec);
  CHECK(is<run_never_started>(h, spec.batch));
  write_text(h.directory(spec.batch) / "shim.json", R"({"pid":)"); // it died while it wrote
  CHECK(is<run_never_started>(h, spec.batch));
}

TEST_CASE("P4 a run of an older boot counts as lost with nothing left, never as unstarted") {
  harness h;
  const auto spec = h.spec({"true"});
  make_unstarted(h, spec);
  json document = json::parse(read_text(h.directory(spec.batch) / "spec.json"));
  document["boot_id"] = "another";
  write_text(h.directory(spec.batch) / "spec.json", document.dump());
  const auto condition = h.control().inspect(spec.batch);
  REQUIRE(std::holds_alternative<run_lost>(condition));
  CHECK(std::get<run_lost>(condition).survivors.empty());
}

TEST_CASE("pids of another boot or of another start time are nobody's survivors") {
  harness h;
  const batch_id bystander = h.launch_shell(two_steps); // its environment names its own run
  h.wait_message(bystander, "up");
  const int pid = h.wait(bystander, [](const history& s) { return !s.all<run_started>().empty(); }).all<run_started>().front().pid;
  const auto entry = find_process(pid);
  REQUIRE(entry.has_value());
  const auto spec = h.spec({"true"});
  make_unstarted(h, spec);
  const auto pretend = [&](const std::string& boot, std::uint64_t start) {
    write_text(h.directory(spec.batch) / "shim.json", json{{"pid", 1}, {"start_ticks", 1}, {"boot_id", boot}}.dump());
    write_text(h.directory(spec.batch) / "events.jsonl",
               json{{"type", "started"}, {"at", 1}, {"pid", pid}, {"start_ticks", {start, start}}}.dump() + "\n");
    return std::get<run_lost>(h.control().inspect(spec.batch)).survivors;
  };
  CHECK(pretend("another", entry->start_ticks).empty());
  CHECK(pretend(boot_id(), entry->start_ticks + 1).empty());
  const auto own = pretend(boot_id(), entry->start_ticks);
  CHECK(std::find(own.begin(), own.end(), pid) != own.end());
  h.control().stop(bystander, "end of test", 0ms);
  h.wait_over(bystander);
}

TEST_CASE("a run directory that cannot be understood is said to be damaged") {
  harness h;
  const auto spec = h.spec({"true"});
  make_unstarted(h, spec);
  const auto directory = h.directory(spec.batch);
  std::filesystem::remove(directory / "spec.json");
  CHECK(is<run_damaged>(h, spec.batch));
  write_text(directory / "spec.json", "{garbage");
  CHECK(is<run_damaged>(h, spec.batch));
  write_text(directory / "spec.json", R"({"version":1})");
  CHECK(is<run_damaged>(h, spec.batch));
  write_text(directory / "events.jsonl", "{\"type\":\"started\",\"at\":1,\"pid\":1}\n");
  CHECK(is<run_damaged>(h, spec.batch));
  std::filesystem::remove(directory / "shim.lock");
  CHECK(is<run_damaged>(h, spec.batch));
  const auto file = h.spec({"true"});
  write_text(h.directory(file.batch), "no folder");
  CHECK(is<run_damaged>(h, file.batch));
}

TEST_CASE("an exit record counts whatever else is damaged, and garbage around it is passed over") {
  harness h;
  const batch_id batch = h.launch_shell("exit 2");
  h.wait_over(batch);
  const auto events = h.directory(batch) / "events.jsonl";
  const std::string text = read_text(events);
  write_text(events, std::string("\0\xff garbage\n{\"type\":\"exi", 23) + "\n" + text + "{\"type\":\"unknown\",\"at\":1}\ntorn");
  for (const char* name : {"spec.json", "shim.json", "shim.lock"})
    std::filesystem::remove(h.directory(batch) / name);
  const auto condition = h.control().inspect(batch);
  REQUIRE(std::holds_alternative<run_over>(condition));
  CHECK(std::get<run_over>(condition).exit.exit_status == 2);
  CHECK(std::get<run_over>(condition).events.size() == 2);
  write_text(events, text.substr(0, text.size() - 1)); // the last line was not written to its end
  CHECK_FALSE(is<run_over>(h, batch));
}

TEST_CASE("only what an interrupted launch left is swept") {
  harness h;
  const batch_id batch = h.launch_shell("exit 0");
  h.wait_over(batch);
  const auto runs = h.directory(batch).parent_path();
  std::filesystem::create_directories(runs / ".new-99" / "jobs" / "1");
  write_text(runs / ".new-99" / "spec.json", "{");
  h.control().sweep();
  CHECK_FALSE(std::filesystem::exists(runs / ".new-99"));
  CHECK(std::filesystem::exists(h.directory(batch) / "events.jsonl"));
  std::filesystem::create_directories(runs / ".new-2" / "jobs"); // in the way of the next launch
  CHECK(h.wait_exit(h.launch_shell("exit 0")).exit_status == 0);
}

TEST_CASE("P3 a data directory with a path longer than a socket address is no obstacle") {
  scratch folder;
  const auto runs = folder.path() / std::string(120, 'a') / std::string(120, 'b') / "runs";
  harness h(runs, 1);
  const batch_id batch = h.launch_shell(two_steps);
  h.wait_message(batch, "up");
  h.restart();
  REQUIRE(h.control().adopt(batch).has_value());
  h.control().stop(batch, "cancelled", 1h);
  CHECK(h.wait_exit(batch).stopped_by == "cancelled");
}
