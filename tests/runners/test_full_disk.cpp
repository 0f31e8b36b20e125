// A disk without room: what cannot be written down is not started, and what has ended is written down once there is room.
#include "run_harness.hpp"

#include <catch2/catch_all.hpp>
#include <sys/mount.h>
#include <thread>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;

namespace {

// A file system of its own, where this process may mount one.
class small_disk {
public:
  small_disk() : mounted_(::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=512k,nr_inodes=200") == 0) {}
  ~small_disk() {
    if (mounted_)
      ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  [[nodiscard]] bool is_mounted() const { return mounted_; }
  [[nodiscard]] std::filesystem::path runs() const { return folder_.path() / "runs"; }

private:
  scratch folder_;
  bool mounted_;
};

// Reports a result of 20 kB and fills the disk.
const std::string fill_disk =
    R"(printf '{"type":"done","result":"%020000d"}\n' 0 >> "$FERRY_EVENTS"; head -c 10000000 /dev/zero > big; mkdir full; )";

void wait_full(const std::filesystem::path& job_directory) {
  while (!std::filesystem::exists(job_directory / "full"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5)); // a full disk takes no message
}

} // namespace

TEST_CASE("a launch on a full disk is refused whole, and works again when there is room") {
  const small_disk disk;
  if (!disk.is_mounted())
    SKIP("this user may not mount a small file system");
  harness h(disk.runs(), 1);
  const batch_id filler = h.launch_shell(fill_disk + "while [ ! -e go ]; do sleep 0.01; done");
  const auto jobs = h.directory(filler) / "jobs" / to_string(filler);
  wait_full(jobs);
  const auto refused = h.spec({"true"});
  CHECK(h.control().launch(refused).error().code == error_code::disk_full);
  CHECK_FALSE(std::filesystem::exists(h.directory(refused.batch)));
  CHECK(std::distance(std::filesystem::directory_iterator(disk.runs()), {}) == 1);
  std::filesystem::remove(jobs / "big");
  CHECK(h.wait_exit(h.launch_shell("exit 0")).exit_status == 0);
  std::filesystem::create_directory(jobs / "go");
  CHECK(h.wait_exit(filler).exit_status == 0);
}

TEST_CASE("a run that ends on a full disk is over once its end is written down") {
  const small_disk disk;
  if (!disk.is_mounted())
    SKIP("this user may not mount a small file system");
  harness h(disk.runs(), 1);
  const batch_id batch =
      h.launch_shell("echo $$ > \"$FERRY_RUN_DIR/main.pid\"; " + fill_disk + "while [ ! -e go ]; do sleep 0.01; done; exit 5");
  const auto jobs = h.directory(batch) / "jobs" / to_string(batch);
  wait_full(jobs);
  const auto process = h.process_from(batch, "main.pid");
  std::filesystem::create_directory(jobs / "go");
  wait_gone(process);
  CHECK(std::holds_alternative<run_alive>(h.control().inspect(batch)));
  std::filesystem::remove(jobs / "big");
  const auto seen = h.wait_over(batch);
  CHECK(seen.all<run_exited>().at(0).exit_status == 5);
  REQUIRE(seen.all<run_job_done>().size() == 1);
  CHECK(seen.all<run_job_done>().front().result.get<std::string>().size() == 20'000);
}
