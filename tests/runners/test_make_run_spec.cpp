#include "runners/run_spec.hpp"

#include <catch2/catch_all.hpp>
#include <cstdlib>

using namespace ferry;
using namespace ferry::runners;

namespace {

const std::filesystem::path run_dir = "/data/runs/7";

config::job_type type_with(std::vector<std::string> command) {
  config::job_type type;
  type.name = "test";
  type.command = std::move(command);
  return type;
}

run_job job(std::int64_t id, json params) { return {job_id{id}, std::move(params), run_dir / "jobs" / std::to_string(id)}; }

result<run_spec> make(const config::job_type& type, std::vector<run_job> jobs, device on = {"cpu", device_kind::cpu}) {
  return make_run_spec(type, batch_id{7}, {std::move(on), 3, 512}, std::move(jobs), run_dir);
}

std::vector<std::string> argv_of(std::vector<std::string> command, json params) {
  return make(type_with(std::move(command)), {job(1, std::move(params))}).value().argv;
}

} // namespace

TEST_CASE("an attempt that continues is told from where, in its environment, its spec and its arguments") {
  auto type = type_with({"x", "{config_dir}/train.py"});
  type.config_dir = "/etc/ferry";
  type.resume_arguments = {"--resume", "{checkpoint}"};
  const auto first = make(type, {job(1, json::object())});
  REQUIRE(first);
  CHECK(first->argv == std::vector<std::string>{"x", "/etc/ferry/train.py"});
  CHECK_FALSE(first->environment.contains("FERRY_RESUME_FROM"));
  CHECK_FALSE(to_json(*first)["jobs"][0].contains("resume_from"));
  auto continued = job(1, json::object());
  continued.resume_from = "/data/runs/3/jobs/1/c 5.pt";
  const auto second = make(type, {continued});
  REQUIRE(second);
  CHECK(second->argv == std::vector<std::string>{"x", "/etc/ferry/train.py", "--resume", "/data/runs/3/jobs/1/c 5.pt"});
  CHECK(second->environment.at("FERRY_RESUME_FROM") == "/data/runs/3/jobs/1/c 5.pt");
  CHECK(run_spec_from(to_json(*second))->jobs[0].resume_from == "/data/runs/3/jobs/1/c 5.pt");
}

TEST_CASE("placeholders of a command are filled in") {
  CHECK(argv_of({"x", "{spec}", "{dir}", "{job_id}", "{batch_id}", "{device}", "{threads}", "{memory_mib}"}, json::object()) ==
        std::vector<std::string>{"x", "/data/runs/7/spec.json", "/data/runs/7/jobs/1", "1", "7", "cpu", "3", "512"});
  CHECK(argv_of({"x", "--w={params.weights.edge}", "{{literal}}", "{params.on}/{params.name}"},
                {{"weights", {{"edge", 0.5}}}, {"on", true}, {"name", "a b'c"}}) ==
        std::vector<std::string>{"x", "--w=0.5", "{literal}", "true/a b'c"});
  CHECK(argv_of({"x", "{params.list...}", "end"}, {{"list", {"a", 2, ""}}}) == std::vector<std::string>{"x", "a", "2", "", "end"});
  CHECK(argv_of({"x", "{params.list...}"}, {{"list", json::array()}}) == std::vector<std::string>{"x"});
  CHECK(argv_of({"{params.argv...}"}, {{"argv", {"ls", "-l"}}}) == std::vector<std::string>{"ls", "-l"});
}

TEST_CASE("a placeholder without a value is named") {
  const auto what = [](std::vector<std::string> command, json params) {
    const auto made = make(type_with(std::move(command)), {job(1, std::move(params))});
    REQUIRE_FALSE(made);
    CHECK(made.error().code == error_code::invalid_argument);
    return made.error().what;
  };
  CHECK_THAT(what({"x", "{params.prompt}"}, json::object()), Catch::Matchers::ContainsSubstring("{params.prompt}"));
  CHECK_THAT(what({"x", "{params.prompt}"}, {{"prompt", nullptr}}), Catch::Matchers::ContainsSubstring("{params.prompt}"));
  CHECK_THAT(what({"x", "{params.a.b}"}, {{"a", 1}}), Catch::Matchers::ContainsSubstring("{params.a.b}"));
  CHECK_THAT(what({"x", "{params.list...}"}, {{"list", 1}}), Catch::Matchers::ContainsSubstring("not an array"));
  CHECK_THAT(what({"x", "{params.p}"}, {{"p", std::string("a\0b", 3)}}), Catch::Matchers::ContainsSubstring("NUL"));
  CHECK_THAT(what({"{params.argv...}"}, {{"argv", json::array()}}), Catch::Matchers::ContainsSubstring("empty"));
  CHECK_FALSE(make(type_with({"x"}), {}).has_value());
}

