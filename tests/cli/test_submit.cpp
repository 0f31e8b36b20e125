#include "config/locations.hpp"
#include "ferry_process.hpp"
#include "scripted_daemon.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace ferry::cli::test;
using nlohmann::json;

namespace {

reply accepted(int id, int position = 1) { return {.status = 201, .body = json{{"id", id}, {"position", position}}.dump()}; }

// Without whose they are, which one test looks at.
json body_of(const asked& what) {
  json body = json::parse(what.body);
  body.erase("user");
  if (body.contains("jobs"))
    for (json& job : body["jobs"])
      job.erase("user");
  return body;
}

// Answers a bulk submit with the ids that follow `last`.
reply accept_all(const asked& what, int& last) {
  json jobs = json::array();
  const std::size_t count = body_of(what)["jobs"].size();
  for (std::size_t i = 0; i < count; ++i)
    jobs.push_back({{"id", ++last}, {"position", last}});
  return {.status = 201, .body = json{{"jobs", jobs}}.dump()};
}

std::string lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i)
    text += R"({"type":"upscale","params":{"n":)" + std::to_string(i) + "}}\n";
  return text;
}

} // namespace

TEST_CASE("submit sends the job and says where it stands") {
  scripted_daemon daemon([](const asked&) { return accepted(42, 3); });
  const auto r = run_ferry({"submit", "upscale", "--param", "scale=2", "--json", R"({"source":"a.png","scale":1})", "--priority",
                            "60", "--name", "china ×2", "--held"},
                           {.socket = daemon.socket()});
  CHECK(r.status == 0);
  CHECK(r.out == "job 42 queued at position 3; `ferry logs -f 42` follows it\n");
  CHECK(r.err.empty());
  REQUIRE(daemon.requests().size() == 1);
  const asked what = daemon.requests()[0];
  CHECK(what.method == "POST");
  CHECK(what.target == "/api/v1/jobs");
  CHECK(body_of(what) == json{{"type", "upscale"},
                              {"params", {{"source", "a.png"}, {"scale", 2}}},
                              {"priority", 60},
                              {"name", "china ×2"},
                              {"held", true},
                              {"base_dir", "/"}});
  CHECK(what.idempotency_key.size() == 32);
}

TEST_CASE("a quiet submit prints the id alone, and every submit has a key of its own") {
  scripted_daemon daemon([](const asked&) { return accepted(42); });
  CHECK(run_ferry({"submit", "--quiet", "upscale"}, {.socket = daemon.socket()}).out == "42\n");
  CHECK(run_ferry({"submit", "-q", "upscale", "--idempotency-key", "mine"}, {.socket = daemon.socket()}).out == "42\n");
  CHECK(run_ferry({"submit", "-q", "upscale"}, {.socket = daemon.socket()}).out == "42\n");
  const auto asked = daemon.requests();
  REQUIRE(asked.size() == 3);
  CHECK(asked[1].idempotency_key == "mine");
  CHECK(asked[0].idempotency_key != asked[2].idempotency_key);
}

TEST_CASE("submit prints the daemon's JSON as it is") {
  scripted_daemon daemon([](const asked&) { return reply{.status = 201, .body = R"({"position":1,"id":42})"}; });
  CHECK(run_ferry({"submit", "upscale", "--format", "json"}, {.socket = daemon.socket()}).out == "{\"position\":1,\"id\":42}\n");
  CHECK(run_ferry({"--format=json", "submit", "upscale"}, {.socket = daemon.socket()}).out == "{\"position\":1,\"id\":42}\n");
  CHECK(run_ferry({"submit", "upscale"}, {.environment = {{"FERRY_FORMAT", "json"}}, .socket = daemon.socket()}).out ==
        "{\"position\":1,\"id\":42}\n");
}

TEST_CASE("a command runs where it was submitted") {
  scripted_daemon daemon([](const asked&) { return accepted(1); });
  const auto here = daemon.folder();
  CHECK(
      run_ferry({"submit", "command", "--", "python3", "x.py", "--quiet"}, {.socket = daemon.socket(), .directory = here}).status ==
      0);
  CHECK(run_ferry({"submit", "command", "--cwd", "sub/", "--", "ls"}, {.socket = daemon.socket(), .directory = here}).status == 0);
  const auto asked = daemon.requests();
  REQUIRE(asked.size() == 2);
  CHECK(body_of(asked[0])["params"] == json{{"argv", {"python3", "x.py", "--quiet"}}, {"cwd", here.string()}});
  CHECK(body_of(asked[1])["params"] == json{{"argv", {"ls"}}, {"cwd", (here / "sub").string()}});
}

