"""The kinds of jobs: how often each is submitted, with what, and how it may end when nobody interferes."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bonds import Bonds, choose_bonds, choose_group

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


def on_worker(more: Callable[[Random], Arguments] = lambda _: {}, **fixed: Any) -> Callable[[Random], Arguments]:
    """Arguments of a job for a worker: what it does, and for how long at most."""
    return lambda random: {"seconds": random.uniform(0, 0.3)} | more(random) | fixed


def listed(how: str, **more: Any) -> Callable[[Random], Arguments]:
    """Of a job with a list of items: at which of them (a share of the list) something happens, and how many times it does; and whether
    it does what it has begun also when it is to be cancelled."""
    return lambda random: {"seconds": random.uniform(0, 0.5), "how": how, "at": random.random(), "times": random.choice((1, 1, 2, 9)),
                           "most": random.randint(1, 6), "finishes": random.random() < 0.3} | more


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
    deed: str = ""  # the function of jobs/deeds.py or jobs/worker.py; empty: its name
    worker: bool = False  # of the types with workers
    model: str = ""  # that cannot be loaded; empty: one of MODELS
    endless: bool = False  # of the type whose batches may not take long
    listed: bool = False  # it has a list of items, and is of a type that counts them


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
        Kind("worker", 50, on_worker(), None, deed="works", worker=True),
        Kind("complaint", 3, on_worker(lambda r: {"kind": r.choice(("", "input"))}), None, (FAILED,), ("reported", "input"),
             deed="complains", worker=True),
        Kind("unlucky", 2, on_worker(kind="transient"), None, (FAILED,), ("transient",), deed="complains", worker=True),
        Kind("quitter", 2, on_worker(lambda r: {"status": r.choice((0, 1, 75))}), None, (FAILED,), ("exit_status",), deed="quits",
             worker=True),
        Kind("suicide", 3, on_worker(), None, (FAILED,), ("signal",), deed="dies", worker=True),
        Kind("clinger", 3, on_worker(), None, (FAILED,), ("signal",), deed="clings", worker=True),
        Kind("parent", 9, on_worker(), None, deed="parents", worker=True),
        Kind("babbler", 4, on_worker(), None, deed="babbles", worker=True),
        Kind("liar", 4, on_worker(lambda r: {"how": r.choice(("stranger", "garbled", "long"))}), None, (FAILED,), ("reported",),
             deed="lies", worker=True),
        Kind("repeater", 3, on_worker(), None, deed="repeats", worker=True),
        Kind("glutton", 3, on_worker(), None, (FAILED,), ("oom",), deed="devours", worker=True),
        Kind("hanger", 3, lambda r: {}, None, (FAILED,), ("timeout",), deed="hangs", worker=True, endless=True),
        Kind("deaf", 2, lambda r: {}, None, (FAILED,), ("timeout",), deed="is_deaf", worker=True, endless=True),
        Kind("refused", 2, on_worker(), None, (FAILED,), ("input",), deed="works", worker=True, model="refused"),
        Kind("unloadable", 2, on_worker(), None, (FAILED,), ("exit_status",), deed="works", worker=True, model="broken"),
        Kind("endless", 1, on_worker(), None, (FAILED,), ("timeout",), deed="works", worker=True, model="endless"),
        Kind("list", 55, listed("well"), None, deed="lists", worker=True, listed=True),
        Kind("stumbler", 16, listed("fails"), None, (COMPLETED, FAILED), ("reported",), deed="lists", worker=True, listed=True),
        Kind("martyr", 8, listed("dies"), None, (COMPLETED, FAILED), ("signal",), deed="lists", worker=True, listed=True),
        Kind("hoarder", 20, listed("devours"), None, deed="lists", worker=True, listed=True),
        Kind("sheet", 24, listed("well", seconds=1.5), None, listed=True),
        Kind("blot", 10, lambda r: listed(r.choice(("fails", "dies", "devours")))(r), None, (COMPLETED, FAILED), ("exit_status", "signal"),
             listed=True),
        Kind("quick", 0, lambda r: {"seconds": 0}, None, deed="works", worker=True),  # many at once: see choose_flurry
        Kind("flood", 0, lambda r: {}, numbered, deed="output"),  # a few of them, submitted apart: see --output-mib
    )
}


PROCESS_KINDS = [kind for kind in KINDS.values() if not kind.worker]
WORKER_KINDS = [kind for kind in KINDS.values() if kind.worker]
MODELS = ("one", "one", "other", "slow")
SLOW_SECONDS = 1.0  # that this model takes to load
VIS_APART_MAX = 0.1
CROWD_MAX = 9
MEMORY_MIB, MEMORY_MIB_PER_ITEM = 1000, 20  # of the device; of a job in a batch, or of each item of its list where the type counts those


@dataclass(frozen=True)
class WorkerType:
    """A job type that runs on workers: how long they stay, what they take of the memory, and how many jobs or items of jobs at once."""

    name: str
    keep_alive: float
    memory_mib: int
    max_items: int
    max_run_time: float = 0
    counts_items: bool = False  # of the list "items"; jobs with more than max_items of them run in parts


# Of very short jobs, whose workers are given the next batches before they are done with one.
FLURRY_TYPES = (WorkerType("one-by-one", 2, 30, 1), WorkerType("by-fours", 2, 30, 4, counts_items=True))
FLURRY_NAMES = tuple(one.name for one in FLURRY_TYPES)
KEPT_TYPES = (WorkerType("warm", 2, 400, 8, counts_items=True), WorkerType("large", 120, 550, 6))
CROWD_TYPES = (WorkerType("limited-worker", 1, 0, 4, 5), WorkerType("brief", 0, 150, 4, counts_items=True), *KEPT_TYPES)
WORKER_TYPES = (*CROWD_TYPES, *FLURRY_TYPES)
SHEETS = WorkerType("sheets", 0, 200, 10, counts_items=True)  # whose runs are processes of their own, for several jobs each
TYPES_BY_NAME = {one.name: one for one in (*WORKER_TYPES, SHEETS)}
FLURRY_MIN, FLURRY_MAX = 12, 48
FLURRY_KINDS = {"quick": 200, "worker": 1, "complaint": 4, "unlucky": 1, "quitter": 1, "suicide": 1, "parent": 1, "glutton": 1,
                "list": 20, "stumbler": 3, "hoarder": 2}


def item_names(edition: int, count: int) -> list[str]:
    """The list of a job, as it is in this edition of its parameters."""
    return [f"{edition}-{number}" for number in range(count)]


def choose_length(random: Random, place: WorkerType) -> int:
    """How long a list is: from one item to more than three runs take."""
    return random.randint(1, 3 * place.max_items + 2)


@dataclass(frozen=True)
class Order:
    """A job as it is submitted. `type`, `model`, `steps`, `vis` and `items` are of jobs for workers and of sheets."""

    kind: Kind
    arguments: Arguments = field(default_factory=dict)
    priority: int = 50
    held: bool = False
    type: str = ""
    model: str = ""
    steps: int = 0
    vis: float = 0.0
    bonds: Bonds = Bonds()
    items: int = 0  # so many are in its list

    def params(self, edition: int = 0, **changed: Any) -> Arguments:
        """Of a job for a worker, or of a sheet."""
        items = {"items": item_names(0, self.items)} if self.items else {}
        return {"deed": self.kind.deed, "arguments": self.arguments, "model": self.model, "steps": self.steps,
                "weights": {"vis": self.vis}, "edition": edition} | items | changed


def choose_orders(random: Random) -> list[Order]:
    """One job for a process of its own, or a crowd of jobs for workers, which are submitted together."""
    if random.random() < 0.75:
        kind = random.choices(PROCESS_KINDS, [kind.weight for kind in PROCESS_KINDS])[0]
        group = choose_group(random)
        if not kind.listed:
            return [_choose_order(random, kind, group)]
        lengths = [choose_length(random, SHEETS) for _ in range(random.randint(1, 3))]
        return [_choose_order(random, kind, group, type=SHEETS.name, items=length) for length in lengths]
    worker_type, model, group = random.choice(CROWD_TYPES), random.choice(MODELS), choose_group(random)
    crowd, kinds = [], [kind for kind in WORKER_KINDS if worker_type.counts_items or not kind.listed]
    for kind in random.choices(kinds, [kind.weight for kind in kinds], k=random.randint(1, CROWD_MAX)):
        place = CROWD_TYPES[0] if kind.endless else worker_type
        here = kind.model or (model if random.random() < 0.85 else random.choice(MODELS))
        crowd.append(_choose_order(random, kind, group, type=place.name, model=here, items=_items(random, kind, place),
                                   **choose_company(random)))
    return crowd


def choose_flurry(random: Random) -> list[Order]:
    """Many jobs for one worker that end the moment they begin; a few do something else, and one may take much longer than expected."""
    place, model, group = random.choice(FLURRY_TYPES), random.choice(("one", "other")), random.choice(("", "", choose_group(random)))
    priority, flurry = random.choice((50, 100, 100, 100)), []  # crowds wait long for memory
    names = [name for name in FLURRY_KINDS if place.counts_items or not KINDS[name].listed]
    for name in random.choices(names, [FLURRY_KINDS[name] for name in names], k=random.randint(FLURRY_MIN, FLURRY_MAX)):
        kind = KINDS[name]
        arguments = kind.choose(random) | {"seconds": random.uniform(0.3, 1) if name == "worker" else 0}
        company = {"steps": 4, "vis": 0.5} if random.random() < 0.95 else choose_company(random)
        bonds = Bonds(group=group) if random.random() < 0.95 else choose_bonds(random, group)
        held = random.random() < 0.03
        flurry.append(Order(kind, arguments, priority, held, type=place.name, model=model, bonds=bonds, items=_items(random, kind, place),
                            **company))
    return flurry


def _items(random: Random, kind: Kind, place: WorkerType) -> int:
    return choose_length(random, place) if kind.listed else 0


def choose_company(random: Random) -> Arguments:
    """What decides whom a job for a worker may run with, but for its model."""
    return {"steps": random.choice((4, 4, 4, 8)), "vis": round(random.uniform(0.4, 0.55), 3)}


def _choose_order(random: Random, kind: Kind, group: str, **more: Any) -> Order:
    priority = random.choice((0, 50, 50, 50, 100)) if not kind.worker or random.random() < 0.2 else 50
    return Order(kind, kind.choose(random), priority, random.random() < 0.08, bonds=choose_bonds(random, group), **more)


def flood_order(mib: int) -> Order:
    return Order(KINDS["flood"], {"lines": mib * MIB // LINE_BYTES})


class OrderForm:
    """Makes submits of orders: of the built-in type `command`, or of the torture's own types with the same programs."""

    def __init__(self, evidence: Path, socket: Path, work: Path) -> None:
        self._evidence, self._socket, self._cache = str(evidence), str(socket), work / "cache"
        self._programs = Path(shutil.copytree(JOBS, work / "jobs", ignore=shutil.ignore_patterns("__pycache__")))

    def body(self, order: Order, name: str, needs: tuple[int, ...] = ()) -> dict[str, Any]:
        if order.type:
            kind, params = order.type, order.params()
        elif order.kind.limited:
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
            params = {"argv": [*self._python("main.py"), order.kind.deed or order.kind.name, json.dumps(arguments)]}
        return {"type": kind, "params": params, "priority": order.priority, "held": order.held, "name": name} | order.bonds.body(needs)

    def types(self, with_retries: bool, keep_workers: bool = True) -> str:
        """The configuration of the types, as TOML: with automatic retries and no end of failures, or without a word of either."""
        retries = (
            "failure_storm = 0\nretry.exit_status = 1\nretry.signal = 2\nretry.lost = 2\nretry.oom = 1\nretry.transient = 1\n"
            'retry.delay = "200ms"\nretry.delay_max = "2s"\n'
        )
        more = 'device = "cpu"\ngrace = "1s"\n' + (retries if with_retries else "")
        words = toml_words([*self._python("main.py"), "{params.deed}", "{params.arguments}"])
        return (
            f'[job_types.command]\n{more}[job_types.limited]\n{more}command = [{words}]\nmax_run_time = "2s"\n'
            '[job_types.limited.parameters]\nrequired = ["deed", "arguments"]\n'
            '[job_types.limited.parameters.properties]\ndeed = { type = "string" }\narguments = { type = "string" }\n'
        ) + "".join(self._worker_type(one, more, keep_workers) for one in WORKER_TYPES) + (
            f'[job_types.{SHEETS.name}]\n{more}command = [{toml_words([*self._python("sheets.py"), "{spec}"])}]\n'
            f'memory_mib = {SHEETS.memory_mib}\n'
            f'[job_types.{SHEETS.name}.batch]\nmax_items = {SHEETS.max_items}\nitems = "items"\n'
            f'memory_mib_per_item = {MEMORY_MIB_PER_ITEM}\n'
        )

    def _worker_type(self, one: WorkerType, more: str, keep: bool) -> str:
        rules = json.dumps({"max_items": one.max_items, "vis": VIS_APART_MAX, "slow_seconds": SLOW_SECONDS,
                            "counts_items": one.counts_items})
        words = toml_words([*self._python("worker.py"), rules.replace("{", "{{").replace("}", "}}")])
        batch = (
            f'[job_types.{one.name}.batch]\nmax_items = {one.max_items}\nsame = ["steps"]\n'
            f'within = {{ "weights.vis" = {VIS_APART_MAX} }}\nmemory_mib_per_item = {MEMORY_MIB_PER_ITEM}\n'
            + ('items = "items"\n' if one.counts_items else "")
        ) if one.max_items > 1 else ""
        return (
            f'[job_types.{one.name}]\n{more}runner = "worker"\ncommand = [{words}]\nwarm_key = ["model"]\n'
            f'keep_alive = "{one.keep_alive if keep else 0:g}s"\nready_timeout = "4s"\n'
            f'memory_mib = {one.memory_mib if batch else one.memory_mib + MEMORY_MIB_PER_ITEM}\n'
            f'max_run_time = "{one.max_run_time:g}s"\n{batch}'
        )

    def _python(self, program: str) -> list[str]:
        return [sys.executable, "-S", "-s", "-X", f"pycache_prefix={self._cache}", str(self._programs / program), self._evidence]


def toml_words(words: list[str]) -> str:
    return ", ".join(json.dumps(word) for word in words)
