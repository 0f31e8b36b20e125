"""kill -9 at any moment costs steps, never a file and never a bit of the result."""

import time
from pathlib import Path
from typing import Any

from attempts import BASE, KILL, Attempt, AttemptTest, lora_on, shared_attempt
from pictures import decode_png

_KILLS = 3
PARAMS = {**BASE, "steps": 120, "checkpoint_interval": 3}


class Kill(AttemptTest):
    def assert_all_files_are_whole(self, directory: Path) -> None:
        from checkpoints import read_header, read_tensors

        for path in directory.glob("outputs/*/*"):
            if path.name.startswith("."):
                continue
            if path.suffix == ".pt":
                header = read_header(str(path))
                self.assertTrue(path.name == "weights.pt" or f"-{header['step']:06}." in path.name, path)
                read_tensors(str(path))
            elif path.suffix == ".png":
                decode_png(path)
            else:
                self.assertEqual(path.name, "losses.csv")

    def killed_again_and_again(self, params: dict[str, Any], whole: Attempt) -> None:
        resume, done, shared = None, 0, self.scratch / "shared"
        for _ in range(_KILLS):
            # A fresh directory as in ferry, or what the killed one left behind.
            attempt = self.start(params, resume, directory=shared if self.random.random() < 0.5 else None)
            for _ in range(self.random.randrange(1, 12)):
                if attempt.next_event() is None:
                    break
            time.sleep(self.random.random() * 0.02)  # somewhere within a step, a sample or the writing of a file
            status = attempt.end(KILL)
            self.assertIn(status, (-KILL, 0), attempt.log())
            self.assert_all_files_are_whole(attempt.directory)
            for step, loss in attempt.losses().items():
                self.assertEqual(loss, whole.losses()[step], f"step {step}")
            resume = attempt.newest_checkpoint() or resume
            if resume:
                self.assertTrue(resume.is_file(), f"{resume} was announced and is not there")
        last = self.complete(params, resume, directory=shared)
        self.assertEqual([path for path in shared.glob("outputs/*/.*")], [])
        self.assert_same_training(last.final_checkpoint(), whole.final_checkpoint())
        for step, loss in last.losses().items():
            self.assertEqual(loss, whole.losses()[step], f"step {step}")

    def test_a_base_training_killed_at_random_moments_ends_with_the_same_weights(self) -> None:
        self.killed_again_and_again(PARAMS, shared_attempt(PARAMS))

    def test_a_lora_killed_at_random_moments_ends_with_the_same_weights(self) -> None:
        params = {**lora_on(shared_attempt(PARAMS).final_checkpoint()), "steps": 120, "checkpoint_interval": 3}
        self.killed_again_and_again(params, shared_attempt(params))
