// A file is there whole under its name, or not at all.
#include "gpu/upscale/image/atomic_file.hpp"
#include "gpu/upscale/image/codec.hpp"
#include "made_pictures.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

TEST_CASE("a disk that is full gets no half picture, and keeps the old one") {
  const small_disk disk("256k");
  if (!disk.is_mounted())
    SKIP("this user may not mount a small file system");
  for (const char* name : {"a.png", "a.jpg"}) {
    INFO(name);
    const auto file = disk.folder().path() / name;
    const auto refused = write_picture(noise(600, 600, 3, 8), file);
    REQUIRE(!refused);
    CHECK(refused.error().code == error_code::disk_full);
    CHECK(refused.error().what.find(file.string()) != std::string::npos);
    CHECK(disk.folder().names().empty());
    REQUIRE(write_picture(pattern(8, 8, 3, 8), file));
    const std::string before = bytes_of(file);
    CHECK(!write_picture(noise(600, 600, 3, 8), file));
    CHECK(bytes_of(file) == before);
    CHECK(disk.folder().names() == std::vector<std::string>{name});
    std::filesystem::remove(file);
  }
}

TEST_CASE("a file that is not committed leaves nothing behind") {
  const scratch_folder folder;
  {
    auto file = atomic_file::create(folder.path() / "a.txt");
    REQUIRE(file);
    std::fputs("half", file->stream());
    CHECK(folder.names().size() == 1);
    CHECK(!std::filesystem::exists(folder.path() / "a.txt"));
  }
  CHECK(folder.names().empty());
}

TEST_CASE("a committed file replaces the old one and has the usual mode") {
  const scratch_folder folder;
  const auto file = folder.write("a.txt", "old");
  auto made = atomic_file::create(file);
  REQUIRE(made);
  std::fputs("new", made->stream());
  CHECK(bytes_of(file) == "old");
  REQUIRE(made->commit());
  CHECK(bytes_of(file) == "new");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == (0666U & ~mask));
}

TEST_CASE("where nothing can be written the error says so") {
  const scratch_folder folder;
  const picture source = pattern(4, 4, 3, 8);
  const auto code = [&](const std::filesystem::path& file) {
    const auto written = write_picture(source, file);
    return written ? error_code::internal : written.error().code;
  };
  CHECK(code(folder.path() / "no such folder" / "a.png") == error_code::not_found);
  std::filesystem::create_directory(folder.path() / "folder.png");
  CHECK(code(folder.path() / "folder.png") == error_code::invalid_argument);
  CHECK(code(folder.path() / "a.webp") == error_code::invalid_argument);
  CHECK(code(folder.path() / "a") == error_code::invalid_argument);
  CHECK(folder.names() == std::vector<std::string>{"folder.png"});
}
