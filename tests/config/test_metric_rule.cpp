#include "config/settings.hpp"
#include "config/watch_rules.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::config;

TEST_CASE("metric rules are read as they are written") {
  const auto nan = parse_metric_rule("loss is nan: fail");
  REQUIRE(nan);
  CHECK(nan->metric == "loss");
  CHECK(nan->what == metric_rule::test::is_nan);
  CHECK(nan->times == 1);
  CHECK(nan->action == watch_action::fail);
  const auto above = parse_metric_rule("  train/grad_norm  >  1.5e3 for 20 : warn ");
  REQUIRE(above);
  CHECK(above->metric == "train/grad_norm");
  CHECK(above->what == metric_rule::test::above);
  CHECK(above->bound == 1500);
  CHECK(above->times == 20);
  CHECK(above->action == watch_action::warn);
  CHECK(parse_metric_rule("lr < -0.5: retry")->bound == -0.5);
  CHECK(parse_metric_rule("x is inf: retry")->what == metric_rule::test::is_inf);
}

TEST_CASE("what is no metric rule is refused with the form") {
  for (const char* text : {"", "loss", "loss is nan", "loss is nan: stop", "loss = 3: fail", "loss > x: fail",
                           "loss > 1 for 0: fail", "9loss > 1: fail", "loss > 1 for 12345678: fail", "a b > 1: fail"}) {
    CAPTURE(text);
    const auto rule = parse_metric_rule(text);
    REQUIRE_FALSE(rule);
    CHECK(rule.error().code == error_code::invalid_argument);
    CHECK(rule.error().hint.find("loss is nan: fail") != std::string::npos);
  }
  CHECK_FALSE(parse_metric_rule(std::string(65, 'a') + " > 1: fail"));
  CHECK_FALSE(parse_metric_rule(std::string(1000, 'a') + " > 1: fail"));
}

TEST_CASE("what watches over a job type, and what is tried again, is read from its table") {
  const auto loaded = parse("[job_types.train]\ncommand = [\"x\"]\nheartbeat = \"2m\"\non_heartbeat = \"fail\"\nstall_factor = 50\n"
                            "metric_rules = [\"loss is nan: fail\", \"loss > 9 for 3: warn\"]\ncheckpoint_files = \"out/*.pt\"\n"
                            "resume_arguments = [\"--resume\", \"{checkpoint}\"]\npreemptible = true\ntier = 3\n"
                            "retry = { lost = 5, exit_status = 1 }\nretry.delay = \"1s\"\n",
                            "/etc/ferry.toml");
  CHECK_FALSE(loaded); // a table cannot be written twice
  const auto fine = parse("[job_types.train]\ncommand = [\"x\"]\nheartbeat = \"2m\"\non_heartbeat = \"fail\"\nstall_factor = 50\n"
                          "metric_rules = [\"loss is nan: fail\", \"loss > 9 for 3: warn\"]\ncheckpoint_files = \"out/*.pt\"\n"
                          "resume_arguments = [\"--resume\", \"{checkpoint}\"]\npreemptible = true\ntier = 3\n"
                          "retry = { lost = 5, exit_status = 1, delay = \"1s\" }\n",
                          "/etc/ferry.toml");
  INFO((fine ? "" : to_string(fine.error())));
  REQUIRE(fine);
  const job_type& train = *fine->find_job_type("train");
  CHECK(train.watch.heartbeat == std::chrono::minutes(2));
  CHECK(train.watch.on_heartbeat == watch_action::fail);
  CHECK(train.watch.stall_factor == 50);
  CHECK(train.metric_rules.size() == 2);
  CHECK(train.retry.lost == 5);
  CHECK(train.retry.exit_status == 1);
  CHECK(train.retry.delay == std::chrono::seconds(1));
  CHECK(train.retry.signal == 0);
  CHECK(train.tier == 3);
  CHECK(train.preemptible);
  CHECK(train.config_dir == "/etc");
}

TEST_CASE("faults of these keys are named, with the nearest known one") {
  const auto refused = [](const std::string& lines) {
    const auto loaded = parse("[job_types.x]\ncommand = [\"a\"]\n" + lines + "\n", "/etc/ferry.toml");
    REQUIRE_FALSE(loaded);
    return to_string(loaded.error());
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(has(refused("retry = { losst = 1 }"), "retry.lost"));
  CHECK(has(refused("retry = 3"), "retry"));
  CHECK(has(refused("retry = { lost = 101 }"), "at most 100"));
  CHECK(has(refused("retry = { delay = \"1h\", delay_max = \"1m\" }"), "must be at most retry.delay_max"));
  CHECK(has(refused("metric_rules = [\"loss is bad: fail\"]"), "metric_rules[0]"));
  CHECK(has(refused("checkpoint_files = \"/etc/*\""), "below the job's directory"));
  CHECK(has(refused("checkpoint_files = \"../*\""), "below the job's directory"));
  CHECK(has(refused("tier = 10"), "at most 9"));
  CHECK(has(refused("on_heartbeat = \"explode\""), "on_heartbeat"));
  CHECK(has(refused("resume_arguments = [\"{nothing}\"]"), "{nothing}"));
  const auto in_command = parse("[job_types.x]\ncommand = [\"a\", \"{checkpoint}\"]\n", "/etc/ferry.toml");
  REQUIRE_FALSE(in_command);
  CHECK(has(to_string(in_command.error()), "{checkpoint} has a value only in resume_arguments"));
}
