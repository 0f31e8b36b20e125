#include "run_harness.hpp"

#include <catch2/catch_all.hpp>
#include <csignal>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;

namespace {

std::string launch_failure(harness& h, const run_spec& spec) {
  h.launch(spec);
  const auto end = h.wait_exit(spec.batch);
  CHECK_FALSE(end.exit_status.has_value());
  CHECK_FALSE(end.signal.has_value());
  REQUIRE(end.why.has_value());
  CHECK(end.why->kind == failure_kind::launch);
  return end.why->message;
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777;
}

} // namespace

TEST_CASE("a run is reported from its start to its end, with its output and files") {
  harness h;
  const batch_id batch = h.launch_shell("echo out; echo err >&2; mkdir sub; printf 1234 > sub/b; : > a; ln -s /etc/passwd link");
  const auto seen = h.wait_over(batch);
  REQUIRE(seen.all<run_started>().size() == 1);
  CHECK(seen.all<run_started>().front().pid > 1);
  REQUIRE(seen.all<run_exited>().size() == 1);
  const auto end = seen.all<run_exited>().front();
  CHECK(end.exit_status == 0);
  CHECK(end.stopped_by.empty());
  CHECK(std::holds_alternative<run_started>(seen.events.front()));
  CHECK(std::holds_alternative<run_exited>(seen.events.back()));
  CHECK(h.output(batch) == "out\nerr\n");
  REQUIRE(end.artifacts.size() == 1);
  REQUIRE(end.artifacts[0].size() == 2);
  CHECK(end.artifacts[0][0].path == "a");
  CHECK(end.artifacts[0][1].path == "sub/b");
  CHECK(end.artifacts[0][1].bytes == 4);
  CHECK(seen.reports_over == 1);
}

TEST_CASE("exit status and death by a signal are told apart") {
  harness h;
  CHECK(h.wait_exit(h.launch_shell("exit 7")).exit_status == 7);
  const auto killed = h.wait_exit(h.launch_shell("kill -SEGV $$"));
  CHECK(killed.signal == SIGSEGV);
  CHECK_FALSE(killed.exit_status.has_value());
  CHECK(killed.stopped_by.empty());
}

