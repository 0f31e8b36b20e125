// The head's copy of a run: pieces in any order, again, and from a node that means harm.
#include "config/limits.hpp"
#include "runners/run_copy.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_all.hpp>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::runners;
using ferry::tests::files_below;
using ferry::tests::text_of;

namespace {

struct copy_of_a_run {
  copy_of_a_run() {
    std::filesystem::create_directory(outside());
    std::filesystem::create_directory(runs());
  }
  [[nodiscard]] result<std::uint64_t> take(const std::string& path, std::uint64_t offset, std::string_view bytes,
                                           bool is_last = false, std::int64_t version = 0) const {
    return take_piece(runs(), {batch_id{7}, path, offset, bytes, is_last, version});
  }
  // What the head answers; it must not refuse.
  [[nodiscard]] std::uint64_t reached(const std::string& path, std::uint64_t offset, std::string_view bytes, bool is_last = false,
                                      std::int64_t version = 0) const {
    const auto taken = take(path, offset, bytes, is_last, version);
    INFO((taken ? std::string() : to_string(taken.error())));
    REQUIRE(taken);
    return *taken;
  }
  [[nodiscard]] std::filesystem::path runs() const { return scratch.path() / "runs"; }
  [[nodiscard]] std::filesystem::path run() const { return runs() / "7"; }
  [[nodiscard]] std::filesystem::path outside() const { return scratch.path() / "outside"; }

  tests::scratch_folder scratch;
};

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i)
    all += text;
  return all;
}

} // namespace

TEST_CASE("a copied file has its name once its last piece is there, with all that was sent") {
  const copy_of_a_run copy;
  const auto file = copy.run() / "jobs/1/deep/er/a.bin";
  CHECK(copy.reached("jobs/1/deep/er/a.bin", 0, "one ") == 4);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(copy.reached("jobs/1/deep/er/a.bin", 4, std::string_view("t\0o ", 4)) == 8);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(copy.reached("jobs/1/deep/er/a.bin", 8, "three", true) == 13);
  CHECK(text_of(file) == std::string("one t\0o three", 13));
  CHECK(files_below(copy.runs()) == 1); // nothing is left beside it
}

TEST_CASE("a piece that comes again, too early or too late changes nothing, and is answered with where to go on") {
  const copy_of_a_run copy;
  CHECK(copy.reached("jobs/1/a", 5, "later") == 0);
  CHECK(copy.reached("jobs/1/a", 0, "first") == 5);
  CHECK(copy.reached("jobs/1/a", 0, "other") == 5);
  CHECK(copy.reached("jobs/1/a", 3, "other") == 5);
  CHECK(copy.reached("jobs/1/a", 9, "other", true) == 5);
  CHECK(copy.reached("jobs/1/a", 5, " last", true) == 10);
  CHECK(copy.reached("jobs/1/a", 5, " LAST", true) == 10);
  CHECK(copy.reached("jobs/1/a", 0, "first") == 10);
  CHECK(copy.reached("jobs/1/a", 10, "more", true) == 10);
  CHECK(text_of(copy.run() / "jobs/1/a") == "first last");
  CHECK(files_below(copy.runs()) == 1);
}

TEST_CASE("an empty file is one empty last piece") {
  const copy_of_a_run copy;
  CHECK(copy.reached("jobs/1/empty", 0, "", true) == 0);
  CHECK(std::filesystem::is_regular_file(copy.run() / "jobs/1/empty"));
  CHECK(copy.reached("jobs/1/empty", 0, "", true) == 0);
}

TEST_CASE("a head that died between a file's last byte and its name gives it the name when the last piece comes again") {
  const copy_of_a_run copy;
  CHECK(copy.reached("jobs/1/a", 0, "all of it") == 9); // on disk like a last piece that was cut off before its end was stored
  CHECK_FALSE(std::filesystem::exists(copy.run() / "jobs/1/a"));
  SECTION("as it was") { CHECK(copy.reached("jobs/1/a", 0, "all of it", true) == 9); }
  SECTION("with nothing more in it") { CHECK(copy.reached("jobs/1/a", 9, "", true) == 9); }
  CHECK(text_of(copy.run() / "jobs/1/a") == "all of it");
  CHECK(files_below(copy.runs()) == 1);
}

