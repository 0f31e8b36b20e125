// Golden pages of what starts when, and of what was measured.
#include "cli/format.hpp"
#include "cli/job_views.hpp"
#include "cli/plan_views.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <ctime>

using namespace ferry;
using namespace ferry::cli;

namespace {

instant noon() {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return *instant_from("2026-01-31T12:00:00.000Z");
}

json parsed(const char* text) { return json::parse(text); }

} // namespace

TEST_CASE("the queue says when jobs are expected to start and to end") {
  const json answer = parsed(R"({"paused": false, "counts": {"queued": 2, "held": 0, "running": 1}, "jobs": [
    {"id": 7, "type": "draw", "status": "running", "started": "2026-01-31T11:59:00.000Z", "expected_end": "2026-01-31T12:00:30.000Z"},
    {"id": 8, "type": "draw", "status": "queued", "position": 1, "created": "2026-01-31T11:59:00.000Z",
     "expected_start": "2026-01-31T12:00:30.000Z", "expected_start_p90": "2026-01-31T12:01:00.000Z"},
    {"id": 9, "type": "draw", "status": "queued", "position": 2, "created": "2026-01-31T11:59:00.000Z", "expected_start": null}]})");
  CHECK(queue_page(answer, {}, noon()) == "1 running · 2 queued · 0 held\n\n"
                                          "#  JOB  TYPE  STATUS   TIME  EXPECTED\n"
                                          "▶    7  draw  running  1:00  done in 0:30\n"
                                          "1    8  draw  queued   1:00  in 0:30\n"
                                          "2    9  draw  queued   1:00\n");
}

TEST_CASE("why a job waits") {
  const json answer = parsed(R"({"id": 42, "status": "queued", "position": 3, "waiting_for": "2 jobs before it",
    "expected_start": "2026-01-31T12:04:10.000Z", "expected_start_p90": "2026-01-31T12:06:00.000Z",
    "promised": {"made": "2026-01-31T11:57:00.000Z", "start": "2026-01-31T12:03:30.000Z", "start_p90": "2026-01-31T12:05:00.000Z"},
    "planned": {"batch": null, "type": "draw", "device": "gpu0", "jobs": [42, 43, 44], "loads_model": true},
    "devices": [
      {"device": "gpu0", "why": "needs 20480 MiB; 8192 MiB of 24576 MiB are free", "until": "2026-01-31T12:05:00.000Z", "jobs": [17]},
      {"device": "gpu1", "why": "needs 20480 MiB; it has 8000 MiB", "until": null, "jobs": []},
      {"device": "gpu2", "why": "needs 1 slot; 0 of 1 are free", "until": null, "jobs": [18, 19]}]})");
  CHECK(explanation_page(answer, {}, noon()) ==
        "job 42 is queued at position 3; it waits for: 2 jobs before it\n"
        "  starts      in 4:10, about 12:04:10; nine of ten such jobs by 12:06:00\n"
        "  promised    for 12:03:30, 3 m ago\n"
        "  runs        on gpu0, together with jobs 43-44, after its model is loaded\n"
        "  gpu0        needs 20480 MiB; 8192 MiB of 24576 MiB are free until job 17 ends, about 12:05:00\n"
        "  gpu1        needs 20480 MiB; it has 8000 MiB\n"
        "  gpu2        needs 1 slot; 0 of 1 are free until jobs 18-19 end; nobody knows when\n");
  CHECK(explanation_page(parsed(R"({"id": 1, "status": "completed"})"), {}, noon()) ==
        "job 1 is completed: it waits for nothing\n");
}

