"""Jobs that do nothing, on one warm worker: how many a second, and how soon one starts."""

import http.client
import json
import math
import socket
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from batching_parts.daemon import KEEP_ALIVE_SECONDS, WAIT_SECONDS, Queue, quoted, seconds_of, words

WAYS = {"noop_single": "one by one", "noop_batched": "in batches of up to {max_items}"}
IDLE_SECONDS_MAX = 10.0
PROGRAM = Path(__file__).resolve().with_name("noop_worker.py")


def worker_type(name: str, more: str) -> str:
    return (f'[job_types.{name}]\ndevice = "cpu"\nthreads = 1\nrunner = "worker"\ncommand = {words(sys.executable, PROGRAM)}\n'
            f'keep_alive = "{KEEP_ALIVE_SECONDS}s"\n{more}')


class Throughput:
    """All queued before, while the queue is paused."""

    def __init__(self, jobs: int, max_items: int) -> None:
        self._jobs, self._max_items = jobs, max_items
        self._rates: dict[str, list[float]] = {way: [] for way in WAYS}
        self._runs = dict.fromkeys(WAYS, 0)

    def types(self) -> str:
        return worker_type("noop_single", "") + worker_type("noop_batched", f"batch.max_items = {self._max_items}\n")

    def measure(self, queue: Queue, number: int, say: Callable[[str], None]) -> None:
        for way in WAYS:
            queue.finished(queue.submit([{"type": way}])[0])  # its worker is warm from here on
            queue.ask("POST", "/queue/pause")
            ids = queue.submit([{"type": way}] * self._jobs)
            begun = time.time()
            queue.ask("POST", "/queue/unpause")
            queue.finished(ids[-1])
            jobs = queue.completed(way, ids[0])
            if len(jobs) != len(ids):
                raise SystemExit(f"batching: the last of {len(ids)} jobs of {way} is completed, and of all of them {len(jobs)}")
            self._rates[way].append(len(ids) / (max(seconds_of(job["finished"]) for job in jobs) - begun))
            self._runs[way] = len({job["batch"] for job in jobs})
            say(f"round {number}, no-ops {self._name(way)}: {self._rates[way][-1]:,.0f} a second")

    def report(self) -> None:
        print(f"\nNo-op jobs on one warm worker: {self._jobs} of each, queued before, the median of {len(self._rates['noop_single'])} rounds\n")
        print("| how | jobs a second | a job | times one by one | runs | each round |")
        print("|---|---|---|---|---|---|")
        medians = {way: statistics.median(self._rates[way]) for way in WAYS}
        for way, rate in medians.items():
            print(f"| {self._name(way)} | {rate:,.0f} | {1e6 / rate:,.0f} µs | {rate / medians['noop_single']:.2f} | {self._runs[way]} | "
                  f"{', '.join(f'{one:,.0f}' for one in self._rates[way])} |")

    def _name(self, way: str) -> str:
        return WAYS[way].format(max_items=self._max_items)


class Starts:
    """From sending `POST /jobs` over a connection that stays until the idle worker's process has the job; one after the other."""

    def __init__(self, work: Path, submits: int) -> None:
        self._stamps, self._submits = work / "stamps", submits
        self._answered: list[int] = []
        self._started: list[int] = []

    def types(self) -> str:
        return worker_type("noop_start", f"environment = {{ NOOP_STAMPS = {quoted(self._stamps)} }}\n")

    def measure(self, queue: Queue) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(WAIT_SECONDS)
        connection.connect(str(queue.socket))
        body = json.dumps({"type": "noop_start"}).encode()
        request = b"POST /api/v1/jobs HTTP/1.1\r\nHost: ferry\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        for number in range(self._submits + 1):
            self._await_idle(queue)
            begun = time.monotonic_ns()
            connection.sendall(request)
            response = http.client.HTTPResponse(connection, method="POST")
            response.begin()
            told = response.read()
            answered = time.monotonic_ns()
            if response.status != 201:
                raise SystemExit(f"batching: a submit was answered {response.status} {told!r}")
            job = queue.finished(json.loads(told)["id"])
            seen_job, seen = map(int, self._stamps.read_text().splitlines()[-1].split())
            if seen_job != job["id"]:
                raise SystemExit(f"batching: job {job['id']} was run, and the worker saw job {seen_job} last")
            if number > 0:  # the first one loaded the worker
                self._answered.append(answered - begun)
                self._started.append(seen - begun)
        connection.close()

    def report(self) -> None:
        print(f"\nSubmit to start, on a warm idle worker: {self._submits} submits over one connection to the Unix socket, one after the other\n")
        print("| from sending POST /jobs | p50 | p99 | least | most |")
        print("|---|---|---|---|---|")
        for name, times in (("until the worker's process has the job", self._started), ("until the answer is read", self._answered)):
            told = (quantile(times, 0.5), quantile(times, 0.99), min(times), max(times))
            print(f"| {name} | " + " | ".join(f"{nanoseconds / 1e6:.3f} ms" for nanoseconds in told) + " |")

    def _await_idle(self, queue: Queue) -> None:
        until = time.monotonic() + IDLE_SECONDS_MAX
        while not queue.is_idle():
            if time.monotonic() > until:
                raise SystemExit(f"batching: a job has ended, and {IDLE_SECONDS_MAX:.0f} s later its slot is not free")


def quantile(values: Sequence[int], share: float) -> int:
    return sorted(values)[math.ceil(share * len(values)) - 1]
