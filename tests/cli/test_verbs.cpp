// What each verb asks of the daemon, what it prints, and how it ends.
#include "ferry_process.hpp"
#include "scripted_daemon.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace ferry::cli::test;
using nlohmann::json;

namespace {

reply refused(int status, const std::string& code, const std::string& message) {
  return {.status = status,
          .body = json{{"error", {{"code", code}, {"message", message}, {"hint", ""}, {"problems", json::array()}}}}.dump()};
}

std::string number_in(const std::string& target) {
  const auto at = target.find("/jobs/") + 6;
  return target.substr(at, target.find_first_of("/?", at) - at);
}

// Every job is queued at the place that its id says.
reply queued_job(const asked& what) {
  const std::string id = number_in(what.target);
  return {.body = R"({"id":)" + id + R"(,"type":"upscale","status":"queued","held":false,"position":)" + id + "}"};
}

} // namespace

TEST_CASE("without a daemon ferry says how to start one") {
  const std::string expected = "ferry: no ferry daemon listens at /nowhere/ferry.sock (`ferry up` starts one)\n";
  for (const std::string verb : {"queue", "status", "list", "types"}) {
    const auto r = run_ferry({verb}, {.environment = {{"HOME", "/nonexistent"}}, .socket = "/nowhere/ferry.sock"});
    CHECK(r.status == 3);
    CHECK(r.out.empty());
    CHECK(r.err == expected);
  }
}

TEST_CASE("an error of the daemon becomes an exit status of its own") {
  const auto status_for = [](int http, const std::string& code) {
    scripted_daemon daemon([&](const asked&) { return refused(http, code, "no"); });
    const auto r = run_ferry({"hold", "7"}, {.socket = daemon.socket()});
    CHECK(r.err == "ferry: no\n");
    return r.status;
  };
  CHECK(status_for(400, "invalid_argument") == 2);
  CHECK(status_for(401, "unauthorized") == 4);
  CHECK(status_for(404, "not_found") == 5);
  CHECK(status_for(409, "conflict") == 6);
  CHECK(status_for(413, "too_large") == 2);
  CHECK(status_for(500, "internal") == 7);
  CHECK(status_for(500, "a code of later versions") == 7);
  CHECK(status_for(503, "unavailable") == 3);
  CHECK(status_for(507, "disk_full") == 7);
}

TEST_CASE("an answer that is no error document is reported as what it is") {
  scripted_daemon daemon([](const asked&) { return reply{.status = 502, .body = "<html>"}; });
  const auto r = run_ferry({"queue"}, {.socket = daemon.socket()});
  CHECK(r.status == 7);
  CHECK(r.err == "ferry: the daemon answered with HTTP status 502 and no reason\n");
}

TEST_CASE("verbs on jobs ask for one after the other over one connection") {
  for (const std::string verb : {"hold", "release", "retry", "cancel"}) {
    scripted_daemon daemon(queued_job);
    const auto r = run_ferry({verb, "3", "1"}, {.socket = daemon.socket()});
    CHECK(r.status == 0);
    const auto asked = daemon.requests();
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].method == "POST");
    CHECK(asked[0].target == "/api/v1/jobs/3/" + verb);
    CHECK(asked[1].target == "/api/v1/jobs/1/" + verb);
    CHECK(daemon.connections() == 1);
    if (verb != "cancel")
      CHECK(r.out == "job 3 queued at position 3\njob 1 queued at position 1\n");
    else
      CHECK(r.out == "job 3 is being stopped\njob 1 is being stopped\n");
  }
}

TEST_CASE("one bad id does not stop the others, and its status is the answer") {
  scripted_daemon daemon([](const asked& what) {
    return number_in(what.target) == "9" ? refused(404, "not_found", "there is no job 9") : queued_job(what);
  });
  const auto r = run_ferry({"hold", "3", "9", "4"}, {.socket = daemon.socket()});
  CHECK(r.status == 5);
  CHECK(r.out == "job 3 queued at position 3\njob 4 queued at position 4\n");
  CHECK(r.err == "ferry: there is no job 9\n");
}

TEST_CASE("show prints an object for one job and an array for several") {
  scripted_daemon daemon(queued_job);
  const auto one = run_ferry({"show", "3", "--format", "json"}, {.socket = daemon.socket()});
  CHECK(json::parse(one.out)["id"] == 3);
  const auto two = run_ferry({"show", "3", "4", "--format", "json"}, {.socket = daemon.socket()});
  CHECK(json::parse(two.out)[1]["id"] == 4);
  CHECK(run_ferry({"show", "3", "--history"}, {.socket = daemon.socket()}).status == 0);
  CHECK(daemon.requests().back().target == "/api/v1/jobs/3/history");
}

