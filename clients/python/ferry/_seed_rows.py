"""What both stand-ins of the seeds' classes need: rows that are dictionaries and objects, and what a job's type calls its parameters."""

import threading
from typing import Any, Mapping, Optional

from ferry.client import Client
from ferry.models import Job

_PARAMS_KEPT_MAX = 10_000


class Row(dict[str, Any]):
    """row["status"] and row.status alike: the seeds' programs use either."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a row has no {name}") from None


class JobReader:
    """Parameters of listed jobs. Lists of the API leave them out, so that each job is asked for by itself; those of a job that has begun
    cannot change any more, and are remembered."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._params: dict[tuple[int, int], Mapping[str, Any]] = {}

    def params_of(self, job: Job) -> Mapping[str, Any]:
        if job.params is not None:
            return job.params
        key = (job.id, job.attempts)
        with self._lock:
            known = self._params.get(key)
        if known is not None:
            return known
        whole = self._client.get(job)
        params = whole.params or {}
        if whole.status != "queued":
            with self._lock:
                if len(self._params) >= _PARAMS_KEPT_MAX:
                    self._params.clear()
                self._params[whole.id, whole.attempts] = params
        return params

    def parameters_of_type(self, name: str) -> Mapping[str, Any]:
        """The properties of its schema; none where the daemon has no such type, which it says itself when a job is submitted."""
        for each in self._client.job_types():
            properties: Optional[Any] = each.parameters.get("properties")
            if each.name == name and isinstance(properties, Mapping):
                return properties
        return {}
