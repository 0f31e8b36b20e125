#include "config/limits.hpp"
#include "scheduling/admission.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

const std::vector<device> devices{{.id = "cpu", .slots = 2, .memory_mib = 1000}};

config::settings settings() {
  auto s = config::parse(R"(
[job_types.resize]
command = ["resize", "{params.source}", "{params.scale}"]
[job_types.resize.parameters]
required = ["source"]
[job_types.resize.parameters.properties]
source = { type = "string" }
scale = { type = "integer", minimum = 1, maximum = 8, default = 2 }
[job_types.enlarge]
command = ["true"]
[job_types.enlarge.parameters.properties]
source = { type = "string", format = "job-result", pattern = "^(/.+|job:[1-9][0-9]*)$", maxLength = 4096 }
[job_types.huge]
command = ["true"]
slots = 3
[job_types.graphic]
command = ["true"]
device = "gpu"
)",
                         "test.toml");
  REQUIRE(s);
  return std::move(*s);
}

const config::settings& types() {
  static const config::settings all = settings();
  return all;
}

result<admitted_job> admit_one(job_request request) { return admit(std::move(request), {types(), devices}); }

} // namespace

TEST_CASE("an admitted job has its defaults filled in") {
  const auto job = admit_one({.type = "resize", .params = {{"source", "a.png"}}, .priority = 70, .name = "first"});
  REQUIRE(job);
  CHECK(json::parse(job->params) == json{{"source", "a.png"}, {"scale", 2}});
  CHECK(job->type->name == "resize");
  CHECK(job->priority == 70);
}

TEST_CASE("every fault of a job is named at once") {
  const auto job = admit_one({.type = "resize", .params = {{"scale", 9}, {"sorce", "a.png"}}, .priority = 101, .name = "a\nb"});
  REQUIRE_FALSE(job);
  CHECK(job.error().code == error_code::invalid_argument);
  std::vector<std::string> places;
  for (const auto& p : job.error().problems)
    places.push_back(p.where);
  CHECK(places.size() >= 4);
  CHECK(std::find(places.begin(), places.end(), "/priority") != places.end());
  CHECK(std::find(places.begin(), places.end(), "/name") != places.end());
  CHECK(std::find(places.begin(), places.end(), "/params/scale") != places.end());
}

TEST_CASE("an unknown type is answered with the nearest known one") {
  const auto job = admit_one({.type = "resise"});
  REQUIRE_FALSE(job);
  CHECK(job.error().what == "there is no job type 'resise'");
  CHECK(job.error().hint == "did you mean 'resize'?");
}

TEST_CASE("a job that no device could ever run is refused when it is submitted") {
  CHECK(admit_one({.type = "huge"}).error().problems.at(0).what.find("3 slots") != std::string::npos);
  CHECK(admit_one({.type = "graphic"}).error().problems.at(0).what.find("needs a GPU") != std::string::npos);
}

TEST_CASE("a job that asks for devices is refused where none is such a one, and where it cannot be understood") {
  device lab = devices.front();
  lab.labels = {{"node", "head"}, {"room", "lab"}};
  const auto on = [&](std::map<std::string, std::string> labels) {
    return admit({.type = "resize", .params = {{"source", "a.png"}}, .on = {std::move(labels)}}, {types(), {lab}});
  };
  REQUIRE(on({{"room", "lab"}}));
  CHECK(on({{"room", "lab"}})->on.labels.at("room") == "lab");
  for (const auto& [labels, said] :
       std::map<std::map<std::string, std::string>, std::string>{{{{"room", "attic"}}, "room=attic"},
                                                                 {{{"Room", "lab"}}, "'Room' cannot be a label"},
                                                                 {{{"room", ""}}, "the label room has no value"},
                                                                 {{{"room", "a\nb"}}, "control character"}}) {
    CAPTURE(said);
    const auto refused = on(labels);
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().problems.size() == 1);
    CHECK(refused.error().problems.front().where == "/on");
    CHECK(refused.error().problems.front().what.find(said) != std::string::npos);
  }
}

TEST_CASE("parameters that no program could be given are refused") {
  CHECK_FALSE(admit_one({.type = "resize", .params = {{"source", std::string("a\0b", 3)}}}));
  CHECK_FALSE(admit_one({.type = "resize", .params = {{"source", "\xff\xfe"}}}));
  CHECK_FALSE(admit_one({.type = "resize", .params = json::array()}));
  CHECK_FALSE(admit_one({.type = "resize", .params = {{"source", std::string(limits::params_bytes_max + 1, 'x')}}}));
}

