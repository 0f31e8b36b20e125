"""A user who only looks: why jobs wait, what runs together and what is to run next, and what would change if it did something."""

import threading
from collections import Counter
from random import Random
from typing import Any

from client import Client, Unanswered
from job_kinds import TYPES_BY_NAME
from ledger import Ledger

PRIORITY_OF_TRIALS = 13  # which no user ever gives a job
LOOKS_MAX = 10
LOOK_SECONDS = 0.1


class Observer:
    def __init__(self, seed: int, client: Client, ledger: Ledger, stop: threading.Event) -> None:
        self._random = Random(f"{seed}/observer")
        self._client, self._ledger, self._stop = client, ledger, stop
        self._deeds = {self._explain: 10, self._read_batches: 4, self._read_statistics: 2, self._try_move: 3, self._try_priority: 3}

    def work(self) -> None:
        while not self._stop.wait(self._random.uniform(0, 0.6)):
            try:
                self._random.choices(list(self._deeds), list(self._deeds.values()))[0]()
            except Unanswered as error:
                self._ledger.crime(f"a reader was never answered: {error}")

    def _explain(self) -> None:
        if job := self._choose_queued():
            judge_explanation(self._client, self._ledger, job)
            self._ledger.count("explanations")

    def _read_batches(self) -> None:
        """No job is in two batches, but for one that runs in parts: it may come again."""
        plan = self._read("/batches?limit=50")
        for which in ("running", "next"):
            counts = Counter(job for batch in plan.get(which, []) for job in batch["jobs"])
            again = [job for job, times in counts.items() if times > 1]
            if twice := [job for job in again if which == "running" or "items" not in self._read(f"/jobs/{job}")["params"]]:
                self._ledger.crime(f"the jobs {twice} are in two batches of {which}: {plan[which]}")

    def _read_statistics(self) -> None:
        """A job that runs in parts is one job of several batches; any other is in one."""
        for name, told in self._read("/statistics").get("types", {}).items():
            in_parts = name in TYPES_BY_NAME and TYPES_BY_NAME[name].counts_items
            shares = (told["warmth"]["jobs"], told["batching"]["jobs"], told["estimates"]["jobs"], 0 if in_parts else told["batches"])
            if max(shares) > told["jobs"] or told["worked_seconds"] < 0 or told["loading_seconds"] < 0:
                self._ledger.crime(f"the statistics of {name} are {told}")

    def _try_move(self) -> None:
        place = self._random.choice(("top", "bottom", self._random.randint(1, 20)))
        if job := self._choose_queued():
            self._judge_trial(job, self._client.post(f"/jobs/{job}/move", {"position": place, "dry_run": True}))

    def _try_priority(self) -> None:
        """Were it done after all, the books would find the priority."""
        if job := self._choose_queued():
            body = {"priority": PRIORITY_OF_TRIALS, "dry_run": True}
            self._judge_trial(job, self._client.request("PATCH", f"/jobs/{job}", body))

    def _judge_trial(self, job: int, answer: Any) -> None:
        self._ledger.count("dry runs")
        if answer.status not in (200, 400, 409) or (answer.good and answer.json["dry_run"] is not True):
            self._ledger.crime(f"a dry run with job {job} was answered {answer}")

    def _read(self, path: str) -> dict[str, Any]:
        answer = self._client.get(path)
        if not answer.good:
            self._ledger.crime(f"{path} was answered {answer}")
            return {}
        self._ledger.count("reads of plans")
        return answer.json

    def _choose_queued(self) -> int | None:
        jobs = [job["id"] for job in self._client.get("/queue?limit=1000").json["jobs"] if job["status"] == "queued"]
        return self._random.choice(jobs) if jobs else None


def judge_explanation(client: Client, ledger: Ledger, job: int) -> None:
    """A job that is queued says why, unless it is about to leave the queue."""
    for _ in range(LOOKS_MAX):
        answer = client.get(f"/jobs/{job}/explanation")
        if not answer.good:
            ledger.crime(f"the explanation of job {job} was answered {answer}")
            return
        told = answer.json
        if told["status"] != "queued" or told["waiting_for"]:
            return
        threading.Event().wait(LOOK_SECONDS)
    ledger.crime(f"job {job} waits and does not say why: {told}")
