"""Drawings of digits (examples/sample_digits): they gain from warmth and from company."""

import json
from pathlib import Path
from typing import Any

from batching_parts.daemon import KEEP_ALIVE_SECONDS, Job, Queue, quoted, words

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"  # the system's: the one that has python3-torch


class Digits:
    name = "digits"

    def __init__(self, work: Path, jobs: int, num_steps: int, max_items: int, training_steps: int) -> None:
        self.jobs, self._num_steps, self._max_items, self._training_steps = jobs, num_steps, max_items, training_steps
        self.title = f"Digits of {num_steps} steps"
        self._times, self._read, self._weights = work / "times.jsonl", 0, ""

    def types(self) -> str:
        program = ROOT / "bench" / "batching_parts" / "digits_worker.py"
        training = words(PYTHON, ROOT / "examples" / "train_digits" / "train.py", "--spec", "{spec}")
        once = (f"--{name}={{params.{name.replace('-', '_')}}}" for name in ("base-model", "class", "seed", "num-steps"))
        common = f'device = "cpu"\nthreads = 1\nenvironment = {{ BATCHING_TIMES = {quoted(self._times)} }}\n'
        worker = (f'{common}runner = "worker"\ncommand = {words(PYTHON, program)}\nwarm_key = ["base_model"]\n'
                  f'keep_alive = "{KEEP_ALIVE_SECONDS}s"\n')
        return (
            f'[job_types.train]\ndevice = "cpu"\nthreads = 1\ncommand = {training}\n'
            f"[job_types.digits_fresh]\n{common}command = {words(PYTHON, program, '--once', *once)}\n"
            f"[job_types.digits_warm]\n{worker}"
            f'[job_types.digits_batched]\n{worker}batch.max_items = {self._max_items}\nbatch.same = ["num_steps"]\n'
        )

    def prepare(self, queue: Queue) -> None:
        """Trains the network. The speed of drawing does not depend on how well."""
        steps = self._training_steps
        params = {"stage": "base", "steps": steps, "checkpoint_interval": steps, "validation_interval": steps}
        job = queue.finished(queue.ask("POST", "/jobs", {"type": "train", "params": params})["id"])
        self._weights = str(Path(job["directory"]) / job["result"]["weights"])

    def params(self, number: int) -> dict[str, Any]:
        return {"base_model": self._weights, "class": number % 10, "seed": number, "num_steps": self._num_steps}

    def seconds_said(self, jobs: list[Job]) -> float:
        told = self._times.read_bytes()[self._read :]
        self._read += len(told)
        lines = [json.loads(line) for line in told.splitlines()]
        if sum(line["jobs"] for line in lines) != len(jobs):
            raise SystemExit(f"batching: {len(jobs)} jobs were run, and their program tells of {lines}")
        return float(sum(line["seconds"] for line in lines if line["what"] == "run"))
