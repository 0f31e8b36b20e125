"""QueueService: stands in for the class of that name of the Cosmos workflow's page, on top of ferry's daemon.

    from ferry.queue_service import QueueService    # was: from cosmos_workflow.services.queue_service import QueueService

    queue_service = QueueService()
    job_id = queue_service.add_job(prompt_ids=["ps_12345"], job_type="inference", config={"num_steps": 25})

Methods, parameters and the shapes of what they return are as they were. What differs, because the daemon does the work and not a thread of
the page:

- get_next_job() looks and takes nothing. process_job() and process_next_job() wait until the daemon has run the job.
- start_background_processor() makes sure that there is a daemon, stop_background_processor() leaves it running.
- Several jobs may run at once: `running` is the one that has run longest, `all_running` has them all.
- Held and delayed jobs are queued with the position None. Order follows priorities.
- Times carry their time zone. Waiting times are forecasts, and None where nobody can know; no 120 seconds a job are made up.
- A job is refused at once, as ferry.InvalidArgument with every problem named, where its type does not take what it asks for.
- cancel_job() still leaves running jobs alone, unless it is told otherwise.
"""

from datetime import datetime, timezone
from pathlib import PurePath
from typing import Any, Iterable, Mapping, Optional, Union

from ferry._rows import JobReader, Row
from ferry.client import Client
from ferry.errors import Conflict, NotFound, Unavailable
from ferry.models import Job, Result

_PREFIX = "job_"
_FINISHED = ("completed", "failed", "cancelled")
_ROWS_MAX = 1_000

JobId = Union[str, int]


