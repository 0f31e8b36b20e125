// `ferry run` and the rollback switch: real programs, no daemon.
#include "ferry_process.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace ferry::cli::test;
namespace fs = std::filesystem;

namespace {

class folder {
public:
  folder() { fs::create_directories(path() / "tmp"); }
  [[nodiscard]] const fs::path& path() const { return scratch_.path(); }
  // No configuration but what is given; temporary files within the folder.
  [[nodiscard]] how at(std::map<std::string, std::string> more = {}) const {
    more["HOME"] = path().string();
    more["TMPDIR"] = (path() / "tmp").string();
    return {.environment = std::move(more), .socket = path() / "no.sock", .directory = path()};
  }
  [[nodiscard]] bool left_nothing() const { return fs::is_empty(path() / "tmp"); }

private:
  ferry::tests::scratch_folder scratch_;
};

} // namespace

TEST_CASE("run passes streams and status through and leaves nothing behind") {
  const folder f;
  how h = f.at();
  h.input = "from stdin";
  const auto r = run_ferry({"run", "command", "--", "sh", "-c", "cat; pwd; echo err >&2; exit 7"}, h);
  CHECK(r.status == 7);
  CHECK(r.out == "from stdin" + f.path().string() + "\n");
  CHECK(r.err == "err\n");
  CHECK(f.left_nothing());
}

TEST_CASE("a signal that ends the program is passed on as a shell would") {
  const folder f;
  CHECK(run_ferry({"run", "command", "--", "sh", "-c", "kill -TERM $$"}, f.at()).status == 128 + 15);
}

TEST_CASE("what the job leaves in its directory is kept and named") {
  const folder f;
  const auto r =
      run_ferry({"run", "command", "--", "sh", "-c", "echo x > \"$FERRY_JOB_DIR/out.txt\"; test -s \"$FERRY_SPEC\""}, f.at());
  CHECK(r.status == 0);
  REQUIRE(r.err.starts_with("ferry: results in " + f.path().string() + "/tmp/ferry-run-"));
  const fs::path where = r.err.substr(18, r.err.size() - 19);
  CHECK(fs::exists(where / "out.txt"));
}

TEST_CASE("the option --output takes the results and nothing else stays") {
  const folder f;
  const auto r = run_ferry({"run", "command", "--output", "here", "--", "sh", "-c", "echo x > \"$FERRY_JOB_DIR/out.txt\""}, f.at());
  CHECK(r.status == 0);
  CHECK(r.err == "ferry: results in " + (f.path() / "here").string() + "\n");
  CHECK(fs::exists(f.path() / "here" / "out.txt"));
  CHECK(f.left_nothing());
}

TEST_CASE("a program that is not there is an error with its reason") {
  const folder f;
  const auto r = run_ferry({"run", "command", "--", "/no/such/program"}, f.at());
  CHECK(r.status == 2);
  CHECK(r.err == "ferry: the program /no/such/program cannot be started: No such file or directory\n");
  CHECK(run_ferry({"run", "command", "--cwd", "/no/such", "--", "ls"}, f.at()).err ==
        "ferry: the directory /no/such cannot be entered: No such file or directory\n");
  CHECK(f.left_nothing());
}

TEST_CASE("a type that does not exist is refused with the nearest") {
  const folder f;
  const auto r = run_ferry({"run", "comand", "--param", "a=1"}, f.at());
  CHECK(r.status == 5);
  CHECK(r.err == "ferry: there is no job type \"comand\" (did you mean command?)\n");
}

TEST_CASE("a configured type is run with its defaults, and its parameters are checked") {
  const folder f;
  std::ofstream(f.path() / "ferry.toml") << R"(
[job_types.greet]
command = ["echo", "hello", "{params.who}", "{params.times}"]
device = "cpu"
[job_types.greet.parameters]
type = "object"
required = ["who"]
properties.who = {type = "string"}
properties.times = {type = "integer", maximum = 3, default = 2}
)";
  CHECK(run_ferry({"run", "greet", "--config", "ferry.toml", "-p", "who=you"}, f.at()).out == "hello you 2\n");
  CHECK(run_ferry({"submit", "greet", "-p", "who=me"}, f.at({{"DISABLE_QUEUE", "true"}, {"FERRY_CONFIG", "ferry.toml"}})).out ==
        "hello me 2\n");
  const auto r = run_ferry({"run", "greet", "--config", "ferry.toml", "-p", "times=9", "-p", "whom=you"}, f.at());
  CHECK(r.status == 2);
  CHECK(r.err.find("/times") != std::string::npos);
  CHECK(r.err.find("whom") != std::string::npos);
  CHECK(r.out.empty());
}

TEST_CASE("DISABLE_QUEUE runs a whole file of jobs, one after the other") {
  const folder f;
  how h = f.at({{"DISABLE_QUEUE", "true"}});
  h.input = "{\"params\":{\"argv\":[\"echo\",\"one\"]}}\n{\"params\":{\"argv\":[\"false\"]}}\n{\"params\":{\"argv\":[\"pwd\"]}}\n";
  const auto r = run_ferry({"submit", "command", "--from", "-"}, h);
  CHECK(r.status == 1);
  CHECK(r.out == "one\n" + f.path().string() + "\n");
  h.environment["DISABLE_QUEUE"] = "false";
  CHECK(run_ferry({"submit", "command", "--from", "-"}, h).status == 3);
}
