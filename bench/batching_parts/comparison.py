"""The same jobs by a fresh process each, by a warm worker, and by a warm worker in batches, in rounds that take turns."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from batching_parts.daemon import Job, Queue, seconds_of

WAYS = ("fresh", "warm", "batched")
NAMES = {"fresh": "a fresh process a job", "warm": "a warm worker, one job at a time", "batched": "a warm worker, batches of up to {max_items}"}


class Subject(Protocol):
    """What is compared. Its job types are called by its name and the way."""

    name: str
    title: str
    jobs: int

    def types(self) -> str:
        """As TOML."""

    def prepare(self, queue: Queue) -> None: ...

    def params(self, number: int) -> dict[str, Any]: ...

    def seconds_said(self, jobs: list[Job]) -> float:
        """What these, which were the latest, took by their program's own account."""


@dataclass(frozen=True)
class Round:
    """Seconds a job."""

    wall: float
    said: float
    runs: int

    @property
    def overhead(self) -> float:
        return self.wall - self.said


class Comparison:
    def __init__(self, subjects: list[Subject], max_items: int) -> None:
        self._subjects, self._max_items = subjects, max_items
        self._rounds: dict[tuple[str, str], list[Round]] = {(one.name, way): [] for one in subjects for way in WAYS}

    def prepare(self, queue: Queue) -> None:
        for subject in self._subjects:
            subject.prepare(queue)

    def measure(self, queue: Queue, number: int, say: Callable[[str], None]) -> None:
        for subject in self._subjects:
            for way in WAYS:
                measured = _measure(queue, subject, way)
                self._rounds[subject.name, way].append(measured)
                say(f"round {number}, {subject.name}, {way}: {measured.wall * 1000:.2f} ms a job")

    def report(self) -> None:
        for subject in self._subjects:
            self._report(subject)

    def _report(self, subject: Subject) -> None:
        print(f"\n{subject.title}: {subject.jobs} jobs, one device, the median of {len(self._rounds[subject.name, 'fresh'])} rounds\n")
        print("| how | wall time a job | times the fresh | its program says | ferry's overhead a job | runs |")
        print("|---|---|---|---|---|---|")
        walls = {way: self._median(subject, way, "wall") for way in WAYS}
        for way in WAYS:
            said, overhead = (self._median(subject, way, of) for of in ("said", "overhead"))
            print(f"| {NAMES[way].format(max_items=self._max_items)} | {walls[way]:.2f} ms | {walls['fresh'] / walls[way]:.2f} | {said:.2f} ms | "
                  f"{overhead:.2f} ms | {self._rounds[subject.name, way][0].runs} |")
        print(f"\nwarm over fresh: {walls['fresh'] / walls['warm']:.2f} ×; batched over warm: {walls['warm'] / walls['batched']:.2f} ×; "
              f"batched over fresh: {walls['fresh'] / walls['batched']:.2f} ×")
        print("each round, wall time a job: " + "; ".join(
            f"{way} " + ", ".join(f"{one.wall * 1000:.2f}" for one in self._rounds[subject.name, way]) + " ms" for way in WAYS))

    def _median(self, subject: Subject, way: str, of: str) -> float:
        """In ms."""
        return statistics.median(getattr(one, of) for one in self._rounds[subject.name, way]) * 1000


def _measure(queue: Queue, subject: Subject, way: str) -> Round:
    def order(number: int) -> Job:
        return {"type": f"{subject.name}_{way}", "params": subject.params(number)}

    first = [queue.finished(job) for job in queue.submit([order(0)])]  # its worker is warm from here on, and its files are in memory
    subject.seconds_said(first)
    queue.ask("POST", "/queue/pause")
    ids = queue.submit([order(number) for number in range(subject.jobs)])
    begun = time.time()
    queue.ask("POST", "/queue/unpause")
    jobs = [queue.finished(job) for job in ids]
    ended = max(seconds_of(job["finished"]) for job in jobs)
    return Round((ended - begun) / len(jobs), subject.seconds_said(jobs) / len(jobs), len({job["batch"] for job in jobs}))
