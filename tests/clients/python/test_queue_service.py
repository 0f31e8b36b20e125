"""QueueService, played through as the Cosmos document shows it."""

import threading
from datetime import datetime

from daemon import SAMPLE_TYPE, WAIT_SECONDS, DaemonTest, Gate, until

import ferry
from ferry.queue_service import QueueService

# As config/job_types.toml has them, but for the program.
_TYPES = SAMPLE_TYPE + """
[job_types.inference]
command = ["sh", "-c", "read x < {folder}/hold-$1 2>/dev/null; echo frames > video.mp4", "inference", "{{params.prompt_ids...}}"]
device = "cpu"
[job_types.inference.parameters]
required = ["prompt_ids"]
[job_types.inference.parameters.properties]
prompt_ids = {{ type = "array", items = {{ type = "string", minLength = 1 }}, minItems = 1 }}
num_steps = {{ type = "integer", minimum = 1, maximum = 1000, default = 25 }}
guidance_scale = {{ type = "number", default = 4.0 }}
weights = {{ type = "object" , additionalProperties = {{ type = "number" }} }}
[job_types.enhancement]
command = ["sh", "-c", "echo 'GPU out of memory' >&2; exit 3"]
device = "cpu"
[job_types.upscale]
command = ["cp", "{{params.source}}", "upscaled.mp4"]
device = "cpu"
[job_types.upscale.parameters]
required = ["source"]
[job_types.upscale.parameters.properties]
source = {{ type = "string", format = "job-result" }}
control_weight = {{ type = "number", minimum = 0, maximum = 1 }}
prompt = {{ type = "string" }}
"""
_CONFIG = {"weights": {"vis": 1.0, "edge": 0.5}, "num_steps": 25, "guidance_scale": 4.0}


