// Following along: GET /events.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"

#include "config/limits.hpp"

#include <fstream>
#include <map>
#include <set>

using namespace ferry;
using namespace ferry::tests;

namespace {

std::function<bool(const json&)> that(std::int64_t id, const std::string& status) {
  return [id, status](const json& data) { return data["id"] == id && data["status"] == status; };
}

} // namespace

TEST_CASE("what happens to a job is told as it happens") {
  daemon_process daemon;
  daemon.start();
  event_reader events{raw_connection(daemon.socket())};
  CHECK(events.head().starts_with("HTTP/1.1 200"));
  CHECK(events.head().find("text/event-stream") != std::string::npos);
  const auto hello = events.next();
  CHECK(hello.name == "hello");
  CHECK(hello.data["resumed"] == false);
  CHECK(hello.data["version"] == daemon.get("/status")["version"]);
  CHECK(events.next("queue").data["counts"]["running"] == 0);

  daemon.post("/queue/pause");
  events.next("queue", [](const json& data) { return data["paused"] == true; });
  const auto go = (daemon.directory() / "go").string();
  const auto id = daemon.submit_script("while ! test -e " + go + "; do sleep 0.02; done", {{"name", "first"}});
  const auto queued = events.next("job", that(id, "queued"));
  CHECK(queued.data["type"] == "command");
  CHECK(queued.data["name"] == "first");
  CHECK(queued.data["held"] == false);
  CHECK(queued.data["phase"].is_null());
  CHECK(queued.data["batch"].is_null());
  const auto path = "/jobs/" + std::to_string(id);
  daemon.post(path + "/hold");
  events.next("job", [&](const json& data) { return data["id"] == id && data["held"] == true; });
  daemon.patch(path, {{"name", "second"}, {"priority", 70}});
  events.next("job", [&](const json& data) { return data["id"] == id && data["name"] == "second"; });
  daemon.post(path + "/release");
  events.next("job", [&](const json& data) { return data["id"] == id && data["held"] == false; });
  daemon.post("/queue/unpause");
  const auto running = events.next("job", [&](const json& data) { return data["id"] == id && data["phase"] == "running"; });
  CHECK(running.data["status"] == "running");
  CHECK(running.data["device"] == "cpu");
  CHECK(running.data["batch"].is_number());
  events.next("queue", [](const json& data) { return data["counts"]["running"] == 1; });
  std::ofstream(go) << "";
  const auto ended = events.next("job", that(id, "completed"));
  CHECK(ended.data["batch"] == running.data["batch"]);
  events.next("queue", [](const json& data) { return data["counts"]["completed"] == 1; });
}

TEST_CASE("jobs that are cancelled, and jobs that follow from that, are told of") {
  daemon_process daemon;
  daemon.start();
  daemon.post("/queue/pause");
  const auto first = daemon.submit_script("true"),
             second = daemon.submit_script("true", {{"needs", {first}}, {"on_needs_failure", "cancel"}}),
             third = daemon.submit_script("true", {{"needs", {first}}, {"on_needs_failure", "hold"}});
  event_reader events{raw_connection(daemon.socket())};
  events.next("hello");
  daemon.post("/jobs/" + std::to_string(first) + "/cancel");
  events.next("job", that(first, "cancelled"));
  bool is_second_cancelled = false, is_third_held = false;
  while (!is_second_cancelled || !is_third_held) {
    const auto event = events.next("job");
    is_second_cancelled = is_second_cancelled || that(second, "cancelled")(event.data);
    is_third_held = is_third_held || (event.data["id"] == third && event.data["held"] == true);
  }
}

TEST_CASE("a reader that comes back gets what it missed, or is told to read anew") {
  daemon_process daemon;
  daemon.start();
  std::string last;
  {
    event_reader events{raw_connection(daemon.socket())};
    last = events.next("hello").id;
  }
  const auto id = daemon.submit_script("true");
  daemon.finished(id);
  {
    event_reader again{raw_connection(daemon.socket()), {}, last};
    CHECK(again.next().data["resumed"] == true);
    const auto ended = again.next();
    CHECK(ended.name == "job");
    CHECK(that(id, "completed")(ended.data));
    last = ended.id;
  }
  {
    event_reader again{raw_connection(daemon.socket()), "?last_event_id=" + last};
    CHECK(again.next().data["resumed"] == true);
    CHECK(again.next().name == "queue"); // no job has changed since
  }
  for (const std::string& other : std::vector<std::string>{"1-1", "nonsense", "99999999999999999999-1-2-3-4"}) {
    event_reader again{raw_connection(daemon.socket()), {}, other};
    CHECK(again.next("hello").data["resumed"] == false);
    CHECK(again.next().name == "resync");
  }
  daemon.crash_and_start();
  event_reader again{raw_connection(daemon.socket()), {}, last};
  CHECK(again.next("hello").data["resumed"] == false);
  CHECK(again.next().name == "resync");
}

