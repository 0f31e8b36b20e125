"""A training that is stopped and goes on is the training that was never stopped."""

import time
from pathlib import Path
from typing import Any, Optional

from attempts import BASE, TERM, Attempt, AttemptTest, lora_on, shared_attempt
from checkpoints import read_header


class Resume(AttemptTest):
    def stopped(self, params: dict[str, Any], at: int, resume: Optional[Path], done: int) -> Attempt:
        """Goes on after step `done`, and is stopped somewhere after step `at`."""
        attempt = self.start(params, resume)
        attempt.read_until("progress", at)
        self.assertEqual(attempt.end(TERM), 75, attempt.log())
        steps = list(attempt.losses())
        self.assertEqual(steps, list(range(done + 1, steps[-1] + 1)))
        self.assertEqual(attempt.of_type("checkpoint")[-1]["step"], steps[-1])
        self.assertEqual(attempt.of_type("done") + attempt.of_type("failed"), [])
        return attempt

    def stopped_twice(self, params: dict[str, Any], last_params: dict[str, Any]) -> None:
        """Stops at two random steps, and compares with the uninterrupted attempt."""
        whole = shared_attempt(params)
        # The program is at most some 25 steps ahead of what is read.
        first = self.stopped(params, self.random.randrange(1, 12), None, 0)
        done = max(first.losses())
        second = self.stopped(params, self.random.randrange(done + 1, max(done + 2, 50)), first.newest_checkpoint(), done)
        # More samples change nothing: their noise is their own.
        last = self.complete({**last_params, "validation_interval": 7}, second.newest_checkpoint())
        self.assertEqual(first.losses() | second.losses() | last.losses(), whole.losses())
        self.assertEqual(list(whole.losses()), list(range(1, params["steps"] + 1)))
        self.assert_same_training(last.final_checkpoint(), whole.final_checkpoint())
        for file in ("weights", "losses", "sample"):
            self.assertEqual(*((each.directory / each.result()[file]).read_bytes() for each in (last, whole)), file)

    def test_a_base_training_stopped_at_random_steps_ends_as_if_it_never_was(self) -> None:
        self.stopped_twice(BASE, BASE)

    def test_a_lora_stopped_at_random_steps_ends_as_if_it_never_was(self) -> None:
        base = shared_attempt(BASE)
        # The last attempt finds the same base in the weights file, which holds less.
        self.stopped_twice(lora_on(base.final_checkpoint()), lora_on(base.directory / base.result()["weights"]))

    def test_a_checkpoint_that_has_all_steps_is_finished_at_once(self) -> None:
        whole = shared_attempt(BASE)
        fewer = self.complete({**BASE, "steps": 5, "resume_from": str(whole.final_checkpoint())})
        self.assertEqual(fewer.of_type("progress"), [])
        self.assertEqual(fewer.result()["steps"], BASE["steps"])
        self.assert_same_training(fewer.final_checkpoint(), whole.final_checkpoint())

    def test_a_finished_training_can_be_made_longer(self) -> None:
        whole = shared_attempt(BASE)
        longer = self.complete({**BASE, "steps": 83, "resume_from": str(whole.final_checkpoint())})
        self.assertEqual(list(longer.losses()), [81, 82, 83])

    def test_a_resume_keeps_the_threads_of_the_checkpoint_and_ferrys_checkpoint_goes_before_the_users(self) -> None:
        whole = shared_attempt(BASE)
        early = whole.directory / whole.of_type("checkpoint")[-2]["path"]
        last = self.complete({**BASE, "resume_from": "/no/such/file"}, resume=early, threads=2)
        self.assertEqual(min(last.losses()), 71)
        self.assertIn("threads: 1, as in the checkpoint, not the slot's 2", last.log())
        self.assert_same_training(last.final_checkpoint(), whole.final_checkpoint())

    def test_a_stop_before_the_first_step_leaves_a_checkpoint_too(self) -> None:
        attempt = self.start(BASE)
        maps = Path(f"/proc/{attempt.process.pid}/maps")
        while attempt.process.poll() is None and "libtorch" not in maps.read_text():  # it listens to signals before it loads this
            time.sleep(0.001)
        self.assertEqual(attempt.end(TERM), 75, attempt.log())
        (checkpoint,) = attempt.of_type("checkpoint")
        self.assertEqual(checkpoint["step"], len(attempt.losses()))  # 0, unless this test was kept waiting meanwhile

    def test_a_second_term_ends_it_at_once(self) -> None:
        attempt = self.start({**BASE, "steps": 1000, "checkpoint_interval": 500, "validation_interval": 500})
        attempt.read_until("progress", 1)
        attempt.fill_pipe()
        while attempt.process.poll() is None:  # it cannot tell of its checkpoint: only another signal ends it
            attempt.process.send_signal(TERM)
            time.sleep(0.01)
        self.assertEqual(attempt.process.returncode, 143)
        for path in attempt.directory.glob("outputs/*/checkpoint-*"):
            read_header(str(path))
