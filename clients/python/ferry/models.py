"""Jobs and lists of them, as the API tells of them. docs/api.md says what each field means."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Iterator, Mapping, Optional

from ferry._document import Document, Reader, list_of, moments

FINISHED = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class Progress(Document):
    """fraction: from 0 to 1, None where nobody knows. metrics: numbers of the job's own, also NaN and infinities."""

    fraction: Optional[float] = None
    step: Optional[int] = None
    total: Optional[int] = None
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict, hash=False)

    _readers: ClassVar[Mapping[str, Reader]] = {
        "metrics": lambda values: {str(name): float(each) for name, each in values.items()}}

    def __str__(self) -> str:
        steps = f"step {self.step}" + (f" of {self.total}" if self.total is not None else "") if self.step is not None else ""
        share = f"{self.fraction:.0%}" if self.fraction is not None else ""
        return ", ".join(part for part in (share, steps, self.message) if part)


@dataclass(frozen=True)
class Failure(Document):
    """Why a job failed or was cancelled. kind: "exit_status", "signal", "oom", "input", "lost", "needs" and others."""

    kind: str = ""
    message: str = ""
    exit_status: Optional[int] = None
    signal: Optional[int] = None

    def __str__(self) -> str:
        return self.message or self.kind


@dataclass(frozen=True)
class Artifact(Document):
    """A file that a job made. name: its path within the job's directory. path: the whole path, on the daemon's machine."""

    name: str = ""
    path: Path = Path()
    bytes: int = 0


@dataclass(frozen=True)
class Items(Document):
    """How far a job has come that runs in parts, in items."""

    done: int = 0
    running: int = 0
    total: int = 0


@dataclass(frozen=True)
class Part(Document):
    """What one part of a job gave: `items` of its items, from `first_item` (0: the first) on."""

    batch: int = 0
    first_item: int = 0
    items: int = 0
    result: "Result" = field(default_factory=lambda: Result())

    @classmethod
    def in_directory(cls, raw: Mapping[str, Any], directory: Optional[str]) -> "Part":
        """directory: that of the job's latest part, beside which those of the others lie: runs/<batch>/jobs/<id>."""
        members = cls._members({name: value for name, value in raw.items() if name != "result"})
        own = None
        if directory is not None and len(Path(directory).parents) > 2:
            own = str(Path(directory).parents[2] / str(raw.get("batch")) / "jobs" / Path(directory).name)
        given = raw.get("result")
        members.update(raw=raw, result=Result.in_directory(given if isinstance(given, Mapping) else {}, own))
        return cls(**members)


@dataclass(frozen=True)
class Result(Document):
    """What a job gave: its artifacts, and what it said itself, as result["seconds"]. Nothing at all is a result too.

    Of a job that ran in parts: parts, those that are done, and not_done, what a part left in the middle of which it failed or was cancelled;
    the artifacts are then those of all of them."""

    artifacts: tuple[Artifact, ...] = ()
    parts: tuple[Part, ...] = ()
    not_done: Optional[Part] = None

    @classmethod
    def in_directory(cls, raw: Mapping[str, Any], directory: Optional[str]) -> "Result":
        done, rest = raw.get("parts"), raw.get("not_done")
        if isinstance(done, list) and all(isinstance(each, Mapping) and "first_item" in each for each in done):
            parts = tuple(Part.in_directory(each, directory) for each in done)
            last = Part.in_directory(rest, directory) if isinstance(rest, Mapping) else None
            all_of_them = (*parts, last) if last is not None else parts
            return cls(raw=raw, parts=parts, not_done=last,
                       artifacts=tuple(artifact for part in all_of_them for artifact in part.result.artifacts))
        listed = raw.get("artifacts")
        artifacts = [Artifact(raw=each, name=str(each.get("path", "")), path=Path(directory or "") / str(each.get("path", "")),
                              bytes=each.get("bytes") or 0)
                     for each in (listed if isinstance(listed, list) else []) if isinstance(each, Mapping)]
        return cls(raw=raw, artifacts=tuple(artifacts))

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.raw.get(name, otherwise)


@dataclass(frozen=True)
class HistoryEntry(Document):
    """What happened to a job: `what` is a word such as "run_started", `detail` what belongs to it."""

    at: Optional[datetime] = None
    what: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)

    _readers: ClassVar[Mapping[str, Reader]] = moments("at")


