"""The kinds of jobs: how often each is submitted, with what, and how it may end when nobody interferes."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

JOBS = Path(__file__).resolve().parent / "jobs"
sys.path.insert(0, str(JOBS))

from lines import LINE_BYTES, pieces  # noqa: E402  (what jobs print is known to both sides)

Arguments = dict[str, Any]
COMPLETED, FAILED = "completed", "failed"
MIB = 1024 * 1024
VANDAL_TARGETS = ("reported.jsonl", "events.jsonl", "shim.json", "shim.lock", "spec.json", "output.log", "everything")


def word(text: str) -> Callable[[Arguments], Iterator[bytes]]:
    return lambda _: iter([text.encode() + b"\n"])


def numbered(arguments: Arguments) -> Iterator[bytes]:
    return pieces(arguments["lines"])


def vandal_choice(random: Random) -> Arguments:
    return {"target": random.choice(VANDAL_TARGETS), "scribble": random.random() < 0.3, "seconds": random.uniform(0.1, 3)}


@dataclass(frozen=True)
class Kind:
    """`log`: what it prints when it does all its work; None: anything. `failures`: the kinds it may fail with by itself."""

    name: str
    weight: int
    choose: Callable[[Random], Arguments]
    log: Callable[[Arguments], Iterator[bytes]] | None
    ends: tuple[str, ...] = (COMPLETED,)
    failures: tuple[str, ...] = ()
    limited: bool = False  # of the type with a short max_run_time
    deed: str = ""  # the function of jobs/deeds.py; empty: its name


KINDS = {
    kind.name: kind
    for kind in (
        Kind("noop", 12, lambda r: {}, lambda _: iter([])),
        Kind("shell", 12, lambda r: {}, word("shell")),
        Kind("short", 16, lambda r: {"seconds": r.uniform(0, 0.05)}, word("short")),
        Kind("long", 10, lambda r: {"lines": r.randint(10, 60), "pause": r.uniform(0.02, 0.08)}, numbered),
        Kind("fails", 6, lambda r: {"status": r.randint(1, 98)}, word("fails"), (FAILED,), ("exit_status",)),
        Kind("crashes", 4, lambda r: {}, word("crashes"), (FAILED,), ("signal",)),
        Kind("stubborn", 5, lambda r: {"seconds": r.uniform(2, 5)}, word("stubborn")),
        Kind("forker", 8, lambda r: {"seconds": r.uniform(0, 1), "ignore_term": r.random() < 0.5}, word("forker")),
        Kind("output", 8, lambda r: {"lines": r.randint(1, MIB // LINE_BYTES)}, numbered),
        Kind("closer", 4, lambda r: {"seconds": r.uniform(0, 1)}, word("closer")),
        Kind("reporter", 6, lambda r: {"steps": r.randint(1, 20)}, word("reporter")),
        Kind("complainer", 2, lambda r: {}, word("complainer"), (FAILED,), ("reported",)),
        Kind("overstayer", 2, lambda r: {}, word("overstayer"), (FAILED,), ("timeout",), limited=True),
        Kind("missing", 2, lambda r: {}, lambda _: iter([]), (FAILED,), ("launch",)),
        Kind("vandal", 5, vandal_choice, None, (COMPLETED, FAILED), ("lost", "exit_status")),
        Kind("absentee", 6, lambda r: {"seconds_max": r.uniform(2, 8)}, word("absentee")),
        Kind("flood", 0, lambda r: {}, numbered, deed="output"),  # a few of them, submitted apart: see --output-mib
    )
}


@dataclass(frozen=True)
class Order:
    """A job as it is submitted."""

    kind: Kind
    arguments: Arguments = field(default_factory=dict)
    priority: int = 50
    held: bool = False


def choose_order(random: Random) -> Order:
    kind = random.choices(list(KINDS.values()), [kind.weight for kind in KINDS.values()])[0]
    return Order(kind, kind.choose(random), random.choice((0, 50, 50, 50, 100)), random.random() < 0.08)


def flood_order(mib: int) -> Order:
    return Order(KINDS["flood"], {"lines": mib * MIB // LINE_BYTES})


class OrderForm:
    """Makes submits of orders: of the built-in type `command`, or of the torture's own types with the same programs."""

    def __init__(self, evidence: Path, socket: Path, work: Path) -> None:
        self._evidence, self._socket, self._cache = str(evidence), str(socket), work / "cache"
        self._programs = Path(shutil.copytree(JOBS, work / "jobs", ignore=shutil.ignore_patterns("__pycache__")))

    def body(self, order: Order, name: str) -> dict[str, Any]:
        if order.kind.limited:
            kind, params = "limited", {"deed": order.kind.name, "arguments": json.dumps(order.arguments)}
        elif order.kind.name == "missing":
            kind, params = "command", {"argv": ["/nowhere/to-be-found"]}
        elif order.kind.name == "shell":
            kind, params = "command", {"argv": ["/bin/sh", str(self._programs / "shell.sh"), self._evidence]}
        else:
            arguments = dict(order.arguments)
            if order.kind.name == "absentee":
                arguments["daemon"] = self._socket
            kind = "command"
            params = {"argv": [*self._python(), order.kind.deed or order.kind.name, json.dumps(arguments)]}
        return {"type": kind, "params": params, "priority": order.priority, "held": order.held, "name": name}

    def types(self, with_retries: bool) -> str:
        """The configuration of the types, as TOML: with automatic retries and no end of failures, or without a word of either."""
        retries = (
            "failure_storm = 0\nretry.exit_status = 1\nretry.signal = 2\nretry.lost = 2\n"
            'retry.delay = "200ms"\nretry.delay_max = "2s"\n'
        )
        more = 'device = "cpu"\ngrace = "1s"\n' + (retries if with_retries else "")
        words = ", ".join(json.dumps(w) for w in [*self._python(), "{params.deed}", "{params.arguments}"])
        return (
            f'[job_types.command]\n{more}[job_types.limited]\n{more}command = [{words}]\nmax_run_time = "2s"\n'
            '[job_types.limited.parameters]\nrequired = ["deed", "arguments"]\n'
            '[job_types.limited.parameters.properties]\ndeed = { type = "string" }\narguments = { type = "string" }\n'
        )

    def _python(self) -> list[str]:
        return [sys.executable, "-S", "-s", "-X", f"pycache_prefix={self._cache}", str(self._programs / "main.py"), self._evidence]
