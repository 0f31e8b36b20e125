// P4: what runs by a lease has ended when the lease has, whoever lives or stands still meanwhile.
#include "run_harness.hpp"
#include "runners/lease_file.hpp"
#include "runners/run_inspection.hpp"
#include "scheduling/outcome.hpp"

#include <catch2/catch_all.hpp>
#include <csignal>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;
using namespace std::chrono_literals;

namespace {

const std::string for_the_lease{scheduling::lease_ended_text};
const std::string for_ever = "while :; do sleep 0.01; done";

// A node's daemon with its lease.
class leased : public harness {
public:
  leased() : file(lease_file::open(path()).value()) {}

  [[nodiscard]] std::filesystem::path path() const { return directory({1}).parent_path().parent_path() / lease_file_name; }
  void last(std::chrono::milliseconds from_now) { file.set(boot_clock::now() + from_now); }
  batch_id run(const std::string& script, std::chrono::milliseconds grace) {
    run_spec made = spec({"/bin/sh", "-c", script});
    made.grace = grace;
    made.lease_file = path();
    launch(made);
    return made.batch;
  }
  // A run that must not have begun.
  run_exited refused() {
    const batch_id batch = run("touch \"$FERRY_RUN_DIR\"/ran", 0ms);
    const auto all = wait_over(batch);
    CHECK(all.all<run_started>().empty());
    CHECK_FALSE(std::filesystem::exists(directory(batch) / "ran"));
    REQUIRE(all.all<run_exited>().size() == 1);
    const auto end = all.all<run_exited>().front();
    CHECK(end.stopped_by == for_the_lease);
    REQUIRE(end.why);
    CHECK(end.why->kind == failure_kind::lost);
    return end;
  }

  lease_file file;
};

// The lease of another boot, or what is no lease.
void write_lease(const std::filesystem::path& path, const std::string& mark, boot_instant until, std::string boot) {
  boot.resize(48, '\0');
  const std::int64_t end = until.time_since_epoch().count();
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << mark << std::string(reinterpret_cast<const char*>(&end), sizeof end) << boot;
}

} // namespace

TEST_CASE("a run is asked to end while its lease leaves it its grace") {
  leased node;
  node.last(48h);
  const batch_id batch = node.run("trap 'echo saved; exit 3' TERM; " + say("up") + for_ever, 1h);
  node.wait_message(batch, "up");
  node.last(30min);
  const auto end = node.wait_exit(batch);
  CHECK(end.exit_status == 3);
  CHECK(end.stopped_by == for_the_lease);
  CHECK_THAT(node.output(batch), Catch::Matchers::EndsWith("saved\n"));
}

TEST_CASE("P4 what ignores that is killed when the lease ends, with all that descends from it") {
  leased node;
  node.last(48h);
  const batch_id batch = node.run(R"(
    trap '' TERM
    echo $$ > "$FERRY_RUN_DIR/main.pid"
    setsid sh -c 'trap "" TERM; echo $$ > "$1.new"; mv "$1.new" "$1"; while :; do sleep 1000; done' sh "$FERRY_RUN_DIR/other.pid" &
    while [ ! -e "$FERRY_RUN_DIR/other.pid" ]; do sleep 0.01; done; )" +
                                      say("up") + "while :; do sleep 1000; done",
                                  1h);
  node.wait_message(batch, "up");
  const auto main = node.process_from(batch, "main.pid"), other = node.process_from(batch, "other.pid");
  node.last(100ms);
  const auto end = node.wait_exit(batch);
  CHECK(end.signal == SIGKILL);
  CHECK(end.stopped_by == for_the_lease);
  CHECK_FALSE(is_alive(main));
  CHECK_FALSE(is_alive(other));
}

TEST_CASE("P4 the grace of another stop ends with the lease too") {
  leased node;
  node.last(48h);
  const batch_id batch = node.run("trap '' TERM; " + say("up") + "while :; do sleep 1000; done", 10ms);
  node.wait_message(batch, "up");
  node.control().stop(batch, "cancel", 24h);
  node.last(0ms);
  const auto end = node.wait_exit(batch);
  CHECK(end.signal == SIGKILL);
  CHECK(end.stopped_by == "cancel");
}

