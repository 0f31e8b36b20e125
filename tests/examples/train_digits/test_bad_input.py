"""What cannot work is refused in one sentence that names the cause, as bad input: trying again would not help."""

import json
import os
import subprocess
import sys
from pathlib import Path

from attempts import BASE, AttemptTest, lora_on, shared_attempt
from run_tests import EXAMPLE


class BadInput(AttemptTest):
    def test_parameters_that_make_no_training(self) -> None:
        for params, cause in (
            ({**BASE, "dataset": "letters"}, 'unknown dataset "letters"'),
            ({**BASE, "dataset": "digits:"}, "classes from 0 to 9"),
            ({**BASE, "dataset": "digits:3,10"}, "classes from 0 to 9"),
            ({"stage": "lora"}, "stage lora needs base_model"),
            ({"stage": "lora", "base_model": "/no/such/file.pt"}, "/no/such/file.pt cannot be read: No such file"),
            ({**BASE, "stage": "middle"}, "stage must be one of base, lora"),
            ({**BASE, "steps": 0}, "steps must be at least 1"),
            ({**BASE, "steps": "many"}, "steps must be of type int"),
            ({**BASE, "stop_on_nan": 1}, "stop_on_nan must be of type bool"),
            ({**BASE, "learning_rate": 0}, "learning_rate must be more than 0"),
            ({**BASE, "epochs": 3}, "unknown parameter epochs"),
            ({**BASE, "resume_from": "/no/such/file.pt"}, "/no/such/file.pt cannot be read: No such file"),
        ):
            with self.subTest(params=params):
                self.assertIn(cause, self.fail_on_input(params))

    def test_checkpoints_that_are_of_another_training(self) -> None:
        base = shared_attempt(BASE)
        params = {**lora_on(base.final_checkpoint()), "steps": 5}
        lora = self.complete(params)
        other = base.directory / base.of_type("checkpoint")[-2]["path"]
        weights = lora.directory / lora.result()["weights"]
        for changed, resume, causes in (
            ({**params, "rank": 8}, lora.final_checkpoint(), ["rank is 4 there and 8 here"]),
            ({**params, "dataset": "digits", "seed": 3}, lora.final_checkpoint(),
             ['dataset is "digits-inverted" there and "digits" here', "seed is 42 there and 3 here"]),
            ({**params, "base_model": str(other)}, lora.final_checkpoint(), ["base is"]),
            (BASE, lora.final_checkpoint(), ['stage is "lora" there and "base" here']),
            ({**BASE, "width": 24}, base.final_checkpoint(), ["width is 16 there and 24 here"]),
            (params, weights, ["holds weights alone"]),
            ({**params, "base_model": str(weights)}, None, ["is of stage lora"]),
        ):
            with self.subTest(causes=causes):
                error = self.fail_on_input(changed, resume)
                for cause in causes:
                    self.assertIn(cause, error)

    def test_damaged_checkpoints(self) -> None:
        good = shared_attempt(BASE).final_checkpoint()
        data = good.read_bytes()
        for name, content in (("empty", b""), ("text", b"no checkpoint\n"), ("half", data[:len(data) // 2]), ("cut", data[:-1])):
            with self.subTest(name=name):
                path = self.scratch / name
                path.write_bytes(content)
                self.assertIn(str(path), self.fail_on_input({**BASE, "resume_from": str(path)}))

    def assert_refused_or_whole(self, good: Path, content: bytes, at: int) -> None:
        """One bit is another: either that is found, or it is one that means nothing (alignment, a date in the archive)."""
        from checkpoints import InputError, read_header, read_tensors

        path = self.scratch / "flipped.pt"
        path.write_bytes(content)
        try:
            header, tensors = read_header(str(path)), read_tensors(str(path))
        except InputError as why:
            self.assertIn(str(path), str(why))
            return
        self.assertEqual(header, read_header(str(good)), f"byte {at}")
        for name, tensor in read_tensors(str(good)).items():
            self.assertEqual(tensors[name].numpy().tobytes(), tensor.numpy().tobytes(), f"byte {at}")

    def test_every_kind_of_flipped_bit_is_refused_or_means_nothing(self) -> None:
        good = shared_attempt(BASE).final_checkpoint()
        data = good.read_bytes()
        for _ in range(100):
            at = self.random.randrange(len(data))
            changed = bytearray(data)
            changed[at] ^= 1 << self.random.randrange(8)
            self.assert_refused_or_whole(good, bytes(changed), at)

    def test_specs_that_are_not_one_job(self) -> None:
        job = {"id": 1, "params": BASE, "dir": str(self.scratch)}
        for text in ("", "[]", "{}", json.dumps({"jobs": []}), json.dumps({"jobs": [job, job]}), json.dumps({"jobs": [{"id": 1}]})):
            with self.subTest(text=text):
                (self.scratch / "spec.json").write_text(text)
                events = self.scratch / "events"
                events.unlink(missing_ok=True)
                run = subprocess.run([sys.executable, str(EXAMPLE / "train.py"), "--spec", str(self.scratch / "spec.json")],
                                     env={**os.environ, "FERRY_EVENTS": str(events)}, capture_output=True)
                self.assertEqual(run.returncode, 1)
                event = json.loads(events.read_text())
                self.assertEqual((event["type"], event["kind"]), ("failed", "input"))
                self.assertIn("spec.json is not one job", event["error"])
