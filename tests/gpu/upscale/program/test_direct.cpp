// The program as people call it: pictures, folders, exit statuses, bad input.
#include "gpu/upscale/image/codec.hpp"
#include "gpu/upscale/network/load.hpp"
#include "upscale_process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
namespace fs = std::filesystem;

namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

finished_run lanczos(const fs::path& source, const fs::path& output, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"--source", source.string(), "--output", output.string(), "--control-weight", "0"};
  words.insert(words.end(), more.begin(), more.end());
  return run_upscale(words);
}

} // namespace

TEST_CASE("a picture is enlarged with Lanczos alone where the network's weight is 0, and no network is looked for") {
  const scratch_folder folder;
  REQUIRE(write_picture(noise(20, 10, 4, 16), folder.path() / "a.png"));
  const auto run =
      lanczos(folder.path() / "a.png", folder.path() / "b.png", {"--scale", "3", "--models", "/nowhere", "--model", "thick"});
  INFO(run.err);
  CHECK(run.status == 0);
  CHECK(run.out.empty());
  CHECK(says(run.err, "b.png: 60x30"));
  const auto made = read_picture(folder.path() / "b.png");
  REQUIRE(made);
  CHECK(made->width == 60);
  CHECK(made->channels == 4);
  CHECK(made->bits == 16);
  CHECK(folder.names() == std::vector<std::string>{"a.png", "b.png"});
}

TEST_CASE("a network enlarges a picture, alone and blended") {
  if (!find_network("slim", 2, {}))
    SKIP("the package esrgan-slim is not installed");
  const scratch_folder folder;
  picture source{32, 24, 3, 8, {}, {}};
  for (int i = 0; i < 32 * 24; ++i)
    for (int c = 0; c < 3; ++c)
      source.samples.push_back(static_cast<std::uint16_t>(60 + i % 32 * 3 + i / 32 * 2 + c * 10));
  REQUIRE(write_picture(source, folder.path() / "a.png"));
  const auto enlarged = [&](const char* weight) {
    const auto run = run_upscale({"--source", (folder.path() / "a.png").string(), "--output", (folder.path() / "b.png").string(),
                                  "--control-weight", weight, "--device", "cpu", "--threads", "1"});
    INFO(run.err);
    REQUIRE(run.status == 0);
    return read_picture(folder.path() / "b.png").value();
  };
  const picture none = enlarged("0"), half = enlarged("0.5"), full = enlarged("1");
  CHECK(full.width == 64);
  CHECK(full.samples != none.samples);
  for (std::size_t i = 0; i < none.samples.size(); ++i)
    CHECK(std::abs(2 * half.samples[i] - none.samples[i] - full.samples[i]) <= 2);
  // A smooth picture stays one, but for the rim, where networks see the nothing around it.
  for (int y = 16; y < 32; ++y)
    for (int x = 16; x < 48; ++x)
      for (int c = 0; c < 3; ++c) {
        const auto at = static_cast<std::size_t>((y * 64 + x) * 3 + c);
        CHECK(std::abs(full.samples[at] - none.samples[at]) <= 3);
      }
}

TEST_CASE("one bad picture among a hundred does not keep the others from being done") {
  const scratch_folder folder;
  const auto source = folder.path() / "photos";
  fs::create_directory(source);
  for (int i = 0; i < 99; ++i)
    REQUIRE(write_picture(pattern(6, 4, 3, 8), source / ("picture " + std::to_string(i) + (i % 2 == 0 ? ".png" : ".jpg"))));
  (void)folder.write("photos/bad one.png", "no picture");
  (void)folder.write("photos/notes.txt", "not a picture, and not named so");
  (void)folder.write("photos/.hidden.png", "hidden");
  fs::create_directory(source / "folder.png");
  const auto run = lanczos(source, folder.path() / "made");
  CHECK(run.status == 1);
  CHECK(says(run.err, "1 of 100 pictures could not be enlarged"));
  CHECK(says(run.err, "bad one.png"));
  int made = 0;
  for (const auto& entry : fs::directory_iterator(folder.path() / "made")) {
    const auto picture = read_picture(entry.path());
    REQUIRE(picture);
    CHECK(picture->width == 12);
    CHECK(fs::exists(source / entry.path().filename()));
    ++made;
  }
  CHECK(made == 99);
  fs::remove(source / "bad one.png");
  const auto again = lanczos(source, folder.path() / "made");
  CHECK(again.status == 0);
  CHECK(says(again.err, "99 pictures"));
}

