// Files of jobs: what is listed, what may be opened, and what is not let out.
#include "config/limits.hpp"
#include "http/file_body.hpp"
#include "http/job_files.hpp"
#include "tests/http/body_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::http;
using ferry::http::test::read_all;
using ferry::tests::scratch_folder;

namespace {

struct one_job {
  scratch_folder runs;
  std::vector<job_folder> folders{{batch_id{7}, "7/jobs/42", ""}};
  one_job() { std::filesystem::create_directories(directory()); }

  [[nodiscard]] std::filesystem::path directory() const { return runs.path() / "7/jobs/42"; }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((directory() / path).parent_path());
    std::ofstream(directory() / path, std::ios::binary) << text;
  }
  [[nodiscard]] result<opened_file> open(const std::vector<std::string>& segments) const {
    return open_file(runs.path(), folders, segments);
  }
  [[nodiscard]] std::vector<std::string> listed() const {
    std::vector<std::string> paths;
    for (const auto& file : list_files(runs.path(), folders).files)
      paths.push_back(file.path);
    return paths;
  }
};

error_code refused(const result<opened_file>& outcome) {
  REQUIRE_FALSE(outcome);
  return outcome.error().code;
}

} // namespace

TEST_CASE("the files of a job are listed by path, with size and time") {
  const one_job job;
  job.write("b.png", "12345");
  job.write("a/deep/x.txt", "1");
  job.write("a.txt", "");
  CHECK(job.listed() == std::vector<std::string>{"a.txt", "a/deep/x.txt", "b.png"});
  const auto found = list_files(job.runs.path(), job.folders);
  CHECK(found.is_whole);
  CHECK(found.files[2].bytes == 5);
  CHECK(found.files[2].batch == batch_id{7});
  CHECK(to_unix_ms(found.files[2].modified) > 1'600'000'000'000);
  CHECK(list_files(job.runs.path(), {{batch_id{8}, "8/jobs/42", ""}}).files.empty());
  CHECK(list_files(job.runs.path() / "none", job.folders).files.empty());
}

TEST_CASE("a list says when it is not whole") {
  const one_job job;
  for (std::size_t i = 0; i <= limits::job_files_max; ++i)
    job.write("f" + std::to_string(i), "");
  const auto found = list_files(job.runs.path(), job.folders);
  CHECK(found.files.size() == limits::job_files_max);
  CHECK_FALSE(found.is_whole);

  const one_job deep;
  std::string path = "top";
  for (std::size_t i = 0; i < limits::job_file_depth_max; ++i)
    path = "d/" + path;
  deep.write(path, "");
  CHECK(list_files(deep.runs.path(), deep.folders).is_whole);
  CHECK(deep.listed() == std::vector{path});
  deep.write("d/" + path, "");
  const auto cut = list_files(deep.runs.path(), deep.folders);
  CHECK_FALSE(cut.is_whole);
  CHECK(cut.files.size() == 1);
}

TEST_CASE("nothing outside of a job's directory is opened or listed, whatever the job puts there") {
  const one_job job;
  job.write("own.txt", "own");
  job.write("folder/inner.txt", "inner");
  std::ofstream(job.runs.path() / "7/secret") << "secret";
  namespace fs = std::filesystem;
  fs::create_symlink("/etc/passwd", job.directory() / "link.txt");
  fs::create_symlink("own.txt", job.directory() / "to_own.txt");
  fs::create_directory_symlink("/etc", job.directory() / "etc");
  fs::create_directory_symlink("folder", job.directory() / "to_folder");
  fs::create_directory_symlink("../..", job.directory() / "up");
  REQUIRE(::mkfifo((job.directory() / "pipe.txt").c_str(), 0600) == 0);

  REQUIRE(job.open({"own.txt"}));
  REQUIRE(job.open({"folder", "inner.txt"}));
  using enum error_code;
  CHECK(refused(job.open({"link.txt"})) == not_found);
  CHECK(refused(job.open({"to_own.txt"})) == not_found);
  CHECK(refused(job.open({"etc", "passwd"})) == not_found);
  CHECK(refused(job.open({"to_folder", "inner.txt"})) == not_found);
  CHECK(refused(job.open({"up", "secret"})) == not_found);
  CHECK(refused(job.open({"pipe.txt"})) == not_found); // at once, without a writer
  CHECK(refused(job.open({"folder"})) == not_found);
  CHECK(refused(job.open({"none"})) == not_found);
  CHECK(refused(job.open({"own.txt", "x"})) == not_found);
  CHECK(refused(job.open({std::string(300, 'x')})) == not_found);
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), std::string("../../secret"),
                                 std::string("/etc/passwd"), std::string("folder/inner.txt"), std::string("own.txt\0x", 9)}) {
    CAPTURE(bad);
    CHECK(refused(job.open({bad})) == invalid_argument);
    CHECK(refused(job.open({"folder", bad})) == invalid_argument);
  }
  CHECK(refused(job.open({"..", "..", "secret"})) == invalid_argument);
  CHECK(job.listed() == std::vector<std::string>{"folder/inner.txt", "own.txt"});

  // The directory itself may be replaced, too.
  fs::rename(job.directory(), job.runs.path() / "away");
  fs::create_directory_symlink("/etc", job.directory());
  CHECK(refused(job.open({"passwd"})) == not_found);
  CHECK(job.listed().empty());
}

