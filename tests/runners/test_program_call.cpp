#include "run_harness.hpp"
#include "runners/descriptor.hpp"
#include "runners/program_call.hpp"

#include <atomic>
#include <catch2/catch_all.hpp>
#include <csignal>
#include <fcntl.h>
#include <thread>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;
using namespace std::chrono_literals;

namespace {

result<std::string> shell(const std::string& script, std::chrono::milliseconds timeout = 30s, std::size_t bytes_max = 1000) {
  return call({.words = {"sh", "-c", script}, .environment = {"GREETING=hello"}, .timeout = timeout, .bytes_max = bytes_max});
}

} // namespace

TEST_CASE("a program is called with its own environment alone, and what it prints is its answer") {
  CHECK(shell("echo $GREETING $HOME; echo aside >&2") == "hello\n");
  CHECK(call({.words = {"printf", "%s", "$(id); `id`"}, .environment = {}}) == "$(id); `id`"); // no shell in between
  CHECK(shell("cat") == "");                                                                   // there is nothing to read
}

TEST_CASE("a program that is called holds nothing of its caller's") {
  const descriptor mine(::open("/dev/null", O_RDONLY)); // as sockets of Boost.Asio are: not closed by exec
  REQUIRE(mine);
  CHECK(shell("ls /proc/self/fd | tr '\\n' ' '") == "0 1 2 3 "); // the last is what ls reads
}

TEST_CASE("a program that fails says why in one line") {
  const auto failed = shell("echo one >&2; echo two >&2; exit 3");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == error_code::unavailable);
  CHECK(failed.error().what == "sh ended with status 3: one; two");
  CHECK(shell("kill -9 $$").error().what == "sh ended with signal 9");
  CHECK(call({.words = {"no-such-program-of-ferry"}, .environment = {}}).error().code == error_code::not_found);
}

TEST_CASE("a program that does not end in time is ended, with what it started") {
  const scratch folder;
  const auto file = (folder.path() / "pid").string();
  const auto begun = std::chrono::steady_clock::now();
  const auto late = shell("sleep 1000 & echo $! > " + file + "; wait", 500ms);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == error_code::unavailable);
  CHECK(std::chrono::steady_clock::now() - begun < 30s);
  const auto left = find_process(std::stoi(read_text(file)));
  CHECK((!left || !is_alive(*left)));
  // One that closes its streams and stays is no better.
  CHECK_FALSE(shell("exec >/dev/null 2>&1; sleep 1000", 300ms));
}

TEST_CASE("a program that nobody waits for any more is ended") {
  const auto abandoned = std::make_shared<std::atomic<bool>>(false);
  const scratch folder;
  const auto file = folder.path() / "pid";
  std::thread giving_up([&] {
    std::error_code none_yet;
    while (std::filesystem::file_size(file, none_yet) == 0 || none_yet)
      std::this_thread::sleep_for(1ms);
    *abandoned = true;
  });
  const auto given_up = call({.words = {"sh", "-c", "echo $$ > " + file.string() + "; exec sleep 1000"},
                              .environment = {},
                              .timeout = 1h,
                              .abandoned = abandoned});
  giving_up.join();
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().what == "sh was not waited for");
  const auto left = find_process(std::stoi(read_text(file)));
  CHECK((!left || !is_alive(*left)));
}

TEST_CASE("a program may not print without bound") {
  CHECK(shell("yes", 30s).error().code == error_code::too_large);
  CHECK(shell("yes >&2", 300ms).error().code == error_code::unavailable);
}
