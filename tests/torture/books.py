"""The books: what ferry says of each acknowledged job, held against what the torture asked for and what the jobs left behind."""

import fcntl
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from books_of_bonds import BooksOfBonds
from books_of_parts import BooksOfParts, items_given, items_worked_on
from client import Client
from follow_ups import count_follow_ups
from histories import History, history_of
from job_kinds import COMPLETED, FAILED, FLURRY_NAMES, MEMORY_MIB, MEMORY_MIB_PER_ITEM, TYPES_BY_NAME, WorkerType
from killer import shim_of, worker_of
from ledger import Entry, Ledger
from observer import PRIORITY_OF_TRIALS

Job = dict[str, Any]
FINAL = ("completed", "failed", "cancelled")
FAILURES_OF_THE_KILLED = ("signal", "lost", "exit_status")
RAN_TWICE_STATUS = 99  # of jobs/evidence.py
LOST_SECONDS_MAX = 10.0
SUSPEND_TAKES_SECONDS_MAX = 20.0
TRUNCATED_MS = 2  # ferry's times are cut to milliseconds
LOG_CHUNK_BYTES = 1024 * 1024


def executions_of(evidence: Path, job: int) -> list[Job]:
    """Every time that a job has begun, by its own account."""
    try:
        return [json.loads(line) for line in (evidence / f"{job}.jsonl").read_text().splitlines()]
    except FileNotFoundError:
        return []


def probe(evidence: Path, entry: Entry, job: Job, ledger: Ledger) -> None:
    """Of a job that is said to have ended nothing may live: what it started holds its lock. The caller holds entry.lock."""
    try:
        descriptor = os.open(evidence / f"{entry.id}.lock", os.O_RDWR)
    except FileNotFoundError:
        return  # it never began
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 1000).decode(errors="replace")
        what = f"job {entry.id} ({entry.order.kind.name}) is {job['status']} and something of it lives"
        ledger.crime(f"{what}: {holder}; {brief(job)}")
    finally:
        os.close(descriptor)


def brief(job: Job) -> str:
    keys = ("id", "name", "status", "attempts", "batch", "failure", "phase", "waiting_for")
    return json.dumps({key: job.get(key) for key in keys})