TEST_CASE("the beginning of one version of a file is not taken for that of another, and leaves nothing") {
  const copy_of_a_run copy;
  CHECK(copy.reached("jobs/1/a", 0, "first half, ", false, 1'000'000'001) == 12);
  CHECK(copy.reached("jobs/1/a", 12, "of the second", true, 2'000'000'002) == 0);
  CHECK_FALSE(std::filesystem::exists(copy.run() / "jobs/1/a"));
  CHECK(copy.reached("jobs/1/a", 0, "second ", false, 2'000'000'002) == 7);
  CHECK(copy.reached("jobs/1/a", 7, "version", true, 2'000'000'002) == 14);
  CHECK(copy.reached("jobs/1/a", 7, "version", true, 2'000'000'002) == 14);
  CHECK(text_of(copy.run() / "jobs/1/a") == "second version");
  CHECK(copy.reached("jobs/1/a", 0, "third", true, 3'000'000'003) == 5); // in its place
  CHECK(text_of(copy.run() / "jobs/1/a") == "third");
  CHECK(files_below(copy.runs()) == 1);
}

TEST_CASE("what grows is written in place, and only from where it ends") {
  const copy_of_a_run copy;
  for (const std::string& name : growing_files()) {
    CAPTURE(name);
    CHECK(copy.reached(name, 0, "a line\n") == 7);
    CHECK(text_of(copy.run() / name) == "a line\n");
    CHECK(copy.reached(name, 0, "a line\n") == 7);
    CHECK(copy.reached(name, 20, "a line\n") == 7);
    CHECK(copy.reached(name, 7, "another\n") == 15);
    CHECK(copy.reached(name, 15, "", true) == 15);
    CHECK(copy.reached(name, 15, "and more\n") == 24);
    CHECK(text_of(copy.run() / name) == "a line\nanother\nand more\n");
  }
}

TEST_CASE("a path that leads elsewhere, or to what is the daemon's own, is refused and leaves nothing") {
  const copy_of_a_run copy;
  write(copy.run() / "spec.json", "the spec");
  const std::string paths[] = {"",
                               "/",
                               ".",
                               "..",
                               "../x",
                               "../8/jobs/1/x",
                               "/etc/x",
                               "//etc/x",
                               "jobs/../../x",
                               "jobs/1/../../../x",
                               "jobs/1/a/../../..",
                               "jobs/1/a/../b",
                               "jobs/1/./b",
                               "jobs/1/b/.",
                               "jobs/1/b/",
                               "jobs/1/",
                               "jobs/1",
                               "jobs",
                               "jobs/",
                               "./output.log",
                               "output.log/",
                               "output.log/x",
                               "spec.json",
                               "shim.lock",
                               "shim.json",
                               "control.sock",
                               "reported.jsonl",
                               "worker.json",
                               "elsewhere/1/x",
                               std::string("jobs/1/a\0b", 10),
                               std::string("output.log\0", 11),
                               "jobs/1/" + repeated("d/", 70) + "x",
                               "jobs/1/" + repeated("0123456789/", 500) + "x",
                               "jobs/1/" + std::string(5'000, 'x')};
  for (const std::string& path : paths)
    for (const bool is_last : {false, true}) {
      CAPTURE(path);
      const auto taken = copy.take(path, 0, "harm", is_last);
      REQUIRE_FALSE(taken);
      CHECK(taken.error().code == error_code::invalid_argument);
    }
  CHECK(files_below(copy.scratch.path()) == 1);
  CHECK(text_of(copy.run() / "spec.json") == "the spec");
}

TEST_CASE("names as long as a file system allows are copied, and as odd") {
  const copy_of_a_run copy;
  const std::string names[] = {std::string(255, 'n'), "-rf",           "new\nline", "\xff\xfe", " ", "...",
                               "a.ferry-coming",      ".ferry-coming", "con\\aux",  "*?[!]"};
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(copy.reached("jobs/1/" + name, 0, "half ") == 5);
    CHECK(copy.reached("jobs/1/" + name, 5, "and half", true) == 13);
    CHECK(text_of(copy.run() / "jobs/1" / name) == "half and half");
  }
  CHECK(files_below(copy.runs()) == std::size(names));
}

TEST_CASE("files that have others' names and more do not get into each other's way while they come") {
  const copy_of_a_run copy;
  CHECK(copy.reached("jobs/1/a.ferry-coming", 0, "the longer name", true) == 15);
  CHECK(copy.reached("jobs/1/a", 0, "short, ") == 7);
  CHECK(copy.reached("jobs/2/a", 0, "the other's, ") == 13);
  CHECK(copy.reached("jobs/1/b/a", 0, "a third, ") == 9);
  CHECK(copy.reached("jobs/1/a", 7, "1", true) == 8);
  CHECK(copy.reached("jobs/2/a", 13, "2", true) == 14);
  CHECK(copy.reached("jobs/1/b/a", 9, "3", true) == 10);
  CHECK(text_of(copy.run() / "jobs/1/a.ferry-coming") == "the longer name");
  CHECK(text_of(copy.run() / "jobs/1/a") == "short, 1");
  CHECK(text_of(copy.run() / "jobs/2/a") == "the other's, 2");
  CHECK(text_of(copy.run() / "jobs/1/b/a") == "a third, 3");
  CHECK(files_below(copy.runs()) == 4);
}

TEST_CASE("a link in the copy is never followed, wherever it stands") {
  const copy_of_a_run copy;
  write(copy.outside() / "log", "mine");
  SECTION("as the run's folder") {
    std::filesystem::create_directory_symlink(copy.outside(), copy.run());
    CHECK_FALSE(copy.take("jobs/1/a", 0, "harm", true));
    CHECK_FALSE(copy.take("output.log", 0, "harm"));
  }
  SECTION("as a folder") {
    std::filesystem::create_directories(copy.run() / "jobs");
    std::filesystem::create_directory_symlink(copy.outside(), copy.run() / "jobs/1");
    CHECK_FALSE(copy.take("jobs/1/a", 0, "harm", true));
    CHECK_FALSE(copy.take("jobs/1/deep/a", 0, "harm", true));
  }
  SECTION("as a file that grows") {
    std::filesystem::create_directories(copy.run());
    std::filesystem::create_symlink(copy.outside() / "log", copy.run() / "output.log");
    CHECK_FALSE(copy.take("output.log", 4, "harm"));
    std::filesystem::create_symlink(copy.outside() / "new", copy.run() / "events.jsonl");
    CHECK_FALSE(copy.take("events.jsonl", 0, "harm"));
  }
  SECTION("as a file: it is replaced, and what it leads to stays") {
    std::filesystem::create_directories(copy.run() / "jobs/1");
    std::filesystem::create_symlink(copy.outside() / "log", copy.run() / "jobs/1/a");
    CHECK(copy.reached("jobs/1/a", 0, "new", true) == 3);
    CHECK(std::filesystem::symlink_status(copy.run() / "jobs/1/a").type() == std::filesystem::file_type::regular);
  }
  CHECK(text_of(copy.outside() / "log") == "mine");
  CHECK(files_below(copy.outside()) == 1);
}

TEST_CASE("a file for which there will never be room under its name is refused for good, and not tried for ever") {
  const copy_of_a_run copy;
  const auto is_refused = [&](const std::string& path) {
    const auto taken = copy.take(path, 0, "x", true);
    REQUIRE_FALSE(taken);
    INFO(to_string(taken.error()));
    CHECK(taken.error().code == error_code::invalid_argument);
  };
  write(copy.run() / "jobs/1/file", "a file");
  is_refused("jobs/1/file/below");
  write(copy.run() / "jobs/1/folder/x", "in a folder");
  is_refused("jobs/1/folder");
  std::filesystem::create_directory_symlink(copy.outside(), copy.run() / "jobs/1/link");
  is_refused("jobs/1/link/a");
  is_refused("jobs/1/" + std::string(256, 'n'));
  std::filesystem::create_directory(copy.run() / "output.log");
  is_refused("output.log");
}

TEST_CASE("a fifo in the copy does not hold the head up") {
  const copy_of_a_run copy;
  std::filesystem::create_directories(copy.run() / "jobs/1");
  REQUIRE(::mkfifo((copy.run() / "output.log").c_str(), 0600) == 0);
  CHECK_FALSE(copy.take("output.log", 0, "x"));
  REQUIRE(::mkfifo((copy.run() / "jobs/1/a").c_str(), 0600) == 0);
  CHECK(copy.reached("jobs/1/a", 0, "x", true) == 1);
  CHECK(text_of(copy.run() / "jobs/1/a") == "x");
}

TEST_CASE("what a job has left is its files, at any depth, by path: no links, no special files, nothing of other jobs") {
  const copy_of_a_run copy;
  const auto job = copy.run() / "jobs/1";
  write(job / "b", "12");
  write(job / "a/deep", "123");
  write(job / ".hidden", "");
  write(job / "\xff\n", "1");
  write(copy.run() / "jobs/2/other", "not mine");
  write(copy.run() / "jobs/11/other", "not mine");
  write(copy.outside() / "secret", "not mine");
  std::filesystem::create_symlink(copy.outside() / "secret", job / "link");
  std::filesystem::create_directory_symlink(copy.outside(), job / "folder");
  std::filesystem::create_directory_symlink(job, job / "a/round");
  std::filesystem::create_symlink("nowhere", job / "dangling");
  REQUIRE(::mkfifo((job / "fifo").c_str(), 0600) == 0);
  std::filesystem::create_directory(job / "nothing in it");
  const auto left = files_of_job(copy.run(), job_id{1});
  REQUIRE(left);
  std::vector<std::pair<std::string, std::uint64_t>> found;
  for (const finished_file& one : *left)
    found.emplace_back(one.path, one.bytes);
  CHECK(found == std::vector<std::pair<std::string, std::uint64_t>>{
                     {"jobs/1/.hidden", 0}, {"jobs/1/a/deep", 3}, {"jobs/1/b", 2}, {"jobs/1/\xff\n", 1}});
  const auto none = files_of_job(copy.run(), job_id{3});
  REQUIRE(none);
  CHECK(none->empty());
}

TEST_CASE("a job whose directory is a link has left nothing") {
  const copy_of_a_run copy;
  write(copy.outside() / "secret", "not mine");
  std::filesystem::create_directories(copy.run() / "jobs");
  std::filesystem::create_directory_symlink(copy.outside(), copy.run() / "jobs/1");
  const auto left = files_of_job(copy.run(), job_id{1});
  REQUIRE(left);
  CHECK(left->empty());
}
