"""What the torture knows of its own doing: jobs acknowledged, what was asked of them, what was killed, what went wrong."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from bonds import RULE_UNSAID
from group_settings import GroupSettings
from job_kinds import Order, item_names


@dataclass
class Entry:
    """An acknowledged job. `lock` is held while its state is looked at and judged, and while it is retried by hand.

    `edition`: of its parameters, the last that was acknowledged; `items`: its list, likewise. `needs`: the jobs it was submitted to
    need. `releases`: when users asked for one and were answered, in ms.
    """

    id: int
    key: str
    order: Order
    cancel_asked: bool = False
    retries_asked: int = 0
    suspend_asked: bool = False
    edition: int = 0
    needs: tuple[int, ...] = ()
    releases: list[tuple[float, float]] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.items = self.items or item_names(0, self.order.items)

    @property
    def rule(self) -> str:
        return self.order.bonds.rule or RULE_UNSAID


class Ledger:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}
        self._killed_runs: set[str] = set()
        self._killed_shims: set[tuple[int, int]] = set()
        self._killed_workers: dict[str, list[float]] = {}
        self.suspends_of_all: list[float] = []
        self.groups = GroupSettings()
        self._crimes: list[str] = []
        self._begun = time.monotonic()
        self.counts: Counter[str] = Counter()

    def acknowledge(self, entry: Entry) -> None:
        with self._lock:
            known = self._entries.setdefault(entry.id, entry)
        if known.key != entry.key:
            self.crime(f"job {entry.id} was acknowledged for the key {entry.key} and for the key {known.key}")

    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries.values())

    def count(self, what: str, times: int = 1) -> None:
        with self._lock:
            self.counts[what] += times

    def kill_run(self, directory: str) -> None:
        """Noted before the signal, so that no end comes before its reason."""
        with self._lock:
            self._killed_runs.add(directory)

    def kill_shim(self, pid: int, start_ticks: int) -> None:
        with self._lock:
            self._killed_shims.add((pid, start_ticks))

    def kill_worker(self, directory: str) -> None:
        with self._lock:
            self._killed_workers.setdefault(directory, []).append(time.time())

    def was_worker_killed(self, directory: str, begun: float, ended: float) -> bool:
        """While it had the batch that took so long, or about to be given it."""
        with self._lock:
            return any(begun <= at <= ended for at in self._killed_workers.get(directory, ()))

    def was_killed(self, run: str, shim: tuple[int, int] | None) -> bool:
        with self._lock:
            return run in self._killed_runs or (shim is not None and shim in self._killed_shims)

    def crime(self, what: str) -> None:
        """Something that must never happen."""
        with self._lock:
            if what in self._crimes:
                return
            self._crimes.append(what)
        self.say(f"CRIME (seed {self._seed}): {what}")

    def crimes(self) -> list[str]:
        with self._lock:
            return list(self._crimes)

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self._begun:7.1f} s] {line}", flush=True)
