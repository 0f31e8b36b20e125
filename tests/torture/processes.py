"""Processes of this torture, found in /proc and signalled without ever meeting a stranger.

The torture makes itself the reaper of orphans below it, so all that its daemons ever started stays its descendant. A job's process
is known by FERRY_RUN_DIR, which names a run below this torture's data directory, one of a worker by FERRY_WORKER_DIR; a shim by its
program.
"""

import ctypes
import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Process:
    """One row of /proc: a pid and its start time, which together name a process for good."""

    pid: int
    name: str
    state: str
    parent: int
    start_ticks: int

    @property
    def lives(self) -> bool:
        return self.state not in "ZX"

    def __str__(self) -> str:
        return f"{self.pid} ({self.name}, {self.state}, parent {self.parent}, started at tick {self.start_ticks})"


def find(pid: int) -> Process | None:
    """The process with that pid, as proc(5) tells of it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    name_begin, name_end = text.find("("), text.rfind(")")
    fields = text[name_end + 2 :].split()
    if len(fields) < 20:
        return None
    return Process(pid, text[name_begin + 1 : name_end], fields[0], int(fields[1]), int(fields[19]))


def everything() -> list[Process]:
    found = (find(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process]


def descendants(of: int) -> list[Process]:
    """All below `of`, zombies included."""
    children: dict[int, list[Process]] = {}
    for process in everything():
        children.setdefault(process.parent, []).append(process)
    below, to_visit = [], [of]
    while to_visit:
        for child in children.get(to_visit.pop(), []):
            below.append(child)
            to_visit.append(child.pid)
    return below


def environment(pid: int) -> dict[str, str]:
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(word.split("=", 1) for word in text.split("\0") if "=" in word)


def send(to: Process, number: int) -> bool:
    """Signals that process and no other: once the descriptor is open, its pid cannot change hands unseen."""
    try:
        descriptor = os.pidfd_open(to.pid)
    except OSError:
        return False
    try:
        now = find(to.pid)
        if not now or now.start_ticks != to.start_ticks or not now.lives:
            return False
        signal.pidfd_send_signal(descriptor, number)
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)


class Family:
    """All that this torture started, directly or not."""

    def __init__(self, programs: Path, data: Path) -> None:
        self._shim = str(programs / "ferry-shim")
        self._runs, self._workers = str(data / "runs") + "/", str(data / "workers") + "/"
        self._own: set[int] = set()
        self._lock = threading.Lock()
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "cannot become the reaper of orphans")

    def start(self, argv: list[str], log: Path) -> subprocess.Popen[bytes]:
        """A child that its starter waits for; its output goes to the end of `log`."""
        with self._lock, log.open("ab") as output:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            self._own.add(child.pid)
        return child

    def wait(self, child: subprocess.Popen[bytes], seconds: float | None = None) -> int:
        """Its status. Raises subprocess.TimeoutExpired."""
        status = child.wait(seconds)
        with self._lock:
            self._own.discard(child.pid)
        return status

    def bury(self) -> None:
        """Takes leave of orphans that came to this process and ended."""
        with self._lock:
            for process in everything():
                if process.parent == os.getpid() and not process.lives and process.pid not in self._own:
                    try:
                        os.waitpid(process.pid, os.WNOHANG)
                    except ChildProcessError:
                        pass

    def shims(self) -> list[Process]:
        def program(pid: int) -> str:
            try:
                return os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
            except OSError:
                return ""

        return [p for p in descendants(os.getpid()) if p.lives and program(p.pid) == self._shim]

    def jobs(self) -> list[tuple[Process, str]]:
        """Processes of jobs that have one of their own, each with its run directory."""
        return _known_by("FERRY_RUN_DIR", self._runs)

    def workers(self) -> list[tuple[Process, str]]:
        """Processes of workers, each with the worker's directory."""
        return _known_by("FERRY_WORKER_DIR", self._workers)

    def end(self, processes: list[Process]) -> None:
        for process in processes:
            send(process, signal.SIGKILL)

    def runs_of(self, shim: Process) -> set[str]:
        """The run directories that a shim has open."""
        return _open_below(self._runs, shim)

    def workers_of(self, shim: Process) -> set[str]:
        """The directory of its worker, if it has one."""
        return _open_below(self._workers, shim)


def _known_by(variable: str, folder: str) -> list[tuple[Process, str]]:
    found = []
    for process in everything():
        directory = environment(process.pid).get(variable, "") if process.lives else ""
        if directory.startswith(folder):
            found.append((process, directory))
    return found


def _open_below(folder: str, shim: Process) -> set[str]:
    found = set()
    try:
        for descriptor in os.listdir(f"/proc/{shim.pid}/fd"):
            target = os.readlink(f"/proc/{shim.pid}/fd/{descriptor}")
            if target.startswith(folder):
                found.add(folder + target.removeprefix(folder).split("/")[0])
    except OSError:
        pass
    return found