TEST_CASE("a bulk request is admitted whole or not at all") {
  const job_request good{.type = "resize", .params = {{"source", "a"}}};
  const job_request bad{.type = "resize", .params = {{"scale", 0}}};
  CHECK(admit_all({good, good}, 0, {types(), devices})->size() == 2);
  const auto refused = admit_all({good, bad, good, bad}, 0, {types(), devices});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().problems.at(0).where.starts_with("/jobs/1/params"));
  CHECK(refused.error().problems.back().where.starts_with("/jobs/3/params"));
  CHECK(admit_all({}, 0, {types(), devices}).error().code == error_code::invalid_argument);
  CHECK(admit_all(std::vector(limits::jobs_per_request_max + 1, good), 0, {types(), devices}).error().code ==
        error_code::too_large);
  CHECK(admit_all({good}, limits::queued_jobs_max, {types(), devices}).error().code == error_code::too_large);
}

TEST_CASE("a relative path begins where the submitter stands") {
  const auto source_of = [](const char* source, const char* base) {
    const auto job = admit_one({.type = "enlarge", .params = {{"source", source}}, .base_dir = base});
    return job ? json::parse(job->params)["source"].get<std::string>() : "refused: " + job.error().problems.at(0).where;
  };
  CHECK(source_of("photo.jpg", "/home/ada") == "/home/ada/photo.jpg");
  CHECK(source_of("../a/./photo.jpg", "/home/ada") == "/home/a/photo.jpg");
  CHECK(source_of("/photo.jpg", "/home/ada") == "/photo.jpg");
  CHECK(source_of("job:12", "/home/ada") == "job:12");
  CHECK(source_of("photo.jpg", "") == "refused: /params/source");
  CHECK(source_of("photo.jpg", "home") == "refused: /base_dir");
  const auto* type = types().find_job_type("enlarge");
  CHECK(json::parse(*admit_params({{"source", "/a"}}, {{"source", "b"}}, *type, "/home"))["source"] == "/home/b");
  CHECK(admit_params({{"source", "/a"}}, {{"source", "b"}}, *type, "home").error().what ==
        "base_dir must be an absolute path, is 'home'");
}

TEST_CASE("a patch replaces parameters by name, and null removes one") {
  const auto* type = types().find_job_type("resize");
  const auto patched = admit_params({{"source", "a"}, {"scale", 4}}, {{"source", "b"}, {"scale", nullptr}}, *type);
  REQUIRE(patched);
  CHECK(json::parse(*patched) == json{{"source", "b"}, {"scale", 2}});
  CHECK(admit_params({{"source", "a"}}, {{"scale", 99}}, *type).error().problems.at(0).where == "/params/scale");
  CHECK_FALSE(admit_params({{"source", "a"}}, json::array(), *type));
}

TEST_CASE("each need that does not exist is named, duplicates are merged, and too many are refused") {
  const needed_states known{{{1}, job_state::completed}, {{2}, job_state::queued}};
  const config::settings& all = types();
  auto request = job_request{.type = "resize", .params = {{"source", "a"}}, .needs = {{2}, {1}, {2}}};
  const auto job = admit(request, {all, devices, &known});
  REQUIRE(job);
  CHECK(job->needs == std::vector<job_id>{{1}, {2}});
  CHECK(job->on_needs_failure == needs_rule::hold);
  request.needs = {{7}, {1}, {8}};
  const auto refused = admit(request, {all, devices, &known});
  REQUIRE_FALSE(refused);
  REQUIRE(refused.error().problems.size() == 2);
  CHECK(refused.error().problems[0].where == "/needs/0");
  CHECK(refused.error().problems[0].what == "there is no job 7");
  CHECK(refused.error().problems[1].where == "/needs/2");
  request.needs.assign(limits::needs_max + 1, job_id{1});
  CHECK(admit(request, {all, devices, &known}).error().problems.at(0).what == "names 65 jobs; at most 64 are allowed");
  CHECK(admit_all({request, request}, 0, {all, devices, &known}).error().problems.at(1).where == "/jobs/1/needs");
}

TEST_CASE("group and unique key are checked like all else") {
  auto request = job_request{.type = "resize", .params = {{"source", "a"}}, .group = "night", .unique_key = "k"};
  const auto job = admit_one(request);
  REQUIRE(job);
  CHECK(job->group == "night");
  CHECK(job->unique_key == "k");
  request.group = "a/b";
  request.unique_key = "a\nb";
  const auto refused = admit_one(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().problems.at(0).where == "/group");
  CHECK(refused.error().problems.at(1).where == "/unique_key");
}
