// `ferry simulate` on small traces that it makes itself.
#include "cli/simulate/csv_reader.hpp"
#include "cli/simulate/export_table.hpp"
#include "cli/simulate/schedule_picture.hpp"
#include "cli/simulate/trace.hpp"
#include "ferry_process.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>

using namespace ferry;
using namespace ferry::cli;
using namespace ferry::cli::test;
using namespace std::chrono_literals;
using Catch::Approx;

namespace {

// Everything in the file, fields joined by |, records by /.
std::string records(const std::string& text) {
  std::istringstream in(text);
  csv_reader reader(in);
  std::string all;
  for (;;) {
    auto record = reader.next();
    if (!record)
      return all + "! " + record.error().what;
    if (!*record)
      return all;
    all += std::to_string(reader.line()) + ":";
    for (const std::string& field : **record)
      all += field + "|";
    all += "/";
  }
}

result<trace> traced(const std::string& text, const trace_columns& columns = {}) {
  std::istringstream in(text);
  return read_trace(in, "day.csv", columns);
}

std::string refusal(const std::string& text, const trace_columns& columns = {}) {
  const auto read = traced(text, columns);
  return read ? "it was read" : to_string(read.error());
}

class folder {
public:
  [[nodiscard]] std::string file(const std::string& name) const { return (scratch_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(file(name)).rdbuf();
    return text.str();
  }
  [[nodiscard]] ran simulate(std::vector<std::string> words) const {
    words.insert(words.begin(), "simulate");
    return run_ferry(words, {.socket = file("no.sock"), .directory = scratch_.path()});
  }

private:
  ferry::tests::scratch_folder scratch_;
};

// Two models in turn, forty jobs, six seconds apart, ten or twenty seconds each.
std::string two_models() {
  std::string text = "arrival,duration,model,steps\n";
  for (int i = 0; i < 40; ++i)
    text += std::to_string(i * 6) + "," + (i % 4 < 2 ? "10" : "20") + "," + (i % 2 == 0 ? "A" : "B") + "," +
            (i % 4 < 2 ? "10" : "20") + "\n";
  return text;
}

} // namespace

TEST_CASE("a table is read as RFC 4180 has it") {
  CHECK(records("a,b\n1,2\n") == "1:a|b|/2:1|2|/");
  CHECK(records("\xEF\xBB\xBF"
                "a,b\r\n1,\r\n\r\n,2") == "1:a|b|/2:1||/4:|2|/");
  CHECK(records("\"a,\"\"b\"\"\nc\",d\ne,f\n") == "1:a,\"b\"\nc|d|/3:e|f|/");
  CHECK(records("\"\"\n") == "1:|/");
  CHECK(records("a\n\"b") == "1:a|/! a quote is not closed");
  CHECK(records("").empty());
}

TEST_CASE("a trace is jobs in the order of their arrival, with parameters as JSON has them") {
  const auto read = traced("arrival,duration,type,user,priority,size.width,model,draft,note\n"
                           "20,1.5,b,ann,90,512,M,true,x\n"
                           "3.25,2,a,,,0.5,,false,y\n",
                           {.parameters = {"size.width", "model", "draft"}});
  REQUIRE(read);
  REQUIRE(read->jobs.size() == 2);
  CHECK(read->lines == std::vector{3, 2});
  CHECK(read->jobs[0].arrival == from_unix_ms(3250));
  CHECK(read->jobs[0].params.dump() == R"({"draft":false,"size":{"width":0.5}})");
  CHECK(read->jobs[0].priority == priority_default);
  CHECK(read->jobs[1].took == 1500ms);
  CHECK(read->jobs[1].user == "ann");
  CHECK(read->jobs[1].priority == 90);
  CHECK(read->types.at(read->jobs[1].type) == "b");
  CHECK(read->jobs[1].params.dump() == R"({"draft":true,"model":"M","size":{"width":512}})");
}

TEST_CASE("arrivals may be times, in any zone") {
  const auto read = traced("when,duration\n2026-01-31T12:00:00.250Z,1\n2026-01-31 12:00:01,1\n2026-01-31T14:30:02+02:30,1\n",
                           {.arrival = "when"});
  REQUIRE(read);
  CHECK(to_rfc3339(read->jobs[0].arrival) == "2026-01-31T12:00:00.250Z");
  CHECK(to_rfc3339(read->jobs[1].arrival) == "2026-01-31T12:00:01.000Z");
  CHECK(to_rfc3339(read->jobs[2].arrival) == "2026-01-31T12:00:02.000Z");
}

TEST_CASE("only rows with the wanted values are read, and others may be as they like") {
  const trace_columns columns{.where = {{"status", "ok"}}};
  const auto read = traced("arrival,duration,status\n1,1,ok\n2,,waiting\n3,3,ok\n", columns);
  REQUIRE(read);
  CHECK(read->jobs.size() == 2);
  CHECK(read->left_out == 1);
  CHECK(refusal("arrival,duration,status\n2,,waiting\n", columns) == "day.csv has no jobs that --where lets in");
}

TEST_CASE("P8: bad rows are refused whole, each with file, line, column and value") {
  const auto text = refusal("arrival,duration,priority\nsoon,1,\n2,-3,\n3,1,101\n4\n2026-02-30 12:00:00,1,\n");
  CAPTURE(text);
  CHECK(text.find("day.csv:2: arrival: must be seconds or a time such as 2026-01-31T12:00:00Z, is \"soon\"") != text.npos);
  CHECK(text.find("day.csv:3: duration: must be seconds, from 0 to 31622400, is \"-3\"") != text.npos);
  CHECK(text.find("day.csv:4: priority: must be a whole number from 0 to 100, is \"101\"") != text.npos);
  CHECK(text.find("day.csv:5: has 1 fields, and the first line names 3 columns") != text.npos);
  CHECK(text.find("day.csv:6: arrival: ") != text.npos);
  CHECK(text.find("--where COLUMN=VALUE") != text.npos);
}

TEST_CASE("columns that are not there are named, with the nearest that is") {
  const auto text = refusal("arival,duration,modle\n1,1,M\n", {.parameters = {"model"}});
  CAPTURE(text);
  CHECK(text.find("it has arival, duration, modle") != text.npos);
  CHECK(text.find("day.csv:1: arrival: there is no such column (--arrival names it)") != text.npos);
  CHECK(text.find("model: there is no such column (did you mean modle?)") != text.npos);
  CHECK(refusal("") == "day.csv is empty (its first line names the columns)");
}

TEST_CASE("simulate compares policies, and the learned one loads less and is done sooner") {
  const folder f;
  f.write("day.csv", two_models());
  const auto r = f.simulate({"day.csv", "--warm-key", "model", "--same", "steps", "--estimate", "steps", "--load", "30", "--policy",
                             "learned,fifo", "--format", "json"});
  CHECK(r.err.empty());
  REQUIRE(r.status == 0);
  const json policies = json::parse(r.out)["policies"];
  const json &learned = policies["learned"], &fifo = policies["fifo"];
  CHECK(fifo["loads"] == 40);
  CHECK(fifo["batches"] == 40);
  CHECK(learned["loads"].get<int>() < 10);
  CHECK(learned["completion"]["mean_seconds"] < fifo["completion"]["mean_seconds"]);
  CHECK(learned["overtaking"]["kept"] == true);
  CHECK(learned["overtaking"]["most_seconds"] <= 120);
  CHECK(json::parse(r.out)["estimates_one_job_ahead"]["jobs"] == 39);
}

TEST_CASE("simulate prints a table for people") {
  const folder f;
  f.write("day.csv", "arrival,duration,model\n0,10,A\n5,10,A\n");
  const auto r = f.simulate({"day.csv", "--warm-key", "model", "--load", "20"});
  CHECK(r.status == 0);
  CHECK(r.out.find("arrival to end, mean") != r.out.npos);
  CHECK(r.out.find("32.5 s") != r.out.npos); // 30 and 35
  CHECK(r.out.find("learned: the overtaking bound of 120 s was kept\n") != r.out.npos);
}

TEST_CASE("simulate writes the schedule as a table and as a picture") {
  const folder f;
  f.write("day.csv", "arrival,duration,model\n0,10,A & B\n5,10,A & B\n6,10,A & B\n");
  const auto r =
      f.simulate({"day.csv", "--warm-key", "model", "--max-items", "4", "--load", "20", "--csv", "out.csv", "--svg", "out.svg"});
  REQUIRE(r.status == 0);
  CHECK(f.read("out.csv") == "line,type,arrival,start,work,end,device,batch,first_line,size,loads,duration,estimate,p90\n"
                             "2,job,0.000,0.000,20.000,30.000,gpu0,1,2,1,1,10.000,,\n"
                             "3,job,5.000,30.000,30.000,45.000,gpu0,2,3,2,0,10.000,,\n"
                             "4,job,6.000,30.000,30.000,45.000,gpu0,2,3,2,0,10.000,,\n");
  const auto picture = f.read("out.svg");
  CHECK(picture.starts_with("<svg "));
  CHECK(picture.ends_with("</svg>\n"));
  CHECK(picture.find("2 jobs of A &amp; B, 0:30 to 0:45") != picture.npos);
  CHECK(picture.find("url(#loading)") != picture.npos);
  CHECK(picture.find("A & B") == picture.npos);
}

TEST_CASE("a picture of a long time is not much larger than one of a short time") {
  scheduling::simulation day;
  day.types = {{.name = "job"}};
  day.devices = {{.id = "gpu0"}};
  scheduling::schedule played;
  for (int i = 0; i < 200'000; ++i) {
    const auto at = from_unix_ms(i * 10'000LL);
    day.jobs.push_back({.arrival = at, .took = 9s});
    played.runs.push_back({.starts = at, .works = at, .ends = at + 9s, .jobs = {static_cast<std::size_t>(i)}, .warm = "{}"});
  }
  CHECK(schedule_picture(day, played, "a month").size() < 40'000'000);
  day.jobs.clear();
  CHECK(schedule_picture(day, {}, "nothing").ends_with("</svg>\n"));
}

TEST_CASE("what simulate is told wrongly is refused with the option, the value and the bound") {
  const folder f;
  f.write("day.csv", "arrival,duration\n0,10\n");
  const auto said = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "day.csv");
    const auto r = f.simulate(std::move(words));
    CHECK(r.status == 2);
    return r.err;
  };
  CHECK(said({"--load", "much"}).find("--load must be a number from 0 to 31622400, is \"much\"") != std::string::npos);
  CHECK(said({"--price", "-1"}).find("--price must be") != std::string::npos);
  CHECK(said({"--where", "x"}).find("--where must be COLUMN=VALUE, is \"x\"") != std::string::npos);
  CHECK(said({"--policy", "best"}).find("best") != std::string::npos);
  CHECK(said({"--same", "steps"}).find("steps: there is no such column") != std::string::npos);
  CHECK(f.simulate({"none.csv"}).status == 5);
  CHECK(f.simulate({"day.csv", "--svg", "no/such/folder.svg"}).status == 7);
}

