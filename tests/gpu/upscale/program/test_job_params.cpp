// A job's parameters: defaults, every rule, every problem named.
#include "gpu/upscale/program/job_params.hpp"
#include "gpu/upscale/program/spec.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

using namespace ferry;
using namespace ferry::upscale;
using json = nlohmann::json;

namespace {

result<upscale_job> job_with(json params) { return job_from({{"id", 3}, {"dir", "/d"}, {"params", std::move(params)}}); }

std::string fault(json params) {
  const auto refused = job_with(std::move(params));
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::invalid_argument);
  return to_string(refused.error());
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("parameters that are left out, or null, have their defaults") {
  for (const json& params :
       {json{{"source", "/a.png"}}, json{{"source", "/a.png"}, {"model", nullptr}, {"scale", nullptr}, {"prompt", nullptr}}}) {
    const auto job = job_with(params);
    REQUIRE(job);
    CHECK(job->id == 3);
    CHECK(job->source == "/a.png");
    CHECK(job->folder == "/d");
    CHECK(job->output.empty());
    CHECK(job->model == "slim");
    CHECK(job->scale == 2);
    CHECK(job->control_weight == 1);
    CHECK(job->prompt.empty());
  }
  CHECK(job_with({{"source", "/a.png"}, {"scale", 4.0}})->scale == 4);
}

TEST_CASE("each parameter is checked, and the fault named") {
  CHECK(says(fault(json::object()), "source is missing"));
  CHECK(says(fault({{"source", "a.png"}}), "absolute"));
  CHECK(says(fault({{"source", "job:7"}}), "job:7"));
  CHECK(says(fault({{"source", 5}}), "5"));
  CHECK(says(fault({{"source", "/a"}, {"scale", 5}}), "2, 3, 4 or 8"));
  CHECK(says(fault({{"source", "/a"}, {"scale", 2.5}}), "whole"));
  CHECK(says(fault({{"source", "/a"}, {"scale", 1e300}}), "whole"));
  CHECK(says(fault({{"source", "/a"}, {"scale", "2"}}), "number"));
  CHECK(says(fault({{"source", "/a"}, {"model", "huge"}}), "slim, medium and thick"));
  CHECK(says(fault({{"source", "/a"}, {"control_weight", -0.1}}), "between 0 and 1"));
  CHECK(says(fault({{"source", "/a"}, {"modle", "slim"}}), "did you mean model?"));
  for (const char* name : {"../b.png", "/b.png", "c/b.png", "..", "."})
    CHECK(says(fault({{"source", "/a"}, {"output", name}}), "output"));
  const std::string all = fault({{"scale", 5}, {"model", 1}, {"control_weight", 2}});
  for (const char* part : {"source", "scale", "model", "control_weight"})
    CHECK(says(all, part));
}

TEST_CASE("a job in a batch that cannot be understood fails alone; one without an id spoils the batch") {
  const auto entries = entries_from(
      json::parse(R"({"jobs":[{"id":1,"dir":"/d","params":{"source":"/a"}},{"id":2,"dir":"/d"},{"id":3,"params":{}}]})"));
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK((*entries)[0].job);
  CHECK(!(*entries)[1].job);
  CHECK((*entries)[1].id == 2);
  CHECK(!(*entries)[2].job);
  for (const char* text :
       {"{}", R"({"jobs":[]})", R"({"jobs":5})", R"({"jobs":[5]})", R"({"jobs":[{"dir":"/d"}]})", R"({"jobs":[{"id":"1"}]})"})
    CHECK(!entries_from(json::parse(text)));
}
