"""What a training tells ferry, and where it puts its files."""

import math
import os
import subprocess
import sys

from attempts import BASE, TERM, AttemptTest, lora_on, shared_attempt
from checkpoints import read_tensors
from run_tests import EXAMPLE


class Events(AttemptTest):
    def test_steps_rise_checkpoints_and_artifacts_are_there_and_the_result_names_its_files(self) -> None:
        attempt = shared_attempt(BASE)
        steps = [event["step"] for event in attempt.of_type("progress")]
        self.assertEqual(steps, list(range(1, 81)))
        for event in attempt.of_type("progress"):
            self.assertEqual(event["total"], 80)
            loss, rate = event["metrics"]["loss"], event["metrics"]["learning_rate"]
            self.assertEqual(event["message"], f"loss {loss:.4f}, learning rate {rate:.1e}")
            self.assertTrue(math.isfinite(loss) and 0 < rate <= 2e-3)
        self.assertEqual([event["step"] for event in attempt.of_type("checkpoint")], [14, 28, 42, 56, 70, 80])
        for event in attempt.of_type("artifact"):
            self.assertTrue((attempt.directory / event["path"]).is_file(), event)
        self.assertEqual(attempt.events[-1]["type"], "done")
        result = attempt.result()
        self.assertEqual(result["path"], "outputs/base_job7/checkpoint-000080.pt")
        self.assertEqual(result["final_loss"], attempt.losses()[80])
        rows = (attempt.directory / result["losses"]).read_text().splitlines()
        self.assertEqual(rows, ["step,loss"] + [f"{step},{loss!r}" for step, loss in attempt.losses().items()])

    def test_only_the_newest_checkpoints_are_kept(self) -> None:
        kept = sorted(path.name for path in shared_attempt(BASE).directory.glob("outputs/base_job7/checkpoint-*"))
        self.assertEqual(kept, ["checkpoint-000056.pt", "checkpoint-000070.pt", "checkpoint-000080.pt"])

    def test_files_lie_below_the_jobs_directory_alone(self) -> None:
        base = shared_attempt(BASE)
        directory = self.scratch / "all" / "job"
        directory.mkdir(parents=True)
        (directory.parent / "other").write_text("not mine")
        attempt = self.complete({**lora_on(base.final_checkpoint()), "keep_checkpoints": 1}, directory=directory)
        self.assertEqual(list(directory.glob("outputs/*/checkpoint-*")), [attempt.final_checkpoint()])
        found = {path.relative_to(directory.parent).parts for path in directory.parent.rglob("*") if path.is_file()}
        self.assertTrue(all(parts == ("other",) or parts[:3] == ("job", "outputs", "lora_r4_job7") for parts in found), found)
        self.assertTrue(all(event["path"].startswith("outputs/lora_r4_job7/")
                            for event in attempt.of_type("artifact") + attempt.of_type("checkpoint")))

    def test_progress_goes_on_at_the_step_of_the_checkpoint(self) -> None:
        params = {**BASE, "report_interval": 2}
        attempt = self.start(params)
        attempt.read_until("progress", self.random.randrange(1, 16))
        self.assertEqual(attempt.end(TERM), 75, attempt.log())
        step = attempt.of_type("checkpoint")[-1]["step"]
        steps = [event["step"] for event in self.complete(params, attempt.newest_checkpoint()).of_type("progress")]
        self.assertEqual(steps, list(range(step + 2 - step % 2, 81, 2)))

    def test_a_loss_that_is_no_number_is_told_by_name_and_never_becomes_a_checkpoint(self) -> None:
        params = {**BASE, "learning_rate": 1e6, "steps": 100, "checkpoint_interval": 1}
        stopping = self.start(params)
        self.assertEqual(stopping.end(), 1)
        (failed,) = stopping.of_type("failed")
        self.assertEqual(failed["kind"], "input")
        self.assertIn("a lower learning_rate may help", failed["error"])
        self.assertIn(stopping.of_type("progress")[-1]["metrics"]["loss"], ("nan", "inf"))
        going_on = self.start({**params, "stop_on_nan": False})
        self.assertEqual(going_on.end(), 1)
        self.assertEqual(going_on.of_type("progress")[-1]["metrics"]["loss"], "nan")
        self.assertEqual(going_on.of_type("progress")[-1]["step"], 100)
        bad = stopping.of_type("progress")[-1]["step"]
        for attempt in (stopping, going_on):
            self.assertTrue(all(event["step"] < bad for event in attempt.of_type("checkpoint")))
            for path in attempt.directory.glob("outputs/*/checkpoint-*"):
                self.assertTrue(all(bool(tensor.isfinite().all()) for tensor in read_tensors(str(path)).values()), path)

    def test_it_runs_by_hand_without_ferry(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FERRY_EVENTS")}
        folder = self.scratch / "by hand"
        command = [sys.executable, str(EXAMPLE / "train.py"), "--output", str(folder), "--stage", "base", "--steps", "20",
                   "--batch-size", "16", "--width", "16"]
        run = subprocess.run(command, env=environment, cwd=self.scratch, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("step 20/20: loss ", run.stdout)
        self.assertTrue((folder / "checkpoint-000020.pt").is_file())
