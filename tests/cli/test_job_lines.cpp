#include "cli/job_lines.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace ferry;
using namespace ferry::cli;

namespace {

class temporary_file {
public:
  explicit temporary_file(const std::string& text) { std::ofstream(name(), std::ios::binary) << text; }
  [[nodiscard]] std::string name() const { return (folder_.path() / "jobs.jsonl").string(); }

private:
  ferry::tests::scratch_folder folder_;
};

} // namespace

TEST_CASE("each line is a job, and what the command line says holds where the line is silent") {
  const temporary_file file("{\"type\":\"a\",\"params\":{\"x\":1}}\n\n  \n{\"priority\":9}");
  job_lines lines(file.name(), {{"type", "b"}, {"priority", 50}, {"params", {{"x", 0}, {"y", 2}}}});
  REQUIRE(lines.open().has_value());
  CHECK(lines.next().value() == json::parse(R"({"type":"a","priority":50,"params":{"x":1,"y":2}})"));
  CHECK(lines.line() == 1);
  CHECK(lines.next().value() == json::parse(R"({"type":"b","priority":9,"params":{"x":0,"y":2}})"));
  CHECK(lines.line() == 4);
  CHECK(lines.next().value().is_null());
  CHECK(lines.next().value().is_null());
}

TEST_CASE("a line that is no job is refused with its place") {
  const auto refusal = [](const std::string& text) {
    const temporary_file file(text);
    job_lines lines(file.name(), json::object());
    REQUIRE(lines.open().has_value());
    REQUIRE(lines.next().value().is_object());
    const auto second = lines.next();
    REQUIRE_FALSE(second.has_value());
    return second.error().what.substr(file.name().size());
  };
  const std::string good = "{\"type\":\"a\"}\n";
  CHECK(refusal(good + "{\"type\":}\n").starts_with(":2: the line is not valid JSON: parse error"));
  CHECK(refusal(good + "[]\n") == ":2: a job is a JSON object such as {\"type\": \"upscale\", \"params\": {}}");
  CHECK(refusal(good + "{}\n") == ":2: the job has no \"type\"");
  CHECK(refusal(good + std::string(1'000'000, 'x')).starts_with(":2: the line is longer than"));
}

TEST_CASE("lines longer than one read arrive whole") {
  const std::string text(400'000, 'x');
  const temporary_file file("{\"type\":\"a\",\"params\":{\"t\":\"" + text + "\"}}\n{\"type\":\"b\"}\n");
  job_lines lines(file.name(), json::object());
  REQUIRE(lines.open().has_value());
  CHECK(lines.next().value()["params"]["t"].get<std::string>().size() == text.size());
  CHECK(lines.next().value()["type"] == "b");
}
