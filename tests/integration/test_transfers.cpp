// Files to the daemon and back, by `ferry`.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"

#include <fstream>
#include <sstream>

using namespace ferry;
using namespace ferry::tests;

namespace fs = std::filesystem;

namespace {

class files {
public:
  files() { daemon.start(); }

  [[nodiscard]] program_end ferry(std::vector<std::string> words) const {
    words.insert(words.begin(), FERRY_PROGRAM);
    return run_program(words, {"FERRY_SOCKET=" + daemon.socket().string()});
  }
  std::string write(const std::string& name, const std::string& content) const {
    fs::create_directories((here.path() / name).parent_path());
    std::ofstream(here.path() / name, std::ios::binary) << content;
    return (here.path() / name).string();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (here.path() / name).string(); }

  daemon_process daemon;
  scratch_directory here;
};

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string megabytes(std::size_t count) {
  std::string text;
  for (std::uint32_t i = 0; text.size() < count << 20U; ++i)
    text += std::to_string(i * 2654435761U) + " ";
  return text;
}

bool says(const program_end& ended, const std::string& text) { return ended.output.find(text) != std::string::npos; }

} // namespace

TEST_CASE("what ferry uploads is there, whole, and its path can be a parameter") {
  const files f;
  const auto large = f.write("large.bin", megabytes(20)); // of several pieces
  const auto sent = f.ferry({"upload", "--quiet", large});
  REQUIRE(sent.status == 0);
  const auto path = sent.output.substr(0, sent.output.find('\n'));
  CHECK(fs::path(path).filename() == "large.bin");
  CHECK(content_of(path) == content_of(large));
  CHECK(f.ferry({"upload", "--quiet", large}).output == sent.output);
  CHECK(f.ferry({"upload", f.path("none")}).status == 5);
}

TEST_CASE("an upload that was begun before is gone on with") {
  files f;
  const std::string content = megabytes(1);
  const auto file = f.write("made.bin", content);
  const auto begin = [&] {
    const std::string id = f.daemon.post("/uploads", {{"name", "made.bin"}, {"bytes", content.size()}})["upload"];
    cli::request some{.method = "PATCH", .path = "/uploads/" + id, .body = content.substr(0, 4096)};
    some.headers = {{"Upload-Offset", "0"}};
    REQUIRE(f.daemon.connect()->send(some).has_value());
    return id;
  };
  const auto done = f.ferry({"upload", "--quiet", "--resume", begin(), file});
  REQUIRE(done.status == 0);
  CHECK(content_of(done.output.substr(0, done.output.find('\n'))) == content);

  const auto other = f.write("other.bin", std::string(content.size(), 'x'));
  const auto changed = f.ferry({"upload", "--resume", begin(), other});
  CHECK(changed.status == 2);
  CHECK(says(changed, "what arrived is not what is there"));
  const auto shorter = f.ferry({"upload", "--resume", begin(), f.write("short.bin", "x")});
  CHECK(shorter.status == 2);
  CHECK(says(shorter, "is of a file of " + std::to_string(content.size()) + " bytes"));
}

TEST_CASE("a folder becomes a dataset, which can be shown and removed") {
  const files f;
  f.write("clips/a.png", "a");
  f.write("clips/one/b.png", "bb");
  f.write("clips/.hidden", "");
  const auto sent = f.ferry({"upload", f.path("clips"), "--dataset", "cats"});
  CHECK(sent.status == 0);
  CHECK(says(sent, "1 entry is left out"));
  CHECK(content_of(f.daemon.data() / "datasets/cats/one/b.png") == "bb");
  CHECK(f.ferry({"datasets", "--quiet"}).output == "cats\n");
  const auto shown = json::parse(f.ferry({"datasets", "show", "cats", "--format", "json"}).output);
  CHECK(shown["total"] == 2);
  CHECK(shown["files"].size() == 2);
  CHECK(f.ferry({"datasets", "show", "cats", "--quiet", "--limit", "1"}).output ==
        (f.daemon.data() / "datasets/cats/a.png").string() + "\n");
  CHECK(f.ferry({"datasets", "create", "cats"}).status == 6);
  CHECK(f.ferry({"datasets", "remove", "cats", "a.png", "--yes"}).status == 0);
  CHECK_FALSE(fs::exists(f.daemon.data() / "datasets/cats/a.png"));
  CHECK(f.ferry({"datasets", "remove", "cats", "--yes"}).status == 0);
  CHECK(f.ferry({"datasets", "show", "cats"}).status == 5);
}

