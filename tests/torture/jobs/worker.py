"""A worker that tortured jobs run on: worker.py EVIDENCE_FOLDER RULES_AS_JSON

It does what the parameters of its jobs say, those of a batch by turns, and leaves the evidence of each. RULES are the batching rules
of its type: it looks whether what it is given keeps them. Its parameter "model" is what it loads, and some cannot be loaded.
"""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence import Execution, RanTwice, accuse, append, take_lock

TURN_SECONDS = 0.01
Job = dict[str, Any]


class Task:
    """A job of the batch that is under way."""

    def __init__(self, worker: "Worker", job: Job, execution: Execution) -> None:
        self.worker, self.id, self.params, self.directory = worker, job["id"], job["params"], job["dir"]
        self.execution, self.ended = execution, False
        self.items, self.part = job["params"].get("items", []), job.get("part")
        self.finishes = False  # also when it is to be cancelled
        self.turns = DEEDS[self.params["deed"]](self, **self.params.get("arguments", {}))

    def work(self, seconds: float) -> Iterator[None]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            say(type="progress", job=self.id, value=max(0.0, 1 - (until - time.monotonic()) / max(seconds, 1e-3)))
            yield

    def make(self) -> None:
        """A file, which is there also if the job fails afterwards."""
        Path(self.directory, "made.txt").write_text("made\n")
        say(type="artifact", job=self.id, path="made.txt")

    def succeed(self, times: int = 1) -> None:
        Path(self.directory, "made.txt").write_text("made\n")
        self.execution.done()
        self.let_go()
        line = json.dumps({"type": "done", "job": self.id, "result": {"answer": self.id, "edition": self.params["edition"]}})
        say_text(json.dumps({"type": "artifact", "job": self.id, "path": "made.txt"}) + "\n" + (line + "\n") * times)

    def fail(self, error: str, **more: str) -> None:
        self.let_go()
        say(type="failed", job=self.id, error=error, **more)

    def let_go(self) -> None:
        self.ended = True
        self.execution.let_go()


# ---- what jobs do -----------------------------------------------------------------------------------------------------------


def works(task: Task, seconds: float) -> Iterator[None]:
    yield from task.work(seconds)
    task.succeed()


def complains(task: Task, seconds: float, kind: str) -> Iterator[None]:
    yield from task.work(seconds)
    task.fail("the torture wants it so", **({"kind": kind} if kind else {}))


def quits(task: Task, seconds: float, status: int) -> Iterator[None]:
    yield from task.work(seconds)
    os._exit(status)


