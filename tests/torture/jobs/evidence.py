"""What a tortured job leaves behind, outside of the data directory, to be held against what ferry says of it.

evidence/<job>.lock   held from the job's first moment until nothing of it lives: children inherit it
evidence/<job>.jsonl  a line for each execution
evidence/crimes.jsonl a line for each time the lock was found held
"""

import fcntl
import json
import os
import sys
from pathlib import Path

RAN_TWICE_STATUS = 99


class Evidence:
    """Begins with the lock and the line of this execution; done() is called when all work is done."""

    def __init__(self, folder: str) -> None:
        self.job = int(os.environ["FERRY_JOB_ID"])
        self.batch = int(os.environ["FERRY_BATCH_ID"])
        self._folder = Path(folder)
        self._who = {"job": self.job, "batch": self.batch, "pid": os.getpid(), "start_ticks": _start_ticks()}
        self._lock = os.open(self._folder / f"{self.job}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(self._lock, True)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 1000).decode(errors="replace")
            _append(self._folder / "crimes.jsonl", {"crime": "ran twice at once", "this": self._who, "holder": holder})
            sys.exit(RAN_TWICE_STATUS)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, json.dumps(self._who).encode(), 0)
        _append(self._folder / f"{self.job}.jsonl", self._who)

    def done(self) -> None:
        Path(os.environ["FERRY_JOB_DIR"], "done").write_text(str(self.batch))


def _append(file: Path, line: dict[str, object]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(line) + "\n").encode())
    os.close(descriptor)


def _start_ticks() -> int:
    return int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
