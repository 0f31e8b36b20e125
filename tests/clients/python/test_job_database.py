"""JobDatabase, played through as the LTX-Video document shows it."""

import os
import warnings
from datetime import datetime
from pathlib import Path

from daemon import WAIT_SECONDS, DaemonTest, until

import ferry
from ferry.job_database import JobDatabase, JobStatus

# A training that reports, writes a checkpoint and a sample, and waits where the test says.
_TYPES = """
[job_types.train]
command = ["/bin/sh", "{folder}/train.sh", "{{params.dataset}}", "{{params.steps}}"]
device = "cpu"
[job_types.train.parameters]
required = ["dataset"]
[job_types.train.parameters.properties]
dataset = {{ type = "string", minLength = 1 }}
steps = {{ type = "integer", minimum = 1, default = 1500 }}
learning_rate = {{ type = "number", exclusiveMinimum = 0, default = 2e-4 }}
validation_prompt = {{ type = "string", default = "" }}
[job_types.tune]
command = ["true"]
device = "cpu"
[job_types.tune.parameters.properties]
dataset_name = {{ type = "string" }}
"""
_SCRIPT = """
cd "$FERRY_JOB_DIR"
echo "training on $1, from ${FERRY_RESUME_FROM:-the beginning}"
mkdir -p outputs && echo weights > outputs/checkpoint-500.pt && echo picture > sample.png
echo '{"type": "checkpoint", "path": "outputs/checkpoint-500.pt", "step": 500}' >> "$FERRY_EVENTS"
echo "{\\"type\\": \\"progress\\", \\"step\\": 500, \\"total\\": $2, \\"message\\": \\"loss 0.04\\"}" >> "$FERRY_EVENTS"
[ -p "$1" ] && read x < "$1"
[ "$1" != bad ] || exit 4
"""


