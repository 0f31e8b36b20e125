"""A user with two hands: two orders for one job at once, on two connections. What was granted holds, in whichever order it came."""

import threading
import time
from random import Random
from typing import Any

from client import Answer, Client, Unanswered
from job_kinds import choose_company
from ledger import Entry, Ledger

RETRIES_MAX = 2
Request = tuple[str, str, Any]


class Twins:
    def __init__(self, seed: int, clients: tuple[Client, Client], ledger: Ledger, stop: threading.Event) -> None:
        self._random = Random(f"{seed}/twins")
        self._clients, self._client, self._ledger, self._stop = clients, clients[0], ledger, stop
        self._deeds = {self._retry: 5, self._hold_and_release: 5, self._edit: 5}

    def work(self) -> None:
        while not self._stop.wait(self._random.uniform(0, 0.8)):
            try:
                self._random.choices(list(self._deeds), list(self._deeds.values()))[0]()
            except Unanswered as error:
                self._ledger.crime(f"a user with two hands was never answered: {error}")

    def _retry(self) -> None:
        """Once is enough. Jobs that need others still do."""
        entry = self._choose("/jobs?status=failed,cancelled&limit=200", lambda one, _: one.retries_asked < RETRIES_MAX)
        if entry:
            with entry.lock:
                entry.retries_asked += 1
                self._ask(entry, "retries", *[("POST", f"/jobs/{entry.id}/retry", {})] * 2)

    def _hold_and_release(self) -> None:
        """The order that is the later one on disk holds."""
        entry = self._choose("/queue?limit=1000", lambda _, job: job["status"] == "queued")
        if not entry:
            return
        with entry.lock:
            if not self._client.post(f"/jobs/{entry.id}/hold").good:
                return
            self._release_noted(entry, lambda: self._ask(entry, "holds and releases", *[("POST", f"/jobs/{entry.id}/{verb}", {})
                                                                                        for verb in ("release", "hold")]))
            job = self._client.get(f"/jobs/{entry.id}").json
            events = [event["what"] for event in self._client.get(f"/jobs/{entry.id}/history").json["history"]]
            last = next((what for what in reversed(events) if what in ("job_held", "job_released", "job_finished")), "")
            if last == "job_held" and job["status"] in ("queued", "running") and not job["held"]:
                self._ledger.crime(f"job {entry.id} was released and held at once, held comes later on disk, and it is {job['status']} "
                                   f"and not held: {events[-4:]}")
            self._release_noted(entry, lambda: self._client.post(f"/jobs/{entry.id}/release"))

    def _edit(self) -> None:
        """Of different parameters: both hold."""
        entry = self._choose("/queue?limit=1000", lambda one, job: job["status"] == "queued" and one.order.kind.worker)
        if not entry:
            return
        company = choose_company(self._random)
        changes = {"steps": company["steps"]}, {"weights": {"vis": company["vis"]}}
        with entry.lock:
            answers = self._ask(entry, "edits", *[("PATCH", f"/jobs/{entry.id}", {"params": change}) for change in changes])
            params = self._client.get(f"/jobs/{entry.id}").json["params"]
        for change, answer in zip(changes, answers):
            if answer.good and not change.items() <= params.items():
                self._ledger.crime(f"job {entry.id} was given {changes} at once, both granted, and has {params}")

    def _release_noted(self, entry: Entry, release: Any) -> None:
        asked = time.time() * 1000
        release()
        entry.releases.append((asked, time.time() * 1000))

    def _choose(self, where: str, fits: Any) -> Entry | None:
        known = {entry.id: entry for entry in self._ledger.entries()}
        jobs = [job for job in self._client.get(where).json["jobs"] if job["id"] in known and fits(known[job["id"]], job)]
        return known[self._random.choice(jobs)["id"]] if jobs else None

    def _ask(self, entry: Entry, what: str, *requests: Request) -> list[Answer]:
        """Both at once."""
        answers: dict[int, Answer] = {}
        together = threading.Barrier(len(requests))

        def ask(n: int) -> None:
            together.wait()
            try:
                answers[n] = self._clients[n].request(*requests[n])
            except Unanswered as error:
                self._ledger.crime(f"a user with two hands was never answered: {error}")

        hands = [threading.Thread(target=ask, args=(n,)) for n in range(len(requests))]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        self._ledger.count(f"{what} at once")
        for answer in answers.values():
            if answer.status not in (200, 409):
                self._ledger.crime(f"{what} at once of job {entry.id} were answered {answer}")
        return [answers[n] for n in sorted(answers)]