def dies(task: Task, seconds: float) -> Iterator[None]:
    yield from task.work(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def clings(task: Task, seconds: float) -> Iterator[None]:
    """Dies, and what it leaves behind still holds its lock and those of its neighbours."""
    yield from task.work(seconds)
    leave_children()
    os.kill(os.getpid(), signal.SIGKILL)


def parents(task: Task, seconds: float) -> Iterator[None]:
    """Leaves children behind that are the worker's from then on."""
    leave_children(task.worker.tasks)
    yield from works(task, seconds)


def babbles(task: Task, seconds: float) -> Iterator[None]:
    """Stray prints are no lines of the protocol."""
    for text in ("\n", "no JSON\n", '["neither", "is", "this"]\n', '{"type": 7}\n', '{"type": "dance"}\n', "\xff\n", "x" * 100_000 + "\n",
                 '{"type": "progress", "value": "much"}\n', '{"type": "ready"}\n'):
        say_text(text)
        os.write(2, text.encode())
        yield
    yield from works(task, seconds)


def lies(task: Task, seconds: float, how: str) -> Iterator[None]:
    """Breaks the protocol."""
    yield from task.work(seconds)
    if how == "stranger":
        say(type="done", job=task.id + 1_000_000)
    elif how == "garbled":
        say(type="done", job=str(task.id))
    else:
        say_text("x" * 2_000_000 + "\n")
    while True:
        yield


def repeats(task: Task, seconds: float) -> Iterator[None]:
    yield from task.work(seconds)
    task.succeed(times=2)


def devours(task: Task, seconds: float) -> Iterator[None]:
    """All of the memory: the batch fails as a whole, and the worker is well."""
    yield from task.work(seconds)
    task.worker.fail_batch("out of memory", "oom")


def lists(task: Task, seconds: float, how: str, at: float, times: int, most: int, finishes: bool) -> Iterator[None]:
    """Works on the items of its list, or of this part of it, and says so of each. At one of them it does, so many times, what `how` says;
    or it takes all of the memory when there are too many."""
    told = task.part or {"first_item": 0, "of": len(task.items)}
    task.finishes = finishes
    task.make()
    if how == "devours" and len(task.items) > most:
        task.worker.fail_batch("out of memory", "oom")
        return
    for number, item in enumerate(task.items, told["first_item"]):
        task.execution.begin_item(number, item)
        if number == int(at * told["of"]) and task.execution.times_worked_on(number) <= times:
            if how == "fails":
                task.fail(f"no {item}")
                return
            if how == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
        yield from task.work(seconds / len(task.items))
    task.succeed()


def hangs(task: Task) -> Iterator[None]:
    while True:
        yield


def is_deaf(task: Task) -> Iterator[None]:
    """Heeds nothing but SIGKILL."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    leave_children()
    time.sleep(3600)
    yield


DEEDS = {deed.__name__: deed for deed in (works, complains, quits, dies, clings, parents, babbles, lies, repeats, devours, lists,
                                          hangs, is_deaf)}


def leave_children(not_held: "list[Task] | None" = None) -> None:
    """One that ignores TERM in a session of its own, and one that is another program."""
    for program in (False, True):
        if os.fork() != 0:
            continue
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for task in not_held or []:
            if not task.ended:
                task.execution.let_go()
        if program:
            os.execv("/bin/sleep", ["sleep", "3600"])
        time.sleep(3600)
        os._exit(0)


# ---- the worker -------------------------------------------------------------------------------------------------------------


class Worker:
    def __init__(self, folder: str, rules: dict[str, Any]) -> None:
        self._folder, self._rules = Path(folder), rules
        self._name = Path(os.environ["FERRY_WORKER_DIR"]).name
        self._who = {"job": 0, "worker": self._name, "pid": os.getpid()}
        take_lock(self._folder, f"worker-{self._name}.lock", self._who)
        self._warm = json.loads(os.environ["FERRY_WARM_PARAMS"])
        self._heard = b""
        self._closed = False
        self._runs: list[dict[str, Any]] = []
        self._cancelled: set[int] = set()
        self.tasks: list[Task] = []

    def load(self) -> None:
        model = self._warm["model"]
        if model == "slow":
            time.sleep(self._rules["slow_seconds"])
        elif model == "refused":
            say(type="failed", error="no such model", kind="input")
            sys.exit(1)
        elif model == "broken":
            sys.exit(3)
        elif model == "endless":
            time.sleep(3600)
        say(type="ready", memory_mib=1)

    def serve(self) -> None:
        while True:
            while not self._runs:
                if self._closed:
                    return
                self._listen(None)
            self._run(self._runs.pop(0))

    def fail_batch(self, error: str, kind: str) -> None:
        for task in self.tasks:
            if not task.ended:
                task.let_go()
        say(type="failed", error=error, kind=kind)

    def _run(self, said: dict[str, Any]) -> None:
        self._judge(said)
        self.tasks = []
        for job in said["jobs"]:
            try:
                execution = Execution(str(self._folder), job["id"], said["batch"], job["dir"], worker=self._name,
                                      edition=job["params"]["edition"], part=job.get("part"))
            except RanTwice:
                say(type="failed", job=job["id"], error="it ran twice at once", kind="input")
                continue
            self.tasks.append(Task(self, job, execution))
        while self._is_busy():
            for task in self.tasks:
                if task.id in self._cancelled and not task.ended and not task.finishes:
                    task.fail("cancelled", kind="cancelled")
                if not task.ended:
                    next(task.turns, None)
            if self._is_busy():
                self._listen(TURN_SECONDS)
        self.tasks = []

    def _is_busy(self) -> bool:
        return any(not task.ended for task in self.tasks)

    def _judge(self, said: dict[str, Any]) -> None:
        """Is this a batch that the type allows, on a worker of that model?"""
        jobs = said["jobs"]
        ids = [job["id"] for job in jobs]
        vis = [job["params"]["weights"]["vis"] for job in jobs]
        faults = []
        items = sum(len(job["params"].get("items", [0])) if self._rules["counts_items"] else 1 for job in jobs)
        if len(set(ids)) != len(ids) or items > self._rules["max_items"]:
            faults.append(f"is too large with {items} items, or has a job twice")
        if len({job["params"]["steps"] for job in jobs}) > 1 or max(vis) - min(vis) > self._rules["vis"] + 1e-6:
            faults.append("mixes what must not be mixed")
        if any(job["params"]["model"] != self._warm["model"] for job in jobs):
            faults.append("asks for another model than the worker's")
        if said["beside"]:
            faults.append("was handed over before the one before it was over")
        for fault in faults:
            accuse(self._folder, f"was in a batch that {fault}", self._who | {"job": ids[0], "batch": said["batch"], "jobs": ids}, "")
        append(self._folder / "batches.jsonl", self._who | {"batch": said["batch"], "jobs": ids})

    def _listen(self, seconds: float | None) -> None:
        if self._closed:
            time.sleep(seconds or 0)
            return
        if not select.select([0], [], [], seconds)[0]:
            return
        piece = os.read(0, 65536)
        self._closed = not piece
        *lines, self._heard = (self._heard + piece).split(b"\n")
        for said in map(json.loads, lines):
            if said["type"] == "run":
                said["beside"] = self._is_busy() or bool(self._runs)
                self._cancelled -= {job["id"] for job in said["jobs"]}  # meant for an earlier batch, which was over by then
                self._runs.append(said)
            elif said["type"] == "cancel":
                self._cancelled.add(said["job"])
            else:
                self._closed = True


def say(**line: object) -> None:
    say_text(json.dumps(line) + "\n")


def say_text(text: str) -> None:
    view = memoryview(text.encode())
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    worker = Worker(sys.argv[1], json.loads(sys.argv[2]))
    worker.load()
    worker.serve()
