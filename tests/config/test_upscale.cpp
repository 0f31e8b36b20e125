// The shipped job type `upscale` with the real ffmpeg, its command filled in by hand.
#include "config/command_template.hpp"
#include "support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <spawn.h>
#include <sys/wait.h>

using namespace ferry;
using namespace ferry::config;
using namespace ferry::config::testing;

namespace {

// Runs a program with its output in a file; its exit status, or 127 when it cannot be started.
int run(const std::vector<std::string>& argv, const std::filesystem::path& output) {
  std::vector<char*> words;
  for (const std::string& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = 0;
  const int refused = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (refused != 0)
    return 127;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::vector<std::string> filled_in(const job_type& type, const json& params, const std::string& dir) {
  std::vector<std::string> argv;
  for (const std::string& word : type.command) {
    std::string out;
    const auto pieces = parse_template(word);
    for (const template_piece& piece : *pieces) {
      if (piece.what == template_piece::kind::literal)
        out += piece.text;
      else if (piece.what == template_piece::kind::parameter)
        out += params.at(piece.text).is_string() ? params.at(piece.text).get<std::string>() : params.at(piece.text).dump();
      else
        out += piece.text == "dir" ? dir : "1";
    }
    argv.push_back(out);
  }
  return argv;
}

// What kind and size of picture a file holds: "png,128,96".
std::string described(const std::filesystem::path& file, const scoped_folder& folder) {
  const auto output = folder.path() / "described";
  REQUIRE(run({"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height", "-of",
               "csv=p=0", file.string()},
              output) == 0);
  std::string text = contents(output);
  return text.substr(0, text.find('\n'));
}

} // namespace

TEST_CASE("upscale enlarges pictures and videos, and fails where there is nothing to enlarge") {
  const scoped_folder folder;
  if (run({"ffmpeg", "-version"}, folder.path() / "version") != 0)
    SKIP("ffmpeg is not installed");
  const plain_environment plain;
  const auto loaded = load(source_file("config/demo.toml"));
  REQUIRE(loaded);
  const job_type& upscale = *loaded->find_job_type("upscale");
  const auto made = [&](const char* name, std::vector<std::string> options) {
    std::vector<std::string> argv{"ffmpeg", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc=size=63x49:rate=10:duration=1"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back((folder.path() / name).string());
    REQUIRE(run(argv, folder.path() / "making") == 0);
    return (folder.path() / name).string();
  };
  const auto upscaled = [&](json params) {
    auto valid = upscale.parameters.validate(std::move(params));
    REQUIRE(valid);
    const int status = run(filled_in(upscale, *valid, folder.path().string()), folder.path() / "log");
    return std::pair(status, folder.path() / (*valid)["output"].get<std::string>());
  };

  const std::string picture = made("a picture, with: an odd name.jpg", {"-frames:v", "1"});
  auto [status, file] = upscaled({{"source", picture}});
  INFO(contents(folder.path() / "log"));
  REQUIRE(status == 0);
  CHECK(described(file, folder) == "png,126,98");
  CHECK(contents(folder.path() / "log").find("frame=1") != std::string::npos);

  const std::string video = made("clip.mpg", {"-c:v", "mpeg2video", "-r", "25"});
  std::tie(status, file) = upscaled({{"source", video}, {"scale", 4}});
  REQUIRE(status == 0);
  CHECK(file.filename() == "upscaled.mp4");
  CHECK(described(file, folder) == "h264,252,196");
  CHECK(contents(folder.path() / "log").find("Duration: ") != std::string::npos);

  CHECK(upscaled({{"source", (folder.path() / "missing.png").string()}}).first != 0);
  CHECK(upscaled({{"source", folder.write("text.png", "no picture")}}).first != 0);
}
