"""The users of the head while its nodes are tortured."""

import threading
from pathlib import Path
from random import Random

from client import Client
from far_kinds import MAKES, READS_JOB
from job_kinds import Order
from ledger import Ledger
from users import Meddler, Submitter

RECENT_MAKERS = 10


class FarSubmitter(Submitter):
    """Where a job reads what another has made, that other one makes something."""

    def _choose_needed(self, order: Order) -> tuple[int, ...]:
        if order.kind.name != READS_JOB:
            return super()._choose_needed(order)
        makers = [entry.id for entry in self._ledger.entries() if entry.order.kind.name == MAKES]
        return (self._random.choice(makers[-RECENT_MAKERS:]),) if makers else ()


class FarMeddler(Meddler):
    def __init__(self, number: int, of: int, seed: int, evidence: Path, runs: Path, client: Client, ledger: Ledger,
                 stop: threading.Event) -> None:
        super().__init__(number, of, seed, evidence, runs, client, ledger, stop)
        self._random = Random(f"{seed}/far meddler/{number}")
        self._deeds = {self._cancel: 8, self._hold: 12, self._move: 12, self._retry: 14, self._edit: 8, self._look: 20, self._read_log: 8,
                       self._pause: 1, self._clear: 1, self._suspend: 8, self._suspend_all: 1}
