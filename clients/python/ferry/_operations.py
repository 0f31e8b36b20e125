"""What the client does, once for both of its kinds: generators that yield requests (and pauses) and are sent the answers.

A Flow returns what came of it; a Stream also yields Emit for each thing that it gives on the way. Client and AsyncClient drive them, each
with its own transport, and add nothing of their own.
"""

import codecs
import json
import math
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Generator, Generic, Iterable, Optional, Protocol, Sequence, TypeVar, Union

from ferry import _requests as requests
from ferry._requests import JobRef, NewJob
from ferry._wire import Broken, Request, Response
from ferry.errors import DaemonError, FerryError, JobCancelled, JobFailed, WaitTimeout, error_from
from ferry.models import Job, JobPage, LogPiece, Result, Submitted, Update

T = TypeVar("T")

_WATCHING_PATIENCE_SECONDS = 60.0  # while a job is watched, a daemon that restarts is waited for so long
_PACE_SECONDS = 0.1  # a log that is followed, or a long poll that answers at once, is asked for no more often
_FOLLOW_WAIT_SECONDS = 1  # progress without output is seen after so long
_LINE_CHARACTERS_MAX = 64 * 1024  # of a log's line that is given whole
_LOG_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Emit(Generic[T]):
    value: T


Flow = Generator[Union[Request, Pause], Any, T]
Stream = Generator[Union[Request, Pause, Emit[T]], Any, None]


class Met(Protocol):
    """A transport, as far as these need to know."""

    met: bool


