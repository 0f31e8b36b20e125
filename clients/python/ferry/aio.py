"""The client of ferry's daemon for asyncio.

    async with ferry.AsyncClient() as client:
        job = await client.submit("upscale", source="/pictures/china.jpg", scale=4)
        async for update in job.follow():
            print(update.progress)
        print((await job.result()).artifacts[0].path)

It has the methods of ferry.Client, with the same parameters, results and errors. Those that give one thing after the other (follow, log_lines,
all_jobs) are for `async for`; the rest is awaited; map is both: `async for result in await client.map(…)`.
"""

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Any, AsyncIterator, Iterable, Mapping, Optional, TypeVar, Union

from ferry._address import address_from
from ferry._async_transport import AsyncTransport
from ferry._commands import Commands, Position
from ferry._operations import Emit, Flow, Pause, Stream
from ferry._requests import JobRef, NewJob, StrPath, new_job, number_of
from ferry._wire import Broken, Request
from ferry.client import Client, deadline_after
from ferry.handles import AsyncJobHandle
from ferry.models import Dataset, FileList, HistoryEntry, Job, JobPage, LogPiece, Metrics, QueuePage, Result, Update
from ferry.reports import BatchPlan, Explanation, FailureGroup, Group, HistoryRow, JobType, Node, StartChange, Statistics, Status

T = TypeVar("T")


