"""Attempts at training jobs, as ferry starts them: a spec file, a directory, and $FERRY_EVENTS.

The events file is a pipe of one page: the program cannot run ahead of the test by more than some twenty lines, so a test that
has read the line of a step can still interrupt the steps that follow.
"""

import atexit
import fcntl
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Optional

from run_tests import EXAMPLE

_WAIT_SECONDS = 120  # for a machine that does much else; no test is decided by it
_PIPE_BYTES = 4096
_READ_BYTES = 128  # less than a line: what is read but not looked at is room for the program to run ahead
SEED = int(os.environ.get("TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)

SMALL = {"steps": 80, "width": 16, "batch_size": 16, "checkpoint_interval": 14, "validation_interval": 30, "report_interval": 1}
BASE = {"stage": "base", "dataset": "digits", **SMALL}


def lora_on(base: Path) -> dict[str, Any]:
    return {"stage": "lora", "dataset": "digits-inverted", "rank": 4, "base_model": str(base), **SMALL}


class Attempt:
    """One process, and the events that have been read from it."""

    def __init__(self, scratch: Path, directory: Path, params: Any, resume: Optional[Path] = None, threads: int = 1) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        place = Path(tempfile.mkdtemp(dir=scratch))
        spec, pipe = place / "spec.json", place / "events"
        spec.write_text(json.dumps({"jobs": [{"id": 7, "params": params, "dir": str(directory)}]}))
        os.mkfifo(pipe)
        self._pipe = pipe
        environment = {**os.environ, "FERRY_EVENTS": str(pipe), "OMP_NUM_THREADS": str(threads)}
        if resume:
            environment["FERRY_RESUME_FROM"] = str(resume)
        self._descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self.log_path = place / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([sys.executable, str(EXAMPLE / "train.py"), "--spec", str(spec)], cwd=directory,
                                            env=environment, stdout=log, stderr=subprocess.STDOUT)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._pending = b""
        self._unread: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def next_event(self) -> Optional[dict[str, Any]]:
        """The next event, once it comes; nothing after the last one."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while not self._unread:
            if not self._poll.poll(max(0, 1000 * (deadline - time.monotonic()))):
                self.process.kill()
                raise AssertionError(f"no event came in {_WAIT_SECONDS} s:\n{self.log()}")
            data = os.read(self._descriptor, _READ_BYTES)
            if not data:
                if self._pending:
                    raise AssertionError(f"a line without an end: {self._pending!r}")
                return None
            *lines, self._pending = (self._pending + data).split(b"\n")
            self._unread = [json.loads(line, parse_constant=_refuse) for line in lines]
        event = self._unread.pop(0)
        self.events.append(event)
        return event

    def read_until(self, kind: str, step: int) -> dict[str, Any]:
        """The first event of that kind at or after that step."""
        while True:
            event = self.next_event()
            if event is None:
                raise AssertionError(f"the program ended before the {kind} of step {step}:\n{self.log()}")
            if event["type"] == kind and event.get("step", 0) >= step:
                return event

    def fill_pipe(self) -> None:
        """From here on the program's next event waits for a reader, and there is to be none."""
        writer = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(writer, b" ")
        except BlockingIOError:
            pass
        finally:
            os.close(writer)

    def end(self, number: Optional[int] = None) -> int:
        """Sends a signal where one is given, reads to the end, and answers the exit status (negative: a signal's number)."""
        if number is not None:
            self.process.send_signal(number)
        while self.next_event() is not None:
            pass
        os.close(self._descriptor)
        return self.process.wait(_WAIT_SECONDS)

    def log(self) -> str:
        return self.log_path.read_text()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def losses(self) -> dict[int, float]:
        return {event["step"]: event["metrics"]["loss"] for event in self.of_type("progress")}

    def newest_checkpoint(self) -> Optional[Path]:
        announced = self.of_type("checkpoint")
        return self.directory / announced[-1]["path"] if announced else None

    def result(self) -> dict[str, Any]:
        (done,) = self.of_type("done")
        return done["result"]

    def final_checkpoint(self) -> Path:
        return self.directory / self.result()["path"]


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


_shared: dict[str, Attempt] = {}


def shared_attempt(params: dict[str, Any]) -> Attempt:
    """An uninterrupted attempt, made once for all tests of the program: its files are to be read, not changed."""
    key = json.dumps(params, sort_keys=True)
    if key not in _shared:
        scratch = Path(tempfile.mkdtemp(prefix="train-digits-"))
        atexit.register(shutil.rmtree, scratch)
        attempt = Attempt(scratch, scratch / "job", params)
        status = attempt.end()
        assert status == 0, attempt.log()
        _shared[key] = attempt
    return _shared[key]


class AttemptTest(unittest.TestCase):
    """Has a scratch folder of its own, and says with which seed it failed."""

    def setUp(self) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="train-digits-"))
        self.addCleanup(shutil.rmtree, self.scratch)
        self.random = random.Random(f"{SEED} {self.id()}")
        self._count = 0

    def run(self, result: Any = None) -> Any:
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"{self.id()}: again with TEST_SEED={SEED}", file=sys.stderr)

    def start(self, params: Any, resume: Optional[Path] = None, directory: Optional[Path] = None, threads: int = 1) -> Attempt:
        """In a fresh directory, as ferry does for each attempt, unless one is given."""
        self._count += 1
        attempt = Attempt(self.scratch, directory or self.scratch / f"attempt-{self._count}", params, resume, threads)
        self.addCleanup(lambda: attempt.process.poll() is None and (attempt.process.kill(), attempt.process.wait()))
        return attempt

    def complete(self, params: Any, resume: Optional[Path] = None, directory: Optional[Path] = None, threads: int = 1) -> Attempt:
        attempt = self.start(params, resume, directory, threads)
        self.assertEqual(attempt.end(), 0, attempt.log())
        return attempt

    def fail_on_input(self, params: Any, resume: Optional[Path] = None) -> str:
        """Runs what must be refused as bad input, and answers the error."""
        attempt = self.start(params, resume)
        self.assertEqual(attempt.end(), 1, attempt.log())
        (event,) = [each for each in attempt.events if each["type"] not in ("progress", "checkpoint", "artifact")]
        self.assertEqual((event["type"], event["kind"]), ("failed", "input"), attempt.log())
        self.assertNotIn("Traceback", attempt.log())
        return event["error"]

    def assert_same_training(self, one: Path, other: Path) -> None:
        """All tensors (weights, their average, the optimizer, every loss) and all state besides, to the last bit."""
        from checkpoints import read_header, read_tensors

        self.assertEqual(read_header(str(one)), read_header(str(other)))
        a, b = read_tensors(str(one)), read_tensors(str(other))
        self.assertEqual(list(a), list(b))
        for name in a:
            self.assertEqual(a[name].dtype, b[name].dtype, name)
            self.assertEqual(a[name].numpy().tobytes(), b[name].numpy().tobytes(), name)


TERM, KILL = signal.SIGTERM, signal.SIGKILL