TEST_CASE("wrong usage is refused before anything is sent") {
  scripted_daemon daemon([](const asked&) { return accepted(1); });
  const how h{.socket = daemon.socket()};
  const auto refusal = [&](const std::vector<std::string>& words) {
    const auto r = run_ferry(words, h);
    CHECK(r.status == 2);
    CHECK(r.out.empty());
    return r.err;
  };
  CHECK(refusal({"submit"}) == "ferry: TYPE is missing: which job type to submit (`ferry types` lists them)\n");
  CHECK(refusal({"submit", "command"}) == "ferry: the program to run is missing (ferry submit command -- PROGRAM ARG…)\n");
  CHECK(refusal({"submit", "upscale", "--", "ls"}) ==
        "ferry: only jobs of type command take a program after -- (set parameters of upscale with --param)\n");
  CHECK(refusal({"submit", "upscale", "--priority", "101"}) ==
        "ferry: --priority must be a whole number from 0 to 100, is \"101\" (`ferry help submit` says what it takes)\n");
  CHECK(refusal({"submit", "upscale", "--idempotency-key", "a\r\nX: y"})
            .starts_with("ferry: --idempotency-key must be printable ASCII"));
  CHECK(refusal({"submit", "upscale", "--param", "x=\xff"}).starts_with("ferry: a parameter, name or argument holds bytes"));
  CHECK(daemon.requests().empty());
}

TEST_CASE("every problem that the daemon names is shown") {
  scripted_daemon daemon([](const asked&) {
    return reply{.status = 400,
                 .body = R"({"error": {"code": "invalid_argument", "message": "the parameters of upscale are not valid",
      "hint": "see `ferry types upscale`", "problems": [{"where": "/scale", "what": "must be at most 8, is 9", "hint": ""},
      {"where": "/soruce", "what": "is not\u001b known", "hint": "did you mean source?"}]}})"};
  });
  const auto r = run_ferry({"submit", "upscale"}, {.socket = daemon.socket()});
  CHECK(r.status == 2);
  CHECK(r.err == "ferry: the parameters of upscale are not valid (see `ferry types upscale`)\n"
                 "  /scale: must be at most 8, is 9\n"
                 "  /soruce: is not\\x1b known (did you mean source?)\n");
  const auto j = run_ferry({"submit", "upscale", "--format", "json"}, {.socket = daemon.socket()});
  CHECK(j.out.empty());
  CHECK(json::parse(j.err)["error"]["problems"][0]["where"] == "/scale");
}

TEST_CASE("a submit whose connection breaks is sent again with the same key") {
  std::atomic<int> times = 0;
  scripted_daemon daemon([&](const asked&) {
    const int now = ++times;
    if (now == 2)
      return reply{.status = 503, .body = R"({"error":{"code":"unavailable","message":"restarting","hint":"","problems":[]}})"};
    return now < 3 ? reply{.hang_up = true} : accepted(42);
  });
  const auto r = run_ferry({"submit", "-q", "upscale"}, {.socket = daemon.socket()});
  CHECK(r.status == 0);
  CHECK(r.out == "42\n");
  const auto asked = daemon.requests();
  REQUIRE(asked.size() == 3);
  CHECK(asked[0].idempotency_key == asked[1].idempotency_key);
  CHECK(asked[0].idempotency_key == asked[2].idempotency_key);
  CHECK(asked[0].body == asked[2].body);
}

TEST_CASE("submit --wait ends with the job's own status") {
  const auto status_for = [](const std::string& job, const std::string& expected_line) {
    scripted_daemon daemon([&](const asked& what) { return what.method == "POST" ? accepted(42) : reply{.body = job}; });
    const auto r = run_ferry({"submit", "upscale", "--wait"}, {.socket = daemon.socket()});
    CHECK(r.out == "job 42 queued at position 1; `ferry logs -f 42` follows it\n" + expected_line);
    CHECK(daemon.requests()[1].target == "/api/v1/jobs/42?wait=60");
    return r.status;
  };
  CHECK(status_for(R"({"id":42,"status":"completed"})", "job 42 completed\n") == 0);
  CHECK(status_for(R"({"id":42,"status":"failed","failure":{"message":"ended with status 3","exit_status":3}})",
                   "job 42 failed: ended with status 3\n") == 3);
  CHECK(status_for(R"({"id":42,"status":"failed","failure":{"message":"killed","signal":9}})", "job 42 failed: killed\n") == 137);
  CHECK(status_for(R"({"id":42,"status":"cancelled"})", "job 42 cancelled\n") == 1);
}

TEST_CASE("a long poll that ends without an end is asked again") {
  std::atomic<int> times = 0;
  scripted_daemon daemon([&](const asked& what) {
    if (what.method == "POST")
      return accepted(42);
    return reply{.body = ++times < 3 ? R"({"id":42,"status":"running"})" : R"({"id":42,"status":"completed"})"};
  });
  CHECK(run_ferry({"submit", "upscale", "-q", "--wait"}, {.socket = daemon.socket()}).out == "42\n");
  CHECK(times == 3);
}

