"""The sampler as ferry's worker: through its pipes, with files in the directories of its jobs."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Optional

from errors import InputError
from models import base, base_of_some, lora
from pictures import decode_png
from run_tests import EXAMPLES
from sampler import Model

_WAIT_SECONDS = 120  # for a machine that does much else; no test is decided by it


class WorkerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="sample-digits-"))
        self.addCleanup(shutil.rmtree, self.scratch)
        self._batch = 0

    def start(self, **warm: Any) -> None:
        environment = {**os.environ, "FERRY_WARM_PARAMS": json.dumps(warm)}
        self.log_path = self.scratch / "log"
        with open(self.log_path, "wb") as log:
            command = [sys.executable, str(EXAMPLES / "sample_digits" / "sample.py"), "--worker"]
            process = subprocess.Popen(command, cwd=self.scratch, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=log, bufsize=0)
        self.process = process
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdin.close(), process.stdout.close()))

    def hear(self) -> Optional[dict[str, Any]]:
        """The next line; lines without an object are passed over, as ferry does."""
        while True:
            self.assertTrue(select.select([self.process.stdout], [], [], _WAIT_SECONDS)[0], self.log())
            line = self.process.stdout.readline()  # unbuffered, so that select() sees whether more is there
            if not line:
                return None
            if line.startswith(b"{"):
                return json.loads(line)

    def log(self) -> str:
        return self.log_path.read_text()

    def say(self, **members: Any) -> None:
        self.process.stdin.write(json.dumps(members).encode() + b"\n")
        self.process.stdin.flush()

    def run_jobs(self, *params: dict[str, Any]) -> list[Path]:
        """Asks for jobs 0, 1, … and answers their directories."""
        self._batch += 1
        folders = [self.scratch / f"batch-{self._batch}" / str(number) for number in range(len(params))]
        for folder in folders:
            folder.mkdir(parents=True)
        jobs = [{"id": number, "params": each, "dir": str(folders[number])} for number, each in enumerate(params)]
        self.say(type="run", batch=self._batch, jobs=jobs)
        return folders

    def hear_ends(self, count: int) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
        """How each of `count` jobs ended, and all else that was said before the last of them did."""
        ends, others = {}, []
        while len(ends) < count:
            told = self.hear()
            self.assertIsNotNone(told, self.log())
            if told["type"] in ("done", "failed"):
                ends[told["job"]] = told
            else:
                others.append(told)
        return ends, others

    def assert_ends(self, status: int) -> None:
        self.assertIsNone(self.hear())
        self.assertEqual(self.process.wait(_WAIT_SECONDS), status, self.log())


class Worker(WorkerTest):
    def test_alone_and_in_a_batch_the_files_are_the_same(self) -> None:
        self.start(base_model=str(base()), lora=str(lora()))
        self.assertEqual(self.hear(), {"type": "ready"}, self.log())
        jobs = [{"class": number, "seed": number % 3, "num_steps": 4, "base_model": str(base()), "lora": str(lora())}
                for number in range(8)]
        together = self.run_jobs(*jobs)
        ends, _ = self.hear_ends(8)
        result = {"path": "000-digit-5.png", "pictures": ["000-digit-5.png"]}
        self.assertEqual(ends[5], {"type": "done", "job": 5, "result": result})
        for number, job in enumerate(jobs):
            (alone,) = self.run_jobs(job)
            self.assertEqual(self.hear_ends(1)[0][0]["type"], "done")
            name = f"000-digit-{number}.png"
            self.assertEqual((alone / name).read_bytes(), (together[number] / name).read_bytes())
            self.assertEqual((len(decode_png(alone / name)), os.listdir(alone)), (68, [name]))
        self.say(type="stop")
        self.assert_ends(0)

    def test_progress_by_step_then_artifacts_then_done(self) -> None:
        self.start(base_model=str(base()), lora=None)
        self.hear()
        self.run_jobs({"class": 3, "num_steps": 3})
        said = [self.hear() for _ in range(5)]
        self.assertEqual(said[:3], [{"type": "progress", "job": 0, "step": step, "total": 3} for step in (1, 2, 3)])
        self.assertEqual(said[3], {"type": "artifact", "job": 0, "path": "000-digit-3.png"})
        self.assertEqual(said[4]["type"], "done")
        self.run_jobs({"classes": list(range(10)), "num_steps": 2}, {"class": 1, "num_steps": 2})
        ends, others = self.hear_ends(2)
        self.assertEqual([each["type"] for each in ends.values()], ["done", "done"])
        self.assertEqual([(each["job"], each["step"], each["total"]) for each in others if each["type"] == "progress"],
                         [(0, 8, 20), (0, 16, 20), (0, 18, 20), (1, 1, 2), (0, 20, 20), (1, 2, 2)])
        self.assertEqual(ends[0]["result"]["pictures"], [f"{index:03}-digit-{index}.png" for index in range(10)])

    def test_bad_input_fails_its_job_alone(self) -> None:
        self.start(base_model=str(base_of_some()), lora=None)
        self.hear()
        good = {"class": 3, "num_steps": 2}
        for params, cause in (
            ({}, "either class or classes is needed"),
            ({**good, "classes": [3]}, "either class or classes is needed"),
            ({"classes": []}, "classes must be a list of 1 to 1000 digits"),
            ({"classes": [3, 10]}, "class must be a whole number from 0 to 9, is 10"),
            ({"class": "3"}, 'class must be a whole number from 0 to 9, is "3"'),
            ({"class": True}, "class must be a whole number from 0 to 9, is true"),
            ({"class": 5}, "the model does not know the digit 5: it was trained on 3, 8"),
            ({**good, "num_steps": 0}, "num_steps must be a whole number from 1 to 250"),
            ({**good, "num_steps": 251}, "num_steps must be a whole number from 1 to 250"),
            ({**good, "guidance_scale": 21}, "guidance_scale must be a number from 0 to 20"),
            ({**good, "guidance_scale": "2"}, "guidance_scale must be a number from 0 to 20"),
            ({**good, "seed": -1}, "seed must be a whole number from 0"),
            ({**good, "sampler": "x"}, "unknown parameter sampler"),
        ):
            with self.subTest(params=params):
                self.run_jobs(good, params, {**good, "seed": None})
                ends, _ = self.hear_ends(3)
                self.assertEqual((ends[0]["type"], ends[2]["type"]), ("done", "done"))
                self.assertEqual((ends[1]["type"], ends[1].get("kind")), ("failed", "input"))
                self.assertIn(cause, ends[1]["error"])
        self.assertNotIn("Traceback", self.log())

    def test_a_cancelled_job_leaves_and_the_others_are_drawn(self) -> None:
        self.start(base_model=str(base()), lora=None)
        self.hear()
        folders = self.run_jobs({"classes": [1] * 1000, "num_steps": 250}, {"class": 2, "num_steps": 250})
        while self.hear()["job"] != 0:
            pass
        self.say(type="cancel", job=0)
        ends, _ = self.hear_ends(2)
        self.assertEqual((ends[0].get("kind"), ends[1]["type"]), ("cancelled", "done"))
        self.assertEqual([os.listdir(folder) for folder in folders], [[], ["000-digit-2.png"]])

    def test_a_model_that_cannot_be_loaded_ends_it_with_a_sentence(self) -> None:
        self.start(base_model="/no/such/file.pt", lora=None)
        why = "the checkpoint /no/such/file.pt cannot be read: No such file or directory"
        self.assertEqual(self.hear(), {"type": "failed", "error": why, "kind": "input"})
        self.assert_ends(1)
        self.assertIn("\nthe checkpoint /no/such/file.pt cannot be read: No such file", self.log())
        self.assertNotIn("Traceback", self.log())

    def test_models_that_do_not_fit_are_refused(self) -> None:
        damaged = self.scratch / "damaged.pt"
        damaged.write_bytes(base().read_bytes()[:-1000])
        for base_model, adapter, cause in (
            (damaged, None, "damaged"),
            (lora(), None, "is of stage lora"),
            (base(), damaged, "damaged"),
            (base(), base(), "must be a training of stage lora"),
            (base_of_some(), lora(), "was trained on another base_model"),
        ):
            with self.subTest(cause=cause), self.assertRaisesRegex(InputError, cause):
                Model(str(base_model), str(adapter) if adapter else None)
