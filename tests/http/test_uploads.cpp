// Uploads on disk: what is taken, what is left behind, and what an end of the daemon makes of it.
#include "http/token_store.hpp"
#include "http/upload_store.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>

using namespace ferry;
using namespace ferry::http;
using ferry::tests::files_below;
using ferry::tests::scratch_folder;
using ferry::tests::text_of;
namespace fs = std::filesystem;

namespace {

const std::atomic<bool> never_stop = false;
const instant noon = wall_clock_now();
constexpr std::int64_t no_floor = 0;

upload_plan input(const std::string& name, std::uint64_t bytes) {
  return {.name = name, .bytes = bytes, .sha256 = {}, .dataset = {}, .path = {}};
}

std::string begun(upload_store& store, upload_plan plan) {
  const auto one = store.begin(std::move(plan), "ada", 0, noon);
  REQUIRE(one);
  return (*one)->id;
}

result<placed_file> finish(upload_store& store, const std::string& id) {
  auto order = store.hand_over(*store.find(id));
  REQUIRE(order);
  auto placed = place_upload(std::move(*order), never_stop);
  if (placed)
    store.finished(*store.find(id), *placed, noon);
  return placed;
}

} // namespace

TEST_CASE("what was sent gets its name whole, under the hash of its content, once") {
  const scratch_folder folder;
  upload_store store(folder.path(), {}, no_floor);
  const std::string content(100'000, 'x');
  const auto hash = sha256_of(content);
  for (int i = 0; i < 2; ++i) {
    const auto id = begun(store, input("china.jpg", content.size()));
    REQUIRE(store.append(*store.find(id), content.substr(0, 60'000), noon));
    CHECK(files_below(folder.path() / "inputs") == static_cast<std::size_t>(i)); // no half file
    REQUIRE(store.append(*store.find(id), content.substr(60'000), noon));
    const auto placed = finish(store, id);
    REQUIRE(placed);
    CHECK(placed->sha256 == hash);
    CHECK(placed->path == (folder.path() / "inputs" / hash.substr(0, 16) / "china.jpg").string());
    CHECK(placed->added_bytes == (i == 0 ? content.size() : 0));
    CHECK(text_of(placed->path) == content);
  }
  CHECK(files_below(folder.path() / "inputs") == 1);
  // A job that wrote into its input: the next upload brings back what the name of the folder says.
  const auto changed = folder.path() / "inputs" / hash.substr(0, 16) / "china.jpg";
  std::ofstream(changed) << std::string(content.size(), 'y');
  const auto id = begun(store, input("china.jpg", content.size()));
  REQUIRE(store.append(*store.find(id), content, noon));
  REQUIRE(finish(store, id));
  CHECK(text_of(changed) == content);
}

TEST_CASE("an upload goes on where it was when the daemon died, and its hash is that of all of it") {
  const scratch_folder folder;
  const std::string content = "the first half, the second half";
  std::string id;
  {
    upload_store store(folder.path(), {}, no_floor);
    auto plan = input("a.txt", content.size());
    plan.sha256 = sha256_of(content);
    id = begun(store, std::move(plan));
    REQUIRE(store.append(*store.find(id), content.substr(0, 16), noon));
  }
  upload_store store(folder.path(), {}, no_floor);
  store.restore(wall_clock_now());
  auto* again = store.find(id);
  REQUIRE(again);
  CHECK(again->offset == 16);
  CHECK(again->user == "ada");
  REQUIRE(store.append(*again, content.substr(16), noon));
  const auto placed = finish(store, id);
  REQUIRE(placed);
  CHECK(text_of(placed->path) == content);
  // Whoever missed the answer may ask for it, also of the next daemon.
  upload_store third(folder.path(), {}, no_floor);
  third.restore(wall_clock_now());
  REQUIRE(third.find(id));
  REQUIRE(third.find(id)->placed);
  CHECK(third.find(id)->placed->path == placed->path);
}

TEST_CASE("what a daemon left that can be nobody's upload is removed") {
  const scratch_folder folder;
  std::string whole, half;
  {
    upload_store store(folder.path(), {}, no_floor);
    whole = begun(store, input("a", 3)), half = begun(store, input("b", 3));
  }
  const auto uploads = folder.path() / "uploads";
  fs::remove(uploads / (whole + ".part"));                                      // died between the rename and the record
  std::ofstream(uploads / (half + ".json")) << "{\"user\": ";                   // a record that a power cut tore
  std::ofstream(uploads / "0123.part") << "x";                                  // no record at all
  std::ofstream(uploads / (std::string(32, 'a') + ".json")) << R"({"user":1})"; // another shape
  upload_store store(folder.path(), {}, no_floor);
  store.restore(wall_clock_now());
  CHECK(store.size() == 0);
  CHECK(files_below(uploads) == 0);
}

TEST_CASE("content with another hash than was told is refused and not kept") {
  const scratch_folder folder;
  upload_store store(folder.path(), {}, no_floor);
  auto plan = input("a", 3);
  plan.sha256 = sha256_of("abc");
  const auto id = begun(store, std::move(plan));
  REQUIRE(store.append(*store.find(id), "abd", noon));
  const auto placed = finish(store, id);
  REQUIRE_FALSE(placed);
  CHECK(placed.error().code == error_code::invalid_argument);
  CHECK(placed.error().what.find(sha256_of("abd")) != std::string::npos);
  CHECK(files_below(folder.path() / "inputs") == 0);
}

TEST_CASE("the bounds of uploads are held before anything is taken") {
  const scratch_folder folder;
  upload_store store(folder.path(), {.max_file_mib = 2, .max_total_mib = 3}, no_floor);
  constexpr std::uint64_t mib = 1024 * 1024;
  CHECK(store.begin(input("a", 2 * mib + 1), "ada", 0, noon).error().code == error_code::too_large);
  CHECK(store.begin(input("a", 2 * mib), "ada", 2 * mib, noon).error().code == error_code::disk_full);
  REQUIRE(store.begin(input("a", 2 * mib), "ada", 0, noon));
  const auto full = store.begin(input("a", 2 * mib), "ada", 0, noon); // the first one has promised as much
  REQUIRE_FALSE(full);
  CHECK(full.error().code == error_code::disk_full);
  CHECK(full.error().what.find("uploads.max_total_mib is 3") != std::string::npos);
  for (std::size_t i = 1; i < 256; ++i)
    REQUIRE(store.begin(input("a", 0), "ada", 0, noon));
  CHECK(store.begin(input("a", 0), "ada", 0, noon).error().code == error_code::unavailable);
  store.expire(noon + std::chrono::hours{24});
  CHECK(store.size() == 256);
  store.expire(noon + std::chrono::hours{25});
  CHECK(store.size() == 0);
  CHECK(files_below(folder.path() / "uploads") == 0);
}

TEST_CASE("a disk that is nearly full takes no upload") {
  const scratch_folder folder;
  upload_store store(folder.path(), {}, 16'777'216);
  const auto refused = store.begin(input("a", 1), "ada", 0, noon);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::disk_full);
  CHECK(refused.error().what.find("storage.free_mib_min is 16777216") != std::string::npos);
  CHECK(files_below(folder.path()) == 0);
}

TEST_CASE("a file of a dataset replaces the one before, and nothing else") {
  const scratch_folder folder;
  upload_store store(folder.path(), {}, no_floor);
  const auto send = [&](std::vector<std::string> path, const std::string& content) {
    const auto id = begun(store, {.name = "n", .bytes = content.size(), .sha256 = {}, .dataset = "cats", .path = std::move(path)});
    REQUIRE(store.append(*store.find(id), content, noon));
    return finish(store, id);
  };
  const auto first = send({"train", "a.txt"}, "one");
  REQUIRE(first);
  CHECK(first->path == (folder.path() / "datasets" / "cats" / "train" / "a.txt").string());
  REQUIRE(send({"train", "a.txt"}, "two"));
  CHECK(text_of(first->path) == "two");
  CHECK(send({"train"}, "three").error().code == error_code::conflict);                  // a folder
  CHECK(send({"train", "a.txt", "b.txt"}, "four").error().code == error_code::conflict); // below a file
  fs::create_directory(folder.path() / "outside");
  fs::create_directory_symlink(folder.path() / "outside", folder.path() / "datasets" / "cats" / "link");
  CHECK(send({"link", "a.txt"}, "five").error().code == error_code::conflict);
  CHECK(files_below(folder.path() / "outside") == 0);
  CHECK(text_of(first->path) == "two");
}