TEST_CASE("the files of a job are fetched once, and nothing else is overwritten") {
  files f;
  f.daemon.finished(f.daemon.submit_script("cd $FERRY_JOB_DIR; mkdir out; echo one > out/1.txt; echo two > 2.txt; : > none"));
  CHECK(f.ferry({"artifacts", "1", "--quiet"}).output == "2.txt\nnone\nout/1.txt\n");
  CHECK(f.ferry({"artifacts", "1", "--quiet", "*.txt"}).output == "2.txt\nout/1.txt\n");
  CHECK(f.ferry({"artifacts", "1", "--quiet", "out/"}).output == "out/1.txt\n");
  CHECK(f.ferry({"artifacts", "1", "3.txt"}).status == 5);

  const auto got = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"artifacts", "1", "--get", "--to", f.path("got"), "--format", "json"});
    return f.ferry(more);
  };
  const auto first = json::parse(got({}).output);
  CHECK(first["files"].size() == 3);
  CHECK(content_of(f.path("got/out/1.txt")) == "one\n");
  CHECK(fs::exists(f.path("got/none")));
  CHECK(fs::last_write_time(f.path("got/2.txt")) <= fs::last_write_time(f.daemon.data() / "runs/1/jobs/1/2.txt"));
  for (const json& one : json::parse(got({}).output)["files"])
    CHECK(one["fetched"] == false);
  f.write("got/2.txt", "mine, of another size");
  CHECK(got({}).status == 6);
  CHECK(content_of(f.path("got/2.txt")) == "mine, of another size");
  CHECK(got({"--force"}).status == 0);
  CHECK(content_of(f.path("got/2.txt")) == "two\n");

  CHECK(f.ferry({"artifacts", "1", "--tar", f.path("all.tar")}).status == 0);
  CHECK(run_program({"tar", "tf", f.path("all.tar")}).output == "job-1/2.txt\njob-1/none\njob-1/out/1.txt\n");
  CHECK(f.ferry({"artifacts", "1", "--tar", f.path("all.tar")}).status == 6);
  CHECK(
      run_program({"sh", "-c",
                   "FERRY_SOCKET=" + f.daemon.socket().string() + " " FERRY_PROGRAM " artifacts 1 --tar - | tar x -O job-1/2.txt"})
          .output == "two\n");
}

TEST_CASE("a download that broke off goes on, unless the file is another by now") {
  files f;
  f.daemon.finished(f.daemon.submit_script("cd $FERRY_JOB_DIR; head -c 3000000 /dev/zero | tr '\\0' x > big.bin"));
  const fs::path original = f.daemon.data() / "runs/1/jobs/1/big.bin";
  const auto etag = [&] {
    const auto quoted = raw_connection(f.daemon.socket()).ask("HEAD", "/api/v1/jobs/1/artifacts/big.bin").header("ETag");
    return quoted.substr(1, quoted.size() - 2);
  };
  // What it has is kept: the mark at its beginning stays.
  const auto part = f.path(".big.bin." + etag() + ".part");
  f.write(fs::path(part).filename(), "mark" + std::string(999'996, 'x'));
  REQUIRE(f.ferry({"artifacts", "1", "--get", "--to", f.path("")}).status == 0);
  CHECK(content_of(f.path("big.bin")) == "mark" + std::string(2'999'996, 'x'));
  CHECK_FALSE(fs::exists(part));

  fs::remove(f.path("big.bin"));
  f.write(fs::path(part).filename(), "mark");
  std::ofstream(original, std::ios::app) << "more";
  REQUIRE(f.ferry({"artifacts", "1", "--get", "--to", f.path("")}).status == 0);
  CHECK(content_of(f.path("big.bin")) == content_of(original));
}
