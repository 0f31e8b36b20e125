"""What ferry tells of a job's life, as spans of time in milliseconds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from client import Client

FOREVER = 1 << 62


@dataclass(frozen=True)
class Run:
    """One start of a job, until it left its batch. `is_taken_back`: it was queued again and counts as no attempt."""

    batch: int
    begun: int
    ended: int
    is_taken_back: bool = False


@dataclass(frozen=True)
class Life:
    """From its submit or retry until it ended; `how`: its state then, empty where it has not ended."""

    begun: int
    ended: int
    how: str


class History:
    """Of one job: `events` as ferry tells them, its runs, and its lives: one, and another for each retry by a user."""

    def __init__(self, created: str, events: list[dict[str, Any]]) -> None:
        self.events = events
        self.runs: list[Run] = []
        self.lives: list[Life] = []
        begun, open_runs = ms(created), dict[int, int]()
        for event in events:
            at, detail = ms(event["at"]), event["detail"]
            batch = detail.get("batch", 0)
            match event["what"]:
                case "batch_started":
                    open_runs[batch] = at
                case "attempt_ended" | "batch_requeued":
                    self._end(open_runs, batch, at, event["what"] == "batch_requeued")
                case "job_finished":
                    self._end(open_runs, batch, at)
                    self.lives.append(Life(begun, at, detail["state"]))
                    begun = FOREVER
                case "job_retried":
                    begun = at
        if begun != FOREVER:
            self.lives.append(Life(begun, FOREVER, ""))
        self.runs += [Run(batch, at, FOREVER) for batch, at in open_runs.items()]

    def _end(self, open_runs: dict[int, int], batch: int, at: int, is_taken_back: bool = False) -> None:
        if (begun := open_runs.pop(batch, None)) is not None:
            self.runs.append(Run(batch, begun, at, is_taken_back))

    def had_ended(self, since: int, until: int, *how: str) -> bool:
        """At some moment of that time it was in one of these final states."""
        again = [life.begun for life in self.lives[1:]] + [FOREVER]
        return any(life.how in how and life.ended <= until and back >= since for life, back in zip(self.lives, again))


def history_of(client: Client, job: dict[str, Any]) -> History:
    return History(job["created"], client.get(f"/jobs/{job['id']}/history").json["history"])


def ms(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)