TEST_CASE("wait ends with 0 only if all completed") {
  const auto status_for = [](const std::string& second) {
    scripted_daemon daemon([&](const asked& what) {
      const std::string id = number_in(what.target);
      return reply{.body = R"({"id":)" + id + R"(,"status":")" + (id == "2" ? second : "completed") + R"("})"};
    });
    const auto r = run_ferry({"wait", "1", "2"}, {.socket = daemon.socket()});
    CHECK(r.out == "job 1 completed\njob 2 " + second + "\n");
    CHECK(daemon.requests()[0].target == "/api/v1/jobs/1?wait=60");
    return r.status;
  };
  CHECK(status_for("completed") == 0);
  CHECK(status_for("failed") == 1);
  CHECK(status_for("cancelled") == 1);
}

TEST_CASE("wait outlives a daemon that goes away and comes back") {
  std::atomic<int> times = 0;
  scripted_daemon daemon(
      [&](const asked&) { return ++times == 1 ? reply{.hang_up = true} : reply{.body = R"({"id":1,"status":"completed"})"}; });
  CHECK(run_ferry({"wait", "-q", "1"}, {.socket = daemon.socket()}).status == 0);
  CHECK(times == 2);
}

TEST_CASE("Ctrl-C ends the watching and says that the job goes on") {
  scripted_daemon daemon([](const asked& what) {
    ::kill(what.pid, SIGINT);
    return reply{.hang_up = true};
  });
  const auto r = run_ferry({"wait", "7"}, {.socket = daemon.socket()});
  CHECK(r.status == 130);
  CHECK(r.err == "\njob 7 goes on; `ferry logs -f 7` follows it, `ferry cancel 7` ends it\n");
}

TEST_CASE("what may not be done twice is not asked twice") {
  scripted_daemon daemon([](const asked&) { return reply{.hang_up = true}; });
  const auto r = run_ferry({"retry", "1"}, {.socket = daemon.socket()});
  CHECK(r.status == 3);
  CHECK(r.err.find("went away before it answered") != std::string::npos);
  CHECK(daemon.requests().size() == 1);
}

TEST_CASE("cancel --wait waits until the processes are gone") {
  scripted_daemon daemon([](const asked& what) {
    return reply{.body = what.method == "POST" ? R"({"id":1,"status":"running","phase":"stopping"})"
                                               : R"({"id":1,"status":"cancelled"})"};
  });
  CHECK(run_ferry({"cancel", "--wait", "1"}, {.socket = daemon.socket()}).out == "job 1 cancelled\n");
}

TEST_CASE("the queue as JSON is the daemon's answer") {
  const std::string body = R"({"paused":false,"counts":{"queued":0,"held":0,"running":0},"jobs":[]})";
  scripted_daemon daemon([&](const asked&) { return reply{.body = body}; });
  CHECK(run_ferry({"queue", "--format", "json", "--limit", "7"}, {.socket = daemon.socket()}).out == body + "\n");
  CHECK(daemon.requests()[0].target == "/api/v1/queue?offset=0&limit=7");
}

