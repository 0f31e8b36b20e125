#!/usr/bin/env python3
"""What warm workers and batches save: the same drawings by a fresh process each, by a warm worker, and by a warm worker in batches.

batching.py [--bin DIR] [--jobs 64] [--rounds 3] [--num-steps 50] [--max-items 8] [--training-steps 200] [--work DIR]

Starts a ferryd of its own, trains a small network through it, and draws digits with it (examples/sample_digits; `scripts/setup --examples`
installs what it needs). Each round submits the jobs of each type while the queue is paused, and takes the time from there until all are
done. The rounds take turns, so that a machine that slows down does so for all. Standard library alone.
"""

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WAIT_SECONDS = 60
START_SECONDS_MAX = 20.0
WORKER_END_SECONDS_MAX = 15.0
TYPES = ("fresh", "warm", "batched")
NAMES = {"fresh": "a fresh process a job", "warm": "a warm worker, one job at a time", "batched": "a warm worker, batches of up to {max_items}"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bin", type=Path, default=None, help="the folder of ferryd and ferry-shim (build/release/bin, else build/dev/bin)")
    parser.add_argument("--jobs", type=int, default=64, help="jobs of each type a round (64)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each type is measured (3); the median counts")
    parser.add_argument("--num-steps", type=int, default=50, help="steps of a drawing: how much work a job is (50)")
    parser.add_argument("--max-items", type=int, default=8, help="jobs of a batch (8)")
    parser.add_argument("--training-steps", type=int, default=200, help="how long the network is trained (200); its speed does not depend on it")
    parser.add_argument("--work", type=Path, default=None, help="a folder to make the working folder in (temporary)")
    options = parser.parse_args()
    if options.bin is None:
        builds = [ROOT / "build" / preset / "bin" for preset in ("release", "dev")]
        options.bin = next((folder for folder in builds if (folder / "ferryd").exists()), None)
        if options.bin is None:
            parser.error("there is no build with a ferryd: name one with --bin")
    return options


class Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("ferry", timeout=WAIT_SECONDS + 30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Queue:
    """The daemon under measurement, in a folder of its own."""

    def __init__(self, options: argparse.Namespace, work: Path) -> None:
        self.times, self._work = work / "times.jsonl", work
        (work / "ferry.toml").write_text(configuration(options, work))
        with (work / "ferryd.log").open("wb") as log:
            self._daemon = subprocess.Popen([options.bin / "ferryd", "--config", work / "ferry.toml"], stdout=log, stderr=log)
        self._connection = Connection(work / "ferry.sock")
        self._await(lambda: (work / "ferry.sock").exists() and self.ask("GET", "/status"), START_SECONDS_MAX, "ferryd does not serve")

    def _await(self, look: Any, seconds: float, otherwise: str) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                if look():
                    return
            except OSError:
                self._connection.close()
            if time.monotonic() > until or self._daemon.poll() is not None:
                raise SystemExit(f"batching: {otherwise}; see {self._work}")
            time.sleep(0.02)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self._connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body))
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if not 200 <= response.status < 300:
            raise SystemExit(f"batching: {method} {path} was answered {response.status} {answer}")
        return answer

    def finished(self, job: int) -> dict[str, Any]:
        """The job, once it is completed."""
        while (told := self.ask("GET", f"/jobs/{job}?wait={WAIT_SECONDS}"))["status"] in ("queued", "running"):
            pass
        if told["status"] != "completed":
            raise SystemExit(f"batching: job {job} is {told['status']}: {told['failure']}; see {self._work}")
        return told

    def stop(self) -> None:
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait()
        # Its workers stay for their keep_alive, which is short here.
        until = time.monotonic() + WORKER_END_SECONDS_MAX
        while any((self._work / "data" / "workers").glob("*/control.sock")) and time.monotonic() < until:
            time.sleep(0.1)


def configuration(options: argparse.Namespace, work: Path) -> str:
    def text(value: Any) -> str:
        return json.dumps(str(value))

    program = ROOT / "bench" / "batching_worker.py"
    train = ROOT / "examples" / "train_digits" / "train.py"
    once = " ".join(f'"--{name}", "{{params.{name.replace("-", "_")}}}",' for name in ("base-model", "class", "seed", "num-steps"))
    common = f'device = "cpu"\nthreads = 1\nenvironment = {{ BATCHING_TIMES = {text(work / "times.jsonl")} }}\n'
    worker = f'{common}runner = "worker"\ncommand = ["/usr/bin/python3", {text(program)}]\nwarm_key = ["base_model"]\nkeep_alive = "5s"\n'
    return (
        f'[storage]\ndata_dir = {text(work / "data")}\n[http]\nsocket = {text(work / "ferry.sock")}\n'
        "[devices.gpu]\nenabled = false\n[devices.cpu]\nslots = 1\n"
        f'[job_types.train]\ndevice = "cpu"\nthreads = 1\ncommand = ["/usr/bin/python3", {text(train)}, "--spec", "{{spec}}"]\n'
        f'[job_types.fresh]\n{common}command = ["/usr/bin/python3", {text(program)}, "--once", {once}]\n'
        f"[job_types.warm]\n{worker}[job_types.warm.batch]\nmax_items = 1\n"
        f'[job_types.batched]\n{worker}[job_types.batched.batch]\nmax_items = {options.max_items}\nsame = ["num_steps"]\n'
    )


