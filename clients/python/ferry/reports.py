"""What the API tells of the daemon and its plans. docs/api.md says what each field means."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Mapping, Optional

from ferry._document import Document, Reader, list_of, moments, table_of
from ferry.models import Counts


@dataclass(frozen=True)
class Worker(Document):
    """A process that stays, with its model loaded. state: "idle", "busy" or "ending"."""

    id: int = 0
    type: str = ""
    state: str = ""
    batch: Optional[int] = None
    memory_mib: int = 0
    idle_until: Optional[datetime] = None

    _readers: ClassVar[Mapping[str, Reader]] = moments("idle_until")


@dataclass(frozen=True)
class Device(Document):
    id: str = ""
    kind: str = ""
    name: str = ""
    slots: int = 0
    slots_used: int = 0
    out_of_service: Optional[str] = None
    memory_mib: int = 0
    memory_leased_mib: int = 0
    memory_used_mib: Optional[int] = None
    utilization_percent: Optional[int] = None
    temperature_c: Optional[int] = None
    workers: tuple[Worker, ...] = ()

    _readers: ClassVar[Mapping[str, Reader]] = {"workers": list_of(Worker)}


@dataclass(frozen=True)
class Http(Document):
    """address: "127.0.0.1:7878", None where the daemon does not listen on TCP. token_file: where its owner's token is."""

    address: Optional[str] = None
    token_file: Optional[Path] = None

    _readers: ClassVar[Mapping[str, Reader]] = {"token_file": Path}


@dataclass(frozen=True)
class Status(Document):
    version: str = ""
    pid: int = 0
    started: Optional[datetime] = None
    uptime_seconds: int = 0
    paused: bool = False
    data_dir: Path = Path()
    counts: Counts = field(default_factory=Counts)
    held_types: Mapping[str, str] = field(default_factory=dict, hash=False)
    devices: tuple[Device, ...] = ()
    http: Http = field(default_factory=Http)
    notes: tuple[str, ...] = ()

    _readers: ClassVar[Mapping[str, Reader]] = {
        **moments("started"), "data_dir": Path, "counts": Counts.of, "devices": list_of(Device), "http": Http.of,
        "notes": tuple}


@dataclass(frozen=True)
class JobType(Document):
    """parameters: a JSON Schema."""

    name: str = ""
    description: str = ""
    device: str = ""
    slots: int = 1
    memory_mib: int = 0
    tier: int = 0
    preemptible: bool = False
    max_run_seconds: Optional[float] = None
    held_for: Optional[str] = None
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Group(Document):
    """parallel: how many of its jobs run at once; 0: no limit."""

    name: str = ""
    queued: int = 0
    running: int = 0
    parallel: int = 0
    paused: bool = False


@dataclass(frozen=True)
class NodeDevice(Document):
    """A device that a node lends. id: as on the node itself; elsewhere the node's name stands before it, as "alpha:cpu"."""

    id: str = ""
    kind: str = ""
    name: str = ""
    slots: int = 0
    memory_mib: int = 0


@dataclass(frozen=True)
class Node(Document):
    """A machine that lends its devices. trouble: why nothing is started there. heard: when it was last, None: not since the daemon started.
    lease_ends: until when it may run what it was given, should it not be heard of again. runs: the batches that it was given and whose end
    is not known."""

    name: str = ""
    version: str = ""
    address: str = ""
    connected: bool = False
    drained: bool = False
    trouble: Optional[str] = None
    heard: Optional[datetime] = None
    lease_ends: Optional[datetime] = None
    devices: tuple[NodeDevice, ...] = ()
    runs: tuple[int, ...] = ()

    _needed: ClassVar[tuple[str, ...]] = ("name",)
    _readers: ClassVar[Mapping[str, Reader]] = {**moments("heard", "lease_ends"), "devices": list_of(NodeDevice), "runs": tuple}


@dataclass(frozen=True)
class PlannedBatch(Document):
    """Jobs that run together, or would. Of one that runs, `batch` and `started` are set; of one to come, expected_start."""

    batch: Optional[int] = None
    type: str = ""
    device: Optional[str] = None
    jobs: tuple[int, ...] = ()
    loads_model: bool = False
    started: Optional[datetime] = None
    expected_start: Optional[datetime] = None
    expected_start_p90: Optional[datetime] = None
    expected_end: Optional[datetime] = None
    together_seconds: Optional[float] = None
    one_by_one_seconds: Optional[float] = None
    saved_share: Optional[float] = None

    _readers: ClassVar[Mapping[str, Reader]] = {
        **moments("started", "expected_start", "expected_start_p90", "expected_end"), "jobs": tuple}


@dataclass(frozen=True)
class BatchPlan(Document):
    """is_whole: `next` holds all batches that can be foreseen, not only the first of them."""

    running: tuple[PlannedBatch, ...] = ()
    next: tuple[PlannedBatch, ...] = ()
    is_whole: bool = False

    _readers: ClassVar[Mapping[str, Reader]] = {"running": list_of(PlannedBatch), "next": list_of(PlannedBatch)}