TEST_CASE("of a job in parts each part has a folder, and equal names do not meet") {
  one_job job;
  job_record record{.id = job_id{42}};
  CHECK(folders_of(record).empty());
  record.batch = batch_id{7};
  REQUIRE(folders_of(record).size() == 1);
  CHECK(folders_of(record)[0].path == "7/jobs/42");
  CHECK(folders_of(record)[0].prefix.empty());
  record.batch = batch_id{9};
  record.items_done = 4;
  record.part = {4, 2, 6};
  record.result = {{"parts", {{{"batch", 7}, {"first_item", 0}, {"items", 2}}, {{"batch", 8}, {"first_item", 2}, {"items", 2}}}}};
  job.folders = folders_of(record);
  REQUIRE(job.folders.size() == 3);
  job.write("made.txt", "first");
  std::filesystem::create_directories(job.runs.path() / "9/jobs/42");
  std::ofstream(job.runs.path() / "9/jobs/42/made.txt") << "the last";
  CHECK(job.listed() == std::vector<std::string>{"7/made.txt", "9/made.txt"});
  REQUIRE(job.open({"7", "made.txt"}));
  CHECK(job.open({"7", "made.txt"})->bytes == 5);
  CHECK(job.open({"9", "made.txt"})->bytes == 8);
  CHECK(refused(job.open({"made.txt"})) == error_code::not_found);
  CHECK(refused(job.open({"8", "made.txt"})) == error_code::not_found);
  CHECK(refused(job.open({"6", "made.txt"})) == error_code::not_found);
}

TEST_CASE("an ETag is another one when the file is") {
  const one_job job;
  job.write("a.txt", "one");
  const auto first = job.open({"a.txt"})->etag;
  CHECK(first == job.open({"a.txt"})->etag);
  CHECK(first.front() == '"');
  CHECK(first.find(',') == first.npos);
  job.write("a.txt", "longer");
  CHECK(first != job.open({"a.txt"})->etag);
}

TEST_CASE("a file comes in pieces, and one that shrinks meanwhile is an error") {
  const one_job job;
  std::string text;
  while (text.size() < 3 * file_piece_bytes)
    text += std::to_string(text.size()) + " ";
  job.write("large", text);
  auto opened = job.open({"large"});
  REQUIRE(opened);
  file_body whole(std::move(opened->file), {0, opened->bytes});
  CHECK(whole.length() == text.size());
  CHECK(read_all(whole) == text);
  file_body part(std::move(job.open({"large"})->file), {1000, file_piece_bytes + 1});
  CHECK(read_all(part) == text.substr(1000, file_piece_bytes + 1));
  file_body shrinks(std::move(job.open({"large"})->file), {0, text.size()});
  std::filesystem::resize_file(job.directory() / "large", file_piece_bytes + 10);
  const auto cut = read_all(shrinks);
  REQUIRE_FALSE(cut);
  CHECK(cut.error().what.find("shorter") != std::string::npos);
}

TEST_CASE("only what runs nothing has a type of its own") {
  CHECK(media_type_of("a/b.PNG") == "image/png");
  CHECK(media_type_of("x.tar.json") == "application/json");
  CHECK(media_type_of("notes.txt") == "text/plain; charset=utf-8");
  for (const char* other : {"page.html", "drawing.svg", "script.js", "png", ".png/x", "a.xml", "paper.pdf", "a.png.exe", "", "a."})
    CHECK(media_type_of(other) == unknown_media_type);
}