TEST_CASE("simulate reads standard input") {
  const auto r = run_ferry({"simulate", "-", "--format", "json"}, {.input = "arrival,duration\n0,10\n20,10\n"});
  CHECK(r.err.empty());
  CHECK(json::parse(r.out)["policies"]["learned"]["completion"]["mean_seconds"] == 10);
}

TEST_CASE("what ran here is a trace") {
  const auto job = [](const char* text) { return json::parse(text); };
  const std::string table = export_table({
      job(R"({"status": "completed", "type": "draw", "user": "ada", "priority": 60, "batch": 9, "created": "2026-01-31T12:00:05.000Z",
              "started": "2026-01-31T12:01:00.000Z", "finished": "2026-01-31T12:02:00.000Z",
              "params": {"prompt": "a \"red\" fox, running", "weights": {"vis": 0.5}, "ids": ["a", "b"], "none": null, "type": "x"},
              "history": [{"at": "2026-01-31T11:00:00.000Z", "what": "run_loaded"}, {"at": "2026-01-31T12:01:00.100Z", "what": "run_started"},
                          {"at": "2026-01-31T12:01:20.000Z", "what": "run_loaded"}]})"),
      job(R"({"status": "completed", "type": "draw", "priority": 50, "batch": 7, "created": "2026-01-31T12:00:00.000Z",
              "started": "2026-01-31T12:00:00.000Z", "finished": "2026-01-31T12:00:07.500Z", "params": {"steps": 30}})"),
      job(R"({"status": "failed", "type": "draw", "created": "2026-01-31T12:00:00.000Z", "params": {}})"),
  });
  CHECK(table == "arrival,duration,type,user,priority,batch,items,ids,prompt,steps,weights.vis\n"
                 "2026-01-31T12:00:00.000Z,7.500,draw,,50,7,,,,30,\n"
                 "2026-01-31T12:00:05.000Z,40.000,draw,ada,60,9,,2,\"a \"\"red\"\" fox, running\",,0.5\n");
  const auto read = traced(table, {.parameters = {"ids", "prompt", "weights.vis"}}).value();
  REQUIRE(read.jobs.size() == 2);
  CHECK(read.jobs[0].took == 7'500ms);
  CHECK(read.jobs[1].priority == 60);
  CHECK(read.jobs[1].params.dump() == R"({"ids":2,"prompt":"a \"red\" fox, running","weights":{"vis":0.5}})");
}