TEST_CASE("what runs together, and would next, with what that saves") {
  const json answer = parsed(R"({"running": [{"batch": 5, "type": "draw", "device": "gpu0", "jobs": [1, 2], "loads_model": false,
      "started": "2026-01-31T11:59:00.000Z", "expected_end": null}],
    "next": [{"batch": null, "type": "draw", "device": "gpu0", "jobs": [3, 4, 6], "loads_model": true,
      "expected_start": "2026-01-31T12:01:00.000Z", "together_seconds": 20, "one_by_one_seconds": 50, "saved_share": 0.6},
     {"batch": null, "type": "train", "device": "gpu0", "jobs": [5], "loads_model": false, "expected_start": null,
      "together_seconds": null, "one_by_one_seconds": null, "saved_share": null}], "is_whole": false})");
  CHECK(batches_page(answer, {}, noon()) == "running\n"
                                            "BATCH  TYPE  DEVICE  JOBS  RUNS  ENDS\n"
                                            "    5  draw  gpu0    1-2   1:00  unknown\n"
                                            "\n"
                                            "next\n"
                                            "#  TYPE   DEVICE  JOBS    STARTS   MODEL  TOGETHER  ONE BY ONE  SAVED\n"
                                            "1  draw   gpu0    3-4, 6  in 1:00  loads      0:20        0:50    60%\n"
                                            "2  train  gpu0    5       unknown\n"
                                            "together 0:20 instead of 0:50 one by one, as measured: 60% saved\n"
                                            "there are more: `ferry batches --limit N`\n");
  CHECK(batches_page(parsed(R"({"running": [], "next": [], "is_whole": true})"), {}, noon()) == "nothing that waits may start\n");
}

TEST_CASE("what a change would do") {
  const json answer = parsed(R"({"dry_run": true, "changes": [
    {"job": 9, "before": {"position": 2, "start": "2026-01-31T12:02:00.000Z"}, "after": {"position": 1, "start": "2026-01-31T12:00:30.000Z"}},
    {"job": 8, "before": {"position": 1, "start": "2026-01-31T12:00:30.000Z"}, "after": {"position": 2, "start": "2026-01-31T12:01:00.000Z"}},
    {"job": 7, "before": {"position": 3, "start": null}, "after": {"position": 3, "start": "2026-01-31T12:02:00.000Z"}}]})");
  CHECK(changes_page(answer, {}, noon()) == "JOB  POSITION  STARTS   CHANGE\n"
                                            "  9  2 → 1     in 0:30  1:30 earlier\n"
                                            "  8  1 → 2     in 1:00  0:30 later\n"
                                            "  7  3         in 2:00\n"
                                            "nothing was changed: that was a dry run\n");
  CHECK(changes_page(parsed(R"({"changes": []})"), {}, noon()) == "nothing would change\n");
}

TEST_CASE("what was saved, and how well times were told") {
  const json answer =
      parsed(R"({"types": {"draw": {"jobs": 1200, "batches": 300, "loads": 4, "worked_seconds": 600, "loading_seconds": 80,
      "warmth": {"jobs": 1196, "saved_seconds": 7200}, "batching": {"jobs": 1000, "one_by_one_seconds": 1000, "took_seconds": 400, "saved_seconds": 600},
      "estimates": {"jobs": 100, "mean_relative_error": 0.07, "within_20_percent": 0.95, "at_most_p90": 0.9}},
     "plain": {"jobs": 1, "batches": 1, "loads": 0, "worked_seconds": 2, "loading_seconds": 0, "warmth": {"jobs": 0, "saved_seconds": 0},
      "batching": {"jobs": 0, "one_by_one_seconds": 0, "took_seconds": 0, "saved_seconds": 0},
      "estimates": {"jobs": 0, "mean_relative_error": null, "within_20_percent": 0, "at_most_p90": 0}}},
    "promised_starts": [{"from_seconds": 0, "to_seconds": 30, "starts": 0},
      {"from_seconds": 30, "to_seconds": 300, "starts": 50, "within_20_percent": 0.84, "at_most_p90": 0.92, "mean_error_seconds": 9,
       "mean_promised_seconds": 100, "mean_waited_seconds": 104}]})");
  const std::string saved = savings_page(answer, {});
  CHECK(saved.find("draw   1,200      300      4   10:00     2:00:00           10:00  60%\n") != std::string::npos);
  CHECK(saved.find("plain      1        1      0    0:02\n") != std::string::npos);
  CHECK(estimates_page(answer, {}) == "DURATION OF  JOBS  MEAN ERROR  WITHIN 20%  AT MOST P90\n"
                                      "draw          100          7%         95%          90%\n"
                                      "\n"
                                      "PROMISED WAIT    STARTS  PROMISED  WAITED  MEAN ERROR  WITHIN 20%  BY P90\n"
                                      "30 s to 5 m 0 s      50      1:40    1:44        0:09         84%     92%\n");
  CHECK(savings_page(parsed(R"({"types": {}})"), {}) == "no job has completed yet\n");
}
