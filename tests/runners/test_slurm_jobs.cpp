#include "runners/slurm_jobs.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::runners;

namespace {

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

} // namespace

TEST_CASE("a batch's name in Slurm tells its number, and its data directory from others") {
  CHECK(slurm_name("k3", {7}) == "ferry-k3-7");
  CHECK(batch_of_slurm_name("k3", "ferry-k3-7") == batch_id{7});
  for (const char* other : {"ferry-k3-", "ferry-k3-7x", "ferry-k3--7", "ferry-k3-0", "ferry-k4-7", "ferry-k3", "xferry-k3-7", ""}) {
    CAPTURE(other);
    CHECK_FALSE(batch_of_slurm_name("k3", other));
  }
}

TEST_CASE("sbatch is told what the settings and the batch ask for, the site's own options after ferry's") {
  config::slurm_settings where{.partition = "gpu", .gres = "gpu:2", .time_limit = std::chrono::minutes(90), .extra = {"--qos=low"}};
  const slurm_order what{.batch = {7},
                         .name = "ferry-k3-7",
                         .comment = "ferry: 2 jobs of type draw; $(rm -rf /)",
                         .memory_mib = 4000,
                         .cpus = 8,
                         .command = {"/data/slurm/run-batch", "/data/slurm/ferry-shim", "/data/runs/7"}};
  const auto words = sbatch_words(where, what);
  for (const char* word :
       {"--parsable", "--no-requeue", "--job-name=ferry-k3-7", "--comment=ferry: 2 jobs of type draw; $(rm -rf /)",
        "--partition=gpu", "--gres=gpu:2", "--mem=4000M", "--cpus-per-task=8", "--time=0-01:30:00", "--output=/dev/null"}) {
    CAPTURE(word);
    CHECK(has(words, word));
  }
  CHECK(words.front() == "sbatch");
  CHECK(std::vector(words.end() - 4, words.end()) ==
        std::vector<std::string>{"--qos=low", "/data/slurm/run-batch", "/data/slurm/ferry-shim", "/data/runs/7"});
  const auto plain = sbatch_words({.partition = "cpu"}, {.name = "x", .command = {"/s"}});
  for (const auto& word : plain) {
    CHECK_FALSE(word.starts_with("--mem"));
    CHECK_FALSE(word.starts_with("--gres"));
    CHECK_FALSE(word.starts_with("--time"));
  }
}

TEST_CASE("times are written as Slurm reads them, rounded up") {
  CHECK(slurm_time(1) == "0-00:00:01");
  CHECK(slurm_time(59'000) == "0-00:00:59");
  CHECK(slurm_time(((25 * 60 + 1) * 60 + 1) * 1000) == "1-01:01:01");
  CHECK(slurm_time(100LL * 86'400'000) == "100-00:00:00");
}

TEST_CASE("the id that sbatch prints is read, and nothing else taken for one") {
  CHECK(slurm_id_from("123\n") == 123);
  CHECK(slurm_id_from("123;cluster\n") == 123);
  for (const char* text : {"", "\n", "Submitted batch job 12", "12x", "-1", "0", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(slurm_id_from(text).has_value());
  }
}

TEST_CASE("squeue's lines become jobs; arrays and what is cut off are passed over") {
  const auto jobs = slurm_jobs_from("12|PENDING|Resources||ferry-k3-7\n"
                                    "13|RUNNING|None|n[1-2]|odd|name\n"
                                    "14_3|RUNNING|None|n1|array\n"
                                    "14_[4-9]|PENDING|Priority||array\n"
                                    "\n"
                                    "15|FAILED|NonZeroExitCode|n1|  ferry-k3-8  \n"
                                    "16|RUNNING|None\n"
                                    "17");
  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0] == slurm_job{.id = 12, .name = "ferry-k3-7", .state = "PENDING", .reason = "Resources", .nodes = ""});
  CHECK(jobs[1] == slurm_job{.id = 13, .name = "odd|name", .state = "RUNNING", .reason = "", .nodes = "n[1-2]"});
  CHECK(jobs[2].name == "ferry-k3-8");
  CHECK(squeue_words(1000).at(2) == "--user=1000");
}

TEST_CASE("a state that nobody knows may still run") {
  CHECK(stage_of("PENDING") == slurm_stage::waiting);
  for (const char* state : {"RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STAGE_OUT", "SIGNALING", "BRAND_NEW", ""})
    CHECK(stage_of(state) == slurm_stage::running);
  for (const char* state : {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "OUT_OF_MEMORY"})
    CHECK(stage_of(state) == slurm_stage::ended);
}

TEST_CASE("the state that accounting has comes without what stands beside it") {
  CHECK(slurm_state_from("CANCELLED by 1000\nCANCELLED\n") == "CANCELLED");
  CHECK(slurm_state_from("NODE_FAIL\n") == "NODE_FAIL");
  CHECK(slurm_state_from("").empty());
}

TEST_CASE("a partition that is missing or down is trouble") {
  CHECK(partition_trouble("gpu", "up\nup\n").empty());
  CHECK(partition_trouble("gpu", "") == "Slurm has no partition gpu");
  CHECK(partition_trouble("gpu", "down\n") == "Slurm's partition gpu is down");
  CHECK(partition_trouble("gpu", "drain\n") == "Slurm's partition gpu is drain");
}