class Trainer(DaemonTest):
    types = _TYPES

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        (cls.daemon.folder / "train.sh").write_text(_SCRIPT)

    def setUp(self) -> None:
        super().setUp()
        self.db = JobDatabase(self.daemon.folder / "jobs.db", client=self.client)

    def waiting(self) -> "tuple[int, Path]":
        """A training that has reported and goes on when it is let."""
        gate = self.daemon.gate()
        job_id = self.db.create_job(str(gate.path), {"steps": 1000})
        until(self.client.follow(job_id), lambda update: update.progress.step == 500)
        return job_id, gate.path

    def test_the_examples_of_the_document(self) -> None:
        db = self.db
        job_id = db.create_job("my_dataset", {"steps": 1000, "learning_rate": 2e-4, "validation_prompt": "a cake shaped like a car"})
        self.client.wait(job_id, WAIT_SECONDS)
        jobs = db.get_all_jobs()
        self.assertEqual(jobs[0]["id"], job_id)
        job = db.get_job(job_id)
        columns = ("id", "status", "dataset_name", "params", "progress", "error_message", "created_at", "started_at", "completed_at",
                   "process_id", "output_dir", "checkpoint_path", "validation_sample")
        self.assertEqual(set(columns) - set(job), set())
        self.assertEqual((job["status"], job["dataset_name"], job["error_message"]), ("completed", "my_dataset", None))
        self.assertEqual(job["params"], {"steps": 1000, "learning_rate": 2e-4, "validation_prompt": "a cake shaped like a car"})
        self.assertEqual(job["status"], JobStatus.COMPLETED)
        self.assertLessEqual(datetime.fromisoformat(job["started_at"]), datetime.fromisoformat(job["completed_at"]))
        self.assertEqual(Path(job["checkpoint_path"]).read_text(), "weights\n")
        self.assertEqual(Path(job["validation_sample"]).read_text(), "picture\n")
        self.assertTrue(os.path.isdir(job["output_dir"]))
        self.assertIn("training on my_dataset", job["logs"])
        db.clear_completed_jobs()
        self.assertEqual(db.get_all_jobs(), [])
        self.assertFalse((self.daemon.folder / "jobs.db").exists())
        self.assertIsNone(db.get_job(999_999))

    def test_jobs_are_seen_while_they_wait_and_run(self) -> None:
        job_id, gate = self.waiting()
        second = self.db.create_job("next_dataset", {})
        job = self.db.get_job(job_id)
        self.assertEqual((job["status"], job["progress"]), ("running", "50%, step 500 of 1000, loss 0.04"))
        os.kill(job["process_id"], 0)
        self.assertTrue(job["checkpoint_path"].endswith("outputs/checkpoint-500.pt"))
        self.assertEqual(self.db.get_next_pending_job()["id"], second)
        self.assertEqual([row["id"] for row in self.db.get_all_jobs(JobStatus.PENDING)], [second])
        self.assertEqual((self.db.get_job_count(), self.db.get_job_count("running")), (len(self.db.get_all_jobs()), 1))
        self.assertTrue(self.db.get_job(second)["progress"])  # why it waits
        gate.write_text("on\n")
        self.client.wait_all([job_id, second], WAIT_SECONDS)
        self.assertIsNone(self.db.get_job(job_id)["process_id"])
        self.assertIsNone(self.db.get_next_pending_job())

    def test_a_job_is_cancelled_and_resumed_as_a_new_one_that_goes_on(self) -> None:
        job_id, gate = self.waiting()
        self.db.update_job_status(job_id, JobStatus.CANCELLED)
        self.assertEqual(self.client.wait(job_id, WAIT_SECONDS).status, "cancelled")
        new = self.db.resume_job(job_id)
        until(self.client.follow(new), lambda update: update.progress.step == 500)
        self.assertEqual(self.db.get_job(new)["params"], self.db.get_job(job_id)["params"])
        self.assertIn(self.db.get_job(job_id)["checkpoint_path"], self.db.get_job(new)["logs"])
        gate.write_text("on\n")
        self.assertEqual(self.client.wait(new, WAIT_SECONDS).status, "completed")
        self.assertFalse(self.db.cancel_job(new))

    def test_a_failed_job_says_why_and_is_pending_again_when_asked(self) -> None:
        job_id = self.db.create_job("bad", {"steps": 1000})
        self.client.wait(job_id, WAIT_SECONDS)
        job = self.db.get_job(job_id)
        self.assertEqual((job["status"], job["error_message"]), ("failed", "ended with status 4"))
        self.assertEqual([row["id"] for row in self.db.get_all_jobs("failed")], [job_id])
        self.db.update_job_status(job_id, "failed")  # it is that already
        self.db.update_job_status(job_id, JobStatus.PENDING)
        self.assertEqual(self.client.wait(job_id, WAIT_SECONDS).attempts, 2)

    def test_states_are_not_made_up(self) -> None:
        job_id, gate = self.waiting()
        for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PENDING):
            why = self.refused(ferry.Conflict, self.db.update_job_status, job_id, status)
            self.assertIn(f"job {job_id} is running", str(why))
        with self.assertWarnsRegex(RuntimeWarning, "keeps no progress, logs"):
            self.db.update_job_status(job_id, JobStatus.RUNNING, progress="step 7", logs="…")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.db.update_job_status(job_id, JobStatus.RUNNING)
        self.refused(ValueError, self.db.update_job_status, job_id, "stuck")
        self.refused(ferry.NotFound, self.db.update_job_status, 999_999, JobStatus.CANCELLED)
        self.refused(NotImplementedError, self.db.delete_job, job_id)
        self.assertEqual(self.db.get_job(job_id)["status"], "running")
        gate.write_text("on\n")

    def test_parameters_that_the_type_does_not_take_are_named(self) -> None:
        why = self.refused(ferry.InvalidArgument, self.db.create_job, "d", {"steps": 0, "lora": 1})
        self.assertEqual(sorted(problem.where for problem in why.problems), ["/params/lora", "/params/steps"])

    def test_other_types_have_other_jobs(self) -> None:
        tuned = JobDatabase(job_type="tune", client=self.client)
        job_id = tuned.create_job("d", {})
        self.assertEqual((tuned.get_job(job_id)["dataset_name"], tuned.get_job_count()), ("d", 1))
        self.assertNotIn(job_id, [row["id"] for row in self.db.get_all_jobs()])
