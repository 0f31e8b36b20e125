"""The books of the torture of nodes: those of the other torture, and what is to be true of jobs on other machines."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from books import Books, Job, executions_of
from books_of_bonds import BooksOfBonds
from client import Client
from far_kinds import MAKES, READS_JOB, STEPS
from histories import history_of, ms
from ledger import Entry, Ledger
from machines import LEASE, MARGIN
from made import text_of
from outages import Outages
from troubles import Drain

LOST, WAS_REMOVED = "lost", "was removed"
GRACE = 1.0
LATE_SECONDS = 2.0  # what a busy machine may add to an outage: to mend it, to join, to speak
DRAIN_TAKES_MS = 500.0  # a start that was decided before, and is stored after


class FarBooks(Books):
    def __init__(self, evidence: Path, data: Path, client: Client, ledger: Ledger, outages: Outages, drains: list[Drain]) -> None:
        super().__init__(evidence, data, client, ledger)
        self._outages, self._drains = outages, drains

    def audit(self) -> None:
        entries = self._ledger.entries()
        self._bonds = BooksOfBonds(entries, self._histories, self._ledger)
        self._audit_lists({entry.id for entry in entries})
        jobs: dict[int, Job] = {}
        for entry in entries:
            answer = self._client.get(f"/jobs/{entry.id}")
            if not answer.good:
                self._ledger.crime(f"the acknowledged job {entry.id} was answered {answer}")
                continue
            jobs[entry.id], self._histories[entry.id] = answer.json, history_of(self._client, answer.json)
        for entry in entries:
            if entry.id in jobs:
                self._audit_job(entry, jobs[entry.id])
                self._audit_beats(entry, jobs[entry.id])
                self._audit_losses(entry, jobs[entry.id])
        self._bonds.audit()
        self._audit_drains()
        self._audit_crimes({entry.id: entry for entry in entries})

    def _audit_charge(self, entry: Entry, job: Job, end: Job) -> None:
        """Not here: what a shim wrote down is on the node, and is removed there."""

    def _audit_completed(self, entry: Entry, job: Job) -> None:
        super()._audit_completed(entry, job)
        kind, result = entry.order.kind.name, job["result"] or {}
        if kind in (MAKES, STEPS, READS_JOB) and result.get("answer") != entry.id:
            self._accuse(entry, job, f"has the result {result}")
        if kind == MAKES:
            for number, size in enumerate(entry.order.arguments["sizes"]):
                self._audit_file(entry, job, f"deep/made-{number}", text_of(entry.id, job["batch"], number, size))
        if kind == STEPS:
            self._audit_steps(entry, job)

    def _audit_file(self, entry: Entry, job: Job, name: str, expected: bytes) -> None:
        try:
            text = (Path(job["directory"]) / name).read_bytes()
        except (OSError, TypeError) as error:
            self._accuse(entry, job, f"is completed, and its {name} is not on the head: {error}")
            return
        self.attempts["files"] += 1
        if text != expected:
            self._accuse(entry, job, f"is completed, and its {name} on the head has {len(text)} bytes that differ from the "
                                     f"{len(expected)} that it wrote")

    def _audit_steps(self, entry: Entry, job: Job) -> None:
        """Each step is done, and a later execution goes on where a checkpoint was, or begins anew."""
        saved = {(one["batch"], one["step"]) for one in self._evidence_of(entry, "saved")}
        resumed = {one["batch"]: one for one in self._evidence_of(entry, "resumed")}
        steps = defaultdict(list)
        for one in self._evidence_of(entry, "items"):
            steps[one["batch"]].append(one["number"])
        self.attempts["resumes"] += len(resumed)
        for batch, point in resumed.items():
            if (point["from"], point["step"]) not in saved:
                self._accuse(entry, job, f"went on in batch {batch} from {point}, which it never saved")
        for batch, done in steps.items():
            first = resumed[batch]["step"] if batch in resumed else 0
            if done != list(range(first, first + len(done))):
                self._accuse(entry, job, f"did the steps {done} in batch {batch}, from {first}")
        of_last = steps[job["batch"]] or [resumed.get(job["batch"], {"step": 0})["step"] - 1]
        if of_last[-1] + 1 != entry.order.arguments["steps"]:
            self._accuse(entry, job, f"is completed, and its last step in batch {job['batch']} was {of_last[-1]}")

    def _audit_beats(self, entry: Entry, job: Job) -> None:
        """By their own timestamps no two executions overlap, and each keeps to the batches that ferry tells of."""
        spans: dict[int, list[float]] = {}
        for one in self._evidence_of(entry, "beats"):
            span = spans.setdefault(one["batch"], [one["at"], one["at"]])
            span[1] = one["at"]
        in_order = sorted((begun, ended, batch) for batch, (begun, ended) in spans.items())
        self.attempts["spans compared"] += len(in_order)
        for (_, ended, batch), (begun, _, other) in pairwise(in_order):
            if begun <= ended:
                self._accuse(entry, job, f"ran twice at once: in batch {batch} until {ended:.3f}, in batch {other} from {begun:.3f}")
        executed = {execution["batch"] for execution in executions_of(self._evidence, entry.id)}
        if strangers := set(spans) - executed:  # one that is killed as it begins has no span
            self._accuse(entry, job, f"lived in batches {sorted(strangers)}, and was executed in {sorted(executed)}")

    def _audit_losses(self, entry: Entry, job: Job) -> None:
        """Nothing is given up, or ended, to which nothing was done; nor what survives partitions, as long as only a link was cut."""
        begun = dict[int, tuple[float, str]]()
        self._count_partitions(entry, job)
        for event in self._histories[entry.id].events:
            detail = event["detail"]
            if event["what"] == "batch_started":
                begun[detail["batch"]] = ms(event["at"]), str(detail.get("device", ""))
            failure = detail.get("failure") or {}
            if failure.get("kind") not in (LOST, "signal") or detail.get("batch") not in begun:
                continue
            since, device = begun[detail["batch"]]
            if failure["kind"] == LOST:
                self.attempts["attempts lost"] += 1
            if self._ledger.was_killed(str(self._runs / str(detail["batch"])), None) or entry.order.kind.name == "crashes":
                continue
            node = device.split(":")[0]
            if WAS_REMOVED in failure.get("message", "") and self._outages.was_removed(node, ms(event["at"])):
                continue
            out = self._outages.longest((node, "head"), since - 1000 * (LEASE + MARGIN), ms(event["at"]), 1000 * LATE_SECONDS) / 1000
            if getattr(entry.order.kind, "place", "") == "lasting":
                self._accuse(entry, job, f"survives partitions, and was lost in batch {detail['batch']} on {device}, which nobody killed: "
                                         f"{json.dumps(failure)}")
            elif out < LEASE - GRACE:
                self._accuse(entry, job, f"was lost in batch {detail['batch']} on {device}, to which nothing was done, and which was out "
                                         f"for {out:.1f} s at most: {json.dumps(failure)}")

    def _count_partitions(self, entry: Entry, job: Job) -> None:
        """How many of those that survive partitions did so."""
        if job["status"] != "completed" or getattr(entry.order.kind, "place", "") != "lasting":
            return
        node, runs = str(job["device"]).split(":")[0], [run for run in self._histories[entry.id].runs if run.batch == job["batch"]]
        out = max((self._outages.longest((node,), run.begun, run.ended, 0) for run in runs), default=0)
        self.attempts["partitions survived"] += out > LEASE * 1000

    def _audit_drains(self) -> None:
        for node, since, until in self._drains:
            for number, history in self._histories.items():
                for event in history.events:
                    at = ms(event["at"])
                    if (event["what"] == "batch_started" and since + DRAIN_TAKES_MS < at < until
                            and str(event["detail"].get("device", "")).startswith(f"{node}:")):
                        self._ledger.crime(f"job {number} was started on {node} at {at}, which was drained from {since:.0f} to "
                                           f"{until:.0f}: {event}")

    def _evidence_of(self, entry: Entry, what: str) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in (self._evidence / f"{entry.id}.{what}").read_text().splitlines()]
        except FileNotFoundError:
            return []
