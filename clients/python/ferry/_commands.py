"""Requests that are answered at once: steering jobs and the queue, and what the daemon tells of itself. Each returns a Flow."""

import math
from datetime import timedelta
from typing import Any, Iterable, Mapping, Optional, Union

from ferry import _requests as requests
from ferry._document import list_of
from ferry._files import Files
from ferry._operations import Flow, document
from ferry._requests import JobRef, StrPath
from ferry._wire import Request
from ferry.models import HistoryEntry, Job, QueuePage, Submitted
from ferry.reports import BatchPlan, Explanation, FailureGroup, Group, HistoryRow, JobType, Node, StartChange, Statistics, Status

Position = Union[int, str]


def _names(of: Optional[Iterable[str]]) -> Optional[list[str]]:
    return [of] if isinstance(of, str) else None if of is None else list(of)


class Commands(Files):
    # ---- a job -------------------------------------------------------------------------------------------------------------------

    def on_job(self, job: JobRef, action: str, **members: Any) -> Flow[Job]:
        return self.ask(requests.post(requests.job_path(job, action), **members), Job.of)

    def edit(self, job: JobRef, priority: Optional[int], name: Optional[str], params: Optional[Mapping[str, Any]],
             base_dir: Optional[StrPath]) -> Flow[Job]:
        base = requests.absolute(base_dir) if params is not None else None
        return self.ask(requests.patch(requests.job_path(job), priority=priority, name=name, params=params, base_dir=base), Job.of)

    def resume_as_new(self, job: JobRef) -> Flow[Submitted]:
        return self.ask(requests.post(requests.job_path(job, "resume"), as_new=True), Submitted.of)

    def try_move(self, job: JobRef, position: Position) -> Flow[tuple[StartChange, ...]]:
        return self._changes(requests.post(requests.job_path(job, "move"), position=position, dry_run=True))

    def try_priority(self, job: JobRef, priority: int) -> Flow[tuple[StartChange, ...]]:
        return self._changes(requests.patch(requests.job_path(job), priority=priority, dry_run=True))

    def _changes(self, request: Request) -> Flow[tuple[StartChange, ...]]:
        return self.ask(request, lambda raw: list_of(StartChange)(raw["changes"]))

    def explain(self, job: JobRef) -> Flow[Explanation]:
        return self.ask(requests.get(requests.job_path(job, "explanation")), Explanation.of)

    def history(self, job: JobRef) -> Flow[tuple[HistoryEntry, ...]]:
        return self.ask(requests.get(requests.job_path(job, "history")), lambda raw: list_of(HistoryEntry)(raw["history"]))

    # ---- the queue ---------------------------------------------------------------------------------------------------------------

    def queue(self, offset: int, limit: Optional[int]) -> Flow[QueuePage]:
        return self.ask(requests.get("/queue", offset=offset or None, limit=limit), QueuePage.of)

    def on_queue(self, action: str) -> Flow[Mapping[str, Any]]:
        return self.ask(requests.post(f"/queue/{action}"), dict)

    def clear(self, status: Optional[Iterable[str]], types: Optional[Iterable[str]], older_than: Union[float, timedelta, None],
              jobs: Optional[Iterable[JobRef]]) -> Flow[int]:
        seconds = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
        request = requests.post("/queue/clear", status=_names(status), types=_names(types),
                                older_than_seconds=math.ceil(seconds) if seconds is not None else None,
                                ids=[requests.number_of(job) for job in jobs] if jobs is not None else None)
        return self.ask(request, lambda raw: int(raw["cleared"]))

    def batches(self, limit: Optional[int]) -> Flow[BatchPlan]:
        return self.ask(requests.get("/batches", limit=limit), BatchPlan.of)

    # ---- the daemon --------------------------------------------------------------------------------------------------------------

    def status(self) -> Flow[Status]:
        return self.ask(requests.get("/status"), Status.of)

    def statistics(self) -> Flow[Statistics]:
        return self.ask(requests.get("/statistics"), Statistics.of)

    def statistics_history(self, bucket: str, buckets: Optional[int], utc_offset_minutes: int) -> Flow[tuple[HistoryRow, ...]]:
        request = requests.get("/statistics/history", bucket=bucket, buckets=buckets, utc_offset_minutes=utc_offset_minutes or None)
        return self.ask(request, lambda raw: list_of(HistoryRow)(raw["rows"]))

    def failures(self, limit: Optional[int]) -> Flow[tuple[FailureGroup, ...]]:
        return self.ask(requests.get("/statistics/failures", limit=limit), lambda raw: list_of(FailureGroup)(raw["failures"]))

    def job_types(self) -> Flow[tuple[JobType, ...]]:
        return self.ask(requests.get("/job-types"), lambda raw: list_of(JobType)(raw["job_types"]))

    def on_type(self, name: str, action: str, **members: Any) -> Flow[None]:
        response = yield from self.send(requests.post(requests.named_path("job-types", name, action), **members))
        document(response)

    def groups(self) -> Flow[tuple[Group, ...]]:
        return self.ask(requests.get("/groups"), lambda raw: list_of(Group)(raw["groups"]))

    def change_group(self, name: str, parallel: Optional[int], paused: Optional[bool]) -> Flow[Group]:
        return self.ask(requests.patch(requests.named_path("groups", name), parallel=parallel, paused=paused), Group.of)

    def nodes(self) -> Flow[tuple[Node, ...]]:
        return self.ask(requests.get("/nodes"), lambda raw: list_of(Node)(raw["nodes"]))

    def on_node(self, name: str, action: str) -> Flow[None]:
        response = yield from self.send(requests.post(requests.named_path("nodes", name, action)))
        document(response)

    def remove_node(self, name: str, force: bool) -> Flow[None]:
        response = yield from self.send(requests.delete(requests.named_path("nodes", name), force="true" if force else None))
        document(response)
