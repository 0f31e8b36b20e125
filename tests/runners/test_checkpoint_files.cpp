#include "run_harness.hpp"
#include "runners/checkpoint_files.hpp"

#include <catch2/catch_all.hpp>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::runners;

namespace {

void put(const std::filesystem::path& file, std::int64_t second) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << "x";
  const timespec at{static_cast<time_t>(second), 0};
  const timespec both[2] = {at, at};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), both, 0) == 0);
}

} // namespace

TEST_CASE("the newest file that fits a pattern is found, below the directory alone") {
  const test::scratch folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  CHECK_FALSE(newest_file(folder.path(), "*.pt"));
  put(at("out/a/c-1.pt"), 100);
  put(at("out/b/c-2.pt"), 300);
  put(at("out/b/c-3.pt"), 200);
  put(at("out/b/other"), 900);
  put(at("c-9.pt"), 950);
  put(at("out/b/.hidden.pt"), 990);
  std::filesystem::create_symlink("/etc/hostname", at("out/b/c-8.pt"));
  const auto found = newest_file(folder.path(), "out/*/c-*.pt");
  REQUIRE(found);
  CHECK(found->path == "out/b/c-2.pt");
  CHECK(found->written == from_unix_ms(300'000));
  CHECK(newest_file(folder.path(), "*.pt")->path == "c-9.pt"); // * does not cross a /
  put(at("out/z/c-2.pt"), 300);
  CHECK(newest_file(folder.path(), "out/*/c-*.pt")->path == "out/z/c-2.pt"); // of the same time the last by name
  CHECK_FALSE(newest_file(folder.path() / "missing", "*"));
}
