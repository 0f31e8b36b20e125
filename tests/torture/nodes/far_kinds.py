"""The jobs of the torture of nodes: those of the other torture that make sense on a node, and some that only make sense there."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from bonds import Bonds
from job_kinds import KINDS, MIB, Arguments, Kind, Order, OrderForm, WorkerType, choose_company, numbered, toml_words

HEAD_MEMORY_MIB, NODE_MEMORY_MIB = 600, 6000
HEAD_SLOTS, NODE_SLOTS = 1, 3
WARM_SECONDS = 2.0  # for which a worker stays without work
WORKERS = (WorkerType("warm", WARM_SECONDS, 1500, 4), WorkerType("alone", 0, 700, 1))
WORKER_KINDS = {"worker": 12, "parent": 3, "complaint": 2, "unlucky": 1, "quitter": 1, "babbler": 1}
CROWD_MAX = 6
INPUTS, INPUT_BYTES_MAX = 10, 2 * MIB
CACHE_MIB = 6  # less than all inputs
MANY_TRIES = 100  # what is killed, or cut off, is tried again for ever
READS_JOB, READS_FILE, MAKES, STEPS = "reads_job", "reads_file", "makes", "steps"


@dataclass(frozen=True)
class FarKind(Kind):
    """`place`: its job type."""

    place: str = "far"


def far(name: str, weight: int, place: str = "far") -> FarKind:
    """A kind of the other torture, for a node."""
    return FarKind(**vars(replace(KINDS[name], weight=weight)), place=place)


FAR_KINDS = {
    kind.name: kind
    for kind in (
        far("noop", 4),
        far("short", 10, "anywhere"),
        far("long", 14),
        far("fails", 3),
        far("crashes", 2, "brittle"),
        far("stubborn", 4),
        far("forker", 6),
        far("output", 4),
        far("closer", 2),
        far("reporter", 6, "anywhere"),
        FarKind("lasting", 8, lambda r: {"lines": r.randint(20, 120), "pause": 0.06}, numbered, deed="long", place="lasting"),
        FarKind(MAKES, 14, lambda r: {"seconds": r.uniform(0, 1), "sizes": [_size(r) for _ in range(r.randint(1, 3))]}, None),
        FarKind(STEPS, 12, lambda r: {"steps": r.randint(10, 80), "every": r.randint(2, 9), "pause": r.uniform(0.03, 0.1)}, None,
                place="steps"),
        FarKind(READS_FILE, 8, lambda r: {"seconds": r.uniform(0, 0.5), "input": r.randrange(INPUTS)}, None, place="reader"),
        FarKind(READS_JOB, 6, lambda r: {"seconds": r.uniform(0, 0.5)}, None, place="reader"),
    )
}


def _size(random: Random) -> int:
    return random.choice((0, random.randint(1, 5000), random.randint(5000, MIB), random.randint(MIB, 3 * MIB)))


def choose_far_orders(random: Random) -> list[Order]:
    """One job with a process of its own, or a crowd for a warm worker."""
    if random.random() < 0.8:
        kind = random.choices(list(FAR_KINDS.values()), [one.weight for one in FAR_KINDS.values()])[0]
        bonds = Bonds(needs=1, rule="cancel") if kind.name == READS_JOB else Bonds()
        return [Order(kind, kind.choose(random), random.choice((0, 50, 50, 100)), random.random() < 0.05, bonds=bonds)]
    place, model = random.choice(WORKERS), random.choice(("one", "other"))
    names = random.choices(list(WORKER_KINDS), list(WORKER_KINDS.values()), k=random.randint(1, CROWD_MAX))
    return [Order(KINDS[name], KINDS[name].choose(random), type=place.name, model=model, **choose_company(random)) for name in names]


class Inputs:
    """Files and folders on the head that jobs read; they stay as they are."""

    def __init__(self, folder: Path, seed: int) -> None:
        random = Random(f"{seed}/inputs")
        self.paths, self.digests = [], []
        for number in range(INPUTS):
            texts = [random.randbytes(random.randint(0, INPUT_BYTES_MAX // 2)) for _ in range(random.choice((1, 1, 3)))]
            files = [folder / f"input-{number}" if len(texts) == 1 else folder / f"input-{number}" / str(n) for n in range(len(texts))]
            for file, text in zip(files, texts):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text)
            self.paths.append(folder / f"input-{number}")
            self.digests.append(hashlib.sha256(b"".join(texts)).hexdigest())


class FarForm(OrderForm):
    """Makes submits of orders, and the configuration of their types: the same on all machines."""

    def __init__(self, evidence: Path, work: Path, inputs: Inputs) -> None:
        super().__init__(evidence, work / "unused", work)
        self._inputs = inputs

    def body(self, order: Order, name: str, needs: tuple[int, ...] = ()) -> dict[str, Any]:
        kind = order.kind
        if not isinstance(kind, FarKind):
            return super().body(order, name, needs)
        arguments, params = dict(order.arguments), dict[str, Any]()
        if kind.name == READS_FILE:
            params["source"] = str(self._inputs.paths[arguments["input"]])
            arguments["digest"] = self._inputs.digests[arguments["input"]]
        elif kind.name == READS_JOB:
            params["source"] = f"job:{needs[0]}" if needs else str(self._inputs.paths[0])
            arguments["digest"] = "" if needs else self._inputs.digests[0]
        params |= {"deed": "reads" if kind.place == "reader" else kind.deed or kind.name, "arguments": json.dumps(arguments)}
        more = order.bonds.body(needs)
        return {"type": kind.place, "params": params, "priority": order.priority, "held": order.held, "name": name} | more

    def types(self, with_retries: bool, keep_workers: bool = True) -> str:
        again = (f"failure_storm = 0\nretry.exit_status = 1\nretry.lost = {MANY_TRIES}\nretry.oom = 1\nretry.transient = 1\n"
                 'retry.delay = "100ms"\nretry.delay_max = "500ms"\n')
        more = f'device = "cpu"\ngrace = "1s"\n{again}'
        killed = f"retry.signal = {MANY_TRIES}\n"
        return (
            self._far_type("far", 1200, more + killed)
            + self._far_type("brittle", 1200, more + "retry.signal = 1\n")
            + self._far_type("anywhere", 300, more + killed)
            + self._far_type("lasting", 1200, more + killed + "survive_partition = true\n")
            + self._far_type("steps", 1200, more + killed)
            + self._far_type("reader", 1200, more + killed, "{params.source}")
            + "".join(self._worker_type(one, more + killed, keep_workers) for one in WORKERS)
        )

    def _far_type(self, name: str, memory_mib: int, more: str, *words: str) -> str:
        source = 'source = { type = "string", format = "job-result" }\n' if words else ""
        required = ["deed", "arguments", *(["source"] if words else [])]
        command = toml_words([*self._python("far.py"), "{params.deed}", "{params.arguments}", *words])
        return (
            f"[job_types.{name}]\n{more}memory_mib = {memory_mib}\ncommand = [{command}]\n"
            f'[job_types.{name}.parameters]\nrequired = [{toml_words(required)}]\n[job_types.{name}.parameters.properties]\n'
            f'deed = {{ type = "string" }}\narguments = {{ type = "string" }}\n{source}'
        )
