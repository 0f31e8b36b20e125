"""A ferryd of a test's own, on a Unix socket in a temporary folder, with small job types; and what stands between it and a client."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
from pathlib import Path
from typing import IO, Any, Callable, Optional

from run_tests import PACKAGES

import ferry

PROGRAMS = Path(os.environ.get("FERRY_BIN") or Path(__file__).resolve().parents[3] / "build" / "dev" / "bin")
WAIT_SECONDS = 60.0  # for a machine that does much else; no test is decided by it

_CONFIG = """
[storage]
data_dir = "{folder}/data"
[http]
socket = "{folder}/s"
{http}
[devices.gpu]
enabled = false
[devices.cpu]
slots = {slots}
memory_mib = 1000
"""

# Jobs that do what they are asked for in "do", and hold themselves up at FIFOs.
_WORKER = """
import sys, time
from ferry import worker

def run(jobs):
    for job in jobs:
        for line in job.params.get("print", []):
            print(line, flush=True)
        job.progress(step=1, total=4, message="begun", metrics={"loss": float("nan")})
        if job.params.get("gate"):
            with open(job.params["gate"]) as gate:
                gate.read()
        if job.params.get("fail"):
            job.fail(job.params["fail"])
            continue
        (job.dir / "picture.png").write_bytes(b"12345")
        job.artifact("picture.png")
        job.done({"steps": job.params.get("steps", 0), "path": "picture.png"})

worker.serve(lambda: None, run)
"""

SAMPLE_TYPE = """
[job_types.sample]
description = "Draws"
runner = "worker"
command = ["{python}", "-B", "{folder}/sample.py"]
environment = {{ PYTHONPATH = "{packages}" }}
device = "cpu"
keep_alive = "1s"
[job_types.sample.parameters.properties]
steps = {{ type = "integer", minimum = 1, maximum = 100, default = 5, description = "steps" }}
seed = {{ type = "integer" }}
weights = {{ type = "object", additionalProperties = {{ type = "number" }} }}
print = {{ type = "array" }}
gate = {{ type = "string" }}
fail = {{ type = "string" }}
"""


class Daemon:
    def __init__(self, types: str = "", slots: int = 1, http: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ferry-"))
        self.socket = self.folder / "s"
        self.data = self.folder / "data"
        self.process: Optional["subprocess.Popen[str]"] = None
        (self.folder / "sample.py").write_text(_WORKER)
        text = textwrap.dedent(_CONFIG) + types
        names = {"folder": self.folder, "slots": slots, "http": http or 'tcp.listen = ""', "python": sys.executable, "packages": PACKAGES}
        (self.folder / "ferry.toml").write_text(text.format(**names))
        self.tcp_port = 0
        self._gates = 0

    def start(self) -> None:
        """Returns once it serves."""
        self.process = subprocess.Popen([str(PROGRAMS / "ferryd"), "--config", str(self.folder / "ferry.toml")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        log = self.process.stderr
        assert log is not None
        said = []
        for line in log:
            said.append(line)
            if " serves " in line:
                self.tcp_port = int(line.split()[-1]) if "TCP port" in line else 0
                break
        else:
            raise AssertionError("ferryd did not start:\n" + "".join(said))
        threading.Thread(target=_read_to_its_end, args=(log,), daemon=True).start()  # nobody else reads what it says

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """The daemon, and whatever its jobs left: every process whose environment names this folder."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                try:
                    ours = os.fsencode(self.folder) + b"/" in (entry / "environ").read_bytes()
                    if ours:
                        os.kill(int(entry.name), signal.SIGKILL)
                except OSError:
                    pass  # it has ended, or is another user's
        shutil.rmtree(self.folder, ignore_errors=True)

    def gate(self) -> "Gate":
        self._gates += 1
        return Gate(self.folder / f"gate-{self._gates}")


def _read_to_its_end(log: "IO[str]") -> None:
    with log:
        for _ in log:
            pass


class Gate:
    """Something that a job waits at until the test opens it: `read x < path`."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path

    def open(self) -> None:
        """Returns once somebody has come, and lets him through."""
        self.path.write_text("open\n")

    def __str__(self) -> str:
        return str(self.path)


@unittest.skipUnless((PROGRAMS / "ferryd").exists(), f"there is no ferryd in {PROGRAMS} (set FERRY_BIN)")
class DaemonTest(unittest.TestCase):
    """One daemon for all tests of a class, with one slot and the types `command` and `sample`."""

    types = SAMPLE_TYPE
    slots = 1
    http = ""
    daemon: Daemon

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = Daemon(cls.types, cls.slots, cls.http)
        cls.addClassCleanup(cls.daemon.end)
        cls.daemon.start()

    def setUp(self) -> None:
        self.client = ferry.Client(self.daemon.socket)
        self.addCleanup(self._tidy)

    def _tidy(self) -> None:
        """The queue is empty, and free, for the next test."""
        self.client.unpause()
        for job in list(self.client.all_jobs(status="queued,running")):
            try:
                self.client.cancel(job)
            except ferry.Conflict:
                pass  # it has ended meanwhile
        self.client.wait_all([job.id for job in self.client.all_jobs(status="queued,running")], WAIT_SECONDS)
        self.client.close()

    def script(self, text: str, **options: Any) -> ferry.JobHandle:
        return self.client.submit("command", argv=["sh", "-c", text], **options)

    def blocker(self) -> ferry.JobHandle:
        """A job that runs, until it is cancelled: what is submitted after it waits."""
        gate = self.daemon.gate()
        job = self.script(f"read x < {gate}", priority=100)
        until(job.follow(), lambda update: update.status == "running")
        return job

    def refused(self, kind: type, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self.assertRaises(kind) as caught:
            call(*arguments, **options)
        return caught.exception


def until(things: Any, wanted: Callable[[Any], bool]) -> Any:
    """The first that is wanted."""
    for each in things:
        if wanted(each):
            return each
    raise AssertionError("it did not come")


class Between:
    """Stands between a client and the daemon, one request a connection, and does to the n-th request what `deeds` say: "pass",
    "lose" (the daemon gets it, and its answer is not passed on), "drop" (the daemon gets nothing), or bytes to answer with."""

    def __init__(self, socket_path: Path, daemon: Path, *deeds: Any) -> None:
        self.path = socket_path
        self.seen: list[str] = []
        self._daemon = daemon
        self._deeds = list(deeds)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(socket_path))
        self._listener.listen(16)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = _whole_message(connection)
        if request is None:
            return
        self.seen.append(request.split(b" HTTP/", 1)[0].decode())
        deed = self._deeds.pop(0) if self._deeds else "pass"
        if deed == "drop":
            return
        if isinstance(deed, bytes):
            connection.sendall(deed)
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as onward:
            onward.connect(str(self._daemon))
            onward.sendall(request)
            answer = _whole_message(onward)
        if deed == "pass" and answer is not None:
            connection.sendall(answer.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))


def _whole_message(connection: socket.socket) -> Optional[bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer_of(status: int, document: Any) -> bytes:
    body = json.dumps(document).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
