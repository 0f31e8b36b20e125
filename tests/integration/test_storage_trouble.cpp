// A second daemon, a damaged file, a full disk.
#include "tests/integration/daemon_process.hpp"

#include <fstream>
#include <sys/mount.h>
#include <unistd.h>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

TEST_CASE("a second daemon on the same data is refused and says who is there") {
  daemon_process daemon;
  daemon.start();
  const auto second = daemon.start_refused();
  CHECK(second.status == 1);
  CHECK(second.output.find(daemon.data().string()) != std::string::npos);
  CHECK(daemon.get("/status")["paused"] == false);
}

TEST_CASE("a damaged file is told from an empty one and is not touched") {
  daemon_process daemon;
  daemon.start();
  daemon.stop();
  const auto file = daemon.data() / "ferry.db";
  for (const char* suffix : {"-wal", "-shm"})
    std::filesystem::remove(file.string() + suffix);
  const std::string rubbish(20'000, '#');
  std::ofstream(file, std::ios::trunc) << rubbish;
  const auto refused = daemon.start_refused();
  CHECK(refused.status == 1);
  CHECK(refused.output.find("ferry.db") != std::string::npos);
  CHECK(std::filesystem::file_size(file) == rubbish.size());
}

TEST_CASE("a data directory that cannot be written is said plainly") {
  if (::geteuid() == 0) {
    // Root may write anywhere, but nobody may make a directory inside of a file.
    daemon_process daemon;
    std::ofstream(daemon.data()) << "";
    CHECK(daemon.start_refused().status == 1);
    return;
  }
  daemon_process daemon;
  std::filesystem::create_directory(daemon.data());
  std::filesystem::permissions(daemon.data(), std::filesystem::perms::owner_read);
  CHECK(daemon.start_refused().status == 1);
}

TEST_CASE("a full disk refuses submits, keeps what was acknowledged, and works again when there is room") {
  daemon_process daemon({}, 1, {}, "free_mib_min = 0\n");
  std::filesystem::create_directory(daemon.data());
  if (::mount("ferry-test", daemon.data().c_str(), "tmpfs", 0, "size=3m,mode=0700") != 0)
    SKIP("mounting a small disk needs root");
  struct unmount {
    std::filesystem::path at;
    ~unmount() { ::umount2(at.c_str(), MNT_DETACH); }
  } guard{daemon.data()};
  daemon.start();
  daemon.post("/queue/pause");
  const auto first = daemon.submit_script("echo first");
  const auto ballast = daemon.data() / "ballast";
  std::ofstream(ballast) << std::string(8 << 20, 'b');
  // Rows go into room that the files have already, until that is used up.
  std::size_t accepted = 1;
  error refusal;
  eventually([&] {
    const auto answer = daemon.connect()->send(
        {"POST", "/jobs", json{{"type", "command"}, {"params", {{"argv", {"true", std::string(10'000, 'x')}}}}}.dump()});
    if (answer)
      ++accepted;
    else
      refusal = answer.error();
    return !answer;
  });
  CHECK(refusal.code == error_code::disk_full);
  CHECK(daemon.get("/status")["counts"]["queued"] == accepted);
  CHECK(daemon.get("/jobs/" + std::to_string(first))["status"] == "queued");
  std::filesystem::remove(ballast);
  std::int64_t later = 0;
  eventually([&] {
    const auto answer = daemon.connect()->send({"POST", "/jobs", R"({"type":"command","params":{"argv":["true"]}})"});
    if (answer)
      later = json::parse(answer->body)["id"];
    return answer.has_value();
  });
  daemon.post("/queue/unpause");
  CHECK(daemon.finished(first)["status"] == "completed");
  CHECK(daemon.finished(later)["status"] == "completed");
  daemon.stop();
}
