"""The daemon under measurement: a ferryd of its own, in a folder of its own, and how it is spoken to."""

import http.client
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

WAIT_SECONDS = 60
START_SECONDS_MAX = 20.0
KEEP_ALIVE_SECONDS = 5  # of the workers: so long the end takes
WORKER_END_SECONDS_MAX = 15.0
JOBS_PER_REQUEST = 1000
Job = dict[str, Any]


class Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("ferry", timeout=WAIT_SECONDS + 30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Queue:
    """One slot on the CPU, and the job types that it is given, as TOML."""

    def __init__(self, ferryd: Path, work: Path, types: str) -> None:
        self.socket, self._work = work / "ferry.sock", work
        (work / "ferry.toml").write_text(
            f"[storage]\ndata_dir = {quoted(work / 'data')}\n[http]\nsocket = {quoted(self.socket)}\ntcp.listen = \"\"\n"
            f"[devices.gpu]\nenabled = false\n[devices.cpu]\nslots = 1\n{types}")
        with (work / "ferryd.log").open("wb") as log:
            self._daemon = subprocess.Popen([ferryd, "--config", work / "ferry.toml"], stdout=log, stderr=log)
        self._connection = Connection(self.socket)
        try:
            self._await(lambda: self.socket.exists() and self.ask("GET", "/status"), START_SECONDS_MAX)
        except BaseException:
            self.stop()
            raise

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self._connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body))
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if not 200 <= response.status < 300:
            raise SystemExit(f"batching: {method} {path} was answered {response.status} {answer}")
        return answer

    def submit(self, jobs: list[Job]) -> list[int]:
        ids: list[int] = []
        for first in range(0, len(jobs), JOBS_PER_REQUEST):
            ids += [job["id"] for job in self.ask("POST", "/jobs", {"jobs": jobs[first : first + JOBS_PER_REQUEST]})["jobs"]]
        return ids

    def finished(self, job: int) -> Job:
        """The job, once it is completed."""
        while (told := self.ask("GET", f"/jobs/{job}?wait={WAIT_SECONDS}"))["status"] in ("queued", "running"):
            pass
        if told["status"] != "completed":
            raise SystemExit(f"batching: job {job} is {told['status']}: {told['failure']}; see {self._work}")
        return told

    def completed(self, kind: str, first: int) -> list[Job]:
        """The jobs of a type from the number `first` on, in short, newest first. They have to be over."""
        jobs: list[Job] = []
        before = ""
        while not jobs or jobs[-1]["id"] > first:
            page = self.ask("GET", f"/jobs?type={kind}&limit=1000{before}")
            jobs += page["jobs"]
            if not page["next_before"]:
                break
            before = f"&before={page['next_before']}"
        return [job for job in jobs if job["id"] >= first and job["status"] == "completed"]

    def is_idle(self) -> bool:
        return all(device["slots_used"] == 0 for device in self.ask("GET", "/status")["devices"])

    def stop(self) -> None:
        if self._daemon.poll() is None:
            self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait()
        # Its workers stay for their keep_alive, which is short here.
        until = time.monotonic() + WORKER_END_SECONDS_MAX
        while any((self._work / "data" / "workers").glob("*/control.sock")) and time.monotonic() < until:
            time.sleep(0.1)

    def _await(self, look: Callable[[], Any], seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                if look():
                    return
            except OSError:
                self._connection.close()
            if time.monotonic() > until or self._daemon.poll() is not None:
                raise SystemExit(f"batching: ferryd does not serve; see {self._work}")
            time.sleep(0.02)


def quoted(value: object) -> str:
    """As TOML, which for what is asked here is as JSON."""
    return json.dumps(str(value))


def words(*values: object) -> str:
    return "[" + ", ".join(map(quoted, values)) + "]"


def seconds_of(rfc3339: str) -> float:
    return datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()