@dataclass(frozen=True)
class Obstacle(Document):
    """Why a job does not start on a device, until when, and which jobs have to end or start before."""

    device: str = ""
    why: str = ""
    until: Optional[datetime] = None
    jobs: tuple[int, ...] = ()

    _readers: ClassVar[Mapping[str, Reader]] = {**moments("until"), "jobs": tuple}


@dataclass(frozen=True)
class Promise(Document):
    """The first forecast of a job's start, and when it was made."""

    made: Optional[datetime] = None
    start: Optional[datetime] = None
    start_p90: Optional[datetime] = None

    _readers: ClassVar[Mapping[str, Reader]] = moments("made", "start", "start_p90")


@dataclass(frozen=True)
class Explanation(Document):
    """Why a job waits, device by device. fair_share: why jobs of other users that came later stand before it, where they do."""

    id: int = 0
    status: str = ""
    position: Optional[int] = None
    waiting_for: Optional[str] = None
    expected_start: Optional[datetime] = None
    expected_start_p90: Optional[datetime] = None
    expected_end: Optional[datetime] = None
    promised: Optional[Promise] = None
    fair_share: Optional[str] = None
    devices: tuple[Obstacle, ...] = ()
    planned: Optional[PlannedBatch] = None

    _readers: ClassVar[Mapping[str, Reader]] = {
        **moments("expected_start", "expected_start_p90", "expected_end"), "promised": Promise.of, "devices": list_of(Obstacle),
        "planned": PlannedBatch.of}


@dataclass(frozen=True)
class Place(Document):
    position: Optional[int] = None
    start: Optional[datetime] = None

    _readers: ClassVar[Mapping[str, Reader]] = moments("start")


@dataclass(frozen=True)
class StartChange(Document):
    """What a move or another priority would do to a job's place and start."""

    job: int = 0
    before: Place = field(default_factory=Place)
    after: Place = field(default_factory=Place)

    _readers: ClassVar[Mapping[str, Reader]] = {"before": Place.of, "after": Place.of}


@dataclass(frozen=True)
class Warmth(Document):
    jobs: int = 0
    saved_seconds: float = 0.0


@dataclass(frozen=True)
class Batching(Document):
    jobs: int = 0
    one_by_one_seconds: float = 0.0
    took_seconds: float = 0.0
    saved_seconds: float = 0.0


@dataclass(frozen=True)
class Estimates(Document):
    jobs: int = 0
    mean_relative_error: Optional[float] = None
    within_20_percent: float = 0.0
    at_most_p90: float = 0.0


@dataclass(frozen=True)
class TypeStatistics(Document):
    jobs: int = 0
    batches: int = 0
    loads: int = 0
    worked_seconds: float = 0.0
    loading_seconds: float = 0.0
    warmth: Warmth = field(default_factory=Warmth)
    batching: Batching = field(default_factory=Batching)
    estimates: Estimates = field(default_factory=Estimates)

    _readers: ClassVar[Mapping[str, Reader]] = {"warmth": Warmth.of, "batching": Batching.of, "estimates": Estimates.of}


@dataclass(frozen=True)
class PromisedStarts(Document):
    """How well promises of such a wait (from_seconds to to_seconds; None: and more) were kept."""

    from_seconds: float = 0.0
    to_seconds: Optional[float] = None
    starts: int = 0
    within_20_percent: float = 0.0
    at_most_p90: float = 0.0
    mean_error_seconds: Optional[float] = None
    mean_promised_seconds: Optional[float] = None
    mean_waited_seconds: Optional[float] = None


@dataclass(frozen=True)
class UserStatistics(Document):
    """What a user (None: nobody) used lately, and has in the queue. share: of the device time that all used."""

    name: Optional[str] = None
    weight: float = 1.0
    share: Optional[float] = None
    device_seconds: float = 0.0
    completed: int = 0
    queued: int = 0
    running: int = 0


@dataclass(frozen=True)
class Statistics(Document):
    types: Mapping[str, TypeStatistics] = field(default_factory=dict, hash=False)
    promised_starts: tuple[PromisedStarts, ...] = ()
    users: tuple[UserStatistics, ...] = ()

    _readers: ClassVar[Mapping[str, Reader]] = {"types": table_of(TypeStatistics), "promised_starts": list_of(PromisedStarts),
                                                "users": list_of(UserStatistics)}


@dataclass(frozen=True)
class HistoryRow(Document):
    """What became of the jobs of one type in one hour or day."""

    start: Optional[datetime] = None
    type: str = ""
    submitted: int = 0
    started: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    wait_p50_seconds: Optional[float] = None
    wait_p90_seconds: Optional[float] = None
    device_seconds: float = 0.0

    _readers: ClassVar[Mapping[str, Reader]] = moments("start")


@dataclass(frozen=True)
class FailureGroup(Document):
    """Failures of one kind: how many jobs, and when the last of them."""

    type: str = ""
    kind: str = ""
    message: str = ""
    jobs: int = 0
    last: Optional[datetime] = None

    _readers: ClassVar[Mapping[str, Reader]] = moments("last")
