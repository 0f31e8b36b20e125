#include "runners/reported_lines.hpp"

#include "config/limits.hpp"

#include <catch2/catch_all.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace ferry;
using namespace ferry::runners;

namespace {

const instant now = from_unix_ms(1'000);

std::vector<run_job> jobs(std::initializer_list<std::int64_t> ids) {
  std::vector<run_job> made;
  for (const auto id : ids)
    made.push_back({job_id{id}, json::object(), "/data/runs/1/jobs/" + std::to_string(id)});
  return made;
}

} // namespace

TEST_CASE("progress: the newest of each job is kept") {
  reported_lines reported(jobs({1, 2}));
  reported.feed(R"({"type":"progress","value":0.1}
{"type":"progress","job":2,"step":4,"total":10,"message":"half"}
{"type":"progress","value":0.4}
)",
                now);
  const auto taken = reported.take_progress();
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].job.is_none());
  CHECK(taken[0].value.fraction == 0.4);
  CHECK(taken[1].job == job_id{2});
  CHECK(taken[1].value.fraction == 0.4);
  CHECK(taken[1].value.step == 4);
  CHECK(taken[1].value.message == "half");
  CHECK(reported.take_progress().empty());
  CHECK(reported.ignored() == 0);
}

TEST_CASE("progress out of bounds is left out, the rest of the line counts") {
  reported_lines reported(jobs({1}));
  reported.feed("{\"type\":\"progress\",\"value\":4.5,\"step\":-3,\"total\":0,\"message\":\"going\"}\n", now);
  const auto taken = reported.take_progress();
  REQUIRE(taken.size() == 1);
  CHECK_FALSE(taken[0].value.fraction.has_value());
  CHECK_FALSE(taken[0].value.step.has_value());
  CHECK_FALSE(taken[0].value.total.has_value());
  CHECK(taken[0].value.message == "going");
}

TEST_CASE("the first end that a job reports counts") {
  reported_lines reported(jobs({1, 2, 3}));
  reported.feed(R"({"type":"failed","job":2,"error":"CUDA out of memory","kind":"oom"}
{"type":"done","job":2,"result":{"late":true}}
{"type":"done","result":{"file":"a.png"}}
)",
                now);
  const auto ends = reported.take_events();
  REQUIRE(ends.size() == 3);
  const auto& failed = std::get<run_job_failed>(ends[0]);
  CHECK(failed.job == job_id{2});
  CHECK(failed.why.kind == failure_kind::oom);
  CHECK(failed.why.message == "CUDA out of memory");
  CHECK(std::get<run_job_done>(ends[1]).job == job_id{1});
  CHECK(std::get<run_job_done>(ends[2]).job == job_id{3});
  CHECK(std::get<run_job_done>(ends[2]).result.at("file") == "a.png");
  CHECK(reported.ignored() == 1);
}

TEST_CASE("kinds of failure, known and not") {
  reported_lines reported(jobs({1, 2, 3}));
  reported.feed(R"({"type":"failed","job":1,"error":"no such picture","kind":"input"}
{"type":"failed","job":2,"error":"try again","kind":"transient"}
{"type":"failed","job":3}
)",
                now);
  const auto ends = reported.take_events();
  REQUIRE(ends.size() == 3);
  CHECK(std::get<run_job_failed>(ends[0]).why.kind == failure_kind::input);
  CHECK(std::get<run_job_failed>(ends[1]).why.kind == failure_kind::transient);
  CHECK_FALSE(std::get<run_job_failed>(ends[2]).why.message.empty());
}

TEST_CASE("lines that cannot be understood are passed over and counted") {
  reported_lines reported(jobs({1}));
  reported.feed("not json\n{\"type\":\"progress\",\"job\":99,\"value\":0.5}\n{\"type\":7}\n[]\n{\"type\":\"dance\"}\n\n \r\n", now);
  reported.feed(std::string("\xff\xfe\x00\x01", 4) + "\n{\"type\":\"progress\",\"job\":\"one\"}\n", now);
  CHECK(reported.take_progress().empty());
  CHECK(reported.take_events().empty());
  CHECK(reported.ignored() == 7);
  reported.feed(std::string(limits::result_bytes_max + limits::event_line_bytes_max + 1, 'x') + "\n", now);
  CHECK(reported.ignored() == 8);
  reported.feed("{\"type\":\"progress\",\"value\":0.5}\n", now);
  CHECK(reported.take_progress().size() == 1);
}