TEST_CASE("a program that cannot be started ends the run with the reason") {
  harness h;
  const auto contains = [](const char* text) { return Catch::Matchers::ContainsSubstring(text); };
  CHECK_THAT(launch_failure(h, h.spec({"no-such-program"})), contains("cannot start 'no-such-program'") && contains("PATH"));
  CHECK_THAT(launch_failure(h, h.spec({"/no/such/program"})), contains("No such file or directory"));
  CHECK_THAT(launch_failure(h, h.spec({"/etc"})), contains("Permission denied"));
  scratch files;
  std::ofstream(files.path() / "script") << "#!/bin/sh\n";
  CHECK_THAT(launch_failure(h, h.spec({(files.path() / "script").string()})), contains("Permission denied"));
  std::ofstream(files.path() / "plain") << "echo no interpreter is named\n";
  std::filesystem::permissions(files.path() / "plain", std::filesystem::perms::owner_all);
  CHECK_THAT(launch_failure(h, h.spec({(files.path() / "plain").string()})), contains("Exec format error"));
  auto only_unreadable = h.spec({"script"});
  only_unreadable.environment["PATH"] = files.path().string();
  CHECK_THAT(launch_failure(h, only_unreadable), contains("Permission denied"));
  auto nowhere = h.spec({"true"});
  nowhere.directory = "/no/such/folder";
  CHECK_THAT(launch_failure(h, nowhere), contains("'/no/such/folder'") && contains("No such file or directory"));
  auto no_folder = h.spec({"true"});
  no_folder.directory = files.path() / "plain";
  CHECK_THAT(launch_failure(h, no_folder), contains("Not a directory"));
  auto too_long = h.spec({"true", std::string(200'000, 'x')}); // more than one argument of a program can hold, and than a packet
  CHECK_THAT(launch_failure(h, too_long), contains("Argument list too long"));
  CHECK(h.wait_exit(h.launch_shell("exit 0")).exit_status == 0);
}

TEST_CASE("a run whose spec does not fit one packet is started all the same") {
  harness h;
  auto spec = h.spec({"sh", "-c", "echo ${#1}", "sh", std::string(100'000, 'x')});
  h.launch(spec);
  CHECK(h.wait_exit(spec.batch).exit_status == 0);
  CHECK(h.output(spec.batch) == "100000\n");
}

TEST_CASE("programs are looked up in the run's own PATH, relative ones from its directory") {
  harness h;
  scratch files;
  std::filesystem::create_directories(files.path() / "bin");
  std::ofstream(files.path() / "bin" / "greet") << "#!/bin/sh\necho hello\n";
  std::filesystem::permissions(files.path() / "bin" / "greet", std::filesystem::perms::owner_all);
  auto by_path = h.spec({"greet"});
  by_path.environment["PATH"] = "/usr/bin:" + (files.path() / "bin").string();
  auto relative = h.spec({"bin/greet"});
  relative.directory = files.path();
  auto without_path = h.spec({"echo", "hello"});
  without_path.environment.erase("PATH");
  for (const auto& spec : {by_path, relative, without_path}) {
    h.launch(spec);
    CHECK(h.wait_exit(spec.batch).exit_status == 0);
    CHECK(h.output(spec.batch) == "hello\n");
  }
}

TEST_CASE("a process gets exactly the environment, descriptors, signals and session it should") {
  ::signal(SIGPIPE, SIG_IGN);
  ::setenv("FERRY_TEST_SECRET", "secret", 1);
  harness h;
  auto environment = h.spec({"env"});
  environment.environment = {{"B", "two words"}, {"A", ""}, {"PATH", "/usr/bin"}};
  h.launch(environment);
  h.wait_over(environment.batch);
  CHECK(h.output(environment.batch) == "A=\nB=two words\nPATH=/usr/bin\n");

  auto descriptors = h.spec({"ls", "/proc/self/fd"});
  h.launch(descriptors);
  h.wait_over(descriptors.batch);
  CHECK(h.output(descriptors.batch) == "0\n1\n2\n3\n"); // the last is the directory that ls reads

  auto signals = h.spec({"cat", "/proc/self/status"});
  h.launch(signals);
  h.wait_over(signals.batch);
  const auto mask = [status = h.output(signals.batch)](const std::string& name) {
    return std::stoull(status.substr(status.find(name) + name.size()), nullptr, 16);
  };
  CHECK(mask("SigBlk:") == 0);
  CHECK((mask("SigIgn:") & 0x7fffffffU) == 0); // the two above, the C library's own, are ignored by its posix_spawn

  const batch_id session =
      h.launch_shell("read pid name state parent group session rest < /proc/self/stat; echo $((pid-group)) $((pid-session)); "
                     "readlink /proc/self/fd/0; pwd");
  h.wait_over(session);
  CHECK(h.output(session) == "0 0\n/dev/null\n" + (h.directory(session) / "jobs" / to_string(session)).string() + "\n");
  ::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("nothing but the files of a run is left, none of them open to others") {
  harness h;
  const batch_id batch = h.launch_shell("exit 0");
  h.wait_over(batch);
  std::map<std::string, mode_t> modes;
  for (const auto& entry : std::filesystem::directory_iterator(h.directory(batch)))
    modes[entry.path().filename()] = mode_of(entry.path());
  CHECK(modes == std::map<std::string, mode_t>{{"spec.json", 0600},
                                               {"shim.lock", 0600},
                                               {"shim.json", 0600},
                                               {"output.log", 0600},
                                               {"events.jsonl", 0600},
                                               {"jobs", 0700}});
  CHECK(mode_of(h.directory(batch)) == 0700);
  CHECK(mode_of(h.directory(batch).parent_path()) == 0700);
}

TEST_CASE("a launch that fails leaves nothing behind") {
  scratch folder;
  run_control without_shim(folder.path() / "runs", "/no/such/ferry-shim", 0, [](const run_control::report&) {});
  run_spec spec;
  spec.batch = batch_id{1};
  spec.argv = {"true"};
  spec.directory = without_shim.directory_of(spec.batch);
  CHECK(without_shim.launch(spec).error().code == error_code::not_found);
  CHECK(std::filesystem::is_empty(folder.path() / "runs"));
  spec.environment["BAD"] = "\xff";
  CHECK(without_shim.launch(spec).error().code == error_code::invalid_argument);
  CHECK(std::filesystem::is_empty(folder.path() / "runs"));

  run_control dying(folder.path() / "runs", "/bin/false", 1, [](const run_control::report&) {});
  spec.environment.clear();
  if (const auto launched = dying.launch(spec); !launched) // else it was handed to one that had yet to die
    CHECK(std::filesystem::is_empty(folder.path() / "runs"));

  std::ofstream(folder.path() / "file") << "no folder";
  run_control nowhere(folder.path() / "file" / "runs", FERRY_SHIM_PATH, 0, [](const run_control::report&) {});
  CHECK(nowhere.launch(spec).error().code == error_code::io);
}

TEST_CASE("a batch is launched once") {
  harness h;
  const auto spec = h.spec({"true"});
  h.launch(spec);
  h.wait_over(spec.batch);
  CHECK(h.control().launch(spec).error().code == error_code::conflict);
  CHECK(std::filesystem::exists(h.directory(spec.batch) / "events.jsonl"));
}

TEST_CASE("a shim that dies before it wrote anything is reported as the end of its run") {
  scratch folder;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<run_control::report> over;
  run_control dying(folder.path() / "runs", "/bin/sleep", 0, [&](run_control::report r) { // ends with a usage message at once
    const std::lock_guard lock(mutex);
    over = std::move(r);
    changed.notify_all();
  });
  run_spec spec;
  spec.batch = batch_id{1};
  spec.argv = {"true"};
  spec.directory = "/";
  const auto launched = dying.launch(spec);
  if (!launched) {
    CHECK(launched.error().code == error_code::io);
    return;
  }
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return over.has_value(); }));
  CHECK(over->over);
  CHECK(over->events.empty());
  CHECK(std::holds_alternative<run_never_started>(dying.inspect(spec.batch)));
}

TEST_CASE("shims are used again, and end when their daemon goes") {
  static_cast<void>(all_children_end_well()); // those of other tests
  {
    harness h(1);
    std::map<int, int> shims;
    for (int i = 0; i < 40; ++i) {
      const batch_id batch = h.launch_shell("exit 0");
      h.wait_over(batch);
      ++shims[h.shim_of(batch)];
    }
    CHECK(shims.size() <= 3);
  }
  CHECK(all_children_end_well());
}

TEST_CASE("a shim that was killed is replaced and leaves no zombie") {
  harness h(1);
  const batch_id first = h.launch_shell("exit 0");
  h.wait_over(first);
  const int killed = h.shim_of(first);
  REQUIRE(::kill(killed, SIGKILL) == 0);
  for (int runs = 0; find_process(killed).has_value(); ++runs) {
    REQUIRE(runs < 1000);
    // It may be handed to the shim whose end has not been heard of yet: then it never started, and says so.
    const batch_id next = h.launch_shell("exit 0");
    const auto exits = h.wait_over(next).all<run_exited>();
    if (exits.empty())
      CHECK(std::holds_alternative<run_never_started>(h.control().inspect(next)));
    else
      CHECK(exits.front().exit_status == 0);
  }
}
