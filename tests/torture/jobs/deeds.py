"""What tortured jobs do. Each function is one kind of job; its keyword arguments are what the submit chose."""

import json
import os
import resource
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

from lines import pieces

GARBAGE = (b"{", b"\xff\xfe\x00", b"[" * 2000, b'{"type": 7}', b'{"type":"artifact","path":"../../x"}', b"x" * 100_000)


def noop() -> None:
    pass


def short(seconds: float) -> None:
    _say("short")
    time.sleep(seconds)


def long(lines: int, pause: float) -> None:
    for piece in pieces(lines):
        for text in piece.splitlines(keepends=True):
            os.write(1, text)
            time.sleep(pause)


def fails(status: int) -> None:
    _say("fails")
    os._exit(status)


def crashes() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _say("crashes")
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


def stubborn(seconds: float) -> None:
    """Ignores every polite request to end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _say("stubborn")
    time.sleep(seconds)


def forker(seconds: float, ignore_term: bool) -> None:
    """Leaves children behind that would sleep for an hour: a plain one, one with a session of its own, and a daemon."""
    if ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _say("forker")
    if os.fork() == 0:
        time.sleep(3600)
    if os.fork() == 0:
        os.setsid()
        time.sleep(3600)
    middle = os.fork()
    if middle == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        os.chdir("/")
        os.execv("/bin/sleep", ["sleep", "3600"])
    os.waitpid(middle, 0)
    time.sleep(seconds)


def output(lines: int) -> None:
    for piece in pieces(lines):
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view) :]


def closer(seconds: float) -> None:
    _say("closer")
    for stream in (1, 2):
        os.close(stream)
    time.sleep(seconds)


def absentee(daemon: str, seconds_max: float) -> None:
    """Ends while no daemon listens, if there is such a moment."""
    _say("absentee")
    until = time.monotonic() + seconds_max
    while time.monotonic() < until:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            try:
                knock.connect(daemon)
            except OSError:
                return
        time.sleep(0.02)


def reporter(steps: int) -> None:
    """Progress, a result and a file, among lines that mean nothing."""
    Path(os.environ["FERRY_JOB_DIR"], "made.txt").write_text("made\n")
    _report({"type": "artifact", "path": "made.txt"})
    for step in range(1, steps + 1):
        _report({"type": "progress", "step": step, "total": steps, "message": "…" * step})
        for garbage in GARBAGE:
            _report_raw(garbage)
        time.sleep(0.02)
    _report({"type": "done", "result": {"answer": int(os.environ["FERRY_JOB_ID"])}})
    _say("reporter")


def complainer() -> None:
    """Ends with status 0, but says that it failed."""
    _report({"type": "failed", "error": "the torture wants it so"})
    _say("complainer")


def overstayer() -> None:
    _say("overstayer")
    time.sleep(3600)


def vandal(target: str, scribble: bool, seconds: float) -> None:
    """Removes a file of its own run or writes over it, or removes the whole run."""
    run = Path(os.environ["FERRY_RUN_DIR"])
    _report({"type": "progress", "value": 0.5})
    if target == "everything":
        shutil.rmtree(run, ignore_errors=True)
    elif scribble:
        (run / target).write_bytes(b"\xff{ this was not written by ferry\n" * 10)
    else:
        (run / target).unlink(missing_ok=True)
    time.sleep(seconds)


def _say(word: str) -> None:
    os.write(1, word.encode() + b"\n")


def _report(event: dict[str, object]) -> None:
    _report_raw(json.dumps(event).encode())


def _report_raw(text: bytes) -> None:
    descriptor = os.open(os.environ["FERRY_EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, text + b"\n")
    os.close(descriptor)


KINDS = {deed.__name__: deed for deed in (noop, short, long, fails, crashes, stubborn, forker, output, closer, absentee,
                                          reporter, complainer, overstayer, vandal)}


def do(kind: str, arguments: str) -> None:
    KINDS[kind](**json.loads(arguments))
    sys.stdout.flush()