def document(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except ValueError:
        raise DaemonError("the daemon's answer is not JSON", http_status=response.status) from None


def ended_well(job: Job) -> Result:
    """Errors: JobFailed, JobCancelled."""
    if job.completed:
        return job.result or Result()
    why = str(job.failure) if job.failure else ""
    if job.status == "cancelled":
        raise JobCancelled(f"job {job.id} was cancelled" + (f": {why}" if why else ""), job)
    raise JobFailed(f"job {job.id} failed" + (f": {why}" if why else ""), job)


class Operations:
    """patience: for how many seconds a daemon that was there and went away is waited for."""

    def __init__(self, transport: Met, patience: float) -> None:
        self._transport = transport
        self._patience = patience

    # ---- one request -------------------------------------------------------------------------------------------------------------

    def send(self, request: Request, patience: Optional[float] = None) -> Flow[Response]:
        """Once more after a broken connection, where that cannot do anything twice."""
        give_up_at = time.monotonic() + (self._patience if patience is None else patience)
        if request.deadline is not None:
            give_up_at = min(give_up_at, request.deadline)
        pause = 0.02
        while True:
            try:
                response: Response = yield request
                if 200 <= response.status < 300:
                    return response
                why = error_from(response.status, _json_or_none(response))
                may_repeat = response.status == 503 and request.repeatable
            except Broken as broken:
                why = broken.error
                may_repeat = broken.passing and (request.repeatable or not broken.sent)
            if not may_repeat or not self._transport.met or time.monotonic() + pause > give_up_at:
                raise why from None
            yield Pause(pause)
            pause = min(pause * 2, 0.5)

    def ask(self, request: Request, read: Callable[[Any], T], patience: Optional[float] = None) -> Flow[T]:
        response = yield from self.send(request, patience)
        try:
            return read(document(response))
        except (AttributeError, KeyError, TypeError, ValueError) as why:
            raise DaemonError(f"the daemon's answer to {request.method} {request.path} is not as the API has it: {why!r}") from why

    # ---- submitting --------------------------------------------------------------------------------------------------------------

    def submit(self, job: NewJob, key: Optional[str]) -> Flow[Submitted]:
        return self.ask(requests.submit_one(job, key), Submitted.of)

    def submit_many(self, jobs: Sequence[NewJob], key: Optional[str]) -> Flow[list[Submitted]]:
        done: list[Submitted] = []
        for request, count in requests.submit_many(jobs, key):
            try:
                answer = yield from self.ask(request, lambda raw: [Submitted.of(each) for each in raw["jobs"]])
            except FerryError as why:
                if done:
                    taken = f"the first {len(done)} of the jobs are in the queue (jobs {done[0].id} to {done[-1].id}), the rest is not"
                    why.hint = f"{why.hint}; {taken}" if why.hint else taken
                raise
            if len(answer) != count:
                raise DaemonError(f"the daemon answered with {len(answer)} jobs for {count}")
            done += answer
        return done

    def sweep(self, job: NewJob, over: "dict[str, Iterable[Any]]", key: Optional[str]) -> Flow[list[Submitted]]:
        jobs = [replace(job, params=params) for params in requests.combinations(job.params, over)]
        return self.submit_many(jobs, key)

    # ---- watching ----------------------------------------------------------------------------------------------------------------

    def get(self, job: JobRef, patience: Optional[float] = None) -> Flow[Job]:
        return self.ask(requests.get(requests.job_path(job)), Job.of, patience)

    def wait(self, job: JobRef, deadline: Optional[float]) -> Flow[Job]:
        left = _WATCHING_PATIENCE_SECONDS if deadline is None else max(0.0, deadline - time.monotonic())
        seen = yield from self.get(job, min(left, _WATCHING_PATIENCE_SECONDS))
        while not seen.is_finished:
            began = time.monotonic()
            if deadline is not None and began >= deadline:
                raise _not_over(seen)
            seconds = requests.WAIT_SECONDS_MAX if deadline is None else min(requests.WAIT_SECONDS_MAX, math.ceil(deadline - began))
            poll = requests.get(requests.job_path(job), wait=seconds, deadline=deadline)
            try:
                seen = yield from self.ask(poll, Job.of, _WATCHING_PATIENCE_SECONDS)
            except FerryError as why:
                if deadline is None or time.monotonic() < deadline - 0.05:
                    raise
                raise _not_over(seen) from why
            early = began + _PACE_SECONDS - time.monotonic()
            if not seen.is_finished and early > 0:
                yield Pause(early)
        return seen

    def wait_all(self, jobs: Iterable[JobRef], deadline: Optional[float]) -> Flow[list[Job]]:
        ended: list[Job] = []
        for job in jobs:
            ended.append((yield from self.wait(job, deadline)))
        return ended

    def result(self, job: JobRef, deadline: Optional[float]) -> Flow[Result]:
        return ended_well((yield from self.wait(job, deadline)))

    def map(self, jobs: Sequence[Submitted], deadline: Optional[float]) -> Stream[Result]:
        for job in jobs:
            result = yield from self.result(job.id, deadline)
            yield Emit(result)

    def read_log(self, job: JobRef, offset: int, limit: Optional[int] = None, wait: int = 0,
                 patience: Optional[float] = None) -> Flow[LogPiece]:
        request = requests.get(requests.job_path(job, "log"), wait=wait, offset=offset, limit=limit)
        answer = yield from self.send(request, patience)
        return LogPiece(answer.body, answer.number("ferry-log-offset"), answer.number("ferry-log-next"),
                        answer.headers.get("ferry-log-complete") == "true")

    def log(self, job: JobRef, offset: int) -> Flow[str]:
        """What the log holds now, from `offset` on."""
        data = bytearray()
        while True:
            piece = yield from self.read_log(job, offset, _LOG_PIECE_BYTES)
            data += piece.data
            if piece.complete or not piece.data:
                return data.decode("utf-8", "replace")
            offset = piece.next

    def log_lines(self, job: JobRef, follow: bool) -> Stream[str]:
        if follow:
            yield from _lines_of(self.follow(job))
            return
        lines, offset = Lines(), 0
        while True:
            piece = yield from self.read_log(job, offset, _LOG_PIECE_BYTES)
            for line in lines.taken(piece.data):
                yield Emit(line)
            if piece.complete or not piece.data:
                break
            offset = piece.next
        for line in lines.rest():
            yield Emit(line)

    def follow(self, job: JobRef) -> Stream[Update]:
        """The job before and after each piece of its log are those of one attempt, or the piece may be of either, and is read again:
        the log of another attempt begins anew."""
        lines, offset = Lines(), 0
        now = yield from self.get(job, _WATCHING_PATIENCE_SECONDS)
        told: Optional[tuple[Any, ...]] = None
        while True:
            began = time.monotonic()
            wait = 0 if now.is_finished or told is None else _FOLLOW_WAIT_SECONDS
            piece = yield from self.read_log(job, offset, wait=wait, patience=_WATCHING_PATIENCE_SECONDS)
            batch, now = now.batch, (yield from self.get(job, _WATCHING_PATIENCE_SECONDS))
            if now.batch == batch:
                new, offset = lines.taken(piece.data), piece.next
            else:
                new, offset, piece = lines.rest(), 0, LogPiece(b"", 0, 0, False)
            is_last = now.is_finished and piece.complete
            if is_last:
                new += lines.rest()
            if new or is_last or noteworthy(now) != told:
                told = noteworthy(now)
                yield Emit(Update(now, tuple(new)))
            if is_last:
                return
            early = began + _PACE_SECONDS - time.monotonic()
            if early > 0 and not now.is_finished:
                yield Pause(early)

    # ---- lists -------------------------------------------------------------------------------------------------------------------

    def page(self, status: Union[str, Iterable[str], None], type: Optional[str], name: Optional[str], before: Optional[int],
             limit: Optional[int], cleared: bool) -> Flow[JobPage]:
        states = status if status is None or isinstance(status, str) else ",".join(status)
        request = requests.get("/jobs", status=states, type=type, name=name, before=before, limit=limit,
                               cleared="true" if cleared else None)
        return self.ask(request, JobPage.of)

    def pages(self, status: Union[str, Iterable[str], None], type: Optional[str], name: Optional[str], cleared: bool) -> Stream[Job]:
        states = status if status is None or isinstance(status, str) else ",".join(status)
        before: Optional[int] = None
        while True:
            page = yield from self.page(states, type, name, before, requests.PAGE_ROWS_MAX, cleared)
            for job in page.jobs:
                yield Emit(job)
            before = page.next_before
            if before is None:
                return


def _json_or_none(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except ValueError:
        return None


def _not_over(job: Job) -> WaitTimeout:
    return WaitTimeout(f"job {job.id} is still {job.status}", job)


def noteworthy(job: Job) -> tuple[Any, ...]:
    """What an update is given for. Progress as it was told: a NaN is not equal to itself."""
    return job.status, job.phase, job.position, job.waiting_for, job.attempts, job.held, job.progress.raw


def _lines_of(updates: Stream[Update]) -> Stream[str]:
    answer: Any = None
    error: Optional[BaseException] = None
    while True:
        try:
            step = updates.send(answer) if error is None else updates.throw(error)
        except StopIteration:
            return
        answer = error = None
        if isinstance(step, Emit):
            for line in step.value.lines:
                yield Emit(line)
            continue
        try:
            answer = yield step
        except Broken as why:
            error = why


class Lines:
    """Bytes of a log as lines of text."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""

    def taken(self, data: bytes) -> list[str]:
        *whole, self._begun = (self._begun + self._decoder.decode(data)).split("\n")
        if len(self._begun) > _LINE_CHARACTERS_MAX:
            whole.append(self._begun)
            self._begun = ""
        return [line[:-1] if line.endswith("\r") else line for line in whole]

    def rest(self) -> list[str]:
        """The line that has no end, if any; then another log may begin."""
        begun = self._begun + self._decoder.decode(b"", True)
        self._decoder.reset()
        self._begun = ""
        return [begun] if begun else []
