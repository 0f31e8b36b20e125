"""The client of ferry's daemon that blocks.

    import ferry

    client = ferry.Client()
    job = client.submit("upscale", source="/pictures/china.jpg", scale=4)
    for update in job.follow():
        print(update.progress)
    print(job.result().artifacts[0].path)

A Client may be used by any number of threads, and after a fork.
"""

import time
from datetime import timedelta
from types import TracebackType
from typing import Any, Iterable, Iterator, Mapping, Optional, TypeVar, Union

from ferry._address import address_from
from ferry._commands import Commands, Position
from ferry._operations import Emit, Flow, Pause, Stream
from ferry._requests import JobRef, NewJob, StrPath, new_job, number_of
from ferry._transport import Transport
from ferry._wire import Broken, Request
from ferry.handles import JobHandle
from ferry.models import Dataset, FileList, HistoryEntry, Job, JobPage, LogPiece, Metrics, QueuePage, Result, Update
from ferry.reports import BatchPlan, Explanation, FailureGroup, Group, HistoryRow, JobType, Node, StartChange, Statistics, Status

T = TypeVar("T")


def deadline_after(timeout: Optional[float]) -> Optional[float]:
    return None if timeout is None else time.monotonic() + timeout


class Client:
    """Speaks with one daemon.

    address   the path of its Unix socket, or "http://127.0.0.1:PORT", or "https://HOST:PORT"; left out: the socket that `ferry` would take, see default_socket()
    token     what a TCP port asks for: the text in the file `token` of the data directory
    cafile    by https: a PEM file of the certificates that are trusted (the daemon's own, where it signed that itself); left out: what
              $FERRY_CA_FILE names, else the system's
    patience  for how many seconds a daemon that was there and went away (a restart, an upgrade) is waited for. wait(), result() and
              follow() wait a minute for it.

    Jobs are named by their number or by anything with an id. Errors: FerryError and its kin, see ferry.errors. What only reads, and every
    submit, is sent again where the connection breaks; a submit counts once all the same. Anything else is not: nobody could say whether it
    had been carried out (Unavailable.was_sent).
    """

    def __init__(self, address: Optional[StrPath] = None, *, token: Optional[str] = None, cafile: Optional[StrPath] = None,
                 patience: float = 10.0) -> None:
        self._transport = Transport(address_from(address, token, cafile))
        self._do = Commands(self._transport, patience)

    def __repr__(self) -> str:
        return f"ferry.Client({str(self._transport.address)!r})"

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], why: Optional[BaseException], where: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are kept open. Used again, the client makes new ones."""
        self._transport.close()

    # ---- submitting --------------------------------------------------------------------------------------------------------------

    def submit(self, type: str, /, params: Optional[Mapping[str, Any]] = None, *, priority: Optional[int] = None,
               name: Optional[str] = None, held: bool = False, delay: Union[float, timedelta, None] = None,
               needs: Iterable[JobRef] = (), on_needs_failure: Optional[str] = None, group: Optional[str] = None,
               unique_key: Optional[str] = None, base_dir: Optional[StrPath] = None, user: Optional[str] = None,
               on: Optional[Mapping[str, str]] = None,
               idempotency_key: Optional[str] = None,
               **parameters: Any) -> JobHandle:
        """Submits a job; once this returns, it is on the daemon's disk. Its parameters are `params` and, over them, the other keyword
        arguments; one that is called as an option here goes into `params`. NewJob says what the options mean.

        idempotency_key: a submit with the same key, also one by another program, makes no second job."""
        job = new_job(type, params, parameters, priority=priority, name=name, held=held, delay=delay, needs=needs,
                      on_needs_failure=on_needs_failure, group=group, unique_key=unique_key, base_dir=base_dir, user=user, on=on)
        return JobHandle(self, self._run(self._do.submit(job, idempotency_key)))

    def submit_many(self, jobs: Iterable[NewJob], *, idempotency_key: Optional[str] = None) -> list[JobHandle]:
        """All of them or none, up to 1,000 (or 8 MiB); more go in several such requests, and the hint of an error says how many are in."""
        return [JobHandle(self, each) for each in self._run(self._do.submit_many(list(jobs), idempotency_key))]

    def sweep(self, type: str, over: Mapping[str, Iterable[Any]], params: Optional[Mapping[str, Any]] = None, *,
              idempotency_key: Optional[str] = None, **options: Any) -> list[JobHandle]:
        """A job for each combination: sweep("sample", {"num_steps": [10, 25], "seed": range(1, 5)}) makes eight. Keys may be dotted paths
        ("weights.vis"). options: as of NewJob, for all of them. All or none, at most 1,000."""
        job = new_job(type, params, {}, **options)
        return [JobHandle(self, each) for each in self._run(self._do.sweep(job, dict(over), idempotency_key))]

    def map(self, type: str, params: Iterable[Mapping[str, Any]], *, timeout: Optional[float] = None, **options: Any) -> Iterator[Result]:
        """Submits a job for each, at once, and gives their results in order. Errors, as they are come to: as of result()."""
        deadline = deadline_after(timeout)
        jobs = self._run(self._do.submit_many([new_job(type, each, {}, **options) for each in params], None))
        return self._iterate(self._do.map(jobs, deadline))

    def upload(self, path: StrPath, *, dataset: Optional[str] = None, name: Optional[str] = None) -> str:
        """Sends a file to the daemon's machine; returns its path there, to be given as a parameter. It goes on where a connection broke.
        dataset: puts it there, and makes that dataset where it is missing. name: another one than the file's; in a dataset its path, such as
        "train/1.png". Errors: TooLarge, DiskFull, and FerryError where the file changed meanwhile."""
        return self._run(self._do.upload(path, dataset, name))

    # ---- looking -----------------------------------------------------------------------------------------------------------------

    def job(self, number: JobRef) -> JobHandle:
        """Something to steer and follow that job with. Asks nothing of the daemon."""
        return JobHandle.of(self, number_of(number))

    def get(self, job: JobRef) -> Job:
        """The job as it is now, with parameters, result and history. Errors: NotFound."""
        return self._run(self._do.get(job))

    def jobs(self, *, status: Union[str, Iterable[str], None] = None, type: Optional[str] = None, name: Optional[str] = None,
             before: Optional[int] = None, limit: Optional[int] = None, cleared: bool = False) -> JobPage:
        """A page of jobs, newest first. name: a part of it. before: next_before of the page before. limit: 1 to 1,000 (50)."""
        return self._run(self._do.page(status, type, name, before, limit, cleared))

    def all_jobs(self, *, status: Union[str, Iterable[str], None] = None, type: Optional[str] = None, name: Optional[str] = None,
                 cleared: bool = False) -> Iterator[Job]:
        """All such jobs, newest first, page by page as they are asked for."""
        return self._iterate(self._do.pages(status, type, name, cleared))

    def queue(self, *, offset: int = 0, limit: Optional[int] = None) -> QueuePage:
        """What runs, then what waits, in order. limit: 1 to 1,000 (50)."""
        return self._run(self._do.queue(offset, limit))

    def history(self, job: JobRef) -> tuple[HistoryEntry, ...]:
        return self._run(self._do.history(job))

    def explain(self, job: JobRef) -> Explanation:
        """Why it waits."""
        return self._run(self._do.explain(job))

    def batches(self, *, limit: Optional[int] = None) -> BatchPlan:
        """What runs together, and what would next."""
        return self._run(self._do.batches(limit))

    def status(self) -> Status:
        return self._run(self._do.status())

    def statistics(self) -> Statistics:
        return self._run(self._do.statistics())

    def statistics_history(self, *, bucket: str = "hour", buckets: Optional[int] = None,
                           utc_offset_minutes: int = 0) -> tuple[HistoryRow, ...]:
        """What became of jobs by hour (48 of them) or by day (30), a row for each type in each."""
        return self._run(self._do.statistics_history(bucket, buckets, utc_offset_minutes))

    def failures(self, *, limit: Optional[int] = None) -> tuple[FailureGroup, ...]:
        """Why jobs failed lately, what was most frequent first."""
        return self._run(self._do.failures(limit))

    def job_types(self) -> tuple[JobType, ...]:
        return self._run(self._do.job_types())

    def groups(self) -> tuple[Group, ...]:
        return self._run(self._do.groups())

    def nodes(self) -> tuple[Node, ...]:
        """The machines that lend their devices, by name, also while they are away."""
        return self._run(self._do.nodes())

    # ---- files -------------------------------------------------------------------------------------------------------------------

    def artifacts(self, job: JobRef) -> FileList:
        """The files that a job has left in its directory, also while it runs; of one in parts, those of each part."""
        return self._run(self._do.artifacts(job))

    def download(self, job: JobRef, path: str, to: StrPath = ".", *, overwrite: bool = False) -> str:
        """One of these files, by its path there; returns its whole path here. to: a folder that is there, or the name that it gets. Where a
        connection breaks it goes on; it gets its name when it is whole. Errors: NotFound; FileExistsError, unless `overwrite`."""
        return self._run(self._do.download(job, path, to, overwrite))

    def metrics(self, job: JobRef, *, points: Optional[int] = None) -> Metrics:
        """The numbers that the latest attempt has reported, as series: client.metrics(job)["loss"].points. points: at most so many of each."""
        return self._run(self._do.metrics(job, points))

    def datasets(self) -> tuple[Dataset, ...]:
        """All datasets, by name. upload() with `dataset` makes one."""
        return self._run(self._do.datasets())

    def dataset_files(self, name: str, *, offset: int = 0, limit: Optional[int] = None) -> FileList:
        """Files of a dataset, by path: 100 unless told, at most 1,000."""
        return self._run(self._do.dataset_files(name, offset, limit))

    def create_dataset(self, name: str) -> Dataset:
        """An empty one. Errors: Conflict where there is one of that name."""
        return self._run(self._do.create_dataset(name))

    def remove_dataset(self, name: str) -> None:
        """With all its files."""
        self._run(self._do.remove_dataset(name))

    def remove_dataset_file(self, name: str, path: str) -> None:
        """One file of it; folders that this leaves empty go, too."""
        self._run(self._do.remove_dataset_file(name, path))

    def download_dataset_file(self, name: str, path: str, to: StrPath = ".", *, overwrite: bool = False) -> str:
        """As download()."""
        return self._run(self._do.download_dataset_file(name, path, to, overwrite))

    # ---- watching ----------------------------------------------------------------------------------------------------------------

    def wait(self, job: JobRef, timeout: Optional[float] = None) -> Job:
        """The job once it has ended, however it did. Errors: WaitTimeout after so many seconds."""
        return self._run(self._do.wait(job, deadline_after(timeout)))

    def wait_all(self, jobs: Iterable[JobRef], timeout: Optional[float] = None) -> list[Job]:
        """All of them, in the order given, once all have ended. Errors: WaitTimeout, for the first that has not."""
        return self._run(self._do.wait_all(list(jobs), deadline_after(timeout)))

    def result(self, job: JobRef, timeout: Optional[float] = None) -> Result:
        """What a job gave, once it has. Errors: JobFailed, JobCancelled, WaitTimeout."""
        return self._run(self._do.result(job, deadline_after(timeout)))

    def follow(self, job: JobRef) -> Iterator[Update]:
        """The job as it goes on, until it has ended: an update for each change of its state, place or progress and for new lines of its
        log, at most ten a second; progress without output is seen within a second. Of what an earlier attempt wrote last, some lines may be
        missing: the API has the newest log alone."""
        return self._iterate(self._do.follow(job))

    def log(self, job: JobRef, offset: int = 0) -> str:
        """What its log holds now, from that byte on; a negative offset counts from the end. Bytes that are no UTF-8 become
        U+FFFD. log_lines() and read_log() take a large log in pieces."""
        return self._run(self._do.log(job, offset))

    def log_lines(self, job: JobRef, *, follow: bool = False) -> Iterator[str]:
        """The lines that its log holds now; with `follow`, those to come too, until the job has ended."""
        return self._iterate(self._do.log_lines(job, follow))

    def read_log(self, job: JobRef, offset: int = 0, *, limit: Optional[int] = None, wait: int = 0) -> LogPiece:
        """Bytes of its log, at most 1 MiB. wait: 1 to 60 seconds for some to come."""
        return self._run(self._do.read_log(job, offset, limit, wait))

    # ---- steering ----------------------------------------------------------------------------------------------------------------

    def cancel(self, job: JobRef) -> Job:
        """Out of the queue; or its processes are ended, which wait() waits for. Errors: Conflict where it has completed or failed."""
        return self._run(self._do.on_job(job, "cancel"))

    def hold(self, job: JobRef) -> Job:
        """Keeps a queued job from starting."""
        return self._run(self._do.on_job(job, "hold"))

    def release(self, job: JobRef) -> Job:
        """Ends a hold, a delay, and needs that cannot be met."""
        return self._run(self._do.on_job(job, "release"))

    def move(self, job: JobRef, position: Position) -> Job:
        """To a position (1: next), "top" or "bottom", within its effective priority."""
        return self._run(self._do.on_job(job, "move", position=position))

    def try_move(self, job: JobRef, position: Position) -> tuple[StartChange, ...]:
        """Whose start and place a move would change. Changes nothing."""
        return self._run(self._do.try_move(job, position))

    def set_priority(self, job: JobRef, priority: int) -> Job:
        return self._run(self._do.edit(job, priority, None, None, None))

    def try_priority(self, job: JobRef, priority: int) -> tuple[StartChange, ...]:
        """Whose start and place another priority would change. Changes nothing."""
        return self._run(self._do.try_priority(job, priority))

    def edit(self, job: JobRef, *, priority: Optional[int] = None, name: Optional[str] = None,
             params: Optional[Mapping[str, Any]] = None, base_dir: Optional[StrPath] = None) -> Job:
        """Changes a queued job. Of its parameters only those named change; None takes one away."""
        return self._run(self._do.edit(job, priority, name, params, base_dir))

    def retry(self, job: JobRef, *, from_scratch: bool = False) -> Job:
        """Queues a failed or cancelled job again, under its number. It continues from its newest checkpoint, unless from_scratch."""
        return self._run(self._do.on_job(job, "retry", from_scratch=from_scratch or None))

    def suspend(self, job: JobRef) -> Job:
        """Ends it for now: it stays in the queue, held, and resume() lets it go on."""
        return self._run(self._do.on_job(job, "suspend"))

    def resume(self, job: JobRef) -> Job:
        """A held job goes on; a failed or cancelled one is queued again, to continue."""
        return self._run(self._do.on_job(job, "resume"))

    def resume_as_new(self, job: JobRef) -> JobHandle:
        """A new job with its type and parameters that continues its work."""
        return JobHandle(self, self._run(self._do.resume_as_new(job)))

    def pause(self) -> None:
        """Nothing new is started until unpause(); what runs goes on."""
        self._run(self._do.on_queue("pause"))

    def unpause(self) -> None:
        self._run(self._do.on_queue("unpause"))

    def suspend_all(self) -> int:
        """Pauses the queue and suspends all that runs. Returns how many jobs."""
        return int(self._run(self._do.on_queue("suspend"))["suspended"])

    def resume_all(self) -> int:
        """The queue goes on, and all that is suspended is released. Returns how many jobs."""
        return int(self._run(self._do.on_queue("resume"))["released"])

    def clear(self, status: Optional[Iterable[str]] = None, *, types: Optional[Iterable[str]] = None,
              older_than: Union[float, timedelta, None] = None, jobs: Optional[Iterable[JobRef]] = None) -> int:
        """Takes finished jobs off the lists and returns how many; get() still shows them. Of these states, types and ages (seconds, or a
        timedelta) only; or these jobs, of which then all must have finished (Conflict)."""
        return self._run(self._do.clear(status, types, older_than, jobs))

    def hold_type(self, name: str, reason: Optional[str] = None) -> None:
        """No job of that type is started."""
        self._run(self._do.on_type(name, "hold", reason=reason))

    def release_type(self, name: str) -> None:
        self._run(self._do.on_type(name, "release"))

    def change_group(self, name: str, *, parallel: Optional[int] = None, paused: Optional[bool] = None) -> Group:
        """parallel: at most so many of its jobs run at once; 0: no limit. paused: none is started."""
        return self._run(self._do.change_group(name, parallel, paused))

    def drain_node(self, name: str) -> None:
        """Nothing new is started there until resume_node(); what runs goes on."""
        self._run(self._do.on_node(name, "drain"))

    def resume_node(self, name: str) -> None:
        self._run(self._do.on_node(name, "resume"))

    def remove_node(self, name: str, force: bool = False) -> None:
        """It is forgotten until it joins again. Errors: Conflict while it is connected or may still run something. force: gives up what that
        is, and is for a machine that is known to be off; else a job may run twice."""
        self._run(self._do.remove_node(name, force))

    # ---- doing it ----------------------------------------------------------------------------------------------------------------

    def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                step = self._perform(flow, step)
        except StopIteration as end:
            value: T = end.value
            return value

    def _iterate(self, stream: Stream[T]) -> Iterator[T]:
        try:
            step = next(stream, None)
            while step is not None:
                if isinstance(step, Emit):
                    yield step.value
                    step = next(stream, None)
                    continue
                try:
                    step = self._perform(stream, step)
                except StopIteration:
                    return
        finally:
            stream.close()

    def _perform(self, steps: Any, step: Union[Request, Pause]) -> Any:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return next(steps)
        try:
            response = self._transport.exchange(step)
        except Broken as why:
            return steps.throw(why)
        return steps.send(response)


__all__ = ["Client", "NewJob"]
