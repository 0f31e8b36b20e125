"""What both stand-ins for other programs' classes need: rows that are dictionaries and objects, and what a job's type calls its parameters."""

import threading
from typing import Any, Mapping, Optional

from ferry.client import Client
from ferry.models import Job

_JOBS_KEPT_MAX = 2_000


class Row(dict[str, Any]):
    """row["status"] and row.status alike: those programs use either."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a row has no {name}") from None


class JobReader:
    """Listed jobs as a whole. Lists of the API leave out parameters, result and history, so that each job is asked for by itself; one that
    has ended does not change any more until it is tried again, and is remembered."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._ended: dict[tuple[Any, ...], Job] = {}

    def whole(self, job: Job) -> Job:
        if job.params is not None:
            return job
        with self._lock:
            known = self._ended.get(_key_of(job))
        if known is not None:
            return known
        asked = self._client.get(job)
        if asked.is_finished:
            with self._lock:
                if len(self._ended) >= _JOBS_KEPT_MAX:
                    self._ended.clear()
                self._ended[_key_of(asked)] = asked
        return asked

    def params_of(self, job: Job) -> Mapping[str, Any]:
        return self.whole(job).params or {}

    def parameters_of_type(self, name: str) -> Mapping[str, Any]:
        """The properties of its schema; none where the daemon has no such type, which it says itself when a job is submitted."""
        for each in self._client.job_types():
            properties: Optional[Any] = each.parameters.get("properties")
            if each.name == name and isinstance(properties, Mapping):
                return properties
        return {}


def _key_of(job: Job) -> tuple[Any, ...]:
    return job.id, job.status, job.attempts, job.finished
