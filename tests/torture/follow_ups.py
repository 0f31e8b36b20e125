"""Batches that were committed ahead: their start was on disk before the batch that their worker had before them was over."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from histories import History

# Why a start was taken back.
NOT_REACHED = "the worker that was to run it next did not get to it"
NOT_LAUNCHED = "the daemon ended before it was started"


def count_follow_ups(runs: Path, histories: Iterable[History]) -> Counter[str]:
    """How many ran, how many of these were behind more than one other, and how many were taken back. `histories`: of flurries."""
    begun: dict[int, int] = {}
    ended: dict[int, int] = {}
    taken_back: dict[int, str] = {}
    for history in histories:
        for run in history.runs:
            begun[run.batch] = run.begun
            ended[run.batch] = max(run.ended, ended.get(run.batch, 0))
        for event in history.events:
            if event["what"] == "batch_requeued":
                taken_back[event["detail"]["batch"]] = event["detail"]["reason"]
    of_workers = defaultdict(list)
    for batch in begun.keys() - taken_back.keys():
        if started := _started(runs / str(batch)):
            of_workers[started[0]].append((started[1], batch))
    counts = Counter({"ran": 0, "behind several": 0})
    for started_batches in of_workers.values():
        in_order = [batch for _, batch in sorted(started_batches)]
        for at, batch in enumerate(in_order[1:], 1):
            counts["ran"] += begun[batch] < ended[in_order[at - 1]]
            counts["behind several"] += at > 1 and begun[batch] < ended[in_order[at - 2]]
    counts["given back"] = sum(NOT_REACHED in why for why in taken_back.values())
    counts["unlaunched batches that a new daemon found"] = sum(NOT_LAUNCHED in why for why in taken_back.values())
    return counts


def _started(run: Path) -> tuple[str, tuple[int, int]] | None:
    """The worker that a batch ran on, and since when; of two in one millisecond the first has the lower number."""
    try:
        worker = str(json.loads((run / "spec.json").read_bytes())["worker"]["directory"])
        with (run / "events.jsonl").open() as events:
            first = json.loads(events.readline())
        return (worker, (first["at"], int(run.name))) if first["type"] == "started" else None
    except (OSError, ValueError, KeyError):
        return None