class QueueService:
    """client: with which daemon it speaks; left out: ferry.Client(). The other parameters are taken so that programs need not change, and
    are not used: ferry's job types say what is run, and ferry has a database of its own."""

    def __init__(self, cosmos_api: Any = None, db_session: Any = None, db_connection: Any = None, *,
                 client: Optional[Client] = None) -> None:
        self.cosmos_api = cosmos_api
        self.db_session = db_session
        self.db_connection = db_connection
        self.client = client if client is not None else Client()
        self._reader = JobReader(self.client)

    # ---- adding ------------------------------------------------------------------------------------------------------------------

    def add_job(self, prompt_ids: Iterable[str], job_type: str, config: Optional[Mapping[str, Any]] = None,
                priority: int = 50) -> str:
        """Submits a job and returns its id, such as "job_42". Its parameters are `config` and, where there are any, `prompt_ids`. The
        `video_source` of an upscale job becomes the `source` of ferry's type, "job_41" the result of that job."""
        if isinstance(prompt_ids, str):
            raise TypeError(f"prompt_ids is a list of ids, not the text {prompt_ids!r}")
        params = dict(config or {})
        prompts = list(prompt_ids)
        if prompts:
            params["prompt_ids"] = prompts
        if job_type == "upscale" and "video_source" in params and "source" not in params:
            if "video_source" not in self._reader.parameters_of_type(job_type):
                params["source"] = _source_from(params.pop("video_source"))
        return _PREFIX + str(self.client.submit(job_type, params=params, priority=priority).id)

    # ---- looking -----------------------------------------------------------------------------------------------------------------

    def get_next_job(self) -> Optional[Row]:
        """The job that is first in the queue, or None. It is not taken: the daemon starts it when a device is free."""
        for job in self.client.queue(limit=_ROWS_MAX):
            if job.position is not None:
                return self._whole_row(job)
        return None

    def get_position(self, job_id: JobId) -> Optional[int]:
        """1: next. None where it is not queued, or may not start yet."""
        job = self._find(job_id)
        return job.position if job is not None else None

    def get_queue_status(self) -> dict[str, Any]:
        """{"total_queued", "queued": [{"id", "position", "type", "prompt_count", …}], "running": {…, "elapsed_time"} or None,
        "all_running", "paused"}. At most 1,000 jobs are listed; total_queued counts all that wait."""
        page = self.client.queue(limit=_ROWS_MAX)
        rows = [self._row(job) for job in page]
        running = [row for row in rows if row["status"] == "running"]
        return {"total_queued": page.counts.queued + page.counts.held, "queued": [row for row in rows if row["status"] == "queued"],
                "running": max(running, key=lambda row: row["elapsed_time"] or 0, default=None), "all_running": running,
                "paused": page.paused}

    def get_job_status(self, job_id: JobId) -> dict[str, Any]:
        """The job's row; {"status": "not_found"} where there is none."""
        job = self._find(job_id)
        return self._whole_row(job) if job is not None else Row(status="not_found")

    def get_all_jobs(self) -> list[Row]:
        """Rows of all jobs that were not cleared, newest first."""
        return [self._whole_row(job) for job in self.client.all_jobs()]

    def get_estimated_wait_time(self, job_id: JobId) -> Optional[int]:
        """Seconds until it is expected to start; None where it is not queued or nobody can know."""
        try:
            start = self.client.explain(_number(job_id)).expected_start
        except (NotFound, ValueError):
            return None
        return max(0, round((start - datetime.now(timezone.utc)).total_seconds())) if start is not None else None

    # ---- doing -------------------------------------------------------------------------------------------------------------------

    def process_job(self, job_id: JobId, timeout: Optional[float] = None) -> dict[str, Any]:
        """Waits until the daemon has run it: {"job_id", "status", "result"}, or "error" in place of the result. A job that is held is not
        released for that. Errors: NotFound; WaitTimeout after so many seconds."""
        job = self.client.wait(_number(job_id), timeout)
        outcome: dict[str, Any] = {"job_id": _PREFIX + str(job.id), "status": job.status}
        result = _result_of(job)
        if job.completed:
            return {**outcome, "result": result}
        return {**outcome, "error": (result or {}).get("error") or (result or {}).get("reason")}

    def process_next_job(self, timeout: Optional[float] = None) -> Optional[dict[str, Any]]:
        """process_job() of the job that is first in the queue; where none waits, of the one that has run longest; else None."""
        status = self.get_queue_status()
        first = next((row for row in status["queued"] if row["position"] is not None), None) or status["running"]
        return self.process_job(first["id"], timeout) if first is not None else None

    def cancel_job(self, job_id: JobId, running: bool = False) -> bool:
        """Takes a queued job out of the queue. False where there is none such, it runs, or it has ended; with `running`, one that runs is
        ended too. It never ends a job that has started meanwhile: the job is held first (and stays so, where the daemon goes away then)."""
        job = self._find(job_id)
        if job is None or job.status in _FINISHED:
            return False
        try:
            if not running and not job.held:
                self.client.hold(job)
            if not running and self.client.get(job).status != "queued":
                return False
            return self.client.cancel(job).status == "cancelled" or running
        except Conflict:
            return False

    def clear_completed_jobs(self) -> int:
        """Takes completed, failed and cancelled jobs off the lists, and returns how many."""
        return self.client.clear()

    # ---- the processor -----------------------------------------------------------------------------------------------------------

    def start_background_processor(self) -> None:
        """The daemon runs what is queued. Errors: Unavailable where there is none."""
        self.client.status()

    def stop_background_processor(self) -> None:
        """Closes this program's connections. The daemon goes on, and so do the jobs: that is what a queue that survives is for."""
        self.client.close()

    def is_processor_running(self) -> bool:
        """There is a daemon, and its queue is not paused."""
        try:
            return not self.client.status().paused
        except Unavailable:
            return False

    # ---- rows --------------------------------------------------------------------------------------------------------------------

    def _find(self, job_id: JobId) -> Optional[Job]:
        try:
            return self.client.get(_number(job_id))
        except (NotFound, ValueError):
            return None

    def _row(self, job: Job) -> Row:
        prompts = self._reader.params_of(job).get("prompt_ids")
        elapsed = round(job.run_seconds) if job.status == "running" and job.run_seconds is not None else None
        return Row(id=_PREFIX + str(job.id), position=job.position, type=job.type, status=job.status,
                   prompt_count=len(prompts) if isinstance(prompts, list) else 0, elapsed_time=elapsed, created_at=job.created,
                   progress=job.progress.fraction, waiting_for=job.waiting_for, expected_start=job.expected_start)

    def _whole_row(self, job: Job) -> Row:
        """With the columns of that program's table."""
        job = self._reader.whole(job)
        config = dict(job.params or {})
        prompts = config.pop("prompt_ids", [])
        return Row(self._row(job), prompt_ids=prompts, job_type=job.type, config=config, priority=job.priority,
                   started_at=job.started, completed_at=job.finished, result=_result_of(job))


def _number(job_id: JobId) -> int:
    """Of 42, "42" and "job_42". Errors: ValueError."""
    number = int(job_id[len(_PREFIX):] if isinstance(job_id, str) and job_id.startswith(_PREFIX) else job_id)
    if number < 1:
        raise ValueError(f"{job_id!r} is no id of a job")
    return number


def _source_from(source: Any) -> Any:
    """"job_41" is the result of that job; others are taken as they are."""
    if isinstance(source, PurePath):
        source = str(source)
    if isinstance(source, str) and source.startswith(_PREFIX) and source[len(_PREFIX):].isdecimal():
        return "job:" + source[len(_PREFIX):]
    return source


def _result_of(job: Job) -> Optional[dict[str, Any]]:
    """What the job gave, with the whole path of its first artifact as output_path, unless it says that itself; {"error"} of one that
    failed; {"reason"} of one that was cancelled; None before its end."""
    if job.status == "failed":
        return {"error": str(job.failure) if job.failure else "failed"}
    if job.status == "cancelled":
        return {"reason": str(job.failure) if job.failure and str(job.failure) else "cancelled"}
    if not job.completed:
        return None
    result = job.result or Result()
    paths = [str(artifact.path) for artifact in result.artifacts]
    return {**({"output_path": paths[0]} if paths else {}), **result.raw}