@dataclass(frozen=True)
class Job(Document):
    """A job as it was when the daemon answered. In lists, params, result, directory and history are left out (None and ()).

    user: whose it is, None for jobs from before there were users. items: None where it does not run in parts; where it does, batch and
    directory are those of its latest part."""

    id: int = 0
    type: str = ""
    name: str = ""
    status: str = ""
    priority: int = 50
    effective_priority: Optional[int] = None
    held: bool = False
    held_for: Optional[str] = None
    not_before: Optional[datetime] = None
    position: Optional[int] = None
    waiting_for: Optional[str] = None
    phase: Optional[str] = None
    expected_start: Optional[datetime] = None
    expected_start_p90: Optional[datetime] = None
    expected_end: Optional[datetime] = None
    progress: Progress = field(default_factory=Progress)
    created: Optional[datetime] = None
    started: Optional[datetime] = None
    finished: Optional[datetime] = None
    cleared: Optional[datetime] = None
    attempts: int = 0
    retries: int = 0
    resumed_from: Optional[int] = None
    needs: tuple[int, ...] = ()
    on_needs_failure: Optional[str] = None
    group: Optional[str] = None
    unique_key: Optional[str] = None
    user: Optional[str] = None
    on: Optional[Mapping[str, str]] = field(default=None, hash=False)
    items: Optional[Items] = None
    batch: Optional[int] = None
    device: Optional[str] = None
    run_seconds: Optional[float] = None
    failure: Optional[Failure] = None
    directory: Optional[Path] = None
    params: Optional[Mapping[str, Any]] = field(default=None, hash=False)
    result: Optional[Result] = None
    history: tuple[HistoryEntry, ...] = ()

    _needed: ClassVar[tuple[str, ...]] = ("id", "status")
    _readers: ClassVar[Mapping[str, Reader]] = {
        **moments("not_before", "expected_start", "expected_start_p90", "expected_end", "created", "started", "finished", "cleared"),
        "progress": Progress.of, "failure": Failure.of, "needs": tuple, "items": Items.of, "directory": Path, "history": list_of(HistoryEntry)}

    @classmethod
    def _members(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        members = super()._members(raw)
        result = members.pop("result", None)
        if isinstance(result, Mapping):
            members["result"] = Result.in_directory(result, raw.get("directory"))
        return members

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def completed(self) -> bool:
        return self.status == "completed"


@dataclass(frozen=True)
class Submitted(Document):
    """What a submit is answered with. existing: a job with this unique key was there already, and this is it."""

    id: int = 0
    position: Optional[int] = None
    waiting_for: Optional[str] = None
    existing: bool = False

    _needed: ClassVar[tuple[str, ...]] = ("id",)


@dataclass(frozen=True)
class JobPage(Document):
    """Jobs, newest first. A page may be short, even empty, and still have others behind it: next_before is None on the last one."""

    jobs: tuple[Job, ...] = ()
    next_before: Optional[int] = None

    _readers: ClassVar[Mapping[str, Reader]] = {"jobs": list_of(Job)}

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)

    def __len__(self) -> int:
        return len(self.jobs)


@dataclass(frozen=True)
class Counts(Document):
    """Of jobs by state. queued: that may start; held: that wait, but are held, delayed, or need others first. The last three count also
    what was cleared, and are None where the queue alone was asked for."""

    queued: int = 0
    held: int = 0
    running: int = 0
    completed: Optional[int] = None
    failed: Optional[int] = None
    cancelled: Optional[int] = None


@dataclass(frozen=True)
class QueuePage(Document):
    """A part of the queue: what runs, then what waits in order, then what is held."""

    paused: bool = False
    counts: Counts = field(default_factory=Counts)
    jobs: tuple[Job, ...] = ()

    _readers: ClassVar[Mapping[str, Reader]] = {"counts": Counts.of, "jobs": list_of(Job)}

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)

    def __len__(self) -> int:
        return len(self.jobs)


@dataclass(frozen=True)
class StoredFile(Document):
    """A file that can be fetched: of a job, with its batch, or of a dataset. path: within the job's directory (of a job in parts behind the
    batch of its part, as "7/made.txt") or below the dataset."""

    path: str = ""
    bytes: int = 0
    media_type: str = ""
    batch: Optional[int] = None
    modified: Optional[datetime] = None

    _needed: ClassVar[tuple[str, ...]] = ("path",)
    _readers: ClassVar[Mapping[str, Reader]] = moments("modified")


@dataclass(frozen=True)
class FileList(Document):
    """Files, by path. is_whole: there are no more. Of a part of a dataset's list, total counts all."""

    files: tuple[StoredFile, ...] = ()
    is_whole: bool = True
    total: Optional[int] = None

    _readers: ClassVar[Mapping[str, Reader]] = {"files": list_of(StoredFile)}

    def __iter__(self) -> Iterator[StoredFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


@dataclass(frozen=True)
class Dataset(Document):
    """A dataset on the daemon's machine. modified: when its newest file was written. is_whole: all of its files were counted."""

    name: str = ""
    path: Path = Path()
    files: int = 0
    bytes: int = 0
    modified: Optional[datetime] = None
    is_whole: bool = True

    _needed: ClassVar[tuple[str, ...]] = ("name",)
    _readers: ClassVar[Mapping[str, Reader]] = {**moments("modified"), "path": Path}


@dataclass(frozen=True)
class Metric(Document):
    """Numbers that a job reported: (step, value, seconds since its process began), each None where it is not known."""

    name: str = ""
    points: tuple[tuple[Optional[float], Optional[float], Optional[float]], ...] = ()

    _readers: ClassVar[Mapping[str, Reader]] = {"points": lambda rows: tuple(tuple(row) for row in rows)}


@dataclass(frozen=True)
class Metrics(Document):
    """is_whole: nothing was left out for its size."""

    series: tuple[Metric, ...] = ()
    is_whole: bool = True

    _readers: ClassVar[Mapping[str, Reader]] = {"series": list_of(Metric)}

    def __iter__(self) -> Iterator[Metric]:
        return iter(self.series)

    def __getitem__(self, name: str) -> Metric:
        for each in self.series:
            if each.name == name:
                return each
        raise KeyError(name)


@dataclass(frozen=True)
class LogPiece:
    """Bytes of a log. next: the offset to ask for next. complete: the job has ended, and this was the last of it."""

    data: bytes
    offset: int
    next: int
    complete: bool


@dataclass(frozen=True)
class Update:
    """What follow() gives: the job as it is now, and the lines that its log has gained."""

    job: Job
    lines: tuple[str, ...] = ()

    @property
    def progress(self) -> Progress:
        return self.job.progress

    @property
    def status(self) -> str:
        return self.job.status
