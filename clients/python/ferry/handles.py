"""Jobs to hold in the hand: what a submit returns. They know a number and a client, and nothing of the job until it is asked for."""

from typing import TYPE_CHECKING, Any, AsyncIterator, Iterator, Mapping, Optional, Union

from ferry._requests import StrPath
from ferry.models import FileList, HistoryEntry, Job, Metrics, Result, Submitted, Update
from ferry.reports import Explanation

if TYPE_CHECKING:
    from ferry.aio import AsyncClient
    from ferry.client import Client


class _Handle:
    def __init__(self, submitted: Submitted) -> None:
        self.id = submitted.id
        self.position = submitted.position
        self.waiting_for = submitted.waiting_for
        self.existing = submitted.existing

    def __repr__(self) -> str:
        return f"<ferry job {self.id}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, _Handle) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


class JobHandle(_Handle):
    """A job of a Client. What its methods do, and their errors, stand there.

    id           its number
    position     its place in the queue when it was submitted; None where it had none
    waiting_for  why it had none then
    existing     it was there already, with the same unique key
    """

    def __init__(self, client: "Client", submitted: Submitted) -> None:
        super().__init__(submitted)
        self.client = client

    @classmethod
    def of(cls, client: "Client", number: int) -> "JobHandle":
        return cls(client, Submitted(id=number))

    def get(self) -> Job:
        """It as it is now, with parameters, result and history."""
        return self.client.get(self)

    def wait(self, timeout: Optional[float] = None) -> Job:
        """It once it has ended, however it did. Errors: WaitTimeout after so many seconds."""
        return self.client.wait(self, timeout)

    def result(self, timeout: Optional[float] = None) -> Result:
        """What it gave, once it has. Errors: JobFailed, JobCancelled, WaitTimeout."""
        return self.client.result(self, timeout)

    def follow(self) -> Iterator[Update]:
        """It as it goes on, until it has ended."""
        return self.client.follow(self)

    def log(self, offset: int = 0) -> str:
        """What its log holds now, from that byte on; a negative offset counts from the end."""
        return self.client.log(self, offset)

    def log_lines(self, *, follow: bool = False) -> Iterator[str]:
        """The lines that its log holds now; with `follow`, those to come too."""
        return self.client.log_lines(self, follow=follow)

    def artifacts(self) -> FileList:
        """The files that it has left in its directory."""
        return self.client.artifacts(self)

    def download(self, path: str, to: StrPath = ".", *, overwrite: bool = False) -> str:
        """One of these files; returns its path here."""
        return self.client.download(self, path, to, overwrite=overwrite)

    def metrics(self, *, points: Optional[int] = None) -> Metrics:
        """The numbers that it has reported, as series."""
        return self.client.metrics(self, points=points)

    def history(self) -> tuple[HistoryEntry, ...]:
        return self.client.history(self)

    def explain(self) -> Explanation:
        """Why it waits."""
        return self.client.explain(self)

    def cancel(self) -> Job:
        """Out of the queue; or its processes are ended, which wait() waits for."""
        return self.client.cancel(self)

    def hold(self) -> Job:
        return self.client.hold(self)

    def release(self) -> Job:
        return self.client.release(self)

    def move(self, position: Union[int, str]) -> Job:
        """To a position (1: next), "top" or "bottom"."""
        return self.client.move(self, position)

    def set_priority(self, priority: int) -> Job:
        return self.client.set_priority(self, priority)

    def edit(self, *, priority: Optional[int] = None, name: Optional[str] = None,
             params: Optional[Mapping[str, Any]] = None) -> Job:
        """Changes it while it is queued. Of its parameters only those named change; None takes one away."""
        return self.client.edit(self, priority=priority, name=name, params=params)

    def retry(self, *, from_scratch: bool = False) -> Job:
        """Queues it again, where it failed or was cancelled."""
        return self.client.retry(self, from_scratch=from_scratch)

    def suspend(self) -> Job:
        """Ends it for now; resume() lets it go on."""
        return self.client.suspend(self)

    def resume(self) -> Job:
        return self.client.resume(self)

    def resume_as_new(self) -> "JobHandle":
        """A new job that continues its work."""
        return self.client.resume_as_new(self)


