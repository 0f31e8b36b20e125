// The folder of segments by itself, and the program that runs beside ours.
#include "gpu/upscale/video/child_process.hpp"
#include "gpu/upscale/video/segments.hpp"
#include "tests/gpu/upscale/image/made_pictures.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
namespace fs = std::filesystem;

TEST_CASE("a folder of segments without one is not left behind, nor are parts") {
  const scratch_folder folder;
  const auto output = folder.path() / "b.mp4";
  const auto quiet = [](const std::string&) {};
  {
    auto segments = segment_folder::open(output, "r", quiet);
    REQUIRE(segments);
    CHECK(segment_folder::open(output, "r", quiet).error().code == error_code::conflict);
    (void)folder.write(".b.mp4.segments/part-1-x.mp4", "half");
  }
  CHECK(folder.names().empty());
  {
    auto segments = segment_folder::open(output, "r", quiet);
    REQUIRE(segments);
    const auto part = segments->part("0.mp4");
    (void)folder.write(part.lexically_relative(folder.path()).string(), "frames");
    REQUIRE(segments->add(part, 3));
    (void)folder.write(".b.mp4.segments/part-1-x.mp4", "half");
    (void)folder.write(".b.mp4.segments/mine.txt", "somebody's own");
  }
  CHECK(!fs::exists(folder.path() / ".b.mp4.segments" / "part-1-x.mp4"));
  auto segments = segment_folder::open(output, "r", quiet);
  REQUIRE(segments);
  CHECK(segments->frames() == 3);
  segments->remove();
  CHECK(fs::exists(folder.path() / ".b.mp4.segments" / "mine.txt"));
}

TEST_CASE("a program is fed and read, and says how it ended") {
  auto cat = child_process::start({.argv = {"cat"}, .is_fed = true, .is_read = true});
  REQUIRE(cat);
  const std::string text = "to and fro";
  CHECK((*cat)->write({reinterpret_cast<const unsigned char*>(text.data()), text.size()}));
  (*cat)->end_input();
  std::string back(100, ' ');
  CHECK((*cat)->read({reinterpret_cast<unsigned char*>(back.data()), back.size()}) == text.size());
  CHECK((*cat)->wait() == 0);
  auto failing = child_process::start({.argv = {"sh", "-c", "echo first >&2; echo second >&2; exit 3"}});
  REQUIRE(failing);
  CHECK((*failing)->wait() == 3);
  CHECK((*failing)->complaints() == "first\nsecond");
  auto killed = child_process::start({.argv = {"sh", "-c", "kill -9 $$"}});
  REQUIRE(killed);
  CHECK((*killed)->wait() == 128 + 9);
  CHECK(child_process::start({.argv = {"no-such-program-anywhere"}}).error().code == error_code::not_found);
}

TEST_CASE("a program that complains without end is not waited for, and the end of it kept") {
  auto loud =
      child_process::start({.argv = {"sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo complaint $i >&2; i=$((i+1)); done"}});
  REQUIRE(loud);
  CHECK((*loud)->wait() == 0);
  const std::string end = (*loud)->complaints();
  CHECK(end.size() <= 4096);
  CHECK(end.ends_with("complaint 19999"));
}