class Books:
    """Closed when every job has ended: audit() holds each account against the others and names what does not balance."""

    def __init__(self, evidence: Path, data: Path, client: Client, ledger: Ledger) -> None:
        self._evidence, self._runs, self._client, self._ledger = evidence, data / "runs", client, ledger
        self._histories: dict[int, History] = {}
        self._bonds = BooksOfBonds([], {}, ledger)
        self.states: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.follow_ups: Counter[str] = Counter()

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
        self._bonds.audit()
        self._audit_turns()
        self._audit_memory()
        flurries = [entry.id for entry in entries if entry.order.type in FLURRY_NAMES and entry.id in jobs]
        self.follow_ups = count_follow_ups(self._runs, [self._histories[job] for job in flurries])
        self._audit_crimes({entry.id: entry for entry in entries})

    def _audit_lists(self, acknowledged: set[int]) -> None:
        """Neither more jobs nor fewer than were acknowledged."""
        listed: list[Job] = []
        before = ""
        while True:
            page = self._client.get(f"/jobs?cleared=true&limit=1000{before}").json
            listed += page["jobs"]
            if not page["next_before"]:
                break
            before = f"&before={page['next_before']}"
        ids = [job["id"] for job in listed]
        if len(ids) != len(set(ids)):
            self._ledger.crime("a job is listed twice")
        if lost := acknowledged - set(ids):
            self._ledger.crime(f"acknowledged jobs are not listed: {sorted(lost)}")
        if strangers := set(ids) - acknowledged:
            self._ledger.crime(f"jobs are listed that nobody acknowledged: {sorted(strangers)}")
        states = Counter(job["status"] for job in listed)
        counts = self._client.get("/status").json["counts"]
        for state in ("queued", "running", "completed", "failed", "cancelled"):
            if counts[state] != states[state]:
                self._ledger.crime(f"the status counts {counts[state]} {state} jobs, the list has {states[state]}")

    def _audit_job(self, entry: Entry, job: Job) -> None:
        state = job["status"]
        failure = (job["failure"] or {}).get("kind")
        self.states["lost" if failure == "lost" and state == FAILED else state] += 1
        with entry.lock:
            probe(self._evidence, entry, job, self._ledger)
        match state:
            case "completed":
                self._audit_completed(entry, job)
            case "failed":
                self._audit_failed(entry, job)
            case "cancelled":
                if not entry.cancel_asked and not self._bonds.was_cancelled_by_needs(entry, job):
                    self._accuse(entry, job, "was cancelled and nobody asked for it")
            case _:
                self._accuse(entry, job, "is in no final state")
        if job["priority"] == PRIORITY_OF_TRIALS:
            self._accuse(entry, job, "has the priority of a dry run")
        self._audit_executions(entry, job)
        self._audit_log(entry, job)

    def _audit_completed(self, entry: Entry, job: Job) -> None:
        kind = entry.order.kind
        if COMPLETED not in kind.ends:
            self._accuse(entry, job, "is completed, which it cannot be")
        if kind.name == "vandal":
            return
        try:
            mark = (Path(job["directory"]) / "done").read_text()
        except (OSError, TypeError):
            mark = "nothing"
        if mark != str(job["batch"]):
            self._accuse(entry, job, f"is completed, but its mark of done work is {mark}")
        if kind.name == "reporter" or entry.order.type:
            all_parts = (job["result"] or {}).get("parts", [{"result": job["result"]}])
            for result in [part["result"] or {} for part in all_parts]:
                if result.get("answer") != entry.id or {"path": "made.txt", "bytes": 5} not in result.get("artifacts", []):
                    self._accuse(entry, job, f"has the result {result}")
            if entry.order.type and result.get("edition") != entry.edition:
                self._accuse(entry, job, f"has the result {result}, though its parameters are of edition {entry.edition}")

    def _audit_failed(self, entry: Entry, job: Job) -> None:
        kind, failure = entry.order.kind, job["failure"]
        if not failure or not failure.get("kind"):
            self._accuse(entry, job, "failed without a reason")
        elif failure["exit_status"] == RAN_TWICE_STATUS:
            return  # it has told so itself
        elif failure["kind"] in kind.failures and _as_chosen(entry, failure):
            return
        elif self._was_broken_by_another(entry, self._runs / str(job["batch"]), failure):
            return
        elif failure["kind"] == "lost" and not (self._runs / str(job["batch"]) / "shim.json").exists():
            self._accuse(entry, job, "is lost, though nothing of it had started, so that it belongs into the queue again (P2)")
        elif not self._was_killed(job) or failure["kind"] not in FAILURES_OF_THE_KILLED:
            self._accuse(entry, job, "failed, and nobody did anything to it")

    def _was_killed(self, job: Job) -> bool:
        return self._was_run_killed(self._runs / str(job["batch"]))

    def _was_run_killed(self, run: Path) -> bool:
        worker = worker_of(run)
        if not worker:
            return self._ledger.was_killed(str(run), shim_of(run))
        try:
            begun, ended = ((run / name).stat().st_mtime for name in ("spec.json", "events.jsonl"))
        except OSError:
            return True  # it left no trace
        if not ends_of(run):
            ended += LOST_SECONDS_MAX  # nobody wrote its end down
        return self._ledger.was_killed(str(run), None) or self._ledger.was_worker_killed(worker, begun - 0.5, ended + 0.5)

    def _was_broken_by_another(self, entry: Entry, run: Path, failure: Job) -> bool:
        """It was left alone with a worker that breaks the protocol for one that has ended: it answers for it again."""
        others = set(ends_of(run)) - {entry.id}
        return failure["kind"] == "reported" and any(one.id in others and one.order.kind.name == "repeater" for one in self._ledger.entries())

    def _audit_executions(self, entry: Entry, job: Job) -> None:
        """Each execution is of an attempt that ferry counts, and no attempt was executed twice."""
        executions = executions_of(self._evidence, entry.id)
        executed = [execution["batch"] for execution in executions]
        history = self._histories[entry.id].events
        started = [event["detail"]["batch"] for event in history if event["what"] == "batch_started"]
        requeued = [event["detail"]["batch"] for event in history if event["what"] == "batch_requeued"]
        regrouped = [event["detail"]["batch"] for event in history if event["detail"].get("how") == "regrouped"]
        parts_done = [event["detail"]["batch"] for event in history if event["detail"].get("how") == "part_done"]
        attempts = set(started) - set(requeued)
        self.attempts["executions"] += len(executed)
        self.attempts["attempts"] += job["attempts"]
        self.attempts["starts taken back"] += len(requeued)
        self.attempts["regroupings"] += len(regrouped)
        self.attempts["parts done"] += len(parts_done)
        if entry.order.arguments.get("target") == "everything":
            return  # with its directory goes all that tells a start from none, so that ferry may take the start back
        free = len(regrouped) + len(parts_done)
        if len(executed) > job["attempts"] + free or len(executed) != len(set(executed)) or not set(executed) <= attempts:
            self._accuse(entry, job, f"executed in batches {executed}, started in {started}, taken back {requeued}")
        if len(attempts) - free != job["attempts"]:
            self._accuse(entry, job, f"has a history of {len(attempts)} attempts, {len(regrouped)} of them regrouped, "
                                     f"{len(parts_done)} with parts to come: {history}")
        if job["status"] == "completed" and entry.order.kind.name != "vandal" and job["batch"] not in executed:
            self._accuse(entry, job, f"is completed in batch {job['batch']}, but executed in {executed}")
        spans = {run.batch: (run.begun, run.ended) for run in self._histories[entry.id].runs}
        for execution in executions:
            begun, ended = spans.get(execution["batch"], (0, 0))
            if "at" in execution and not begun <= execution["at"] <= ended + TRUNCATED_MS:
                self._accuse(entry, job, f"was executed at {execution['at']:.0f} in batch {execution['batch']}, which it had from {begun} "
                                         f"to {ended}")
        for event in history:
            if event["detail"].get("how") == "suspended" and not self._was_suspended(entry, event["at"]):
                self._accuse(entry, job, f"was suspended in batch {event['detail']['batch']}, and nobody asked for it")
        if entry.order.kind.worker:
            for event in history:
                self._audit_charge(entry, job, event["detail"])
        if entry.order.kind.listed:
            self._audit_parts(entry, job, executions)

    def _audit_parts(self, entry: Entry, job: Job, executions: list[Job]) -> None:
        history, lines = self._histories[entry.id], items_worked_on(self._evidence, entry.id)
        sizes = {run.batch: items_given(self._runs / str(run.batch)).get(entry.id, 0) for run in history.runs}
        most = TYPES_BY_NAME[entry.order.type].max_items
        self.attempts["items worked on"] += len(lines)
        for crime in BooksOfParts(entry.items, most, history, sizes, executions, lines).crimes(job):
            self._accuse(entry, job, crime)

    def _was_suspended(self, entry: Entry, at: str) -> bool:
        when = datetime.fromisoformat(at).timestamp() + TRUNCATED_MS / 1000
        return entry.suspend_asked or any(asked <= when <= asked + SUSPEND_TAKES_SECONDS_MAX for asked in self._ledger.suspends_of_all)

    def _audit_turns(self) -> None:
        """On one worker a batch begins when the one before it is over."""
        turns = defaultdict(list)
        for run in self._runs.glob("[0-9]*"):
            if (worker := worker_of(run)) and (times := times_of(run)):
                turns[worker].append((*times, run.name))
        for worker, batches in turns.items():
            batches.sort()
            for (_, over, one), (begun, _, other) in zip(batches, batches[1:]):
                if begun < over:
                    self._ledger.crime(f"the worker {worker} was given batch {other} at {begun}, before its batch {one} was over at {over}")

    def _audit_memory(self) -> None:
        """At no time batches on workers that take more than there is."""
        changes = []
        for run in self._runs.glob("[0-9]*"):
            items, of = items_given(run), type_of(run)
            size = sum(items.values()) if of and of.counts_items else len(items)
            if of and (times := times_of(run)):
                memory = of.memory_mib + size * MEMORY_MIB_PER_ITEM
                changes += [(times[0], memory, run.name), (times[1], -memory, run.name)]
        taken, running = 0, set()
        for at, memory, run in sorted(changes):
            taken += memory
            running ^= {run}
            if taken > MEMORY_MIB:
                self._ledger.crime(f"the batches {sorted(running)} took {taken} MiB of {MEMORY_MIB} at {at}")
                return

    def _audit_charge(self, entry: Entry, job: Job, end: Job) -> None:
        """A job pays for what it did itself, and for what was done to a batch of which it alone was left; else for nothing."""
        failure, batch = end.get("failure"), end.get("batch")
        if not failure or not batch or (end.get("how") or end.get("state")) not in ("retried", FAILED):
            return
        run = self._runs / str(batch)
        ends = ends_of(run)
        left = jobs_of(run) - set(ends)
        own = failure["kind"] in entry.order.kind.failures
        if entry.id in ends:
            if not own:
                self._accuse(entry, job, f"paid for batch {batch} by its own word, which it never gave: {failure}")
        elif failure["kind"] in FAILURES_OF_THE_KILLED and not (run / "shim.json").exists():
            self._accuse(entry, job, f"paid for batch {batch}, which never started (P2): {failure}")
        elif len(left) > 1:
            self._accuse(entry, job, f"paid for batch {batch}, of which {sorted(left)} were left: {failure}")
        elif not own and not self._was_broken_by_another(entry, run, failure) and not (
                failure["kind"] in FAILURES_OF_THE_KILLED and self._was_run_killed(run)):
            self._accuse(entry, job, f"paid for batch {batch} of {sorted(jobs_of(run))}, to which nobody did anything: {failure}")

    def _audit_log(self, entry: Entry, job: Job) -> None:
        """All of it for a completed job, no more than a beginning of it for others."""
        if not entry.order.kind.log:
            return
        expected = entry.order.kind.log(entry.order.arguments)
        whole = job["status"] == "completed" or not self._may_be_cut(entry, job)
        bytes_read, left = 0, b""
        for chunk in self._log_of(entry):
            while len(left) < len(chunk) and (more := next(expected, b"")):
                left += more
            if left[: len(chunk)] != chunk:
                self._accuse(entry, job, f"has a log that differs from what it printed after byte {bytes_read}")
                return
            bytes_read, left = bytes_read + len(chunk), left[len(chunk) :]
        self._ledger.count("log MiB checked × 1000", round(bytes_read * 1000 / LOG_CHUNK_BYTES))
        if whole and next(chain(filter(None, [left]), expected), None):
            self._accuse(entry, job, f"has a log that ends after {bytes_read} bytes, before what it printed last")

    def _may_be_cut(self, entry: Entry, job: Job) -> bool:
        failure = job["failure"] or {}
        gave_up = failure.get("kind") == "lost" or failure.get("exit_status") == RAN_TWICE_STATUS
        by_need = job["status"] == "cancelled" and failure.get("kind") == "needs"
        return gave_up or by_need or entry.cancel_asked or self._was_killed(job)

    def _log_of(self, entry: Entry) -> Iterator[bytes]:
        offset = 0
        while True:
            answer = self._client.get(f"/jobs/{entry.id}/log?offset={offset}&limit={LOG_CHUNK_BYTES}")
            if not answer.good:
                self._ledger.crime(f"the log of job {entry.id} was answered {answer}")
                return
            yield answer.body
            offset = int(answer.headers["Ferry-Log-Next"])
            if answer.headers.get("Ferry-Log-Complete") == "true":
                return

    def _audit_crimes(self, entries: dict[int, Entry]) -> None:
        """What jobs themselves have seen: another execution of theirs that lived."""
        try:
            lines = (self._evidence / "crimes.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return
        for told in map(json.loads, lines):
            entry = entries.get(told["this"]["job"])
            what = f"{entry.order.kind.name} {entry.order.arguments}" if entry else "of nobody's"
            self._ledger.crime(f"job {told['this']['job']} ({what}) {told['crime']}: {told['this']} beside {told['holder']}")

    def _accuse(self, entry: Entry, job: Job, what: str) -> None:
        self._ledger.crime(f"job {entry.id} ({entry.order.kind.name} {entry.order.arguments}) {what}: {brief(job)}")


def jobs_of(run: Path) -> set[int]:
    try:
        return {job["id"] for job in json.loads((run / "spec.json").read_bytes())["jobs"]}
    except (OSError, ValueError, KeyError):
        return set()


def type_of(run: Path) -> WorkerType | None:
    try:
        name = json.loads((run / "spec.json").read_bytes())["type"]
    except (OSError, ValueError, KeyError):
        return None
    return TYPES_BY_NAME.get(name)


def times_of(run: Path) -> tuple[int, int] | None:
    """When it began and ended, in ms, where that was written down."""
    try:
        events = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    except (OSError, ValueError):
        return None
    return (events[0]["at"], events[-1]["at"]) if events and events[0]["type"] == "started" and events[-1]["type"] == "exited" else None


def ends_of(run: Path) -> list[int]:
    """The jobs whose own ends its shim has written down; of the run itself, 0."""
    try:
        events = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    except (OSError, ValueError):
        return []
    return [event.get("job", 0) for event in events if event["type"] in ("job_done", "job_failed", "job_cancelled", "exited")]


def _as_chosen(entry: Entry, failure: Job) -> bool:
    """The status or signal that the job was told to end with."""
    kind = entry.order.kind
    if kind.name in ("fails", "quitter"):
        return failure["exit_status"] == entry.order.arguments["status"]
    if kind.name == "crashes":
        return failure["signal"] == 11
    return True