TEST_CASE("a page longer than one request is put together") {
  scripted_daemon daemon([&](const asked& what) {
    const int offset = std::stoi(what.target.substr(what.target.find("offset=") + 7));
    const int limit = std::stoi(what.target.substr(what.target.find("limit=") + 6));
    json jobs = json::array();
    for (int i = offset; i < std::min(1'200, offset + limit); ++i)
      jobs.push_back({{"id", i + 1}, {"status", "queued"}, {"position", i + 1}});
    return reply{.body = json{{"paused", false}, {"counts", {{"queued", 1'200}}}, {"jobs", jobs}}.dump()};
  });
  const auto all = run_ferry({"queue", "--format", "json", "--limit", "5000"}, {.socket = daemon.socket()});
  const json answer = json::parse(all.out);
  REQUIRE(answer["jobs"].size() == 1'200);
  CHECK(answer["jobs"][1'199]["id"] == 1'200);
  CHECK(daemon.requests().size() == 2);
  CHECK(run_ferry({"queue", "-q", "-n", "2"}, {.socket = daemon.socket()}).out == "1\n2\n");
  const auto page = run_ferry({"queue", "-n", "2", "--offset", "10"}, {.socket = daemon.socket()});
  CHECK(page.out.ends_with("\n1,188 more: `ferry queue --offset 12`\n"));
}

TEST_CASE("list passes its filters on") {
  scripted_daemon daemon([](const asked&) { return reply{.body = R"({"jobs":[{"id":5,"status":"failed"}],"next_before":5})"}; });
  const auto r = run_ferry(
      {"ls", "--status", "failed,cancelled", "--type", "up scale", "--name", "a&b", "--before", "9", "--limit", "1", "--all"},
      {.socket = daemon.socket()});
  CHECK(r.status == 0);
  CHECK(daemon.requests()[0].target ==
        "/api/v1/jobs?limit=1&status=failed,cancelled&type=up%20scale&name=a%26b&before=9&cleared=true");
  CHECK(r.out == "JOB  STATUS\n  5  failed\n\nolder ones: `ferry list --before 5`\n");
}

TEST_CASE("logs copies all there is") {
  const std::string log = std::string(3'000, 'a') + "\n\x1b[31mraw\xff";
  scripted_daemon daemon([&](const asked& what) {
    const auto offset = static_cast<std::size_t>(std::stoll(what.target.substr(what.target.find("offset=") + 7)));
    const std::string piece = log.substr(offset, 1'000);
    return reply{
        .body = piece,
        .headers = {{"Ferry-Log-Offset", std::to_string(offset)}, {"Ferry-Log-Next", std::to_string(offset + piece.size())}}};
  });
  CHECK(run_ferry({"logs", "1"}, {.socket = daemon.socket()}).out == log);
}

TEST_CASE("logs -n finds the last lines") {
  std::string log;
  for (int i = 0; i < 40'000; ++i)
    log += "line " + std::to_string(i) + "\n";
  scripted_daemon daemon([&](const asked& what) {
    auto offset = std::stoll(what.target.substr(what.target.find("offset=") + 7));
    const auto limit = std::stoull(what.target.substr(what.target.find("limit=") + 6));
    const auto size = static_cast<long long>(log.size());
    offset = offset < 0 ? std::max(0LL, size + offset) : offset;
    const std::string piece = log.substr(static_cast<std::size_t>(offset), limit);
    const auto next = offset + static_cast<long long>(piece.size());
    return reply{.body = piece,
                 .headers = {{"Ferry-Log-Offset", std::to_string(offset)},
                             {"Ferry-Log-Next", std::to_string(next)},
                             {"Ferry-Log-Complete", next == size ? "true" : "false"}}};
  });
  const how h{.socket = daemon.socket()};
  CHECK(run_ferry({"logs", "1", "-n", "2"}, h).out == "line 39998\nline 39999\n");
  CHECK(run_ferry({"logs", "1", "-n", "0"}, h).out.empty());
  CHECK(run_ferry({"logs", "1", "-n", "30000"}, h).out == log.substr(log.find("line 10000\n")));
  CHECK(run_ferry({"logs", "1", "-n", "50000"}, h).out == log);
  CHECK(run_ferry({"logs", "1", "-n", "1", "--format", "json"}, h).out ==
        "{\"line\":\"line 39999\",\"offset\":" + std::to_string(log.size() - 11) + "}\n");
}

TEST_CASE("move, priority, pause and clear say what they ask for") {
  scripted_daemon daemon([](const asked& what) {
    if (what.target.ends_with("/clear"))
      return reply{.body = R"({"cleared":12})"};
    return what.target.find("/queue/") != std::string::npos ? reply{.body = R"({"paused":true})"} : queued_job(what);
  });
  const how h{.socket = daemon.socket()};
  CHECK(run_ferry({"move", "7", "3"}, h).status == 0);
  CHECK(run_ferry({"move", "7", "top"}, h).status == 0);
  CHECK(run_ferry({"priority", "7", "90"}, h).status == 0);
  CHECK(run_ferry({"pause"}, h).out == "the queue is paused: nothing new is started until `ferry unpause`\n");
  CHECK(run_ferry({"unpause"}, h).out == "jobs are started again\n");
  CHECK(run_ferry({"clear"}, h).out == "12 jobs cleared; they can still be shown by id\n");
  CHECK(run_ferry({"clear", "--status", "failed,cancelled"}, h).status == 0);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"POST /api/v1/jobs/7/move", R"({"position":3})"},
      {"POST /api/v1/jobs/7/move", R"({"position":"top"})"},
      {"PATCH /api/v1/jobs/7", R"({"priority":90})"},
      {"POST /api/v1/queue/pause", ""},
      {"POST /api/v1/queue/unpause", ""},
      {"POST /api/v1/queue/clear", "{}"},
      {"POST /api/v1/queue/clear", R"({"status":["failed","cancelled"]})"}};
  const auto asked = daemon.requests();
  REQUIRE(asked.size() == expected.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    CHECK(asked[i].method + " " + asked[i].target == expected[i].first);
    CHECK(asked[i].body == expected[i].second);
  }
  CHECK(run_ferry({"move", "7", "0"}, h).status == 2);
  CHECK(run_ferry({"priority", "7", "101"}, h).status == 2);
  CHECK(daemon.requests().size() == expected.size());
}

TEST_CASE("types tells of one, of all, and of one that is not there") {
  scripted_daemon daemon([](const asked&) {
    return reply{
        .body =
            R"({"job_types":[{"name":"upscale","description":"d","device":"cpu","slots":1,"parameters":{}},{"name":"train"}]})"};
  });
  const how h{.socket = daemon.socket()};
  CHECK(run_ferry({"types", "--quiet"}, h).out == "upscale\ntrain\n");
  CHECK(json::parse(run_ferry({"types", "upscale", "--format", "json"}, h).out)["name"] == "upscale");
  const auto r = run_ferry({"types", "upscael"}, h);
  CHECK(r.status == 5);
  CHECK(r.err == "ferry: there is no job type \"upscael\" (did you mean upscale?)\n");
}

TEST_CASE("a mistyped verb or option is answered with the nearest") {
  CHECK(run_ferry({"quue"}, {}).err == "ferry: there is no verb \"quue\" (did you mean `ferry queue`?)\n");
  CHECK(run_ferry({"quue"}, {}).status == 2);
  CHECK(run_ferry({"queue", "--limt", "3"}, {}).err == "ferry: there is no option --limt (did you mean --limit?)\n");
  CHECK(run_ferry({"--fromat", "json", "queue"}, {}).status == 2);
  CHECK(run_ferry({"queue", "--format", "xml"}, {}).err.starts_with("ferry: --format must be one of table, json, is \"xml\""));
}

TEST_CASE("help, version and every verb's help work without a daemon") {
  const auto all = run_ferry({}, {});
  CHECK(all.status == 0);
  CHECK(run_ferry({"help"}, {}).out == all.out);
  CHECK(run_ferry({"--help"}, {}).out == all.out);
  CHECK(run_ferry({"--version"}, {}).out == run_ferry({"version"}, {}).out);
  const std::string list = all.out.substr(all.out.find("Verbs:\n") + 7);
  for (std::size_t at = 0; list[at] == ' '; at = list.find('\n', at) + 1) {
    const std::string verb = list.substr(at + 2, list.find(' ', at + 2) - at - 2);
    const auto r = run_ferry({verb, "--help"}, {});
    CHECK(r.status == 0);
    CHECK(r.out.find("Usage: ferry " + verb) != std::string::npos);
    CHECK(run_ferry({"help", verb}, {}).out == r.out);
  }
}

TEST_CASE("output that cannot be written is an error") {
  const auto r = run_program({"/bin/sh", "-c", std::string("exec ") + FERRY_PROGRAM + " help > /dev/full"}, {});
  CHECK(r.status == 7);
  CHECK(r.err == "ferry: the output cannot be written: No space left on device\n");
}

TEST_CASE("edit sends what the options name") {
  scripted_daemon daemon([](const asked& what) {
    if (what.method == "GET")
      return reply{.body = R"({"id":7,"status":"queued","position":1,"params":{"weights":{"vis":1,"edge":2},"seed":3}})"};
    return queued_job(what);
  });
  const how h{.socket = daemon.socket()};
  CHECK(run_ferry({"edit", "7", "--param", "seed=null", "--json", R"({"steps":4})", "--name", "n", "--priority", "3"}, h).status ==
        0);
  CHECK(json::parse(daemon.requests().back().body) ==
        json{{"name", "n"}, {"priority", 3}, {"params", {{"seed", nullptr}, {"steps", 4}}}, {"base_dir", "/"}});
  CHECK(daemon.requests().size() == 1);
  CHECK(run_ferry({"edit", "7", "-p", "weights.vis=9"}, h).status == 0);
  CHECK(json::parse(daemon.requests().back().body) ==
        json{{"params", {{"weights", {{"vis", 9}, {"edge", 2}}}}}, {"base_dir", "/"}});
}

TEST_CASE("edit opens the editor on the job and sends what changed") {
  scripted_daemon daemon([](const asked& what) {
    if (what.method == "GET")
      return reply{.body = R"({"id":7,"status":"queued","position":1,"name":"old","priority":50,"params":{"a":1,"b":2}})"};
    return queued_job(what);
  });
  const auto with_editor = [&](const std::string& script) {
    return run_ferry({"edit", "7"}, {.environment = {{"EDITOR", script}, {"VISUAL", ""}}, .socket = daemon.socket()});
  };
  CHECK(with_editor("sed -i -e s/old/new/ -e /\\\"b\\\"/d -e s/1,/5/").status == 0);
  CHECK(json::parse(daemon.requests().back().body) == json::parse(R"({"name":"new","params":{"a":5,"b":null}})"));

  const auto untouched = with_editor("true");
  CHECK(untouched.status == 0);
  CHECK(untouched.err == "nothing was changed\n");
  CHECK(daemon.requests().back().method == "GET");

  const auto broken = with_editor("sed -i s/{/[/");
  CHECK(broken.status == 2);
  CHECK(broken.err.starts_with("ferry: what you wrote is not valid JSON"));
  const auto kept = broken.err.substr(broken.err.find("kept in ") + 8);
  const std::filesystem::path file = kept.substr(0, kept.find(')'));
  CHECK(std::filesystem::exists(file));
  std::filesystem::remove_all(file.parent_path());

  CHECK(with_editor("false").err.find("ended with status 1; nothing was changed") != std::string::npos);
}

TEST_CASE("a job that is not queued is not edited") {
  scripted_daemon daemon([](const asked&) { return reply{.body = R"({"id":7,"status":"running"})"}; });
  const auto r = run_ferry({"edit", "7"}, {.environment = {{"EDITOR", "true"}}, .socket = daemon.socket()});
  CHECK(r.status == 6);
  CHECK(r.err == "ferry: only a queued job can be edited, job 7 is running\n");
}

TEST_CASE("on a terminal JSON is indented and tables fit") {
  scripted_daemon daemon([](const asked& what) {
    if (what.target.starts_with("/api/v1/queue"))
      return reply{.body = R"({"paused":false,"counts":{"queued":1},"jobs":[{"id":1,"status":"queued","position":1,
                   "type":"a_very_long_type_name_for_a_terminal","name":"a very long name for such a terminal"}]})"};
    return reply{.body = "{\"id\":1,\"name\":\"x\xc2\x9by\"}"};
  });
  const auto table = run_ferry({"queue"}, {.environment = {{"NO_COLOR", "1"}}, .socket = daemon.socket(), .columns = 44});
  CHECK(table.out == "0 running · 1 queued · 0 held\r\n\r\n"
                     "#  JOB  NAME           TYPE           STATUS\r\n"
                     "1    1  a very long …  a_very_long_…  queued\r\n");
  const auto shown = run_ferry({"show", "1", "--format", "json"}, {.socket = daemon.socket(), .columns = 80});
  CHECK(shown.out == "{\r\n  \"id\": 1,\r\n  \"name\": \"x\\u009by\"\r\n}\r\n");
  const auto coloured = run_ferry({"queue"}, {.socket = daemon.socket(), .columns = 80});
  CHECK(coloured.out.find("\x1b[1m") != std::string::npos);
}

TEST_CASE("on a terminal a followed job has a progress line below its output") {
  scripted_daemon daemon([](const asked& what) {
    if (what.target.find("/log?") == std::string::npos)
      return reply{.body = what.target.ends_with("wait=60")
                               ? R"({"id":1,"status":"completed"})"
                               : R"({"id":1,"status":"running","progress":{"fraction":0.5,"step":1,"total":2}})"};
    return reply{.body = "10%|#\r50%|##\rdone\nlast", .headers = {{"Ferry-Log-Next", "22"}, {"Ferry-Log-Complete", "true"}}};
  });
  const auto r = run_ferry({"logs", "-f", "1"}, {.socket = daemon.socket(), .columns = 80});
  CHECK(r.status == 0);
  CHECK(r.out == "\r\x1b[Kjob 1 ▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░ 50%  1/2\r\x1b[Kdone\r\nlast\r\njob 1 completed\r\n");
}

TEST_CASE("suspend, resume, retry and the holding of types ask for what they say") {
  scripted_daemon daemon([](const asked& what) {
    if (what.target.find("/queue/") != std::string::npos)
      return reply{.body = R"({"paused":true,"suspended":2,"released":1})"};
    return reply{.body = R"({"id":7,"status":"queued","position":3,"name":"upscale"})"};
  });
  const auto run = [&](const std::vector<std::string>& words) { return run_ferry(words, {.socket = daemon.socket()}); };
  CHECK(run({"suspend", "7"}).out == "job 7 (upscale) queued at position 3\n");
  CHECK(run({"suspend", "--all"}).out == "2 jobs asked to leave, and nothing new is started until `ferry resume --all`\n");
  CHECK(run({"resume", "7"}).status == 0);
  CHECK(run({"resume", "--all"}).out == "the queue goes on; 1 job resumed\n");
  CHECK(run({"resume", "--as-new", "7"}).out == "job 7 queued at position 3; `ferry logs -f 7` follows it\n");
  CHECK(run({"retry", "--from-scratch", "7"}).status == 0);
  CHECK(run({"hold", "--type", "upscale"}).out == "no job of type upscale is started until `ferry release --type upscale`\n");
  CHECK(run({"release", "--type", "upscale"}).out == "jobs of type upscale may start again\n");
  const auto requests = daemon.requests();
  REQUIRE(requests.size() == 8);
  CHECK(requests[0].target == "/api/v1/jobs/7/suspend");
  CHECK(requests[1].target == "/api/v1/queue/suspend");
  CHECK(requests[2].target == "/api/v1/jobs/7/resume");
  CHECK(requests[3].target == "/api/v1/queue/resume");
  CHECK(requests[4].body == R"({"as_new":true})");
  CHECK(requests[5].body == R"({"from_scratch":true})");
  CHECK(requests[6].target == "/api/v1/job-types/upscale/hold");
  CHECK(requests[7].target == "/api/v1/job-types/upscale/release");
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"suspend"},
                                                                                     {"suspend", "--all", "7"},
                                                                                     {"resume"},
                                                                                     {"resume", "--all", "--as-new"},
                                                                                     {"hold"},
                                                                                     {"hold", "-t", "x", "7"}}) {
    CAPTURE(wrong);
    CHECK(run(wrong).status == 2);
  }
  CHECK(daemon.requests().size() == 8);
}

TEST_CASE("group shows and changes groups") {
  scripted_daemon daemon([](const asked& what) {
    return reply{.body = what.method == "PATCH" ? R"({"name":"a b","queued":3,"running":1,"parallel":0,"paused":true})"
                                                : R"({"groups":[{"name":"a b","queued":3,"running":1,"parallel":0,"paused":false},
                                  {"name":"night","queued":1200,"running":0,"parallel":2,"paused":true}]})"};
  });
  const how h{.socket = daemon.socket()};
  CHECK(run_ferry({"group"}, h).out == "GROUP  QUEUED  RUNNING  PARALLEL  PAUSED\n"
                                       "a b         3        1       any\n"
                                       "night   1,200        0         2  paused\n");
  CHECK(run_ferry({"group", "night"}, h).out == "group night is paused; at most 2 jobs at once; 0 running, 1,200 queued\n");
  CHECK(run_ferry({"group", "-q"}, h).out == "a b\nnight\n");
  CHECK(run_ferry({"group", "a b", "--pause", "--parallel", "0"}, h).out ==
        "group a b is paused; any number of jobs at once; 1 running, 3 queued\n");
  CHECK(daemon.requests().back().target == "/api/v1/groups/a%20b");
  CHECK(json::parse(daemon.requests().back().body) == json{{"parallel", 0}, {"paused", true}});
  const auto sent = daemon.requests().size();
  CHECK(run_ferry({"group", "--pause"}, h).err == "ferry: NAME is missing: which group to change (`ferry group` lists them)\n");
  CHECK(run_ferry({"group", "x", "--pause", "--unpause"}, h).status == 2);
  CHECK(run_ferry({"group", "x", "--parallel", "-1"}, h).status == 2);
  CHECK(daemon.requests().size() == sent);
  CHECK(run_ferry({"group", "day"}, h).err == "ferry: there is no group \"day\" (`ferry group` lists them)\n");
}