class AsyncClient:
    """Speaks with one daemon, from one event loop. Parameters and errors are those of ferry.Client."""

    def __init__(self, address: Optional[StrPath] = None, *, token: Optional[str] = None, cafile: Optional[StrPath] = None,
                 patience: float = 10.0) -> None:
        self._transport = AsyncTransport(address_from(address, token, cafile))
        self._do = Commands(self._transport, patience)

    def __repr__(self) -> str:
        return f"ferry.AsyncClient({str(self._transport.address)!r})"

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, kind: Optional[type[BaseException]], why: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    # ---- submitting --------------------------------------------------------------------------------------------------------------

    async def submit(self, type: str, /, params: Optional[Mapping[str, Any]] = None, *, priority: Optional[int] = None,
                     name: Optional[str] = None, held: bool = False, delay: Union[float, timedelta, None] = None,
                     needs: Iterable[JobRef] = (), on_needs_failure: Optional[str] = None, group: Optional[str] = None,
                     unique_key: Optional[str] = None, base_dir: Optional[StrPath] = None, user: Optional[str] = None,
                     on: Optional[Mapping[str, str]] = None,
                     idempotency_key: Optional[str] = None,
                     **parameters: Any) -> AsyncJobHandle:
        job = new_job(type, params, parameters, priority=priority, name=name, held=held, delay=delay, needs=needs,
                      on_needs_failure=on_needs_failure, group=group, unique_key=unique_key, base_dir=base_dir, user=user, on=on)
        return AsyncJobHandle(self, await self._run(self._do.submit(job, idempotency_key)))

    async def submit_many(self, jobs: Iterable[NewJob], *, idempotency_key: Optional[str] = None) -> list[AsyncJobHandle]:
        return [AsyncJobHandle(self, each) for each in await self._run(self._do.submit_many(list(jobs), idempotency_key))]

    async def sweep(self, type: str, over: Mapping[str, Iterable[Any]], params: Optional[Mapping[str, Any]] = None, *,
                    idempotency_key: Optional[str] = None, **options: Any) -> list[AsyncJobHandle]:
        job = new_job(type, params, {}, **options)
        return [AsyncJobHandle(self, each) for each in await self._run(self._do.sweep(job, dict(over), idempotency_key))]

    async def map(self, type: str, params: Iterable[Mapping[str, Any]], *, timeout: Optional[float] = None,
                  **options: Any) -> AsyncIterator[Result]:
        deadline = deadline_after(timeout)
        jobs = await self._run(self._do.submit_many([new_job(type, each, {}, **options) for each in params], None))
        return self._iterate(self._do.map(jobs, deadline))

    # ---- looking -----------------------------------------------------------------------------------------------------------------

    def job(self, number: JobRef) -> AsyncJobHandle:
        return AsyncJobHandle.of(self, number_of(number))

    async def get(self, job: JobRef) -> Job:
        return await self._run(self._do.get(job))

    async def jobs(self, *, status: Union[str, Iterable[str], None] = None, type: Optional[str] = None, name: Optional[str] = None,
                   before: Optional[int] = None, limit: Optional[int] = None, cleared: bool = False) -> JobPage:
        return await self._run(self._do.page(status, type, name, before, limit, cleared))

    def all_jobs(self, *, status: Union[str, Iterable[str], None] = None, type: Optional[str] = None, name: Optional[str] = None,
                 cleared: bool = False) -> AsyncIterator[Job]:
        return self._iterate(self._do.pages(status, type, name, cleared))

    async def queue(self, *, offset: int = 0, limit: Optional[int] = None) -> QueuePage:
        return await self._run(self._do.queue(offset, limit))

    async def history(self, job: JobRef) -> tuple[HistoryEntry, ...]:
        return await self._run(self._do.history(job))

    async def explain(self, job: JobRef) -> Explanation:
        return await self._run(self._do.explain(job))

    async def batches(self, *, limit: Optional[int] = None) -> BatchPlan:
        return await self._run(self._do.batches(limit))

    async def upload(self, path: StrPath, *, dataset: Optional[str] = None, name: Optional[str] = None) -> str:
        """As of Client. The file is read in pieces of 8 MiB, each of which holds up the event loop for a moment."""
        return await self._run(self._do.upload(path, dataset, name))

    async def status(self) -> Status:
        return await self._run(self._do.status())

    async def statistics(self) -> Statistics:
        return await self._run(self._do.statistics())

    async def statistics_history(self, *, bucket: str = "hour", buckets: Optional[int] = None,
                                 utc_offset_minutes: int = 0) -> tuple[HistoryRow, ...]:
        return await self._run(self._do.statistics_history(bucket, buckets, utc_offset_minutes))

    async def failures(self, *, limit: Optional[int] = None) -> tuple[FailureGroup, ...]:
        return await self._run(self._do.failures(limit))

    async def job_types(self) -> tuple[JobType, ...]:
        return await self._run(self._do.job_types())

    async def groups(self) -> tuple[Group, ...]:
        return await self._run(self._do.groups())

    async def nodes(self) -> tuple[Node, ...]:
        return await self._run(self._do.nodes())

    # ---- files -------------------------------------------------------------------------------------------------------------------

    async def artifacts(self, job: JobRef) -> FileList:
        return await self._run(self._do.artifacts(job))

    async def download(self, job: JobRef, path: str, to: StrPath = ".", *, overwrite: bool = False) -> str:
        return await self._run(self._do.download(job, path, to, overwrite))

    async def metrics(self, job: JobRef, *, points: Optional[int] = None) -> Metrics:
        return await self._run(self._do.metrics(job, points))

    async def datasets(self) -> tuple[Dataset, ...]:
        return await self._run(self._do.datasets())

    async def dataset_files(self, name: str, *, offset: int = 0, limit: Optional[int] = None) -> FileList:
        return await self._run(self._do.dataset_files(name, offset, limit))

    async def create_dataset(self, name: str) -> Dataset:
        return await self._run(self._do.create_dataset(name))

    async def remove_dataset(self, name: str) -> None:
        await self._run(self._do.remove_dataset(name))

    async def remove_dataset_file(self, name: str, path: str) -> None:
        await self._run(self._do.remove_dataset_file(name, path))

    async def download_dataset_file(self, name: str, path: str, to: StrPath = ".", *, overwrite: bool = False) -> str:
        return await self._run(self._do.download_dataset_file(name, path, to, overwrite))

    # ---- watching ----------------------------------------------------------------------------------------------------------------

    async def wait(self, job: JobRef, timeout: Optional[float] = None) -> Job:
        return await self._run(self._do.wait(job, deadline_after(timeout)))

    async def wait_all(self, jobs: Iterable[JobRef], timeout: Optional[float] = None) -> list[Job]:
        return await self._run(self._do.wait_all(list(jobs), deadline_after(timeout)))

    async def result(self, job: JobRef, timeout: Optional[float] = None) -> Result:
        return await self._run(self._do.result(job, deadline_after(timeout)))

    def follow(self, job: JobRef) -> AsyncIterator[Update]:
        return self._iterate(self._do.follow(job))

    async def log(self, job: JobRef, offset: int = 0) -> str:
        return await self._run(self._do.log(job, offset))

    def log_lines(self, job: JobRef, *, follow: bool = False) -> AsyncIterator[str]:
        return self._iterate(self._do.log_lines(job, follow))

    async def read_log(self, job: JobRef, offset: int = 0, *, limit: Optional[int] = None, wait: int = 0) -> LogPiece:
        return await self._run(self._do.read_log(job, offset, limit, wait))

    # ---- steering ----------------------------------------------------------------------------------------------------------------

    async def cancel(self, job: JobRef) -> Job:
        return await self._run(self._do.on_job(job, "cancel"))

    async def hold(self, job: JobRef) -> Job:
        return await self._run(self._do.on_job(job, "hold"))

    async def release(self, job: JobRef) -> Job:
        return await self._run(self._do.on_job(job, "release"))

    async def move(self, job: JobRef, position: Position) -> Job:
        return await self._run(self._do.on_job(job, "move", position=position))

    async def try_move(self, job: JobRef, position: Position) -> tuple[StartChange, ...]:
        return await self._run(self._do.try_move(job, position))

    async def set_priority(self, job: JobRef, priority: int) -> Job:
        return await self._run(self._do.edit(job, priority, None, None, None))

    async def try_priority(self, job: JobRef, priority: int) -> tuple[StartChange, ...]:
        return await self._run(self._do.try_priority(job, priority))

    async def edit(self, job: JobRef, *, priority: Optional[int] = None, name: Optional[str] = None,
                   params: Optional[Mapping[str, Any]] = None, base_dir: Optional[StrPath] = None) -> Job:
        return await self._run(self._do.edit(job, priority, name, params, base_dir))

    async def retry(self, job: JobRef, *, from_scratch: bool = False) -> Job:
        return await self._run(self._do.on_job(job, "retry", from_scratch=from_scratch or None))

    async def suspend(self, job: JobRef) -> Job:
        return await self._run(self._do.on_job(job, "suspend"))

    async def resume(self, job: JobRef) -> Job:
        return await self._run(self._do.on_job(job, "resume"))

    async def resume_as_new(self, job: JobRef) -> AsyncJobHandle:
        return AsyncJobHandle(self, await self._run(self._do.resume_as_new(job)))

    async def pause(self) -> None:
        await self._run(self._do.on_queue("pause"))

    async def unpause(self) -> None:
        await self._run(self._do.on_queue("unpause"))

    async def suspend_all(self) -> int:
        return int((await self._run(self._do.on_queue("suspend")))["suspended"])

    async def resume_all(self) -> int:
        return int((await self._run(self._do.on_queue("resume")))["released"])

    async def clear(self, status: Optional[Iterable[str]] = None, *, types: Optional[Iterable[str]] = None,
                    older_than: Union[float, timedelta, None] = None, jobs: Optional[Iterable[JobRef]] = None) -> int:
        return await self._run(self._do.clear(status, types, older_than, jobs))

    async def hold_type(self, name: str, reason: Optional[str] = None) -> None:
        await self._run(self._do.on_type(name, "hold", reason=reason))

    async def release_type(self, name: str) -> None:
        await self._run(self._do.on_type(name, "release"))

    async def change_group(self, name: str, *, parallel: Optional[int] = None, paused: Optional[bool] = None) -> Group:
        return await self._run(self._do.change_group(name, parallel, paused))

    async def drain_node(self, name: str) -> None:
        await self._run(self._do.on_node(name, "drain"))

    async def resume_node(self, name: str) -> None:
        await self._run(self._do.on_node(name, "resume"))

    async def remove_node(self, name: str, force: bool = False) -> None:
        await self._run(self._do.remove_node(name, force))

    # ---- doing it ----------------------------------------------------------------------------------------------------------------

    async def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                step = await self._perform(flow, step)
        except _Ended as end:
            value: T = end.value
            return value

    async def _iterate(self, stream: Stream[T]) -> AsyncIterator[T]:
        try:
            step = next(stream, None)
            while step is not None:
                if isinstance(step, Emit):
                    yield step.value
                    step = next(stream, None)
                    continue
                try:
                    step = await self._perform(stream, step)
                except _Ended:
                    return
        finally:
            stream.close()

    async def _perform(self, steps: Any, step: Union[Request, Pause]) -> Any:
        """Errors: _Ended, since a StopIteration cannot leave a coroutine."""
        try:
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                return next(steps)
            try:
                response = await self._transport.exchange(step)
            except Broken as why:
                return steps.throw(why)
            return steps.send(response)
        except StopIteration as end:
            raise _Ended(end.value) from None


class _Ended(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


for _name, _method in vars(AsyncClient).items():
    if getattr(_method, "__doc__", "") is None and not _name.startswith("_"):
        _method.__doc__ = getattr(Client, _name).__doc__


__all__ = ["AsyncClient", "NewJob"]
