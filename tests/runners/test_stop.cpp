// P5: stopping a run ends everything it started.
#include "run_harness.hpp"

#include <catch2/catch_all.hpp>
#include <csignal>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;
using namespace std::chrono_literals;

namespace {

// A child in the group, one in a session of its own, and one whose parent is gone; none heeds TERM. Each leaves its pid.
const std::string stubborn_tree = R"(
  run=$FERRY_RUN_DIR
  cat > tree.sh <<'EOF'
trap '' TERM HUP INT
echo $$ > "$1.tmp"; mv "$1.tmp" "$1"
while :; do sleep 1000; done
EOF
  trap '' TERM
  sh tree.sh "$run/child.pid" &
  setsid sh tree.sh "$run/session.pid" &
  ( setsid sh -c '( env -i /bin/sh tree.sh "$1" & )' sh "$run/orphan.pid" & )
  while ! [ -e "$run/child.pid" -a -e "$run/session.pid" -a -e "$run/orphan.pid" ]; do sleep 0.02; done
  echo $$ > "$run/main.pid"
)";
const std::vector<std::string> tree_files{"main.pid", "child.pid", "session.pid", "orphan.pid"};

std::vector<process_entry> tree_of(harness& h, batch_id batch) {
  std::vector<process_entry> all;
  for (const auto& file : tree_files)
    all.push_back(h.process_from(batch, file));
  return all;
}

void check_all_gone(const std::vector<process_entry>& processes) {
  for (const auto& process : processes)
    CHECK_FALSE(is_alive(process));
}

} // namespace

TEST_CASE("P5 a stop ends the process group and every descendant that left it") {
  harness h;
  const batch_id batch = h.launch_shell(stubborn_tree + say("up") + "while :; do sleep 1000; done");
  h.wait_message(batch, "up");
  const auto tree = tree_of(h, batch);
  CHECK(tree[2].session != tree[0].session);
  CHECK(tree[3].session != tree[0].session);
  h.control().stop(batch, "cancelled by alice", 50ms);
  const auto end = h.wait_exit(batch);
  CHECK(end.signal == SIGKILL);
  CHECK(end.stopped_by == "cancelled by alice");
  check_all_gone(tree);
}

TEST_CASE("P5 a stop asks first, and a program that heeds it chooses its own exit status") {
  harness h;
  const batch_id batch = h.launch_shell("trap 'echo saved; exit 3' TERM; " + say("up") + "while :; do sleep 0.01; done");
  h.wait_message(batch, "up");
  h.control().stop(batch, "cancelled", 1h);
  const auto end = h.wait_exit(batch);
  CHECK(end.exit_status == 3);
  CHECK(end.stopped_by == "cancelled");
  CHECK_THAT(h.output(batch), Catch::Matchers::EndsWith("saved\n"));
}

TEST_CASE("P5 a stop reaches what left the group with TERM too, and only once") {
  harness h;
  const batch_id batch = h.launch_shell(R"(
    setsid sh -c 'trap "echo asked >> asked; exit" TERM; : > ready; while :; do sleep 0.01; done' &
    while [ ! -e ready ]; do sleep 0.01; done
    trap 'echo main asked >> asked; wait; exit 0' TERM; )" +
                                        say("up") + "while :; do sleep 0.01; done");
  h.wait_message(batch, "up");
  h.control().stop(batch, "cancelled", 1h);
  CHECK(h.wait_exit(batch).exit_status == 0);
  const std::string asked = read_text(h.directory(batch) / "jobs" / to_string(batch) / "asked");
  CHECK((asked == "asked\nmain asked\n" || asked == "main asked\nasked\n"));
}

TEST_CASE("P5 a process that stands still is woken to end") {
  harness h;
  const batch_id batch = h.launch_shell(say("up") + "kill -STOP $$; exit 9");
  h.wait_message(batch, "up");
  h.control().stop(batch, "cancelled", 1h);
  CHECK(h.wait_exit(batch).stopped_by == "cancelled");
}

TEST_CASE("a second stop shortens the grace of the first") {
  harness h;
  const batch_id batch = h.launch_shell("trap '' TERM; " + say("up") + "while :; do sleep 1000; done");
  h.wait_message(batch, "up");
  h.control().stop(batch, "first", 24h);
  h.control().stop(batch, "second", 10ms);
  const auto end = h.wait_exit(batch);
  CHECK(end.signal == SIGKILL);
  CHECK(end.stopped_by == "first");
}

TEST_CASE("a run stopped as it is launched ends") {
  harness h;
  for (int i = 0; i < 20; ++i) {
    const batch_id batch = h.launch_shell("sleep 1000");
    h.control().stop(batch, "cancelled", i % 2 == 0 ? 0ms : 5000ms);
    const auto end = h.wait_exit(batch);
    CHECK(end.stopped_by == "cancelled");
    CHECK((end.signal == SIGTERM || end.signal == SIGKILL));
  }
}

TEST_CASE("stopping what is over or unknown does nothing") {
  harness h;
  const batch_id batch = h.launch_shell("exit 0");
  CHECK(h.wait_exit(batch).stopped_by.empty());
  h.control().stop(batch, "too late", 0ms);
  h.control().stop(batch_id{4711}, "never was", 0ms);
  const batch_id next = h.launch_shell("exit 0"); // by the same shim
  CHECK(h.wait_exit(next).stopped_by.empty());
}

TEST_CASE("a run is over when nothing of it lives: what outlives its process is ended") {
  harness h;
  const batch_id batch = h.launch_shell(stubborn_tree + "exit 5");
  const auto end = h.wait_exit(batch);
  CHECK(end.exit_status == 5);
  CHECK(end.stopped_by.empty());
  for (const std::string file : {"child.pid", "session.pid", "orphan.pid"}) {
    const auto left = find_process(std::stoi(read_text(h.directory(batch) / file)));
    CHECK_FALSE((left && left->is_live()));
  }
}

TEST_CASE("a shim heeds no signal of the terminal or of a service manager") {
  harness h;
  const batch_id batch = h.launch_shell(say("up") + "while [ ! -e go ]; do sleep 0.01; done");
  h.wait_message(batch, "up");
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE})
    CHECK(::kill(h.shim_of(batch), signal) == 0);
  std::filesystem::create_directory(h.directory(batch) / "jobs" / to_string(batch) / "go");
  CHECK(h.wait_exit(batch).exit_status == 0);
}
