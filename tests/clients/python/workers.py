"""Workers as ferry starts them: a process with a pipe for each direction, whose log goes to a file."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path
from typing import Any, Mapping, Optional

from run_tests import PACKAGES

_WAIT_SECONDS = 120  # for a machine that does much else; no test is decided by it
LINE_BYTES_MAX = 1 << 20
_BEGINNING = """
import os, signal, subprocess, sys, threading, time
from pathlib import Path
from ferry import worker
"""
_END = """
if __name__ == "__main__":
    worker.serve(load, run)
"""


class Worker:
    """One process. Programs may hold themselves up with wait(path): until something is written to that FIFO."""

    def __init__(self, scratch: Path, program: str, warm: Optional[Mapping[str, Any]] = None, as_module: bool = False) -> None:
        self.place = Path(tempfile.mkdtemp(dir=scratch))
        file = self.place / "program.py"
        ending = "" if as_module or "serve(" in program else _END
        load = "" if "def load" in program else "def load(): pass\n"
        file.write_text(_BEGINNING + load + textwrap.dedent(program) + ending)
        command = [sys.executable, "-m", "ferry.worker", str(file)] if as_module else [sys.executable, str(file)]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGES), "FERRY_WARM_PARAMS": json.dumps(warm or {}),
                       "FERRY_WORKER_DIR": str(self.place)}
        with open(self.place / "log", "wb") as log:
            self.process = subprocess.Popen(command, cwd=self.place, env=environment, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log)
        self._out = self.process.stdout.fileno()
        self._pending = b""
        self._lines: list[bytes] = []
        self.strays: list[bytes] = []

    def say(self, **members: Any) -> None:
        self.say_line(json.dumps(members).encode())

    def say_line(self, line: bytes) -> None:
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def run(self, *numbers: int, params: Optional[Mapping[str, Any]] = None, batch: int = 1, **members: Any) -> None:
        """Asks for these jobs, each with a directory of its own."""
        jobs = []
        for number in numbers:
            self.directory(number).mkdir(exist_ok=True)
            jobs.append({"id": number, "params": params or {}, "dir": str(self.directory(number)), **members})
        self.say(type="run", batch=batch, jobs=jobs)

    def directory(self, number: int) -> Path:
        return self.place / f"job-{number}"

    def next_line(self) -> Optional[bytes]:
        """The next line, once it comes; nothing after the last one."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while not self._lines:
            if not select.select([self._out], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self.process.kill()
                raise AssertionError(f"no line came in {_WAIT_SECONDS} s:\n{self.log()}")
            data = os.read(self._out, 1 << 16)
            if not data:
                if self._pending:
                    raise AssertionError(f"a line without an end: {self._pending[:200]!r}")
                return None
            *self._lines, self._pending = (self._pending + data).split(b"\n")
        return self._lines.pop(0)

    def hear_ready(self) -> Optional[dict[str, Any]]:
        """The first line that begins an object; what comes before was printed before serve() could see to it."""
        while (line := self.next_line()) is not None and not line.startswith(b"{"):
            self.strays.append(line)
        return json.loads(line) if line is not None else None

    def hear(self) -> Optional[dict[str, Any]]:
        """What the worker says next, which must keep to the protocol."""
        line = self.next_line()
        if line is None:
            return None
        assert len(line) < LINE_BYTES_MAX, f"a line of {len(line)} bytes"
        try:
            told = json.loads(line, parse_constant=_refuse)
        except ValueError as why:
            raise AssertionError(f"{why}: {line[:200]!r}") from why
        assert isinstance(told, dict), line[:200]
        return told

    def log(self) -> str:
        return (self.place / "log").read_text(errors="replace")

    def wait_for_end(self) -> int:
        """The exit status (negative: a signal's number), once all that was said has been read."""
        while self.hear() is not None:
            pass
        return self.process.wait(_WAIT_SECONDS)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class WorkerTest(unittest.TestCase):
    """Has a scratch folder of its own; what is started in it ends with the test."""

    def setUp(self) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="ferry-worker-"))
        self.addCleanup(shutil.rmtree, self.scratch)

    def start(self, program: str, warm: Optional[Mapping[str, Any]] = None, as_module: bool = False) -> Worker:
        """A worker that is ready. `program` is Python that defines run(), and load() where it needs one."""
        worker = self.start_unready(program, warm, as_module)
        self.assertEqual(worker.hear_ready(), {"type": "ready"}, worker.log())
        return worker

    def start_unready(self, program: str, warm: Optional[Mapping[str, Any]] = None, as_module: bool = False) -> Worker:
        worker = Worker(self.scratch, program, warm, as_module)
        self.addCleanup(self._tidy, worker)
        return worker

    def _tidy(self, worker: Worker) -> None:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait()
        for pipe in (worker.process.stdin, worker.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass  # what was not yet sent cannot be

    def assert_hears(self, worker: Worker, *told: Mapping[str, Any]) -> None:
        for each in told:
            self.assertEqual(worker.hear(), each, worker.log())

    def assert_ends(self, worker: Worker, status: int = 0) -> None:
        """It says nothing more and ends with that status."""
        self.assertIsNone(worker.hear(), worker.log())
        self.assertEqual(worker.process.wait(_WAIT_SECONDS), status, worker.log())

    def assert_stops(self, worker: Worker) -> None:
        worker.say(type="stop")
        self.assert_ends(worker)


def done(job: int, **result: Any) -> dict[str, Any]:
    return {"type": "done", "job": job, **({"result": result} if result else {})}


def failed(job: Optional[int], error: str, kind: Optional[str] = None) -> dict[str, Any]:
    return {"type": "failed", "error": error, **({"kind": kind} if kind else {}), **({"job": job} if job is not None else {})}


TERM = signal.SIGTERM
