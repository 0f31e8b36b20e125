"""JobDatabase: stands in for the class of that name of the LTX-Video trainer, on top of ferry's daemon.

    from ferry.job_database import JobDatabase, JobStatus    # was: from scripts.jobs.database import JobDatabase, JobStatus

    db = JobDatabase()
    job_id = db.create_job("my_dataset", {"steps": 1000, "learning_rate": 2e-4})
    jobs = db.get_all_jobs()

Methods, parameters and the shapes of what they return are as they were: rows are dictionaries, times are text. What differs, because
the daemon keeps the jobs and runs them, with no worker beside it:

- The path of a database is taken and not used: no file is made. Jobs are those of one job type, `train` unless another is named.
- get_next_pending_job() looks and takes nothing.
- update_job_status() does what can be done: "cancelled" cancels, "pending" queues a failed or cancelled job again. That a job runs, has
  completed or has failed is for the job to show, and its progress for the job to report; what contradicts is refused as ferry.Conflict.
- delete_job() is refused: ferry keeps what ran. clear_completed_jobs() takes finished jobs, of all types, off the lists.
- A job stays "running" only while it runs, whatever ended the page or the daemon.
"""

import warnings
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional, Union

from ferry._requests import StrPath
from ferry._rows import JobReader, Row
from ferry.client import Client
from ferry.errors import Conflict, NotFound
from ferry.models import HistoryEntry, Job

_LOG_TAIL_BYTES = 64 * 1024
_PICTURES = (".mp4", ".webm", ".mov", ".gif", ".png", ".jpg", ".jpeg", ".webp")