TEST_CASE("one job's progress and log are followed, attempt after attempt") {
  daemon_process daemon(R"([job_types.twice]
command = ["sh", "-c", '''
  printf 'try \303'
  echo '{{"type":"progress","step":3,"total":4,"metrics":{{"loss":0.5}}}}' >> "$FERRY_EVENTS"
  while ! test -e {config_dir}/go; do sleep 0.02; done
  printf '\244\377\n'
  test -e {config_dir}/again || {{ touch {config_dir}/again; exit 3; }}
''']
retry = { exit_status = 1, delay = "10ms" }
)");
  daemon.start();
  const auto other = daemon.submit_script("true");
  const auto id = daemon.post("/jobs", {{"type", "twice"}})["id"].get<std::int64_t>();
  event_reader events{raw_connection(daemon.socket()), "?job=" + std::to_string(id) + "&log=1"};
  std::string text;
  bool has_progress = false;
  std::set<std::int64_t> batches;
  std::map<std::int64_t, std::int64_t> next; // by batch
  for (;;) {
    const auto event = events.next();
    REQUIRE(event.name != "queue");
    if (event.name == "progress") {
      CHECK(event.data["id"] == id);
      CHECK(event.data["progress"]["step"] == 3);
      CHECK(event.data["progress"]["metrics"]["loss"] == 0.5);
      has_progress = true;
      std::ofstream(daemon.directory() / "go") << "";
    } else if (event.name == "log") {
      CHECK(event.data["offset"] == next[event.data["batch"]]); // nothing is left out or told twice
      next[event.data["batch"]] = event.data["next"];
      text += event.data["text"].get<std::string>();
      batches.insert(event.data["batch"].get<std::int64_t>());
    } else if (event.name == "job") {
      CHECK(event.data["id"] == id);
      CHECK(event.data["id"] != other);
      REQUIRE(event.data["status"] != "failed");
    }
    const std::string whole = "try \xc3\xa4\xef\xbf\xbd\n"; // a byte that is none of UTF-8 is replaced
    if (text == whole + whole)
      break;
    REQUIRE(text.size() < 100);
  }
  CHECK(has_progress);
  CHECK(batches.size() == 2);

  // From the middle of the log, as a browser would that comes back.
  event_reader rest{raw_connection(daemon.socket()), "?job=" + std::to_string(id) + "&log=1&log_offset=-2"};
  const auto tail = rest.next("log");
  CHECK(tail.data["next"] == 8);
  event_reader end{raw_connection(daemon.socket()), "?job=" + std::to_string(id) + "&log=1", tail.id};
  CHECK(end.next("hello").data["resumed"] == true);
  CHECK(daemon.refused("GET", "/events?log=1").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", "/events?job=999").code == error_code::not_found);
}

TEST_CASE("streams are bounded, and one that is closed makes room") {
  daemon_process daemon;
  daemon.start();
  std::vector<event_reader> open;
  for (std::size_t n = 0; n < limits::event_streams_max; ++n) {
    open.emplace_back(raw_connection(daemon.socket()));
    REQUIRE(open.back().head().starts_with("HTTP/1.1 200"));
  }
  CHECK(raw_connection(daemon.socket()).ask("GET", "/api/v1/events").status == 503);
  open.pop_back();
  eventually([&] { return event_reader(raw_connection(daemon.socket())).head().starts_with("HTTP/1.1 200"); });
  CHECK(daemon.stop() == 0); // with all of them open
}

TEST_CASE("a reader that takes nothing costs the daemon nothing, and finds out what it missed") {
  daemon_process daemon;
  daemon.start();
  daemon.post("/queue/pause");
  event_reader events{raw_connection(daemon.socket())};
  events.next("hello");
  json jobs = json::array();
  for (std::size_t n = 0; n < limits::jobs_per_request_max; ++n)
    jobs.push_back({{"type", "command"}, {"params", {{"argv", {"true"}}}}, {"held", true}});
  for (std::size_t n = 0; n < 20; ++n)
    daemon.post("/jobs", {{"jobs", jobs}});
  const auto last = daemon.submit_script("true");
  std::int64_t told = 0;
  for (;;) { // either each job is told of, or that they were not
    const auto event = events.next();
    if (event.name == "resync")
      break;
    if (event.name == "job") {
      CHECK(event.data["id"] == ++told);
      if (told == last)
        break;
    }
  }
  for (bool is_told = false; !is_told;) { // what came while it was told so may be among what was missed
    const auto id = daemon.submit_script("true");
    for (std::string name; name != "resync" && !is_told;) {
      const auto event = events.next();
      name = event.name;
      is_told = name == "job" && that(id, "queued")(event.data);
    }
  }
}
