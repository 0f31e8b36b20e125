#include "cli/completion_scripts.hpp"
#include "ferry_process.hpp"
#include "scripted_daemon.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

using namespace ferry::cli;
using namespace ferry::cli::test;

namespace {

// What bash offers for the last of these words.
std::string offered(const std::string& words, const how& h = {}) {
  const std::string script = "ferry() { " FERRY_PROGRAM " \"$@\"; }\nsource <(ferry completion bash)\nCOMP_WORDS=(" + words +
                             ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_ferry\necho \"${COMPREPLY[@]}\"\n";
  const auto r = run_program({"bash", "-c", script}, h);
  CHECK(r.err.empty());
  return r.out;
}

} // namespace

TEST_CASE("bash offers verbs, options and choices") {
  CHECK(offered("ferry que") == "queue\n");
  CHECK(offered("ferry submit upscale --pr") == "--priority\n");
  CHECK(offered("ferry --format json list --status fa") == "failed\n");
  CHECK(offered("ferry move 7 ''") == "top bottom\n");
  CHECK(offered("ferry completion z") == "zsh\n");
  CHECK(offered("ferry certs i") == "init issue\n");
  CHECK(offered("ferry certs issue worker1 --ho") == "--host\n");
  CHECK(offered("ferry submit --name queue --he") == "--held --help\n");
}

TEST_CASE("bash asks the daemon for job types and ids") {
  scripted_daemon daemon([](const asked& what) {
    return reply{.body = what.target.starts_with("/api/v1/job-types") ? R"({"job_types":[{"name":"upscale"},{"name":"train"}]})"
                                                                      : R"({"jobs":[{"id":42},{"id":41}],"next_before":null})"};
  });
  CHECK(offered("ferry submit u", {.socket = daemon.socket()}) == "upscale\n");
  CHECK(offered("ferry cancel 4", {.socket = daemon.socket()}) == "42 41\n");
}

TEST_CASE("bash asks the daemon for nodes") {
  scripted_daemon daemon([](const asked&) { return reply{.body = R"({"nodes":[{"name":"alpha"},{"name":"beta"}]})"}; });
  CHECK(offered("ferry node re") == "resume remove\n");
  CHECK(offered("ferry node drain a", {.socket = daemon.socket()}) == "alpha\n");
  CHECK(offered("ferry node remove alpha b", {.socket = daemon.socket()}) == "beta\n");
}

TEST_CASE("without a daemon nothing is offered and nothing is said") {
  CHECK(offered("ferry cancel ''", {.socket = "/nowhere/ferry.sock"}) == "\n");
}

TEST_CASE("the scripts of the shells that are installed are valid") {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    if (run_program({"sh", "-c", "command -v " + shell}, {}).status != 0)
      continue;
    const auto script = completion_script(shell);
    REQUIRE(script.has_value());
    const auto r = run_program({shell, "-n", "/dev/stdin"}, {.input = *script});
    CHECK(r.err.empty());
    CHECK(r.status == 0);
  }
}

TEST_CASE("every shell knows every verb") {
  for (const std::string shell : {"bash", "zsh", "fish"})
    for (const char* verb : {"submit", "queue", "unpause", "certs", "completion"})
      CHECK(completion_script(shell).value().find(verb) != std::string::npos);
  CHECK_FALSE(completion_script("tcsh").has_value());
}