TEST_CASE("a last line without a newline is read at the end, if it is whole") {
  reported_lines reported(jobs({1}));
  reported.feed(R"({"type":"done","result":1})", now);
  CHECK(reported.take_events().empty());
  reported.end(now);
  CHECK(reported.take_events().size() == 1);
  reported_lines cut(jobs({1}));
  cut.feed(R"({"type":"done","resu)", now);
  cut.end(now);
  CHECK(cut.take_events().empty());
  CHECK(cut.ignored() == 1);
}

TEST_CASE("artifacts are taken when they lie in the job's directory") {
  reported_lines reported(jobs({1, 2}));
  reported.feed(R"({"type":"artifact","job":2,"path":"out/a.png"}
{"type":"artifact","job":2,"path":"/data/runs/1/jobs/2/b.png"}
{"type":"artifact","job":2,"path":"out/../out/a.png"}
{"type":"artifact","job":2,"path":"../1/secret"}
{"type":"artifact","job":2,"path":"/etc/passwd"}
{"type":"artifact","job":2,"path":""}
)",
                now);
  CHECK(reported.artifacts()[0].empty());
  CHECK(reported.artifacts()[1] == std::vector<std::string>{"out/a.png", "b.png"});
  CHECK(reported.ignored() == 3);
}

TEST_CASE("a long message is cut between characters") {
  reported_lines reported(jobs({1}));
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += "é";
  reported.feed(json{{"type", "progress"}, {"message", text}}.dump() + "\n", now);
  const auto message = reported.take_progress().at(0).value.message;
  CHECK(message.size() <= 1000);
  CHECK_FALSE(message.empty());
  CHECK_NOTHROW(json(message).dump());
}

TEST_CASE("checkpoints, readiness and metrics are understood; a checkpoint without a path is not") {
  reported_lines reported({{job_id{1}, json::object(), "/runs/1/jobs/1"}});
  reported.feed(R"({"type":"ready"}
{"type":"checkpoint","path":"out/c-5.pt","step":5}
{"type":"checkpoint"}
{"type":"checkpoint","path":""}
{"type":"progress","step":5,"metrics":{"loss":0.5,"lr":"nan","grad":"-inf","note":"text","nested":{}}}
)",
                from_unix_ms(7));
  const auto events = reported.take_events();
  REQUIRE(events.size() == 2);
  CHECK(std::get<run_loaded>(events[0]).at == from_unix_ms(7));
  CHECK(std::get<run_checkpoint>(events[1]).path == "out/c-5.pt");
  CHECK(std::get<run_checkpoint>(events[1]).step == 5);
  CHECK(reported.ignored() == 2);
  const auto progress = reported.take_progress();
  REQUIRE(progress.size() == 1);
  const auto& metrics = progress[0].value.metrics;
  CHECK(metrics.size() == 3);
  CHECK(metrics.at("loss") == 0.5);
  CHECK(std::isnan(metrics.at("lr")));
  CHECK(metrics.at("grad") == -std::numeric_limits<double>::infinity());
  // As the shim stores it and the daemon reads it.
  for (const run_event& event : {events[0], events[1], run_event(progress[0])}) {
    const auto read = run_event_from(to_json(event));
    REQUIRE(read);
    CHECK(to_json(*read) == to_json(event));
  }
}

TEST_CASE("a line that nests deeper than could be written down again is passed over, in whatever it says") {
  for (const std::size_t levels : {std::size_t{1}, limits::json_depth_max - 1, limits::json_depth_max, std::size_t{30'000}}) {
    reported_lines reported(jobs({1}));
    reported.feed(R"({"type":"done","result":)" + std::string(levels, '[') + std::string(levels, ']') + "}\n", now);
    const bool fits = levels < limits::json_depth_max;
    CHECK(reported.has_ended({1}) == fits);
    CHECK(reported.ignored() == (fits ? 0 : 1));
    for (const auto& event : reported.take_events())
      CHECK_FALSE(to_json(event).dump().empty());
  }
  reported_lines reported(jobs({1}));
  reported.feed(R"({"type":"progress","value":0.5,"message":")" + std::string(1'000, '[') + "\"}\n",
                now); // in a text they are not levels
  CHECK(reported.take_progress().size() == 1);
}

TEST_CASE("a job is named by a whole number, and a fraction that no integer holds is none") {
  reported_lines reported(jobs({1}));
  reported.feed("{\"type\":\"progress\",\"value\":0.4,\"job\":3e31}\n{\"type\":\"progress\",\"value\":0.4,\"job\":1.5}\n", now);
  CHECK(reported.ignored() == 2);
  CHECK(reported.take_progress().empty());
}
