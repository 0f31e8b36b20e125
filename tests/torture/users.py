"""The users: submitters, who hand in jobs, and meddlers, who change their minds about them."""

import threading
import time
from pathlib import Path
from random import Random
from typing import Any

from books import FINAL, brief, executions_of, probe
from books_of_parts import Parts
from client import Answer, Client, Unanswered
from histories import history_of
from job_kinds import FLURRY_NAMES, MODELS, TYPES_BY_NAME, Order, OrderForm, choose_company, choose_length, item_names
from killer import await_part_done
from ledger import Entry, Ledger
from observer import PRIORITY_OF_TRIALS

CANCEL_SECONDS_MAX = SUSPEND_SECONDS_MAX = 45.0
SLOW_CANCEL_SECONDS = 12.0  # worth telling: grace and what a batch may take is less
RETRIES_MAX = 2
PRIORITIES = [priority for priority in range(101) if priority != PRIORITY_OF_TRIALS]
RECENT_JOBS = 60
NEEDED_JOBS = 25  # of the latest, one of which a new job may need
BACKLOG_MAX = 90  # jobs queued at once


class Submitter:
    """Hands in its orders, crowd after crowd, spread over the torture's time."""

    def __init__(self, number: int, seed: int, crowds: list[list[Order]], seconds: float, form: OrderForm, client: Client,
                 ledger: Ledger) -> None:
        self._name, self._crowds, self._pause = f"s{number}", crowds, seconds / max(1, len(crowds))
        self._seconds = seconds
        self._random = Random(f"{seed}/submitter/{number}")
        self._form, self._client, self._ledger = form, client, ledger

    def work(self) -> None:
        waiting: list[Order] = []
        begun = time.monotonic()
        for number, crowd in enumerate(self._crowds):
            due = begun + (number + self._random.random()) * self._pause
            time.sleep(max(0.0, due - time.monotonic()))
            if not self._has_room(begun + self._seconds):
                break  # this machine does fewer jobs than were planned
            waiting += crowd
            if self._random.random() < 0.85:  # else with the next ones, in one request
                self._submit(waiting)
                waiting = []
            if self._random.random() < 0.04:
                self._submit_nonsense()
        if waiting:
            self._submit(waiting)

    def _has_room(self, until: float) -> bool:
        """Waits while more jobs are queued than can be seen to their ends afterwards; False when the time is up."""
        while time.monotonic() < until:
            if self._client.get("/status").json["counts"]["queued"] < BACKLOG_MAX:
                return True
            time.sleep(0.2)
        return False

    def _submit(self, orders: list[Order]) -> None:
        key = f"{self._name}-{self._random.getrandbits(64):016x}"
        needs = [self._choose_needed(order) for order in orders]
        bodies = [self._form.body(order, _name(key, n, order), needs[n]) for n, order in enumerate(orders)]
        request = bodies[0] if len(bodies) == 1 else {"jobs": bodies}
        self._ledger.count("submitted", len(orders))
        try:
            answer = self._client.post("/jobs", request, key)
            again = self._client.post("/jobs", request, key) if self._random.random() < 0.1 else None
            other = self._client.post("/jobs", bodies[0] | {"priority": 7}, key) if self._random.random() < 0.05 else None
        except Unanswered as error:
            self._ledger.crime(f"a submit was never answered: {error}")
            return
        if not answer.good:
            self._ledger.crime(f"a submit of {[order.kind.name for order in orders]} was refused: {answer}")
            return
        ids = _ids(answer)
        if len(ids) != len(orders):
            self._ledger.crime(f"{len(orders)} jobs were submitted with the key {key}, {len(ids)} acknowledged: {answer}")
        for n, (job, order) in enumerate(zip(ids, orders)):
            if not order.bonds.unique_key or self._is_made(job, order, _name(key, n, order)):
                self._ledger.acknowledge(Entry(job, f"{key}/{n}", order, needs=needs[n]))
                self._ledger.count(f"acknowledged {order.kind.name}")
        if again and (again.status != 200 or _ids(again) != ids):
            self._ledger.crime(f"the key {key} was acknowledged as {ids} and then answered {again}")
        if other and other.status != 409:
            self._ledger.crime(f"the key {key} with another request was answered {other}")

    def _choose_needed(self, order: Order) -> tuple[int, ...]:
        known = [entry.id for entry in self._ledger.entries()[-NEEDED_JOBS:]]
        return tuple(self._random.sample(known, min(order.bonds.needs, len(known))))

    def _is_made(self, job: int, order: Order, name: str) -> bool:
        """Or another one with its unique key lives already."""
        told = self._client.get(f"/jobs/{job}").json
        if told["unique_key"] != order.bonds.unique_key:
            self._ledger.crime(f"the unique key {order.bonds.unique_key} was answered with job {job}, whose is {told['unique_key']}")
        self._ledger.count("submits of what lived already", told["name"] != name)
        return bool(told["name"] == name)

    def _submit_nonsense(self) -> None:
        nonsense = self._random.choice((
            {"type": "no-such-type", "name": "nonsense"},
            {"type": "command", "params": {"argv": []}, "name": "nonsense"},
            {"type": "command", "params": {"argv": ["true"]}, "priority": 101, "name": "nonsense"},
            {"jobs": [{"type": "command", "params": {"argv": ["true"]}, "name": "nonsense"}, {"type": "command", "name": "half"}]},
            {"type": "command", "params": {"argv": ["true"]}, "needs": [1_000_000], "name": "nonsense"},
            {"type": "command", "params": {"argv": ["true"]}, "group": "a/b", "name": "nonsense"},
        ))
        try:
            answer = self._client.post("/jobs", nonsense, f"{self._name}-{self._random.getrandbits(64):016x}")
        except Unanswered as error:
            self._ledger.crime(f"a submit was never answered: {error}")
            return
        self._ledger.count("refused")
        if answer.status not in (400, 404):
            self._ledger.crime(f"nonsense was not refused: {nonsense}: {answer}")


