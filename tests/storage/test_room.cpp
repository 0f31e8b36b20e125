#include "storage_support.hpp"

#include <fstream>
#include <sys/mount.h>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

fact large_job(std::int64_t id) {
  auto job = queued(id);
  job.params = "{\"text\":\"" + std::string(100'000, 'x') + "\"}";
  return job;
}

// A small file system of its own; not there where the test may not mount.
class small_disk {
public:
  explicit small_disk(const std::filesystem::path& where) : where_(where) {
    std::filesystem::create_directory(where_);
    mounted_ = ::mount("tmpfs", where_.c_str(), "tmpfs", 0, "size=2m") == 0;
  }
  ~small_disk() {
    if (mounted_)
      ::umount2(where_.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }

private:
  std::filesystem::path where_;
  bool mounted_ = false;
};

std::size_t live_jobs(job_store& store) {
  std::size_t count = 0;
  must(store.restore([&](const live_job&) { ++count; }));
  return count;
}

} // namespace

TEST_CASE("a database that may not grow refuses with disk_full, keeps what was acknowledged and goes on later") {
  const temporary_folder folder;
  const connection_watch watch;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1)});
  REQUIRE(watch.ask("PRAGMA max_page_count = 80") == 80);

  must(store->apply({queued(2)}));
  const auto refused = store->apply({large_job(3), large_job(4), large_job(5), large_job(6)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::disk_full);
  // Either the group alone is undone, or the transaction with it, and then commit() says so.
  const auto committed = store->commit();
  if (!committed)
    CHECK(committed.error().code == error_code::disk_full);
  CHECK_FALSE(store->in_transaction());
  CHECK(live_jobs(*store) == (committed ? 2 : 1));

  REQUIRE(watch.ask("PRAGMA max_page_count = 1000000") == 1'000'000);
  store_facts(*store, {large_job(7)});
  CHECK(live_jobs(*store) == (committed ? 3 : 2));
}

TEST_CASE("a disk that is really full refuses with disk_full, keeps what was acknowledged and goes on later") {
  const temporary_folder folder;
  const small_disk disk(folder.path() / "disk");
  if (!disk.mounted())
    SKIP("mounting a tmpfs needs root");
  const auto data_dir = folder.path() / "disk" / "ferry";
  auto store = open_store(data_dir);
  const auto reader = open_reader(data_dir);
  const auto ballast = folder.path() / "disk" / "ballast";
  std::ofstream(ballast) << std::string(512 * 1024, 'b') << std::flush;

  std::int64_t acknowledged = 0, id = 0;
  std::optional<error> refused;
  while (!refused && id < 1'000) {
    ++id;
    auto stored = store->apply({large_job(id)});
    const auto committed = store->commit();
    if (!stored)
      refused = stored.error();
    else if (!committed)
      refused = committed.error();
    else
      acknowledged = id;
  }
  REQUIRE(refused);
  CHECK(refused->code == error_code::disk_full);
  CHECK(acknowledged > 0);
  CHECK_FALSE(store->in_transaction());
  CHECK(must(reader->find(job_id{acknowledged})).state == job_state::queued);
  CHECK(live_jobs(*store) == static_cast<std::size_t>(acknowledged));

  std::filesystem::remove(ballast);
  store_facts(*store, {queued(1'001)});
  CHECK(live_jobs(*store) == static_cast<std::size_t>(acknowledged) + 1);
  store.reset();
  store = must(job_store::open(data_dir, config::durability::full, true));
  CHECK(live_jobs(*store) == static_cast<std::size_t>(acknowledged) + 1);
}

TEST_CASE("a transaction that a full disk undid as a whole is reported by commit()") {
  const temporary_folder folder;
  const small_disk disk(folder.path() / "disk");
  if (!disk.mounted())
    SKIP("mounting a tmpfs needs root");
  const auto store = open_store(folder.path() / "disk" / "ferry");
  store_facts(*store, {queued(1)});
  must(store->apply({queued(2)}));
  // More than fits into the page cache, so that the WAL grows, and the disk fills, before the commit.
  std::vector<fact> facts;
  for (std::int64_t id = 3; id < 100; ++id)
    facts.push_back(large_job(id));
  const auto refused = store->apply(facts);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::disk_full);
  CHECK(store->in_transaction());
  const auto next = store->apply({queued(200)}); // would else be acknowledged without job 2, which came before it
  REQUIRE_FALSE(next);
  CHECK(next.error().code == error_code::disk_full);
  const auto committed = store->commit();
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == error_code::disk_full);
  CHECK_FALSE(store->in_transaction());
  store_facts(*store, {queued(2)});
  CHECK(live_jobs(*store) == 2);
}

TEST_CASE("starting on a full disk says so") {
  const temporary_folder folder;
  const small_disk disk(folder.path() / "disk");
  if (!disk.mounted())
    SKIP("mounting a tmpfs needs root");
  {
    std::ofstream ballast(folder.path() / "disk" / "ballast");
    while (ballast << std::string(4'096, 'b') << std::flush) {}
  }
  CHECK(open_error(folder.path() / "disk" / "ferry").code == error_code::disk_full);
}