class CosmosQueue(DaemonTest):
    types = _TYPES

    def setUp(self) -> None:
        super().setUp()
        self.service = QueueService(cosmos_api=object(), db_connection=object(), client=self.client)

    def add(self, *prompts: str, **options: object) -> str:
        return self.service.add_job(prompt_ids=prompts, job_type="inference", config=_CONFIG, **options)

    def test_the_example_of_the_document(self) -> None:
        job_id = self.service.add_job(prompt_ids=["ps_12345"], job_type="inference", config=_CONFIG)
        self.assertTrue(job_id.startswith("job_"))
        outcome = self.service.process_job(job_id, WAIT_SECONDS)
        self.assertEqual((outcome["job_id"], outcome["status"]), (job_id, "completed"))
        with open(outcome["result"]["output_path"]) as video:
            self.assertEqual(video.read(), "frames\n")
        row = self.service.get_job_status(job_id)
        self.assertEqual((row.id, row.status, row.type, row.prompt_ids), (job_id, "completed", "inference", ["ps_12345"]))
        self.assertEqual(row["config"], _CONFIG)
        self.assertEqual(row["result"], outcome["result"])
        self.assertIsInstance(row.created_at, datetime)
        self.assertLessEqual(row.started_at, row.completed_at)

    def test_jobs_queue_in_order_and_the_page_shows_positions(self) -> None:
        blocker = self.blocker()
        jobs = [self.add("ps_1"), self.add("ps_2", "ps_3"), self.add("ps_4", priority=80)]
        self.assertEqual([self.service.get_position(job) for job in jobs], [2, 3, 1])
        status = self.service.get_queue_status()
        self.assertEqual([(row["id"], row["position"], row["type"], row["prompt_count"]) for row in status["queued"]],
                         [(jobs[2], 1, "inference", 1), (jobs[0], 2, "inference", 1), (jobs[1], 3, "inference", 2)])
        self.assertEqual((status["total_queued"], status["running"]["id"], status["paused"]), (3, f"job_{blocker.id}", False))
        self.assertIsInstance(status["running"]["elapsed_time"], int)
        first = self.service.get_next_job()
        self.assertEqual((first.id, first.config["num_steps"], first.status), (jobs[2], 25, "queued"))
        self.assertEqual(self.service.get_next_job().id, jobs[2])  # it was not taken
        self.assertEqual([row.id for row in self.service.get_all_jobs()][:3], list(reversed(jobs)))
        self.client.hold(int(jobs[0][4:]))
        self.assertIsNone(self.service.get_position(jobs[0]))
        self.assertEqual((self.service.get_position(jobs[1]), self.service.get_queue_status()["total_queued"]), (2, 3))

    def test_the_next_job_is_processed_when_the_daemon_comes_to_it(self) -> None:
        self.assertIsNone(self.service.process_next_job())
        blocker = self.blocker()
        job_id = self.add("ps_1")
        outcomes = []
        page = threading.Thread(target=lambda: outcomes.append(self.service.process_next_job(WAIT_SECONDS)))
        page.start()
        blocker.cancel()
        page.join()
        self.assertEqual(outcomes[0]["status"], "completed")
        self.assertIn(outcomes[0]["job_id"], (job_id, f"job_{blocker.id}"))

    def test_failed_jobs_say_why(self) -> None:
        job_id = self.service.add_job([], "enhancement", {})
        outcome = self.service.process_job(job_id, WAIT_SECONDS)
        self.assertEqual(outcome, {"job_id": job_id, "status": "failed", "error": "ended with status 3"})
        self.assertEqual(self.service.get_job_status(job_id)["result"], {"error": "ended with status 3"})

    def test_upscaling_from_a_file_and_from_a_jobs_result(self) -> None:
        source = self.add("ps_1")
        video = self.service.process_job(source, WAIT_SECONDS)["result"]["output_path"]
        for video_source in (video, source):
            job_id = self.service.add_job([], "upscale", {"video_source": video_source, "control_weight": 0.7, "prompt": "cinematic"})
            outcome = self.service.process_job(job_id, WAIT_SECONDS)
            self.assertEqual(outcome["status"], "completed", outcome)
            self.assertTrue(outcome["result"]["output_path"].endswith("/upscaled.mp4"))
            self.assertEqual(self.service.get_job_status(job_id).config["source"], video_source.replace("job_", "job:"))

    def test_what_a_type_does_not_take_is_refused_whole(self) -> None:
        why = self.refused(ferry.InvalidArgument, self.service.add_job, ["ps_1"], "inference", {"num_steps": 0, "sigma": 1})
        self.assertEqual(sorted(problem.where for problem in why.problems), ["/params/num_steps", "/params/sigma"])
        self.assertEqual(self.service.get_queue_status()["total_queued"], 0)

    def test_queued_jobs_are_cancelled_and_running_ones_are_not(self) -> None:
        blocker = self.blocker()
        job_id = self.add("ps_1")
        self.assertIs(self.service.cancel_job(job_id), True)
        self.assertEqual((self.service.get_position(job_id), self.service.get_job_status(job_id)["status"]), (None, "cancelled"))
        self.assertIn("reason", self.service.get_job_status(job_id)["result"])
        self.assertIs(self.service.cancel_job(f"job_{blocker.id}"), False)
        self.assertEqual(self.service.get_job_status(blocker.id)["status"], "running")
        self.assertIs(self.service.cancel_job(job_id), False)
        self.assertIs(self.service.cancel_job(f"job_{blocker.id}", running=True), True)
        self.assertEqual(blocker.wait(WAIT_SECONDS).status, "cancelled")
        for nobody in ("job_999999", "rs_abc", "0"):
            self.assertIs(self.service.cancel_job(nobody), False)
            self.assertEqual(self.service.get_job_status(nobody), {"status": "not_found"})
            self.assertIsNone(self.service.get_position(nobody))

    def test_finished_jobs_are_cleared(self) -> None:
        self.service.clear_completed_jobs()
        for prompt in ("ps_1", "ps_2"):
            self.service.process_job(self.add(prompt), WAIT_SECONDS)
        self.assertEqual((self.service.clear_completed_jobs(), self.service.get_all_jobs()), (2, []))

    def test_waiting_times_are_forecasts_or_nothing(self) -> None:
        self.service.process_job(self.add("ps_1"), WAIT_SECONDS)  # from now on it is known how long they take
        self.client.pause()
        job_id = self.add("ps_2")
        self.assertIsNone(self.service.get_estimated_wait_time(job_id))  # paused: nobody can know
        self.client.unpause()
        self.service.process_job(job_id, WAIT_SECONDS)
        self.assertIsNone(self.service.get_estimated_wait_time(job_id))
        self.assertIsNone(self.service.get_estimated_wait_time("job_999999"))
        Gate(self.daemon.folder / "hold-ps_3")
        running = self.client.job(int(self.add("ps_3")[4:]))
        until(running.follow(), lambda update: update.status == "running")
        wait_time = self.service.get_estimated_wait_time(self.add("ps_4"))
        self.assertIsInstance(wait_time, int)
        self.assertGreaterEqual(wait_time, 0)
        self.assertIsNone(self.service.get_estimated_wait_time(running.id))

    def test_the_queue_survives_the_daemons_end_and_needs_no_thread(self) -> None:
        self.assertTrue(self.service.is_processor_running())
        self.service.start_background_processor()
        self.client.pause()
        self.assertFalse(self.service.is_processor_running())
        job_id = self.add("ps_1")
        self.service.stop_background_processor()
        self.daemon.kill()
        self.assertFalse(QueueService(client=ferry.Client(self.daemon.socket)).is_processor_running())
        self.refused(ferry.Unavailable, QueueService(client=ferry.Client(self.daemon.socket)).start_background_processor)
        self.daemon.start()
        self.assertEqual(self.service.get_position(job_id), 1)
        self.client.unpause()
        self.assertEqual(self.service.process_job(job_id, WAIT_SECONDS)["status"], "completed")