TEST_CASE("a run that was asked to end does so though the lease is extended then") {
  leased node;
  node.last(48h);
  const batch_id batch = node.run(
      "asked() { " + say("asked") + "}; trap asked TERM; " + say("up") + "while [ ! -e go ]; do sleep 0.01; done; exit 4", 1h);
  node.wait_message(batch, "up");
  node.last(30min);
  node.wait_message(batch, "asked");
  node.last(48h);
  std::ofstream(node.directory(batch) / "jobs" / to_string(batch) / "go").flush();
  const auto end = node.wait_exit(batch);
  CHECK(end.exit_status == 4);
  CHECK(end.stopped_by == for_the_lease);
}

TEST_CASE("a lease that is extended keeps the run alive") {
  leased node;
  // Again with longer times where this machine was too slow to extend it in time.
  for (auto first = 500ms;; first *= 2) {
    node.last(first);
    const auto sleeps = std::to_string(first.count() + 300);
    const batch_id batch = node.run(say("up") + "sleep $(echo " + sleeps + " | sed 's/...$/.&/'); exit 5", 0ms);
    node.wait(batch, [](const history& h) { return !h.all<run_progressed>().empty() || h.reports_over > 0; });
    const bool in_time = boot_clock::now() + first / 2 < node.file.until();
    node.last(48h);
    const auto end = node.wait_exit(batch);
    if (!in_time && end.exit_status != 5)
      continue;
    CHECK(end.exit_status == 5);
    CHECK(end.stopped_by.empty());
    break;
  }
}

TEST_CASE("P4 the lease holds also when the daemon is gone") {
  leased node;
  node.last(48h);
  const batch_id batch = node.run("trap '' TERM; echo $$ > \"$FERRY_RUN_DIR/main.pid\"; " + say("up") + for_ever, 1h);
  node.wait_message(batch, "up");
  const auto shim = find_process(node.shim_of(batch));
  REQUIRE(shim);
  node.shut_down();
  node.last(0ms);
  wait_gone(*shim);
  const auto found = inspect_run(node.directory(batch));
  REQUIRE(std::holds_alternative<run_over>(found));
  CHECK(std::get<run_over>(found).exit.stopped_by == for_the_lease);
  CHECK(std::get<run_over>(found).exit.signal == SIGKILL);
}

TEST_CASE("P4 nothing starts once the lease has ended, nor where nobody can tell") {
  leased node; // a lease that was never extended
  CHECK(node.refused().why->message == "not started: its node's lease had ended");
  node.last(-1ms);
  CHECK(node.refused().why->message == "not started: its node's lease had ended");
  std::filesystem::remove(node.path());
  CHECK_THAT(node.refused().why->message, Catch::Matchers::EndsWith(" is missing"));
  write_lease(node.path(), "no lease", boot_clock::now() + 48h, boot_id());
  CHECK_THAT(node.refused().why->message, Catch::Matchers::EndsWith(" is not the lease of a node"));
  std::ofstream(node.path()) << "ferrylea";
  CHECK_THAT(node.refused().why->message, Catch::Matchers::EndsWith(" is not the lease of a node"));
}

TEST_CASE("P4 a lease of another boot has ended, whatever it says") {
  leased node;
  write_lease(node.path(), "ferrylea", boot_clock::now() + 48h, "00000000-0000-0000-0000-000000000000");
  CHECK(node.refused().why->message == "not started: its node's lease had ended");
  const auto anew = lease_file::open(node.path());
  REQUIRE(anew);
  CHECK(anew->until() == boot_instant{});
}

TEST_CASE("a lease is private, outlives its daemon, and is made anew where it cannot be read") {
  const scratch folder;
  const auto path = folder.path() / lease_file_name;
  const boot_instant until = boot_clock::now() + 1h;
  lease_file::open(path).value().set(until);
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 0600);
  CHECK(about.st_size == 64);
  auto again = lease_file::open(path).value();
  CHECK(again.until() == until);
  const auto view = lease_view::open(path).value();
  CHECK(view.until() == until);
  again.set(until + 1s);
  CHECK(view.until() == until + 1s);
  std::ofstream(path) << "rubbish";
  CHECK(lease_view::open(path).error().code == error_code::damaged);
  CHECK(lease_file::open(path).value().until() == boot_instant{});
  CHECK(lease_file::open(folder.path() / "nowhere" / "file").error().code == error_code::io);
  CHECK(lease_view::open(folder.path() / "nowhere").error().code == error_code::not_found);
}

TEST_CASE("a spec names its lease only where it has one") {
  leased node;
  run_spec made = node.spec({"true"});
  CHECK_FALSE(to_json(made).contains("lease_file"));
  CHECK(run_spec_from(to_json(made)).value().lease_file.empty());
  made.lease_file = node.path();
  CHECK(run_spec_from(to_json(made)).value().lease_file == node.path());
}
