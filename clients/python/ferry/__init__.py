"""What Python programs need to work with ferry, a GPU job queue.

ferry.Client and ferry.AsyncClient submit, watch and steer jobs; ferry.worker keeps a model loaded and runs jobs on it. QueueService and
JobDatabase stand in for the classes of those names in the programs that ferry grew from. Standard library alone.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferry._address import default_socket as default_socket
    from ferry._requests import NewJob as NewJob
    from ferry.aio import AsyncClient as AsyncClient
    from ferry.client import Client as Client
    from ferry.errors import Conflict as Conflict
    from ferry.errors import DaemonError as DaemonError
    from ferry.errors import DiskFull as DiskFull
    from ferry.errors import FerryError as FerryError
    from ferry.errors import Forbidden as Forbidden
    from ferry.errors import InvalidArgument as InvalidArgument
    from ferry.errors import JobCancelled as JobCancelled
    from ferry.errors import JobFailed as JobFailed
    from ferry.errors import NotFound as NotFound
    from ferry.errors import Problem as Problem
    from ferry.errors import TooLarge as TooLarge
    from ferry.errors import Unauthorized as Unauthorized
    from ferry.errors import Unavailable as Unavailable
    from ferry.errors import WaitTimeout as WaitTimeout
    from ferry.handles import AsyncJobHandle as AsyncJobHandle
    from ferry.handles import JobHandle as JobHandle
    from ferry.job_database import JobDatabase as JobDatabase
    from ferry.job_database import JobStatus as JobStatus
    from ferry.models import Artifact as Artifact
    from ferry.models import Counts as Counts
    from ferry.models import Dataset as Dataset
    from ferry.models import Failure as Failure
    from ferry.models import FileList as FileList
    from ferry.models import HistoryEntry as HistoryEntry
    from ferry.models import Items as Items
    from ferry.models import Job as Job
    from ferry.models import JobPage as JobPage
    from ferry.models import LogPiece as LogPiece
    from ferry.models import Metric as Metric
    from ferry.models import Metrics as Metrics
    from ferry.models import Part as Part
    from ferry.models import Progress as Progress
    from ferry.models import QueuePage as QueuePage
    from ferry.models import Result as Result
    from ferry.models import StoredFile as StoredFile
    from ferry.models import Update as Update
    from ferry.queue_service import QueueService as QueueService

# Loaded when they are asked for: a worker's start does not wait for a client that it does not use.
_HOMES = {
    "ferry._address": ("default_socket",),
    "ferry._requests": ("NewJob",),
    "ferry.aio": ("AsyncClient",),
    "ferry.client": ("Client",),
    "ferry.errors": ("Conflict", "DaemonError", "DiskFull", "FerryError", "Forbidden", "InvalidArgument", "JobCancelled", "JobFailed",
                     "NotFound", "Problem", "TooLarge", "Unauthorized", "Unavailable", "WaitTimeout"),
    "ferry.handles": ("AsyncJobHandle", "JobHandle"),
    "ferry.job_database": ("JobDatabase", "JobStatus"),
    "ferry.models": ("Artifact", "Counts", "Dataset", "Failure", "FileList", "HistoryEntry", "Items", "Job", "JobPage", "LogPiece",
                     "Metric", "Metrics", "Part", "Progress", "QueuePage", "Result", "StoredFile", "Update"),
    "ferry.queue_service": ("QueueService",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
