"""The books of what ties jobs to others: needs, groups and unique keys, judged by the histories of the jobs when all have ended."""

from collections import defaultdict
from typing import Any

from group_settings import TRUNCATED_MS
from histories import History, Run
from ledger import Entry, Ledger

RETRY_TAKES_MS_MAX = 2000  # from its time until a job that is queued again keeps back those that need it


class BooksOfBonds:
    def __init__(self, entries: list[Entry], histories: dict[int, History], ledger: Ledger) -> None:
        self._entries, self._histories, self._ledger = [entry for entry in entries if entry.id in histories], histories, ledger

    def audit(self) -> None:
        groups, owners = defaultdict(list), defaultdict(list)
        for entry in self._entries:
            self._audit_needs(entry)
            groups[entry.order.bonds.group].append(entry)
            owners[entry.order.bonds.unique_key].append(entry)
        for name, members in groups.items():
            if name:
                self._audit_group(name, members)
        for key, members in owners.items():
            if key:
                self._audit_key(key, members)

    def was_cancelled_by_needs(self, entry: Entry, job: dict[str, Any]) -> bool:
        """As its rule wishes it: one that it needs did not complete."""
        if entry.rule != "cancel" or (job["failure"] or {}).get("kind") != "needs":
            return False
        last = self._histories[entry.id].lives[-1]
        return any(self._histories[need].had_ended(last.begun - RETRY_TAKES_MS_MAX, last.ended, "failed", "cancelled")
                   for need in entry.needs)

    def _audit_needs(self, entry: Entry) -> None:
        """Its first start: later ones need nothing any more."""
        runs = self._histories[entry.id].runs
        if not entry.needs or not runs:
            return
        at = min(run.begun for run in runs)
        if entry.rule != "start" and any(self._dropped_needs(entry, asked, min(answered, at)) for asked, answered in entry.releases):
            return
        for need in entry.needs:
            told = self._histories[need]
            complete = told.had_ended(at, at, "completed")
            if not complete and not (entry.rule == "start" and told.had_ended(at - RETRY_TAKES_MS_MAX, at, "failed", "cancelled")):
                self._ledger.crime(f"job {entry.id} (rule {entry.rule}, released {entry.releases}) started at {at}, before job {need}, "
                                   f"which it needs, had ended as it should: {told.lives}")

    def _dropped_needs(self, entry: Entry, asked: float, answered: float) -> bool:
        """A release at that time did so: one of them had not completed."""
        since, until = int(asked) - RETRY_TAKES_MS_MAX, int(answered)
        return asked <= answered + TRUNCATED_MS and any(
            self._histories[need].had_ended(since, until, "failed", "cancelled") for need in entry.needs)

    def _audit_group(self, name: str, members: list[Entry]) -> None:
        """At each start: how many of the group ran then."""
        runs = [(run, entry.id) for entry in members for run in self._histories[entry.id].runs]
        for started, job in runs:
            at = started.begun
            beside = [(other, run.batch) for run, other in runs if _runs_at(run, at)]
            limit = self._ledger.groups.limit(name, at)
            if limit is not None and len(beside) > limit:
                self._ledger.crime(f"of the group {name}, limited to {limit}, these ran when job {job} started at {at}: {beside}")
            if self._ledger.groups.is_paused(name, at):
                self._ledger.crime(f"job {job} started in batch {started.batch} at {at} while its group {name} was paused")

    def _audit_key(self, key: str, members: list[Entry]) -> None:
        """No two lived at once."""
        lives = sorted((life.begun, life.ended, entry.id) for entry in members for life in self._histories[entry.id].lives)
        for (begun, ended, one), (next_begun, _, other) in zip(lives, lives[1:]):
            if next_begun < ended:
                self._ledger.crime(f"the jobs {one} and {other} had the unique key {key} at once: {begun} to {ended}, and from "
                                   f"{next_begun}")


def _runs_at(run: Run, at: int) -> bool:
    return run.begun <= at < run.ended