def train(queue: Queue, steps: int) -> str:
    """The path of the weights."""
    params = {"stage": "base", "steps": steps, "checkpoint_interval": steps, "validation_interval": steps}
    job = queue.finished(queue.ask("POST", "/jobs", {"type": "train", "params": params})["id"])
    return str(Path(job["directory"]) / job["result"]["weights"])


class Measured:
    """One round of one type."""

    def __init__(self, wall: float, said: float, batches: int, jobs: int) -> None:
        self.wall, self.said, self.batches = wall / jobs, said / jobs, batches

    @property
    def overhead(self) -> float:
        return self.wall - self.said


def measure(queue: Queue, kind: str, weights: str, options: argparse.Namespace) -> Measured:
    def draw(number: int) -> dict[str, Any]:
        params = {"base_model": weights, "class": number % 10, "seed": number, "num_steps": options.num_steps}
        return {"type": kind, "params": params}

    if kind != "fresh":  # its worker is warm from here on
        queue.finished(queue.ask("POST", "/jobs", draw(0))["id"])
    queue.ask("POST", "/queue/pause")
    jobs = [job["id"] for job in queue.ask("POST", "/jobs", {"jobs": [draw(n) for n in range(options.jobs)]})["jobs"]]
    queue.times.write_text("")
    begun = time.time()
    queue.ask("POST", "/queue/unpause")
    ends = [seconds_of(queue.finished(job)["finished"]) for job in jobs]
    lines = [json.loads(line) for line in queue.times.read_text().splitlines()]
    if sum(line["jobs"] for line in lines) != options.jobs:
        raise SystemExit(f"batching: {options.jobs} jobs of {kind} were run, and the worker tells of {lines}")
    return Measured(max(ends) - begun, sum(line["seconds"] for line in lines), len(lines), options.jobs)


def seconds_of(rfc3339: str) -> float:
    return datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()


def report(rounds: dict[str, list[Measured]], options: argparse.Namespace) -> None:
    def median(kind: str, of: str) -> float:
        return statistics.median(getattr(one, of) for one in rounds[kind])

    print(f"\n{options.jobs} jobs of {options.num_steps} steps each, one device, the median of {options.rounds} rounds:\n")
    print("| how | wall time a job | times the fresh | the worker says | ferry's overhead a job | runs |")
    print("|---|---|---|---|---|---|")
    for kind in TYPES:
        wall, said, overhead = (median(kind, of) * 1000 for of in ("wall", "said", "overhead"))
        ratio = median("fresh", "wall") * 1000 / wall
        name = NAMES[kind].format(max_items=options.max_items)
        print(f"| {name} | {wall:.2f} ms | {ratio:.2f} | {said:.2f} ms | {overhead:.2f} ms | {rounds[kind][0].batches} |")
    print(f"\nwarm over fresh: {median('fresh', 'wall') / median('warm', 'wall'):.2f} ×; "
          f"batched over warm: {median('warm', 'wall') / median('batched', 'wall'):.2f} ×; "
          f"batched over fresh: {median('fresh', 'wall') / median('batched', 'wall'):.2f} ×")
    print("each round, wall time a job: " + "; ".join(
        f"{kind} " + ", ".join(f"{one.wall * 1000:.2f}" for one in rounds[kind]) + " ms" for kind in TYPES))


def main() -> int:
    options = arguments()
    work = Path(tempfile.mkdtemp(prefix="ferry-batching-", dir=options.work)).resolve()
    queue = Queue(options, work)
    try:
        print(f"{options.bin / 'ferryd'}; load average {os.getloadavg()[0]:.2f}; training {options.training_steps} steps", flush=True)
        weights = train(queue, options.training_steps)
        rounds: dict[str, list[Measured]] = {kind: [] for kind in TYPES}
        for number in range(options.rounds):
            for kind in TYPES:
                rounds[kind].append(measure(queue, kind, weights, options))
                print(f"round {number + 1}, {kind}: {rounds[kind][-1].wall * 1000:.2f} ms a job", flush=True)
        report(rounds, options)
    finally:
        queue.stop()
    shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
