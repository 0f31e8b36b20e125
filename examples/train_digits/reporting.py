"""What a training says of itself: JSON lines for ferry in $FERRY_EVENTS, plain lines for people on standard output."""

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any, Mapping, Optional, Union

_PRINT_PAUSE_SECONDS = 1.0


def finite_or_name(value: float) -> Union[float, str]:
    """JSON has no NaN and no infinities: ferry reads their names."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


class Reporter:
    """One event a write, so that lines stay whole beside other writers. Paths are given absolute and reported relative to root."""

    def __init__(self, root: Optional[Path] = None) -> None:
        self.root = root
        events = os.environ.get("FERRY_EVENTS")
        self._descriptor = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644) if events else None
        self._printed_at = -math.inf
        self._first: Optional[tuple[int, float]] = None

    def _event(self, **members: Any) -> None:
        if self._descriptor is None:
            return
        rest = (json.dumps(members, allow_nan=False) + "\n").encode()
        while rest:
            rest = rest[os.write(self._descriptor, rest):]

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path, self.root) if self.root else str(path)

    def say(self, text: str) -> None:
        print(text, flush=True)

    def progress(self, step: int, total: int, metrics: Mapping[str, float], print_now: bool = False) -> None:
        message = f"loss {metrics['loss']:.4f}, learning rate {metrics['learning_rate']:.1e}"
        self._event(type="progress", step=step, total=total, message=message,
                    metrics={name: finite_or_name(value) for name, value in metrics.items()})
        now = time.monotonic()
        self._first = self._first or (step, now)
        if print_now or now - self._printed_at >= _PRINT_PAUSE_SECONDS:
            self._printed_at = now
            steps, seconds = step - self._first[0], now - self._first[1]
            rate = f", {steps / seconds:.0f} steps/s" if steps > 0 and seconds > 0 else ""
            self.say(f"step {step:>{len(str(total))}}/{total}: {message}{rate}")

    def checkpoint(self, path: Path, step: int) -> None:
        self._event(type="checkpoint", path=self._relative(path), step=step)
        self.say(f"checkpoint of step {step}: {self._relative(path)}")

    def artifact(self, path: Path) -> None:
        self._event(type="artifact", path=self._relative(path))

    def done(self, result: Mapping[str, Any]) -> None:
        """The file that stands for the job is under "path": that is what job:ID means elsewhere."""
        def told_as(value: Any) -> Any:
            if isinstance(value, Path):
                return self._relative(value)
            return finite_or_name(value) if isinstance(value, float) else value

        told = {name: told_as(value) for name, value in result.items()}
        self._event(type="done", result=told)
        self.say("done: " + ", ".join(f"{name} {value}" for name, value in told.items()))

    def failed(self, error: str, kind: Optional[str]) -> None:
        self._event(type="failed", error=error, **({"kind": kind} if kind else {}))
        print(f"train.py: {error}", file=sys.stderr, flush=True)
