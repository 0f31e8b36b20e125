"""The daemon under torture: its configuration, its deaths and its returns."""

import json
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from client import Client, Unanswered
from job_kinds import MEMORY_MIB, OrderForm
from ledger import Ledger
from processes import Family

SERVE_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 5.0
REFUSE_SECONDS_MAX = 10.0
SLOTS = 4


@dataclass(frozen=True)
class Started:
    """A daemon's process and the log of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def last_words(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-8:])


class Daemon:
    """One ferryd at a time, used by one thread.

    `restarts`: how long each lone start took until it served; `stops`: each SIGTERM until the end.
    """

    def __init__(self, programs: Path, work: Path, form: OrderForm, family: Family, ledger: Ledger) -> None:
        self._argv = [str(programs / "ferryd"), "--config", str(work / "ferry.toml")]
        self._family, self._ledger = family, ledger
        self._child: Started | None = None
        self._file, self._form = work / "ferry.toml", form
        self.socket, self.data, self._logs = socket_of(work), data_of(work), work / "log"
        self._logs.mkdir()
        self.restarts: list[float] = []
        self.stops: list[float] = []
        # True: this ferryd knows automatic retries, and is asked for them.
        self.retries = self._configure(True)
        if not self.retries and not self._configure(False):
            raise ValueError(f"ferryd refuses the torture's configuration {self._file}")

    def _configure(self, with_retries: bool, keep_workers: bool = True) -> bool:
        """False: this ferryd refuses it."""
        self._file.write_text(
            f"[storage]\ndata_dir = {json.dumps(str(self.data))}\n[http]\nsocket = {json.dumps(str(self.socket))}\ntcp.listen = \"\"\n"
            "[devices.gpu]\nenabled = false\n"
            f"[devices.cpu]\nslots = {SLOTS}\nmemory_mib = {MEMORY_MIB}\n{self._form.types(with_retries, keep_workers)}"
        )
        check = subprocess.run([*self._argv, "--check-config"], capture_output=True, text=True)
        return check.returncode == 0

    def keep_no_workers(self) -> None:
        """From the next start on."""
        self._configure(self.retries, False)

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def start(self) -> None:
        self._child = self._spawn()

    def start_and_serve(self) -> None:
        begun = time.monotonic()
        self.start()
        if self._await_service():
            self.restarts.append(time.monotonic() - begun)

    def start_two(self) -> None:
        """Two at once on one data directory: one serves, the other refuses and names the first."""
        both = [self._spawn(), self._spawn()]
        until = time.monotonic() + REFUSE_SECONDS_MAX
        while all(one.process.poll() is None for one in both) and time.monotonic() < until:
            time.sleep(0.01)
        both.sort(key=lambda one: one.process.poll() is None)
        loser, self._child = both
        self._judge_rival(loser)
        self._await_service()

    def start_rival(self) -> None:
        """Another one beside the one that serves."""
        self._judge_rival(self._spawn())

    def kill(self) -> None:
        """SIGKILL, and waits for its end."""
        if self._child:
            self._notice_end(self._child)
            self._child.process.kill()
            self._family.wait(self._child.process)
            self._child = None

    def stop(self) -> None:
        """SIGTERM: it ends within seconds and with status 0."""
        if not self._child or self._notice_end(self._child):
            return
        begun = time.monotonic()
        self._child.process.send_signal(signal.SIGTERM)
        try:
            status = self._family.wait(self._child.process, STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._accuse(self._child, f"has not ended {STOP_SECONDS_MAX:.0f} s after SIGTERM")
            self.kill()
            return
        self.stops.append(time.monotonic() - begun)
        if status != 0:
            self._accuse(self._child, f"ended with status {status} after SIGTERM")
        self._child = None

    def revive(self) -> None:
        """Starts another one where there is none; one that ended by itself is a crime."""
        if self._child and not self._notice_end(self._child):
            return
        self.start_and_serve()

    def errors(self) -> list[str]:
        """What all daemons so far logged as errors."""
        lines = (line for log in sorted(self._logs.iterdir()) for line in log.read_text(errors="replace").splitlines())
        return [line for line in lines if re.search(r" (error|critical) ", line)]

    def _spawn(self) -> Started:
        log = self._logs / f"ferryd-{len(list(self._logs.iterdir())) + 1:04}.log"
        return Started(self._family.start(self._argv, log), log)

    def _notice_end(self, child: Started) -> bool:
        status = child.process.poll()
        if status is not None:
            self._accuse(child, f"ended by itself with status {status}")
        return status is not None

    def _await_service(self) -> bool:
        client = Client(self.socket, SERVE_SECONDS_MAX)
        try:
            client.get("/status")
            return True
        except Unanswered as error:
            if self._child:
                self._accuse(self._child, f"does not serve {SERVE_SECONDS_MAX:.0f} s after its start: {error}")
            return False
        finally:
            client.close()

    def _judge_rival(self, rival: Started) -> None:
        self._ledger.count("rival daemons")
        try:
            status = self._family.wait(rival.process, REFUSE_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            rival.process.kill()
            self._family.wait(rival.process)
            self._accuse(rival, f"did not refuse beside the daemon {self.pid}")
            return
        if status != 1 or f"in use by another ferryd (pid {self.pid})" not in rival.log.read_text(errors="replace"):
            self._accuse(rival, f"ended with status {status} and did not name the daemon {self.pid}")

    def _accuse(self, who: Started, what: str) -> None:
        self._ledger.crime(f"the daemon {who.pid} {what}; {who.log.name}: {who.last_words()}")


def socket_of(work: Path) -> Path:
    return work / "ferry.sock"


def data_of(work: Path) -> Path:
    return work / "data"