TEST_CASE("a folder is refused where it holds no picture, or would be overwritten") {
  const scratch_folder folder;
  fs::create_directory(folder.path() / "empty");
  auto run = lanczos(folder.path() / "empty", folder.path() / "made");
  CHECK(run.status == 1);
  CHECK(says(run.err, "no PNG or JPEG"));
  REQUIRE(write_picture(pattern(6, 4, 3, 8), folder.path() / "a.png"));
  const std::string before = bytes_of(folder.path() / "a.png");
  run = lanczos(folder.path(), folder.path());
  CHECK(run.status == 1);
  CHECK(says(run.err, "overwritten"));
  run = lanczos(folder.path() / "a.png", folder.path() / "a.png");
  CHECK(run.status == 1);
  CHECK(says(run.err, "overwritten"));
  CHECK(bytes_of(folder.path() / "a.png") == before);
}

TEST_CASE("every kind of bad input ends with status 1, its name, and no output") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(40, 30, 3, 8), folder.path() / "whole.png"));
  const std::string whole = bytes_of(folder.path() / "whole.png");
  (void)folder.write("empty.png", "");
  (void)folder.write("text.png", "a text");
  (void)folder.write("text.txt", "a text");
  (void)folder.write("cut.png", std::string_view(whole).substr(0, whole.size() / 2));
  REQUIRE(write_picture(pattern(65'000, 1, 1, 8), folder.path() / "wide.png"));
  REQUIRE(::mkfifo((folder.path() / "pipe.png").c_str(), 0600) == 0);
  for (const char* name : {"missing.png", "empty.png", "text.png", "text.txt", "cut.png", "wide.png", "pipe.png"}) {
    INFO(name);
    const auto run = lanczos(folder.path() / name, folder.path() / "output.png");
    CHECK(run.status == 1);
    CHECK(says(run.err, name));
    CHECK(!fs::exists(folder.path() / "output.png"));
  }
  const auto wrong = lanczos(folder.path() / "whole.png", folder.path() / "output.tiff");
  CHECK(wrong.status == 1);
  CHECK(says(wrong.err, ".png"));
}

TEST_CASE("a file that may not be read is refused by name") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(8, 8, 3, 8), folder.path() / "secret.png"));
  fs::permissions(folder.path() / "secret.png", fs::perms::none);
  fs::permissions(folder.path(), fs::perms::all);
  const auto run = run_upscale_as_nobody({"--source", (folder.path() / "secret.png").string(), "--output",
                                          (folder.path() / "b.png").string(), "--control-weight", "0"});
  if (run.status >= 126)
    SKIP("this process may not become another user");
  CHECK(run.status == 1);
  CHECK(says(run.err, "secret.png"));
  CHECK(says(run.err, "Permission denied"));
}

TEST_CASE("a disk that is full gets no half file") {
  const small_disk disk("200k");
  if (!disk.is_mounted())
    SKIP("this user may not mount a small file system");
  const scratch_folder folder;
  REQUIRE(write_picture(noise(300, 300, 3, 8), folder.path() / "a.png"));
  const auto run = lanczos(folder.path() / "a.png", disk.folder().path() / "b.png");
  CHECK(run.status == 1);
  CHECK(says(run.err, "No space left"));
  CHECK(disk.folder().names().empty());
}

TEST_CASE("usage: help and version on standard output, mistakes with status 2") {
  const auto help = run_upscale({"--help"});
  CHECK(help.status == 0);
  for (const char* option :
       {"--source", "--output", "--model", "--scale", "--control-weight", "--prompt", "--device", "--spec", "--worker"})
    CHECK(says(help.out, option));
  CHECK(says(run_upscale({"--version"}).out, "ferry-upscale "));
  const auto devices = run_upscale({"--devices"});
  CHECK(devices.status == 0);
  CHECK(says(devices.out, "CPU:"));
  CHECK(says(devices.out, "GPUs:"));
  const auto wrong = run_upscale({"--scale", "7"});
  CHECK(wrong.status == 2);
  CHECK(says(wrong.err, "ferry-upscale: "));
  CHECK(run_upscale({"--unknown"}).status == 2);
}

TEST_CASE("a network that is not installed is said with how to install it") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(8, 8, 3, 8), folder.path() / "a.png"));
  const auto run = run_upscale(
      {"--source", (folder.path() / "a.png").string(), "--output", (folder.path() / "b.png").string(), "--device", "cpu"},
      {{"FERRY_MODELS", "/nowhere"}, {"FERRY_CACHE", "/nowhere"}, {"HOME", "/nowhere"}});
  if (run.status == 0)
    SKIP("the networks are installed beside the program");
  CHECK(run.status == 1);
  CHECK(says(run.err, "slim"));
  CHECK(!fs::exists(folder.path() / "b.png"));
}
