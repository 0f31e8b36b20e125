// Golden pages: what a person sees for answers as docs/api.md describes them.
#include "cli/daemon_views.hpp"
#include "cli/format.hpp"
#include "cli/job_views.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <ctime>

using namespace ferry;
using namespace ferry::cli;

namespace {

const instant now = *instant_from("2026-01-31T12:10:00.000Z");

json job(std::int64_t id, const std::string& status, const json& more = json::object()) {
  json made = json::parse(R"({"type": "upscale", "name": "", "priority": 50, "held": false, "position": null, "waiting_for": null,
    "phase": null, "progress": {"fraction": null, "step": null, "total": null, "message": ""}, "created": "2026-01-31T12:00:00.000Z",
    "started": null, "finished": null, "cleared": null, "attempts": 0, "batch": null, "device": null, "run_seconds": null,
    "directory": null, "failure": null})");
  made["id"] = id;
  made["status"] = status;
  made.update(more);
  return made;
}

json queue() {
  return {{"paused", false},
          {"counts", {{"queued", 1'200}, {"held", 1}, {"running", 2}}},
          {"jobs",
           {job(42, "running",
                {{"name", "china ×2"},
                 {"phase", "running"},
                 {"started", "2026-01-31T12:09:15.000Z"},
                 {"progress", {{"fraction", 0.4}}}}),
            job(7, "running", {{"type", "command"}, {"phase", "starting"}, {"started", "2026-01-31T12:10:00.000Z"}}),
            job(43, "queued", {{"position", 1}, {"created", "2026-01-31T12:08:00.000Z"}}),
            job(44, "queued", {{"position", 2}, {"name", "a name\x1b[2J that is rather long"}, {"type", "batch_inference"}}),
            job(45, "queued", {{"held", true}})}}};
}

// Local times are shown in UTC here.
void use_utc() {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
}

} // namespace

TEST_CASE("a job that gained priority by waiting shows what its user gave it, and what counts") {
  const json shown = job(43, "queued", {{"position", 1}, {"priority", 50}, {"effective_priority", 70}});
  CHECK(job_page(shown, {}, now).find("priority   50 (70 by now, for it has waited)") != std::string::npos);
  CHECK(job_page(job(43, "queued"), {}, now).find("priority   50\n") != std::string::npos);
}

TEST_CASE("a job that needs others says so") {
  const json shown = job(43, "queued", {{"needs", {41, 42}}, {"on_needs_failure", "cancel"}, {"group", "night"}});
  CHECK(job_page(shown, {}, now).find("needs      job 41, 42; cancelled if one does not complete") != std::string::npos);
  CHECK(job_page(shown, {}, now).find("group      night") != std::string::npos);
  json answer = queue();
  answer["jobs"] = {job(43, "queued", {{"needs", {41}}}), shown};
  const auto page = queue_page(answer, {}, now);
  CHECK(page.find("needs 41") != std::string::npos);
  CHECK(page.find("needs 2 jobs") != std::string::npos);
  const json ended = job(44, "cancelled", {{"failure", {{"kind", "needs"}, {"message", "job 41, which it needs, failed"}}}});
  CHECK(state_in_words(ended, now) == "cancelled: job 41, which it needs, failed");
}

TEST_CASE("suspended jobs and those that wait for a retry say so in the table") {
  const json answer = {{"paused", false},
                       {"counts", {{"queued", 0}, {"held", 2}, {"running", 0}}},
                       {"jobs",
                        {{{"id", 1}, {"type", "train"}, {"status", "queued"}, {"held", true}, {"held_for", "suspended"}},
                         {{"id", 2},
                          {"type", "train"},
                          {"status", "queued"},
                          {"held", false},
                          {"attempts", 1},
                          {"not_before", "2026-01-31T12:30:00.000Z"}},
                         {{"id", 3},
                          {"type", "train"},
                          {"status", "queued"},
                          {"held", false},
                          {"attempts", 0},
                          {"not_before", "2026-02-01T12:00:00.000Z"}}}}};
  use_utc();
  const std::string page = queue_page(answer, {}, now);
  CHECK(page.find("suspended") != std::string::npos);
  CHECK(page.find("retry at 12:30:00") != std::string::npos);
  CHECK(page.find("not before 2026-02-01 12:00:00") != std::string::npos);
}

TEST_CASE("the queue in a pipe") {
  CHECK(queue_page(queue(), {}, now) == "2 running · 1,200 queued · 1 held\n"
                                        "\n"
                                        "#  JOB  NAME                               TYPE             STATUS        TIME\n"
                                        "▶   42  china ×2                           upscale          running 40%   0:45\n"
                                        "▶    7                                     command          starting      0:00\n"
                                        "1   43                                     upscale          queued        2:00\n"
                                        "2   44  a name\\x1b[2J that is rather long  batch_inference  queued       10:00\n"
                                        "-   45                                     upscale          held         10:00\n");
}

TEST_CASE("the queue on a narrow terminal") {
  CHECK(queue_page(queue(), {.width = 64}, now) == "2 running · 1,200 queued · 1 held\n"
                                                   "\n"
                                                   "#  JOB  NAME          TYPE           STATUS                 TIME\n"
                                                   "▶   42  china ×2      upscale        running ▓▓▓░░░░░ 40%   0:45\n"
                                                   "▶    7                command        starting               0:00\n"
                                                   "1   43                upscale        queued                 2:00\n"
                                                   "2   44  a name\\x1b[…  batch_infere…  queued                10:00\n"
                                                   "-   45                upscale        held                  10:00\n");
}

TEST_CASE("an empty queue that is paused says how to go on") {
  const json answer = {{"paused", true}, {"counts", {{"queued", 0}, {"held", 0}, {"running", 0}}}, {"jobs", json::array()}};
  CHECK(queue_page(answer, {.unicode = false}, now) ==
        "0 running, 0 queued, 0 held, paused: nothing new is started until `ferry unpause`\n");
}

TEST_CASE("the list names why jobs failed") {
  const json jobs = {job(9, "failed",
                         {{"started", "2026-01-31T12:00:00.000Z"},
                          {"finished", "2026-01-31T12:00:12.000Z"},
                          {"failure", {{"kind", "exit_status"}, {"message", "ended with status 3"}, {"exit_status", 3}}}}),
                     job(8, "cancelled", {{"finished", "2026-01-31T11:00:00.000Z"}})};
  CHECK(list_page(jobs, {}, now) == "JOB  TYPE     STATUS     TIME  FINISHED  REASON\n"
                                    "  9  upscale  failed     0:12  9 m ago   ended with status 3\n"
                                    "  8  upscale  cancelled        1 h ago\n");
  CHECK(list_page(json::array(), {}, now) == "no jobs\n");
}

TEST_CASE("a job's state in words") {
  CHECK(state_in_words(job(1, "queued", {{"position", 1'234}}), now) == "queued at position 1,234");
  CHECK(state_in_words(job(1, "queued", {{"held", true}}), now) == "held");
  CHECK(state_in_words(job(1, "running", {{"started", "2026-01-31T12:09:15.000Z"}, {"progress", {{"step", 3}, {"total", 9}}}}),
                       now) == "running 3/9, 0:45");
  const json times = {{"started", "2026-01-31T12:00:00.000Z"}, {"finished", "2026-01-31T12:00:01.250Z"}};
  CHECK(state_in_words(job(1, "completed", times), now) == "completed in 1.2 s");
  CHECK(state_in_words(job(1, "cancelled", times), now) == "cancelled after 1.2 s");
  CHECK(state_in_words(job(1, "cancelled"), now) == "cancelled");
  CHECK(job_line(job(1, "failed", {{"name", "x\ny"}, {"failure", {{"message", "out of\x07memory"}}}}), now) ==
        "job 1 (x\\ny) failed: out of\\x07memory");
}

TEST_CASE("a job's exit status is its own") {
  CHECK(exit_status_of_job(job(1, "completed")) == 0);
  CHECK(exit_status_of_job(job(1, "failed", {{"failure", {{"exit_status", 3}, {"signal", nullptr}}}})) == 3);
  CHECK(exit_status_of_job(job(1, "failed", {{"failure", {{"exit_status", nullptr}, {"signal", 9}}}})) == 137);
  CHECK(exit_status_of_job(job(1, "failed", {{"failure", {{"kind", "timeout"}}}})) == 1);
  CHECK(exit_status_of_job(job(1, "cancelled")) == 1);
}

TEST_CASE("a finished job, whole") {
  use_utc();
  const json finished = job(42, "completed",
                            {{"name", "china ×2"},
                             {"started", "2026-01-31T12:00:05.000Z"},
                             {"finished", "2026-01-31T12:00:17.500Z"},
                             {"attempts", 1},
                             {"batch", 7},
                             {"device", "cpu"},
                             {"run_seconds", 12.5},
                             {"directory", "/data/runs/7/jobs/42"},
                             {"params", {{"source", "china.jpg"}, {"scale", 2}}},
                             {"result", {{"artifacts", {{{"path", "china_x2.png"}, {"bytes", 1'234}}}}, {"psnr", 31.5}}}});
  CHECK(job_page(finished, {}, now) == R"(job 42  china ×2
  type       upscale
  status     completed in 12 s
  priority   50
  created    2026-01-31 12:00:00 (10 m ago)
  started    2026-01-31 12:00:05 (9 m ago)
  finished   2026-01-31 12:00:17 (9 m ago)
  ran        12 s
  attempts   1, the last in batch 7 on cpu
  directory  /data/runs/7/jobs/42
  params
    {
      "scale": 2,
      "source": "china.jpg"
    }
  files
    china_x2.png  1.2 KiB
  result
    {
      "psnr": 31.5
    }
)");
}

TEST_CASE("a queued job says what it waits for") {
  use_utc();
  const std::string page = job_page(job(43, "queued", {{"position", 1}, {"waiting_for", "a free slot on cpu"}}), {}, now);
  CHECK(page == "job 43\n"
                "  type       upscale\n"
                "  status     queued at position 1\n"
                "  waits for  a free slot on cpu\n"
                "  priority   50\n"
                "  created    2026-01-31 12:00:00 (10 m ago)\n"
                "  params     none\n");
}

TEST_CASE("the history is a table") {
  use_utc();
  const json answer = {{"history",
                        {{{"at", "2026-01-31T12:00:00.000Z"}, {"what", "queued"}, {"detail", ""}},
                         {{"at", "2026-01-31T12:00:05.000Z"}, {"what", "started"}, {"detail", "batch 7 on cpu"}}}}};
  CHECK(history_page(answer, {}) == "AT                   WHAT     DETAIL\n"
                                    "2026-01-31 12:00:00  queued\n"
                                    "2026-01-31 12:00:05  started  batch 7 on cpu\n");
}

TEST_CASE("the progress line fits the terminal") {
  const json running = job(42, "running",
                           {{"phase", "running"},
                            {"started", "2026-01-31T12:09:15.000Z"},
                            {"progress", {{"fraction", 0.5}, {"step", 40}, {"total", 80}, {"message", "epoch\x1b 3"}}}});
  CHECK(progress_line(running, {.width = 100}, now) == "job 42 ▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░ 50%  40/80  0:45  epoch\\x1b 3");
  CHECK(progress_line(running, {.width = 44}, now) == "job 42 ▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░ 50%  40/80…");
  CHECK(progress_line(job(43, "queued", {{"position", 2}, {"waiting_for", "the queue is paused"}}), {.width = 80}, now) ==
        "job 43 queued at position 2: the queue is paused");
}

TEST_CASE("the daemon's status") {
  const json answer = json::parse(R"({"version": "0.1.0", "pid": 123, "started": "2026-01-31T10:00:00.000Z", "uptime_seconds": 7500,
    "paused": true, "data_dir": "/data", "counts": {"queued": 3, "held": 1, "running": 1, "completed": 1000, "failed": 2, "cancelled": 0},
    "devices": [{"id": "cpu", "kind": "cpu", "name": "8 cores", "slots": 2, "slots_used": 1, "memory_mib": 16384,
      "memory_leased_mib": 0, "memory_used_mib": null, "utilization_percent": null, "temperature_c": null},
      {"id": "GPU-1", "kind": "gpu", "name": "NVIDIA H100 80GB HBM3", "slots": 1, "slots_used": 0, "memory_mib": 81559,
      "memory_leased_mib": 1024, "memory_used_mib": 1536, "utilization_percent": 30, "temperature_c": 41}],
    "notes": ["job type train is held"]})");
  CHECK(status_page(answer, {}) == "ferryd 0.1.0, pid 123, up 2 h 5 m, data in /data\n"
                                   "1 running · 3 queued · 1 held · paused: nothing new is started until `ferry unpause`\n"
                                   "1,000 completed · 2 failed · 0 cancelled\n"
                                   "\n"
                                   "DEVICE  NAME                   SLOTS  MEMORY                                  LOAD   TEMP\n"
                                   "cpu     8 cores                  1/2  0 MiB leased of 16 GiB\n"
                                   "GPU-1   NVIDIA H100 80GB HBM3    0/1  1 GiB leased, 1.5 GiB used of 79.6 GiB   30%  41 °C\n"
                                   "note: job type train is held\n");
}

TEST_CASE("job types and their parameters") {
  const json type =
      json::parse(R"({"name": "upscale", "description": "enlarge", "device": "automatic", "slots": 1, "memory_mib": 2048,
    "max_run_seconds": 3600, "parameters": {"type": "object", "required": ["source"], "properties": {
      "source": {"type": "string", "format": "job-result", "description": "a picture"},
      "scale": {"type": "integer", "minimum": 1, "maximum": 8, "default": 2},
      "mode": {"enum": ["fast", "slow"], "default": "fast"},
      "weights": {"type": "object", "properties": {"vis": {"type": "number", "minimum": 0}}}}}})");
  CHECK(type_page(type, {}) == "upscale  enlarge\n"
                               "  runs on automatic, takes 1 slot and 2 GiB, for at most 1 h 0 m\n"
                               "\n"
                               "PARAMETER    VALUE                DEFAULT\n"
                               "mode         one of fast, slow    \"fast\"\n"
                               "scale        integer from 1 to 8  2\n"
                               "source       string (job-result)  required  a picture\n"
                               "weights      object\n"
                               "weights.vis  number from 0\n");
  json ordered = type;
  ordered["parameters"]["x-order"] = {"source", "weights", "gone"};
  CHECK(type_page(ordered, {})
            .ends_with("PARAMETER    VALUE                DEFAULT\n"
                       "source       string (job-result)  required  a picture\n"
                       "weights      object\n"
                       "weights.vis  number from 0\n"
                       "mode         one of fast, slow    \"fast\"\n"
                       "scale        integer from 1 to 8  2\n"));
  CHECK(types_page({{"job_types", {type}}}, {}) == "TYPE     DEVICE     SLOTS  MEMORY    LIMIT  DESCRIPTION\n"
                                                   "upscale  automatic      1   2 GiB  1 h 0 m  enlarge\n");
}

TEST_CASE("what a job would get is told in a line") {
  CHECK(outlook_line({{"position", 3}, {"expected_start", nullptr}, {"expected_start_p90", nullptr}, {"expected_seconds", nullptr}},
                     now) == "it would wait at position 3; nobody knows yet when it would start\n");
  CHECK(
      outlook_line({{"position", nullptr}, {"expected_start", nullptr}, {"expected_start_p90", nullptr}, {"expected_seconds", 2.5}},
                   now) == "it would not wait in line at first; it may take 2.5 s\n");
  CHECK(outlook_line({{"position", 1},
                      {"expected_start", "2026-01-01T00:00:00.000Z"},
                      {"expected_start_p90", "2026-01-01T00:00:01.000Z"},
                      {"expected_seconds", nullptr}},
                     now) == "it would wait at position 1; it would start at once\n");
}
