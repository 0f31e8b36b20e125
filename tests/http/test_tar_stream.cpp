// Archives, read by tar itself.
#include "config/limits.hpp"
#include "http/file_body.hpp"
#include "http/tar_stream.hpp"
#include "tests/http/body_text.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <fstream>

using namespace ferry;
using namespace ferry::http;
using ferry::http::test::read_all;
using ferry::tests::scratch_folder;
using ferry::tests::text_of;

namespace {

std::string output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  std::string out;
  for (int c = 0; (c = std::fgetc(pipe.get())) != EOF;)
    out += static_cast<char>(c);
  return out;
}

} // namespace

TEST_CASE("tar unpacks what was packed: long names, names beyond ASCII, empty and large files") {
  const scratch_folder scratch;
  const auto runs = scratch.path() / "runs";
  const std::vector<job_folder> folders{{batch_id{7}, "7/jobs/42", ""}};
  const std::vector<std::string> names{
      "a.txt", "empty", "exact", std::string(60, 'd') + "/" + std::string(60, 'f') + ".txt", "dürer/Häsin ×2.txt", "big.bin"};
  const auto packed = [&](const std::string& name) {
    if (name == "empty")
      return std::string();
    if (name == "exact")
      return std::string(1024, 'x');
    return name == "big.bin" ? std::string(2 * file_piece_bytes + 77, 'b') : "in " + name;
  };
  for (const auto& name : names) {
    std::filesystem::create_directories((runs / "7/jobs/42" / name).parent_path());
    std::ofstream(runs / "7/jobs/42" / name, std::ios::binary) << packed(name);
  }
  auto listed = list_files(runs, folders).files;
  REQUIRE(listed.size() == names.size());
  const auto open = [&](const job_file& file) {
    std::vector<std::string> segments;
    for (const auto& segment : std::filesystem::path(file.path))
      segments.push_back(segment.string());
    return open_file(runs, folders, segments);
  };
  auto with_a_lost_one = listed;
  with_a_lost_one.push_back({"lost", batch_id{7}, 5, {}});
  tar_stream stream(with_a_lost_one, "job-42", open);
  const auto archive = read_all(stream);
  REQUIRE(archive);
  CHECK(archive->size() % 512 == 0);
  std::ofstream(scratch.path() / "job.tar", std::ios::binary) << *archive;
  const auto at = "cd " + scratch.path().string() + " && ";
  CHECK(output_of(at + "tar -xf job.tar 2>&1").empty());
  for (const auto& name : names) {
    CAPTURE(name);
    CHECK(text_of(scratch.path() / "job-42" / name) == packed(name));
  }
  const auto list = output_of(at + "tar --quoting-style=literal -tf job.tar");
  CHECK(std::count(list.begin(), list.end(), '\n') == static_cast<std::ptrdiff_t>(names.size()));

  tar_stream cut(listed, "job-42", [&](const job_file& file) {
    auto opened = open(file);
    if (file.path == "big.bin") // it shrinks behind the header that told its size
      std::filesystem::resize_file(runs / "7/jobs/42/big.bin", 10);
    return opened;
  });
  CHECK_FALSE(read_all(cut));
}

TEST_CASE("a size that ustar cannot say stands in a record of its own") {
  const auto large = tar_header("x", 9'000'000'000, from_unix_ms(1'700'000'000'000));
  CHECK(large.size() == 3 * 512);
  CHECK(large.find("19 size=9000000000\n") == 512);
  CHECK(tar_header("x", 8'589'934'591, {}).size() == 512);
}
