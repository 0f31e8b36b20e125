"""How a torture comes to its end: every job is let go and ends, or its user loses patience with it."""

import json
import time
from pathlib import Path
from random import Random
from typing import Any

from books import FINAL, brief, probe
from client import Client
from ledger import Entry, Ledger
from observer import judge_explanation

END_SECONDS_MAX = 60.0  # of a job that was to end at once
STANDSTILL_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.2


class Settlement:
    """Waits until every job has ended. `patience`: after so many seconds what still waits has to say why, and is cancelled."""

    def __init__(self, seed: int, patience: float, evidence: Path, client: Client, ledger: Ledger) -> None:
        self._random = Random(f"{seed}/settlement")
        self._patience, self._evidence, self._client, self._ledger = patience, evidence, client, ledger
        self._open: dict[int, Entry] = {}

    def work(self) -> None:
        self._client.post("/queue/unpause")
        self._open = {entry.id: entry for entry in self._ledger.entries()}
        begun = moved = time.monotonic()
        seen = ""
        while self._open:
            queue = self._client.get("/queue?limit=1000").json["jobs"]
            self._strike_off({job["id"] for job in queue})
            self._let_go(queue)
            now = time.monotonic()
            if seen != (seen := json.dumps([[job["id"], job["status"], job["batch"], job["not_before"]] for job in queue])):
                moved = now
            if now - begun > self._patience + END_SECONDS_MAX or now - moved > STANDSTILL_SECONDS_MAX:
                self._give_up(now - begun)
                break
            if now - begun > self._patience:
                self._cancel(job for job in queue if job["status"] == "queued")
            time.sleep(LOOK_SECONDS)
        self._client.close()

    def _strike_off(self, live: set[int]) -> None:
        for entry in [entry for number, entry in self._open.items() if number not in live]:
            job = self._client.get(f"/jobs/{entry.id}").json
            if job["status"] in FINAL:
                probe(self._evidence, entry, job, self._ledger)
                del self._open[entry.id]

    def _let_go(self, queue: list[dict[str, Any]]) -> None:
        """What is held: by a user, or because a job that it needs did not complete."""
        for job in queue:
            entry = self._open.get(job["id"])
            if not entry or job["status"] != "queued" or not job["held"]:
                continue
            if entry.needs and self._random.random() < 0.3:
                self._cancel([job])
            else:
                entry.releases.append((time.time() * 1000, float("inf")))
                self._client.post(f"/jobs/{job['id']}/release")

    def _cancel(self, jobs: Any) -> None:
        for job in jobs:
            if entry := self._open.get(job["id"]):
                judge_explanation(self._client, self._ledger, entry.id)
                entry.cancel_asked = True
                self._ledger.count("cancels of what waited for too long", self._client.post(f"/jobs/{entry.id}/cancel").good)

    def _give_up(self, seconds: float) -> None:
        for entry in self._open.values():
            job = self._client.get(f"/jobs/{entry.id}").json
            self._ledger.crime(f"job {entry.id} has not ended {seconds:.0f} s after the torture: {brief(job)}")
