"""When something was done to a machine or its link, by which what became of its jobs is judged."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

Span = tuple[float, float]  # ms, as in histories
FOREVER = float("inf")
STORE_MS = 5000.0


def now_ms() -> float:
    return time.time() * 1000


class Outages:
    """Spans in which a node may not have heard of the head, or the other way round."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: dict[str, list[list[float]]] = {}
        self._removals: list[tuple[str, float, float]] = []

    @contextmanager
    def of(self, machine: str) -> Iterator[None]:
        span = [now_ms(), FOREVER]
        with self._lock:
            self._spans.setdefault(machine, []).append(span)
        try:
            yield
        finally:
            span[1] = now_ms()

    def removal(self, machine: str, since: float) -> None:
        """It was asked for then, and is answered now; the ends of what it had are stored soon after."""
        with self._lock:
            self._removals.append((machine, since, now_ms() + STORE_MS))

    def was_removed(self, machine: str, at: float) -> bool:
        with self._lock:
            return any(name == machine and since <= at <= until for name, since, until in self._removals)

    def longest(self, machines: tuple[str, ...], since: float, until: float, gap: float) -> float:
        """The longest time, in ms, of that span in which one of these machines was out, where pauses up to `gap` count as well."""
        with self._lock:
            spans = sorted((begun, ended) for machine in machines for begun, ended in self._spans.get(machine, ()))
        merged: list[Span] = []
        for begun, ended in spans:
            if merged and begun <= merged[-1][1] + gap:
                merged[-1] = (merged[-1][0], max(merged[-1][1], ended))
            else:
                merged.append((begun, ended))
        return max([0.0, *(min(ended + gap, until) - max(begun, since) for begun, ended in merged)])
