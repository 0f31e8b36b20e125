"""The books of jobs with lists of items, which run in parts where there are more than may run together."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from histories import History

Job = dict[str, Any]
Event = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """What one run took of a list; of a run that took all of it `of` is 0, and `items` is what its shim was told (0: nobody knows)."""

    batch: int
    first: int
    items: int
    of: int

    @property
    def is_all(self) -> bool:
        return self.of == 0

    @property
    def numbers(self) -> list[int]:
        return list(range(self.first, self.first + self.items))


@dataclass(frozen=True)
class Begun:
    """A start, and how many items were done by then."""

    part: Part
    done: int


class Parts:
    """Of one job, by its history: its starts, and which parts are done now. `sizes`: how many items each run was given, by its spec.

    `faults`: what in the history contradicts itself.
    """

    def __init__(self, history: History, sizes: dict[int, int], most: int) -> None:
        self.starts: list[Begun] = []
        self.counted: list[Part] = []  # also those that a retry from scratch has thrown away
        self.done: list[Part] = []
        self.last: Part | None = None  # which completed the job
        self.faults = [f"ran in batch {b.batch} from {b.begun}, before batch {a.batch} was over at {a.ended}"
                       for a, b in pairwise(sorted(history.runs, key=lambda run: (run.begun, run.batch))) if b.begun < a.ended]
        self._most, self._sizes, self._items_max = most, sizes, 0
        for event in history.events:
            self._follow(event["what"], event["detail"])

    @property
    def items_done(self) -> int:
        return sum(part.items for part in self.done)

    def find(self, batch: int) -> Part | None:
        return next((begun.part for begun in self.starts if begun.part.batch == batch), None)

    def _follow(self, what: str, detail: Event) -> None:
        match what:
            case "batch_started":
                self._start(detail)
            case "attempt_ended":
                self._end(detail, self.find(detail["batch"]))
            case "job_finished" if detail["state"] == "completed":
                self.last = self.find(detail["batch"])
            case "job_retried":
                self._items_max = 0
                if detail.get("from_scratch"):
                    self.done = []

    def _start(self, detail: Event) -> None:
        batch = detail["batch"]
        if "first_item" in detail:
            part = Part(batch, detail["first_item"], detail["items"], detail["of"])
        else:
            part = Part(batch, 0, self._sizes.get(batch, 0), 0)
        self.starts.append(Begun(part, self.items_done))
        if part.first != self.items_done or (part.is_all and self.done):
            self.faults.append(f"has {self.items_done} items done and starts with {part}")
        if not part.is_all and not (0 < part.items < part.of and part.first + part.items <= part.of):
            self.faults.append(f"starts with {part}, which is none")
        if part.items > self._most or 0 < self._items_max < part.items:
            self.faults.append(f"starts with {part}, though at most {self._most} items may run together, of it "
                               f"{self._items_max or 'as many'}")
        if self.done and part.of != self.done[-1].of:
            self.faults.append(f"starts with {part} after {self.done[-1]}")

    def _end(self, detail: Event, part: Part | None) -> None:
        if not part:
            self.faults.append(f"has an end of batch {detail['batch']} in which it did not start")
            return
        items_max = detail.get("items_max", 0)
        if items_max != self._items_max and (detail["how"] != "regrouped" or (part.items and items_max != part.items // 2)):
            self.faults.append(f"was {detail['how']} after {part}, and may have {items_max or 'any number of'} items from then on")
        self._items_max = items_max
        if detail["how"] == "part_done":
            if part.is_all or part.first + part.items >= part.of:
                self.faults.append(f"goes on behind {part}, though no items are left")
            self.done.append(part)
            self.counted.append(part)

    def misfits(self, job: Job) -> Iterator[str]:
        """Does what is told of the job agree with its history?"""
        expected = [(part.batch, part.first, part.items) for part in self.done]
        if job["status"] == "completed" and self.done and self.last:
            expected.append((self.last.batch, self.last.first, self.last.items))
        result = job["result"] if isinstance(job["result"], dict) else {}
        told = [(part["batch"], part["first_item"], part["items"]) for part in result.get("parts", [])]
        if told != expected:
            yield f"is {job['status']}, has a result of the parts {told}, and by its history these are done: {expected}"
        count = (job["items"] or {"done": 0})["done"]
        if count != sum(items for _, _, items in expected):
            yield f"is {job['status']}, says that {count} items are done, and by its history these are: {expected}"


class BooksOfParts:
    """`lines`: the work on items, as the job itself has noted it; `executions`: what it was told each time."""

    def __init__(self, items: list[str], most: int, history: History, sizes: dict[int, int], executions: list[Job],
                 lines: list[Job]) -> None:
        self._items, self._executions = items, executions
        self._parts = Parts(history, sizes, most)
        self._lines: dict[int, list[Job]] = defaultdict(list)
        for line in lines:
            self._lines[line["batch"]].append(line)

    def crimes(self, job: Job) -> Iterator[str]:
        yield from self._parts.faults
        yield from self._parts.misfits(job)
        yield from self._told()
        yield from self._worked_on()
        yield from self._whole_list(job)

    def _told(self) -> Iterator[str]:
        """Each run was told what ferry counts it as."""
        for execution in self._executions:
            part = self._parts.find(execution["batch"])
            said = execution["part"] or {"first_item": 0, "items": 0, "of": 0}
            if part and Part(part.batch, said["first_item"], said["items"] or part.items, said["of"]) != part:
                yield f"was told in batch {part.batch} that it is {execution['part']}, and by its history that is {part}"

    def _worked_on(self) -> Iterator[str]:
        """No item that is done again, none out of its part, and of a part that counts every one, once and in order."""
        for begun in self._parts.starts:
            part, numbers = begun.part, self._numbers(begun.part.batch)
            if again := [number for number in numbers if number < begun.done]:
                yield f"has {begun.done} items done, and worked on {again} again in batch {part.batch}"
            if part.items and numbers != part.numbers[: len(numbers)]:
                yield f"worked on the items {numbers} in batch {part.batch}, which is {part}"
        for part in self._parts.counted:
            if self._numbers(part.batch) != part.numbers:
                yield f"has done {part}, in which it worked on {self._numbers(part.batch)}"
        if strangers := set(self._lines) - {begun.part.batch for begun in self._parts.starts}:
            yield f"worked on items in the batches {strangers}, in which it was not started"

    def _whole_list(self, job: Job) -> Iterator[str]:
        """Of what is done now, and of all when it has completed: those very items, each once and in order."""
        counted, upto = list(self._parts.done), self._parts.items_done
        if job["status"] == "completed":
            upto = len(self._items)
            counted += [self._parts.last] if self._parts.last else []
        worked = [(line["number"], line["item"]) for part in counted for line in self._lines[part.batch]]
        if worked != list(enumerate(self._items[:upto])):
            yield (f"is {job['status']}, and of its {len(self._items)} items {self._items[:1]} … these were worked on in {counted}: "
                   f"{worked}")
        if wrong := [part for part in counted if part.of not in (0, len(self._items))]:
            yield f"has {len(self._items)} items and ran as {wrong}"

    def _numbers(self, batch: int) -> list[int]:
        return [line["number"] for line in self._lines[batch]]


def items_worked_on(evidence: Path, job: int) -> list[Job]:
    try:
        return [json.loads(line) for line in (evidence / f"{job}.items").read_text().splitlines()]
    except FileNotFoundError:
        return []


def items_given(run: Path) -> dict[int, int]:
    """To each job of a run: how many items of its list, one where it has none."""
    try:
        return {job["id"]: len(job["params"].get("items", [0])) for job in json.loads((run / "spec.json").read_bytes())["jobs"]}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