class AsyncJobHandle(_Handle):
    """A job of an AsyncClient. What its methods do, and their errors, stand there.

    id           its number
    position     its place in the queue when it was submitted; None where it had none
    waiting_for  why it had none then
    existing     it was there already, with the same unique key
    """

    def __init__(self, client: "AsyncClient", submitted: Submitted) -> None:
        super().__init__(submitted)
        self.client = client

    @classmethod
    def of(cls, client: "AsyncClient", number: int) -> "AsyncJobHandle":
        return cls(client, Submitted(id=number))

    async def get(self) -> Job:
        """It as it is now, with parameters, result and history."""
        return await self.client.get(self)

    async def wait(self, timeout: Optional[float] = None) -> Job:
        """It once it has ended, however it did. Errors: WaitTimeout after so many seconds."""
        return await self.client.wait(self, timeout)

    async def result(self, timeout: Optional[float] = None) -> Result:
        """What it gave, once it has. Errors: JobFailed, JobCancelled, WaitTimeout."""
        return await self.client.result(self, timeout)

    def follow(self) -> AsyncIterator[Update]:
        """It as it goes on, until it has ended."""
        return self.client.follow(self)

    async def log(self, offset: int = 0) -> str:
        """What its log holds now, from that byte on; a negative offset counts from the end."""
        return await self.client.log(self, offset)

    def log_lines(self, *, follow: bool = False) -> AsyncIterator[str]:
        """The lines that its log holds now; with `follow`, those to come too."""
        return self.client.log_lines(self, follow=follow)

    async def artifacts(self) -> FileList:
        """The files that it has left in its directory."""
        return await self.client.artifacts(self)

    async def download(self, path: str, to: StrPath = ".", *, overwrite: bool = False) -> str:
        """One of these files; returns its path here."""
        return await self.client.download(self, path, to, overwrite=overwrite)

    async def metrics(self, *, points: Optional[int] = None) -> Metrics:
        """The numbers that it has reported, as series."""
        return await self.client.metrics(self, points=points)

    async def history(self) -> tuple[HistoryEntry, ...]:
        return await self.client.history(self)

    async def explain(self) -> Explanation:
        """Why it waits."""
        return await self.client.explain(self)

    async def cancel(self) -> Job:
        """Out of the queue; or its processes are ended, which wait() waits for."""
        return await self.client.cancel(self)

    async def hold(self) -> Job:
        return await self.client.hold(self)

    async def release(self) -> Job:
        return await self.client.release(self)

    async def move(self, position: Union[int, str]) -> Job:
        """To a position (1: next), "top" or "bottom"."""
        return await self.client.move(self, position)

    async def set_priority(self, priority: int) -> Job:
        return await self.client.set_priority(self, priority)

    async def edit(self, *, priority: Optional[int] = None, name: Optional[str] = None,
                   params: Optional[Mapping[str, Any]] = None) -> Job:
        """Changes it while it is queued. Of its parameters only those named change; None takes one away."""
        return await self.client.edit(self, priority=priority, name=name, params=params)

    async def retry(self, *, from_scratch: bool = False) -> Job:
        """Queues it again, where it failed or was cancelled."""
        return await self.client.retry(self, from_scratch=from_scratch)

    async def suspend(self) -> Job:
        """Ends it for now; resume() lets it go on."""
        return await self.client.suspend(self)

    async def resume(self) -> Job:
        return await self.client.resume(self)

    async def resume_as_new(self) -> "AsyncJobHandle":
        """A new job that continues its work."""
        return await self.client.resume_as_new(self)
