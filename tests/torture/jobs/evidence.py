"""What a tortured job leaves behind, outside of the data directory, to be held against what ferry says of it.

evidence/<job>.lock     held from the job's first moment until nothing of it lives: children inherit it
evidence/<job>.jsonl    a line for each execution
evidence/<job>.items    a line for each item of its list, when the work on it begins
evidence/worker-*.lock  the same of a worker and all that it ever started
evidence/crimes.jsonl   a line for each time a lock was found held, and for each batch that should not be one
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path

RAN_TWICE_STATUS = 99


class RanTwice(Exception):
    """Another execution of the same job lives."""


class Execution:
    """One execution of one job: begins with the lock and a line; done() is called when all work is done."""

    def __init__(self, folder: str, job: int, batch: int, directory: str, **more: object) -> None:
        self.job, self.batch, self._directory = job, batch, directory
        self._items = Path(folder, f"{job}.items")
        who = {"job": job, "batch": batch, "pid": os.getpid(), "start_ticks": _start_ticks(), "at": time.time() * 1000} | more
        self._lock = take_lock(Path(folder), f"{job}.lock", who)
        append(Path(folder) / f"{job}.jsonl", who)

    def begin_item(self, number: int, item: str) -> None:
        """`number`: from 0, in the whole list of the job."""
        append(self._items, {"job": self.job, "batch": self.batch, "number": number, "item": item, "at": time.time() * 1000})

    def times_worked_on(self, number: int) -> int:
        return sum(json.loads(line)["number"] == number for line in self._items.read_text().splitlines())

    def done(self) -> None:
        Path(self._directory, "done").write_text(str(self.batch))

    def let_go(self) -> None:
        """By this process; children that inherited it hold it still."""
        os.close(self._lock)


def execution_of_process(folder: str) -> Execution:
    """That of the one job whose process this is."""
    try:
        return Execution(folder, int(os.environ["FERRY_JOB_ID"]), int(os.environ["FERRY_BATCH_ID"]), os.environ["FERRY_JOB_DIR"])
    except RanTwice:
        sys.exit(RAN_TWICE_STATUS)


def take_lock(folder: Path, name: str, who: dict[str, object]) -> int:
    """Children inherit the descriptor. Raises RanTwice, which is a crime."""
    lock = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 1000).decode(errors="replace")
        os.close(lock)
        accuse(folder, "ran twice at once", who, holder)
        raise RanTwice from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(who).encode(), 0)
    return lock


def accuse(folder: Path, crime: str, who: dict[str, object], holder: str) -> None:
    append(folder / "crimes.jsonl", {"crime": crime, "this": who, "holder": holder})


def append(file: Path, line: dict[str, object]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(line) + "\n").encode())
    os.close(descriptor)


def _start_ticks() -> int:
    return int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