def _name(key: str, number: int, order: Order) -> str:
    return f"{key}-{number}-{order.kind.name}"


def _ids(answer: Answer) -> list[int]:
    jobs = answer.json.get("jobs", [answer.json])
    return [job["id"] for job in jobs]


class Meddler:
    """Cancels, holds, moves and retries jobs of its share, and looks whether ferry keeps its word at once."""

    def __init__(self, number: int, of: int, seed: int, evidence: Path, runs: Path, client: Client, ledger: Ledger,
                 stop: threading.Event) -> None:
        self._number, self._of = number, of
        self._random = Random(f"{seed}/meddler/{number}")
        self._evidence, self._runs, self._client, self._ledger, self._stop = evidence, runs, client, ledger, stop
        self._deeds = {
            self._cancel: 18, self._hold: 12, self._move: 12, self._retry: 14, self._edit: 6, self._look: 12, self._read_log: 8,
            self._pause: 2, self._clear: 2, self._suspend: 5, self._suspend_all: 1, self._stop_at_end: 10,
        }

    def work(self) -> None:
        while not self._stop.wait(self._random.uniform(0, 0.3)):
            deed = self._random.choices(list(self._deeds), list(self._deeds.values()))[0]
            try:
                if entry := self._choose(queued=deed in (self._hold, self._move, self._edit)):
                    deed(entry)
            except Unanswered as error:
                self._ledger.crime(f"a user was never answered: {error}")

    def _choose(self, queued: bool) -> Entry | None:
        """A job of this meddler's share: mostly one that has not ended, or has not begun, or waits to be the next on its worker."""
        mine = [entry for entry in self._ledger.entries() if entry.id % self._of == self._number]
        if self._random.random() < 0.8:
            jobs = self._client.get("/queue?limit=1000").json["jobs"]
            next_ones = {job["id"] for job in jobs if job["phase"] == "starting" and job["type"] in FLURRY_NAMES}
            if (following := [entry for entry in mine if entry.id in next_ones]) and self._random.random() < 0.6:
                self._ledger.count("orders for the next jobs of a flurry")
                return self._random.choice(following)
            live = {job["id"] for job in jobs if not queued or job["status"] == "queued"}
            mine = [entry for entry in mine if entry.id in live] or mine
            if (listed := [entry for entry in mine if entry.order.kind.listed]) and self._random.random() < 0.4:
                return self._random.choice(listed)
        return self._random.choice(mine[-RECENT_JOBS:]) if mine else None

    def _command(self, entry: Entry, verb: str, body: Any = None, allowed: tuple[int, ...] = (200, 409)) -> Answer:
        asked = time.time() * 1000
        answer = self._client.post(f"/jobs/{entry.id}/{verb}", body)
        if verb in ("release", "resume") and answer.good:
            entry.releases.append((asked, time.time() * 1000))
        if answer.status not in allowed:
            self._ledger.crime(f"{verb} of job {entry.id} was answered {answer}")
        self._ledger.count(f"{verb} {'granted' if answer.good else 'refused'}")
        return answer

    def _cancel(self, entry: Entry) -> None:
        if entry.order.kind.name == "flood":
            return  # their logs are to be whole at the end
        with entry.lock:
            entry.cancel_asked = True
            answer = self._command(entry, "cancel")
            if not answer.good:
                return
            begun = time.monotonic()
            while (job := self._client.get(f"/jobs/{entry.id}?wait=2").json)["status"] not in FINAL:
                if time.monotonic() > begun + CANCEL_SECONDS_MAX:
                    self._ledger.crime(f"{CANCEL_SECONDS_MAX:.0f} s after its cancel job {entry.id} has not ended: {brief(job)}")
                    return
                if self._stop.is_set():
                    return  # all jobs are looked at until they have ended
            if (job["batch"] or 0) > (answer.json["batch"] or 0):
                self._ledger.crime(f"job {entry.id} was to be cancelled in batch {answer.json['batch']} and started again: {brief(job)}")
            if (took := time.monotonic() - begun) > SLOW_CANCEL_SECONDS:
                self._ledger.say(f"{took:.1f} s after its cancel job {entry.id} has ended: {brief(job)}")
            self._ledger.count(f"a cancel ended {job['status']}")
            probe(self._evidence, entry, job, self._ledger)

    def _hold(self, entry: Entry) -> None:
        with entry.lock:
            answer = self._command(entry, "hold")
            if not answer.good or not answer.json["held"] or answer.json["status"] != "queued":
                return
            before = len(executions_of(self._evidence, entry.id))
            self._stop.wait(self._random.uniform(0.1, 1))
            if len(executions_of(self._evidence, entry.id)) != before:
                self._ledger.crime(f"job {entry.id} was started while it was held")
            if self._random.random() < 0.7:  # the others are released at the end
                self._command(entry, "release")

    def _move(self, entry: Entry) -> None:
        place = self._random.choice(("top", "bottom", self._random.randint(1, 20)))
        self._command(entry, "move", {"position": place}, (200, 400, 409))

    def _edit(self, entry: Entry) -> None:
        """Its priority; or, of a job for a worker, what decides whom it may run with, and where."""
        order = entry.order
        if not order.type or self._random.random() < 0.3:
            answer = self._client.request("PATCH", f"/jobs/{entry.id}", {"priority": self._random.choice(PRIORITIES)})
        else:
            company = choose_company(self._random)
            changed = {"steps": company["steps"], "weights": {"vis": company["vis"]}}
            if not order.kind.model:
                changed["model"] = self._random.choice(MODELS)
            with entry.lock:
                changed["edition"] = edition = entry.edition + 1
                if order.kind.listed and self._random.random() < 0.4:
                    changed["items"] = item_names(edition, choose_length(self._random, TYPES_BY_NAME[order.type]))
                before = self._client.get(f"/jobs/{entry.id}").json
                answer = self._client.request("PATCH", f"/jobs/{entry.id}", {"params": changed})
                if answer.good:
                    entry.edition = edition
                    self._ledger.count("edits of parameters")
                if "items" in changed:
                    self._judge_edit_of_items(entry, before, changed["items"], answer)
        if answer.status not in (200, 409):
            self._ledger.crime(f"an edit of job {entry.id} was answered {answer}")

    def _judge_edit_of_items(self, entry: Entry, before: dict[str, Any], items: list[str], answer: Answer) -> None:
        """Once some are done they stay."""
        are_done = bool(before["items"] and before["items"]["done"])
        self._ledger.count(f"edits of items {'granted' if answer.good else 'refused'}{' when some were done' if are_done else ''}")
        if answer.good:
            entry.items = items
        if answer.good and are_done:
            self._ledger.crime(f"an edit of all items of job {entry.id} was granted, though some were done: {before['items']}")

    def _suspend(self, entry: Entry) -> None:
        with entry.lock:
            entry.suspend_asked = True
            answer = self._command(entry, "suspend")
            if not answer.good:
                return
            if answer.json["status"] in ("running", "queued"):
                self._await_suspended(entry, answer.json["batch"])
            self._stop.wait(self._random.uniform(0, 1))
            if self._random.random() < 0.8:  # the others are released at the end
                self._command(entry, "resume")

    def _await_suspended(self, entry: Entry, batch: int) -> None:
        """It leaves its batch, and does not go on by itself in another."""
        until = time.monotonic() + SUSPEND_SECONDS_MAX
        while (job := self._client.get(f"/jobs/{entry.id}").json)["status"] == "running" and job["batch"] == batch:
            if self._stop.is_set():
                return
            if time.monotonic() > until:
                self._ledger.crime(f"{SUSPEND_SECONDS_MAX:.0f} s after it was suspended job {entry.id} runs on: {brief(job)}")
                return
            time.sleep(0.05)
        if job["status"] in ("queued", "running") and not job["held"]:
            history = self._client.get(f"/jobs/{entry.id}/history").json["history"]
            self._ledger.crime(f"job {entry.id} was suspended in batch {batch} and goes on: {brief(job)}; {history[-4:]}")

    def _stop_at_end(self, _: Entry) -> None:
        """A job of which a part has ended by itself, and that end is on its way to the disk."""
        known = {entry.id: entry for entry in self._ledger.entries() if entry.id % self._of == self._number}
        if jobs := [job for job in await_part_done(self._runs) if job in known]:
            self._ledger.count("orders for jobs of which a part had just ended")
            self._random.choice((self._cancel, self._suspend, self._suspend))(known[jobs[0]])

    def _suspend_all(self, _: Entry) -> None:
        if self._number == 0:
            self._ledger.suspends_of_all.append(time.time())
            self._client.post("/queue/suspend")
            self._stop.wait(self._random.uniform(0, 1.5))
            self._client.post("/queue/resume")
            self._ledger.count("suspends of everything")

    def _retry(self, _: Entry) -> None:
        ended = self._client.get("/jobs?status=failed,cancelled&limit=200").json["jobs"]
        ids = {job["id"] for job in ended}
        share = [entry for entry in self._ledger.entries() if entry.id % self._of == self._number]
        mine = [entry for entry in share if entry.id in ids and entry.retries_asked < RETRIES_MAX]
        if mine:
            listed = [entry for entry in mine if entry.order.kind.listed]
            entry = self._random.choice(listed if listed and self._random.random() < 0.5 else mine)
            with entry.lock:
                entry.retries_asked += 1
                from_scratch = entry.order.kind.listed and self._random.random() < 0.3
                if entry.order.kind.listed:
                    self._judge_parts(entry)
                self._ledger.count("retries from scratch", from_scratch)
                self._command(entry, "retry", {"from_scratch": True} if from_scratch else None)

    def _judge_parts(self, entry: Entry) -> None:
        """It goes on behind those parts that are in its result."""
        job = self._client.get(f"/jobs/{entry.id}").json
        history = history_of(self._client, job)
        for misfit in Parts(history, {}, TYPES_BY_NAME[entry.order.type].max_items).misfits(job):
            self._ledger.crime(f"job {entry.id} ({entry.order.kind.name} {entry.order.arguments}) {misfit}")

    def _look(self, entry: Entry) -> None:
        with entry.lock:
            job = self._client.get(f"/jobs/{entry.id}").json
            if job["status"] in FINAL:
                probe(self._evidence, entry, job, self._ledger)

    def _read_log(self, entry: Entry) -> None:
        answer = self._client.get(f"/jobs/{entry.id}/log?offset=-4096&wait=1")
        if not answer.good and entry.order.kind.name != "vandal":
            self._ledger.crime(f"the log of job {entry.id} was answered {answer}")

    def _pause(self, _: Entry) -> None:
        if self._number == 0:  # one alone, so that nobody takes another's pause back
            self._client.post("/queue/pause")
            self._stop.wait(self._random.uniform(0, 1))
            self._client.post("/queue/unpause")
            self._ledger.count("pauses")

    def _clear(self, _: Entry) -> None:
        self._client.post("/queue/clear", {"status": [self._random.choice(FINAL)]})
        self._ledger.count("clears")