TEST_CASE("a shell gets each value as one quoted word") {
  auto type = type_with({"echo {params.text} > {dir}/out"});
  type.shell = true;
  CHECK(make(type, {job(1, {{"text", "it's; rm -rf $HOME `x`\n"}})}).value().argv ==
        std::vector<std::string>{"/bin/sh", "-c", "echo 'it'\\''s; rm -rf $HOME `x`\n' > '/data/runs/7/jobs/1'/out"});
}

TEST_CASE("the environment holds what is documented and nothing else of the daemon's") {
  ::setenv("FERRY_TEST_SECRET", "secret", 1);
  ::setenv("FERRY_TEST_WANTED", "wanted", 1);
  ::setenv("PATH", "/usr/bin:/bin", 1);
  ::setenv("TZ", "UTC", 1);
  ::unsetenv("LC_ALL");
  const auto own_programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  auto type = type_with({"x"});
  type.inherit_environment = {"FERRY_TEST_WANTED", "FERRY_TEST_MISSING"};
  type.environment = {{"OMP_NUM_THREADS", "1"}, {"OWN", "yes"}, {"CUDA_VISIBLE_DEVICES", "all"}, {"FERRY_RUN_DIR", "/elsewhere"}};
  auto all = make(type, {job(1, json::object())}, {"GPU-abc", device_kind::gpu}).value().environment;
  const std::map<std::string, std::string> expected{{"FERRY_JOB_ID", "1"},
                                                    {"FERRY_BATCH_ID", "7"},
                                                    {"FERRY_JOB_DIR", "/data/runs/7/jobs/1"},
                                                    {"FERRY_RUN_DIR", "/data/runs/7"},
                                                    {"FERRY_EVENTS", "/data/runs/7/reported.jsonl"},
                                                    {"FERRY_SPEC", "/data/runs/7/spec.json"},
                                                    {"CUDA_VISIBLE_DEVICES", "GPU-abc"},
                                                    {"CUDA_DEVICE_ORDER", "PCI_BUS_ID"},
                                                    {"OMP_NUM_THREADS", "1"},
                                                    {"OPENBLAS_NUM_THREADS", "3"},
                                                    {"MKL_NUM_THREADS", "3"},
                                                    {"NUMEXPR_NUM_THREADS", "3"},
                                                    {"FERRY_TEST_WANTED", "wanted"},
                                                    {"OWN", "yes"},
                                                    {"PATH", "/usr/bin:/bin:" + own_programs.string()},
                                                    {"TZ", "UTC"}};
  for (const auto& [name, value] : expected) {
    INFO(name);
    CHECK(all[name] == value);
  }
  for (const auto& [name, value] : all) {
    INFO(name);
    const bool from_daemon = name == "HOME" || name == "USER" || name == "LOGNAME" || name == "SHELL" || name == "LANG" ||
                             name == "TMPDIR" || name == "XDG_CACHE_HOME" || name == "FERRY_CACHE" || name == "FERRY_MODELS";
    CHECK((expected.contains(name) || from_daemon));
  }
  CHECK(make(type, {job(1, json::object())}).value().environment.at("CUDA_VISIBLE_DEVICES").empty());
}

TEST_CASE("a job runs in its directory, or in cwd where its type knows that parameter") {
  auto type = type_with({"x"});
  CHECK(make(type, {job(1, {{"cwd", "/srv"}})}).value().directory == "/data/runs/7/jobs/1");
  type.parameters =
      config::parameter_schema::compile({{"type", "object"}, {"properties", {{"cwd", {{"type", "string"}}}}}}).value();
  CHECK(make(type, {job(1, {{"cwd", "/srv"}})}).value().directory == "/srv");
  CHECK(make(type, {job(1, json::object())}).value().directory == "/data/runs/7/jobs/1");
  CHECK_FALSE(make(type, {job(1, {{"cwd", "relative"}})}).has_value());
}

TEST_CASE("a batch of several jobs fills in what they agree on") {
  const auto two = [](const std::string& word) {
    return make(type_with({"x", word}), {job(1, {{"steps", 20}, {"seed", 1}}), job(2, {{"steps", 20}, {"seed", 2}})});
  };
  CHECK(two("{params.steps}").value().argv.at(1) == "20");
  CHECK(two("{batch_id}").value().argv.at(1) == "7");
  for (const char* word : {"{params.seed}", "{dir}", "{job_id}"})
    CHECK_THAT(two(word).error().what, Catch::Matchers::ContainsSubstring("{spec}"));
  const auto spec = two("{spec}").value();
  CHECK(spec.directory == "/data/runs/7/jobs");
  CHECK(spec.environment.at("FERRY_JOB_ID") == "1,2");
  CHECK(spec.environment.at("FERRY_JOB_DIR") == "/data/runs/7/jobs");
}