TEST_CASE("the option --follow writes the output, and ferry's own words elsewhere") {
  scripted_daemon daemon([&](const asked& what) {
    if (what.method == "POST")
      return accepted(42);
    if (what.target.starts_with("/api/v1/jobs/42/log?offset=0"))
      return reply{.body = "one\n", .headers = {{"Ferry-Log-Offset", "0"}, {"Ferry-Log-Next", "4"}}};
    if (what.target.starts_with("/api/v1/jobs/42/log?offset=4"))
      return reply{.body = "two", .headers = {{"Ferry-Log-Offset", "4"}, {"Ferry-Log-Next", "7"}, {"Ferry-Log-Complete", "true"}}};
    return reply{.body = R"({"id":42,"status":"failed","failure":{"message":"ended with status 7","exit_status":7}})"};
  });
  const auto r = run_ferry({"submit", "upscale", "--follow"}, {.socket = daemon.socket()});
  CHECK(r.status == 7);
  CHECK(r.out == "one\ntwo");
  CHECK(r.err == "job 42 queued at position 1; `ferry logs -f 42` follows it\njob 42 failed: ended with status 7\n");
}

TEST_CASE("a file of jobs is sent in requests of a thousand, each with a key of its own") {
  int last = 0;
  scripted_daemon daemon([&](const asked& what) { return accept_all(what, last); });
  const auto r =
      run_ferry({"submit", "--from", "-", "--idempotency-key", "night"}, {.socket = daemon.socket(), .input = lines(2'500)});
  CHECK(r.status == 0);
  CHECK(r.out == "2,500 jobs queued: 1-2500\n");
  const auto asked = daemon.requests();
  REQUIRE(asked.size() == 3);
  CHECK(body_of(asked[0])["jobs"].size() == 1'000);
  CHECK(body_of(asked[2])["jobs"].size() == 500);
  CHECK(body_of(asked[2])["base_dir"] == "/");
  CHECK(body_of(asked[2])["jobs"][499] == json::parse(R"({"type":"upscale","params":{"n":2500}})"));
  CHECK(asked[0].idempotency_key == "night/1");
  CHECK(asked[2].idempotency_key == "night/3");
  CHECK(daemon.connections() == 1);
}

TEST_CASE("many quiet submits print an id a line, and as JSON one document") {
  int last = 0;
  scripted_daemon daemon([&](const asked& what) { return accept_all(what, last); });
  CHECK(run_ferry({"submit", "-q", "--from", "-"}, {.socket = daemon.socket(), .input = lines(2)}).out == "1\n2\n");
  CHECK(run_ferry({"submit", "--format", "json", "--from", "-"}, {.socket = daemon.socket(), .input = lines(1)}).out ==
        "{\"jobs\":[{\"id\":3,\"position\":3}]}\n");
  CHECK(run_ferry({"submit", "--from", "-"}, {.socket = daemon.socket()}).out == "0 jobs queued\n");
}

TEST_CASE("a fault that names no problem is placed in the file too") {
  scripted_daemon daemon([](const asked&) {
    return reply{.status = 400,
                 .body = R"({"error":{"code":"invalid_argument","message":"/jobs/1/name must be text","hint":"","problems":[]}})"};
  });
  const auto r = run_ferry({"submit", "--from", "-"}, {.socket = daemon.socket(), .input = "\n" + lines(2)});
  CHECK(r.err == "ferry: standard input:3: /name must be text\n");
}

TEST_CASE("a bad line stops a file, and what is in the queue already is said") {
  int last = 0;
  scripted_daemon daemon([&](const asked& what) {
    if (what.body.find("\"n\":1500") == std::string::npos)
      return accept_all(what, last);
    return reply{.status = 400, .body = R"({"error":{"code":"invalid_argument","message":"1 of 1000 jobs is not valid","hint":"",
      "problems":[{"where":"/jobs/499/params/n","what":"must be at most 1000, is 1500","hint":""}]}})"};
  });
  const auto file = daemon.folder() / "jobs.jsonl";
  std::ofstream(file) << lines(3'000);
  const auto r = run_ferry({"submit", "--from", file.string()}, {.socket = daemon.socket()});
  CHECK(r.status == 2);
  CHECK(r.err == "ferry: 1 of 1000 jobs is not valid (lines 1 to 1000 of " + file.string() +
                     " are in the queue (jobs 1-1000), the rest is not)\n  " + file.string() +
                     ":1500: /params/n: must be at most 1000, is 1500\n");
}

TEST_CASE("needs are sent as a list, and a job that waits for them says so") {
  scripted_daemon daemon([](const asked&) {
    return reply{.status = 201, .body = R"({"id":42,"position":null,"waiting_for":"needs job 40, which is running"})"};
  });
  const auto r = run_ferry({"submit", "upscale", "--needs", "40,41", "--needs", "7", "--on-needs-failure", "start"},
                           {.socket = daemon.socket()});
  CHECK(r.out == "job 42 waits: needs job 40, which is running\n");
  CHECK(body_of(daemon.requests().at(0))["needs"] == json{40, 41, 7});
  CHECK(body_of(daemon.requests().at(0))["on_needs_failure"] == "start");
  const auto refusal = [&](const std::vector<std::string>& words) { return run_ferry(words, {.socket = daemon.socket()}).err; };
  CHECK(refusal({"submit", "upscale", "--needs", "40,,41"}).starts_with("ferry: --needs: "));
  CHECK(refusal({"submit", "upscale", "--needs", "x"}).starts_with("ferry: --needs: "));
  CHECK(refusal({"submit", "upscale", "--on-needs-failure", "hold"}) == "ferry: --on-needs-failure says nothing without --needs\n");
  CHECK(refusal({"submit", "upscale", "--needs", "1", "--on-needs-failure", "wait"})
            .starts_with("ferry: --on-needs-failure must be one of hold, cancel, start, is \"wait\""));
  CHECK(daemon.requests().size() == 1);
}

TEST_CASE("the devices that a job asks for are sent by their labels, each once") {
  scripted_daemon daemon([](const asked&) { return reply{.status = 201, .body = R"({"id":7,"position":1})"}; });
  CHECK(run_ferry({"submit", "upscale", "--on", "gpu=h100", "--on", "room=a=b"}, {.socket = daemon.socket()}).status == 0);
  CHECK(body_of(daemon.requests().at(0))["on"] == json{{"gpu", "h100"}, {"room", "a=b"}});
  for (const char* wrong : {"gpu", "=h100", "gpu="})
    CHECK(run_ferry({"submit", "upscale", "--on", wrong}, {.socket = daemon.socket()}).err.find("must be LABEL=VALUE") !=
          std::string::npos);
  CHECK(run_ferry({"submit", "upscale", "--on", "gpu=a", "--on", "gpu=b"}, {.socket = daemon.socket()}).err.find("twice") !=
        std::string::npos);
  CHECK(daemon.requests().size() == 1);
}

TEST_CASE("group and unique key are sent, and a job that is there already is named plainly") {
  scripted_daemon daemon([](const asked& what) {
    return body_of(what).contains("jobs")
               ? reply{.status = 201, .body = R"({"jobs":[{"id":7,"position":1},{"id":3,"position":null,"existing":true}]})"}
               : reply{.status = 200, .body = R"({"id":3,"position":null,"existing":true})"};
  });
  const auto r = run_ferry({"submit", "upscale", "--group", "night", "--unique", "k"}, {.socket = daemon.socket()});
  CHECK(r.out == "job 3 is it already\n");
  CHECK(body_of(daemon.requests().at(0))["group"] == "night");
  CHECK(body_of(daemon.requests().at(0))["unique_key"] == "k");
  const auto many = run_ferry({"submit", "upscale", "--from", "-"}, {.socket = daemon.socket(), .input = lines(2)});
  CHECK(many.out == "1 job queued: 7; 1 there already\n");
  CHECK(json::parse(
            run_ferry({"submit", "upscale", "--from", "-", "--format", "json"}, {.socket = daemon.socket(), .input = lines(2)})
                .out)["jobs"][1]["existing"] == true);
}

TEST_CASE("a job is that of the user named, by option or environment, else of who is logged in") {
  int last = 0;
  scripted_daemon daemon(
      [&](const asked& what) { return json::parse(what.body).contains("jobs") ? accept_all(what, last) : accepted(++last); });
  CHECK(run_ferry({"submit", "upscale", "--user", "ada"}, {.environment = {{"FERRY_USER", "ben"}}, .socket = daemon.socket()})
            .status == 0);
  CHECK(run_ferry({"submit", "upscale"}, {.environment = {{"FERRY_USER", "ben"}}, .socket = daemon.socket()}).status == 0);
  CHECK(run_ferry({"submit", "upscale"}, {.environment = {{"FERRY_USER", ""}}, .socket = daemon.socket()}).status == 0);
  CHECK(run_ferry({"submit", "upscale", "--user", "ada", "--sweep", "n=1,2"}, {.socket = daemon.socket()}).status == 0);
  const auto asked = daemon.requests();
  REQUIRE(asked.size() == 4);
  CHECK(json::parse(asked[0].body)["user"] == "ada");
  CHECK(json::parse(asked[1].body)["user"] == "ben");
  CHECK(json::parse(asked[2].body)["user"] == ferry::config::login_name(::getuid()));
  for (const json& job : json::parse(asked[3].body)["jobs"])
    CHECK(job["user"] == "ada");
}