class JobStatus(str, Enum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobDatabase:
    """db_path: not used. job_type: whose jobs these are. client: with which daemon it speaks; left out: ferry.Client()."""

    def __init__(self, db_path: Optional[StrPath] = None, *, job_type: str = "train", client: Optional[Client] = None) -> None:
        self.db_path = db_path
        self.job_type = job_type
        self.client = client if client is not None else Client()
        self._reader = JobReader(self.client)
        self._dataset_key: Optional[str] = None
        self._runs: Optional[Path] = None

    # ---- adding ------------------------------------------------------------------------------------------------------------------

    def create_job(self, dataset_name: str, params: Optional[Mapping[str, Any]] = None) -> int:
        """Submits a job and returns its number. The dataset is its parameter `dataset`, or `dataset_name` where the type calls it so.
        Errors: InvalidArgument, with every parameter that the type does not take."""
        return self.client.submit(self.job_type, params={**(params or {}), self._dataset_parameter(): dataset_name}).id

    def resume_job(self, job_id: int) -> int:
        """A new job with the same parameters that continues the work of a failed or cancelled one. Returns its number."""
        return self.client.resume_as_new(int(job_id)).id

    # ---- looking -----------------------------------------------------------------------------------------------------------------

    def get_job(self, job_id: int) -> Optional[Row]:
        """Its row, with the end of its log as `logs`; None where there is none."""
        try:
            job = self.client.get(int(job_id))
        except NotFound:
            return None
        return Row(self._row(job), logs=self.client.log(job, -_LOG_TAIL_BYTES))

    def get_all_jobs(self, status: Union[JobStatus, str, None] = None) -> list[Row]:
        """Rows of all jobs that were not cleared, or those in that state, newest first, without their logs."""
        return [self._row(self._reader.whole(job)) for job in self._listed(status)]

    def get_next_pending_job(self) -> Optional[Row]:
        """The first of these jobs in the queue, or None. It is not taken: the daemon starts it when a device is free."""
        for job in self.client.queue(limit=1_000):
            if job.type == self.job_type and job.position is not None:
                return self.get_job(job.id)
        return None

    def get_job_count(self, status: Union[JobStatus, str, None] = None) -> int:
        return sum(1 for _ in self._listed(status))

    # ---- changing ----------------------------------------------------------------------------------------------------------------

    def update_job_status(self, job_id: int, status: Union[JobStatus, str], progress: Optional[str] = None,
                          error_message: Optional[str] = None, logs: Optional[str] = None, process_id: Optional[int] = None,
                          output_dir: Optional[str] = None, checkpoint_path: Optional[str] = None,
                          validation_sample: Optional[str] = None) -> None:
        """"cancelled" cancels the job, "pending" queues a failed or cancelled one again, to continue; a state that it is in already changes
        nothing. What else is given is not kept, which a warning says. Errors: Conflict for any other state; NotFound."""
        wanted = JobStatus(status)
        job = self.client.get(int(job_id))
        is_now = _status_of(job)
        if wanted is not is_now:
            if wanted is JobStatus.CANCELLED:
                self.client.cancel(job)
            elif wanted is JobStatus.PENDING and is_now is not JobStatus.RUNNING:
                self.client.retry(job)
            else:
                raise Conflict(f"job {job.id} is {is_now.value}: that it is {wanted.value} is for its process to show",
                               "the daemon runs jobs and sees how they end; cancel_job() ends one")
        dropped = {"progress": progress, "error_message": error_message, "logs": logs, "process_id": process_id,
                   "output_dir": output_dir, "checkpoint_path": checkpoint_path, "validation_sample": validation_sample}
        names = [name for name, value in dropped.items() if value is not None]
        if names:
            warnings.warn(f"ferry keeps no {', '.join(names)} that others than the job tell (docs/user_guide.md, \"Attempts\")",
                          RuntimeWarning, stacklevel=2)

    def cancel_job(self, job_id: int) -> bool:
        """Cancels it, also while it runs: then it is "cancelled" once its processes have ended. False where it has ended before."""
        try:
            self.client.cancel(int(job_id))
        except Conflict:
            return False
        return True

    def clear_completed_jobs(self) -> int:
        """Takes completed, failed and cancelled jobs off the lists, those of other types too, and returns how many."""
        return self.client.clear()

    def delete_job(self, job_id: int) -> None:
        """Errors: NotImplementedError."""
        raise NotImplementedError(f"ferry keeps job {job_id} with its log and history; clear_completed_jobs() takes finished jobs off the lists")

    def close(self) -> None:
        self.client.close()

    # ---- rows --------------------------------------------------------------------------------------------------------------------

    def _listed(self, status: Union[JobStatus, str, None]) -> Iterator[Job]:
        state = JobStatus(status).value if status else None
        return self.client.all_jobs(type=self.job_type, status="queued" if state == "pending" else state)

    def _dataset_parameter(self) -> str:
        if self._dataset_key is None:
            known = self._reader.parameters_of_type(self.job_type)
            self._dataset_key = "dataset_name" if "dataset_name" in known and "dataset" not in known else "dataset"
        return self._dataset_key

    def _row(self, job: Job) -> Row:
        """With the columns of that program's table."""
        params = dict(job.params or {})
        dataset = params.pop(self._dataset_parameter(), "")
        samples = [artifact for artifact in (job.result.artifacts if job.result else ()) if artifact.name.lower().endswith(_PICTURES)]
        return Row(id=job.id, status=_status_of(job).value, dataset_name=dataset, params=params, progress=_progress_of(job),
                   error_message=str(job.failure) if job.failure else None, created_at=_text(job.created), started_at=_text(job.started),
                   completed_at=_text(job.finished), process_id=_process_of(job),
                   output_dir=str(job.directory) if job.directory is not None else None, checkpoint_path=self._checkpoint_of(job),
                   validation_sample=str(samples[-1].path) if samples else None)

    def _checkpoint_of(self, job: Job) -> Optional[str]:
        newest = _newest_checkpoint(job)
        if newest is None:
            return None
        if self._runs is None:
            self._runs = self.client.status().data_dir / "runs"
        return str(self._runs / str(newest[0]) / "jobs" / str(job.id) / newest[1])


def _status_of(job: Job) -> JobStatus:
    return JobStatus.PENDING if job.status == "queued" else JobStatus(job.status)


def _text(moment: Optional[datetime]) -> Optional[str]:
    return moment.isoformat() if moment is not None else None


def _progress_of(job: Job) -> Optional[str]:
    """Such as "40%, step 40 of 100"; of a job that waits, why."""
    return (job.waiting_for if job.status == "queued" else None) or str(job.progress) or None


def _last(job: Job, what: str) -> Optional[HistoryEntry]:
    return next((entry for entry in reversed(job.history) if entry.what == what), None)


def _process_of(job: Job) -> Optional[int]:
    """The process of a job that runs; that of one that has ended may be another's by now."""
    begun = _last(job, "run_started")
    return begun.detail.get("pid") if begun is not None and job.status == "running" else None


def _newest_checkpoint(job: Job) -> Optional[tuple[int, str]]:
    """Of which batch it is, and where in the directory that the job had there."""
    newest: Optional[tuple[int, str]] = None
    batch = 0
    for entry in job.history:
        if entry.what == "batch_started":
            batch = int(entry.detail.get("batch") or 0)
        elif entry.what == "checkpoint_saved":
            newest = batch, str(entry.detail.get("path", ""))
    return newest