TEST_CASE("a job that ran in parts took as long as all that count, and says how many items it has") {
  const std::string table = export_table({json::parse(
      R"({"status": "completed", "type": "draw", "priority": 50, "batch": 9, "created": "2026-01-31T12:00:00.000Z",
          "started": "2026-01-31T12:00:01.000Z", "finished": "2026-01-31T12:10:05.000Z", "params": {},
          "items": {"done": 7, "running": 0, "total": 7},
          "history": [{"at": "2026-01-31T11:00:00.000Z", "what": "run_started", "detail": {}},
                      {"at": "2026-01-31T11:30:00.000Z", "what": "attempt_ended", "detail": {"how": "part_done"}},
                      {"at": "2026-01-31T11:59:00.000Z", "what": "job_retried", "detail": {"from_scratch": true}},
                      {"at": "2026-01-31T12:00:01.000Z", "what": "run_started", "detail": {}},
                      {"at": "2026-01-31T12:00:11.000Z", "what": "run_loaded", "detail": null},
                      {"at": "2026-01-31T12:00:21.000Z", "what": "attempt_ended", "detail": {"how": "part_done"}},
                      {"at": "2026-01-31T12:05:00.000Z", "what": "run_started", "detail": {}},
                      {"at": "2026-01-31T12:06:00.000Z", "what": "attempt_ended", "detail": {"how": "retried"}},
                      {"at": "2026-01-31T12:10:00.000Z", "what": "run_started", "detail": {}}]})")});
  CHECK(table == "arrival,duration,type,user,priority,batch,items\n2026-01-31T12:00:00.000Z,15.000,draw,,50,9,7\n");
  const auto read = traced(table).value();
  CHECK(read.in_parts == 1);
  CHECK(read.jobs.front().took == 15s);
  CHECK(refusal("arrival,duration,items\n0,1,0\n").find("items: must be a whole number from 1 to 65535") != std::string::npos);
  const folder here;
  here.write("day.csv", table);
  const auto played = here.simulate({"day.csv"});
  CHECK(played.status == 0);
  CHECK(played.err == "1 job ran in parts; here each is played as one run, as long as all of its parts\n");
}
