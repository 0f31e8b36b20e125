"""The requests of the API, one function each: what goes to the daemon, and nothing of what comes back."""

import json
import math
import os
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Iterable, Mapping, Optional, Protocol, Sequence, Union
from urllib.parse import quote

from ferry._wire import Request
from ferry.errors import InvalidArgument

WAIT_SECONDS_MAX = 60  # one long poll
PAGE_ROWS_MAX = 1_000
JOBS_PER_REQUEST_MAX = 1_000
_BODY_BYTES = 8 * 1024 * 1024  # of a request with many jobs, well below what the daemon takes
_KEY_BYTES_MAX = 200

StrPath = Union[str, os.PathLike[str]]


class HasId(Protocol):
    @property
    def id(self) -> int: ...


JobRef = Union[int, HasId]


def number_of(job: JobRef) -> int:
    number = job if isinstance(job, int) else getattr(job, "id", None)
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"a job is named by its number or by something with an id, not by {type(job).__name__}")
    return number


@dataclass(frozen=True)
class NewJob:
    """A job to submit.

    type              a job type of the configuration, or "command"
    params            its parameters, as JSON can say them; paths may be given as such
    priority          0 to 100, larger first
    name              for people
    held              it does not start until it is released
    delay             seconds, or a timedelta, before which it does not start
    needs             jobs that have to complete first
    on_needs_failure  "hold", "cancel" or "start": what becomes of it when one of them does not
    on                the devices that it may run on, by label: {"gpu": "h100", "node": "alpha"}
    group             limits how many of its jobs run at once
    user              whose job it is; left out: who asks. Another one only by the role admin
    unique_key        while a job with that key is queued or running, no second one is made
    base_dir          where relative paths of the parameters begin that are sources (format job-result), and where a `command` runs, unless
                      its parameters say that (cwd); left out: the current directory
    """

    type: str
    params: Mapping[str, Any] = field(default_factory=dict)
    priority: Optional[int] = None
    name: Optional[str] = None
    held: bool = False
    delay: Union[float, timedelta, None] = None
    needs: Iterable[JobRef] = ()
    on_needs_failure: Optional[str] = None
    group: Optional[str] = None
    unique_key: Optional[str] = None
    base_dir: Optional[StrPath] = None
    user: Optional[str] = None
    on: Optional[Mapping[str, str]] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", tuple(self.needs))  # a sweep reads them for each of its jobs

    def members(self) -> dict[str, Any]:
        """As the API takes it."""
        params = dict(self.params)
        here = absolute(self.base_dir)
        members: dict[str, Any] = {"type": self.type, "params": params}
        if self.type != "command":
            members["base_dir"] = here
        elif "cwd" not in params and here is not None:
            params["cwd"] = here
        seconds = self.delay.total_seconds() if isinstance(self.delay, timedelta) else self.delay
        members.update(priority=self.priority, name=self.name, held=self.held or None,
                       delay_seconds=math.ceil(seconds) if seconds else None, needs=[number_of(job) for job in self.needs] or None,
                       on_needs_failure=self.on_needs_failure, group=self.group, unique_key=self.unique_key, user=self.user,
                       on=dict(self.on) if self.on else None)
        return {name: value for name, value in members.items() if value is not None}


def absolute(directory: Optional[StrPath]) -> Optional[str]:
    """That one, or else the current one; nothing where that was removed."""
    try:
        return os.path.abspath(os.fspath(directory) if directory is not None else ".")
    except FileNotFoundError:
        return None


def encoded(document: Any) -> bytes:
    """Errors: TypeError and ValueError for what JSON cannot say, such as NaN."""
    def plain(value: Any) -> Any:
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if type(value).__module__.partition(".")[0] in ("numpy", "torch") and hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError(f"a {type(value).__name__} cannot be a parameter: {value!r}")
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain).encode("utf-8")


def _query(**members: Union[str, int, None]) -> str:
    given = [f"{name}={quote(str(value), safe='-_.~,')}" for name, value in members.items() if value is not None]
    return "?" + "&".join(given) if given else ""


def get(path: str, wait: int = 0, deadline: Optional[float] = None, **query: Union[str, int, None]) -> Request:
    return Request("GET", path + _query(wait=wait or None, **query), wait=wait, deadline=deadline)


def post(path: str, **members: Any) -> Request:
    return _with_body("POST", path, members)


def patch(path: str, **members: Any) -> Request:
    return _with_body("PATCH", path, members)


def _with_body(method: str, path: str, members: Mapping[str, Any]) -> Request:
    given = {name: value for name, value in members.items() if value is not None}
    return Request(method, path, encoded(given) if given else None)


def delete(path: str, **query: Union[str, int, None]) -> Request:
    return Request("DELETE", path + _query(**query))


def path_below(path: str) -> str:
    """"a b/c.png" as it stands in a request's path. Errors: InvalidArgument where there is nothing between two slashes."""
    parts = path.split("/")
    if not all(parts):
        raise InvalidArgument(f"a file's path has no empty parts, is {path!r}")
    return "/".join(quote(part, safe="") for part in parts)


def job_path(job: JobRef, action: str = "") -> str:
    return f"/jobs/{number_of(job)}" + (f"/{action}" if action else "")


def named_path(folder: str, name: str, action: str = "") -> str:
    if not name:
        raise InvalidArgument(f"a name of {folder} is empty")
    return f"/{folder}/{quote(name, safe='')}" + (f"/{action}" if action else "")


def checked_key(key: Optional[str]) -> str:
    """The idempotency key given, or a random one."""
    if key is None:
        return uuid.uuid4().hex
    room = _KEY_BYTES_MAX - 12  # for the number of a request
    if not 0 < len(key) <= room or any(not "!" <= each <= "~" for each in key):
        raise InvalidArgument(f"an idempotency key has 1 to {room} characters of printable ASCII without spaces, is {key[:80]!r}")
    return key


def submit_one(job: NewJob, key: Optional[str]) -> Request:
    return Request("POST", "/jobs", encoded(job.members()), checked_key(key))


def submit_many(jobs: Sequence[NewJob], key: Optional[str]) -> "list[tuple[Request, int]]":
    """Requests, each with the number of its jobs; together they are what `key` stands for."""
    key = checked_key(key)
    requests: list[tuple[Request, int]] = []
    bodies: list[bytes] = []
    taken = 0

    def close() -> None:
        nonlocal taken
        requests.append((Request("POST", "/jobs", b'{"jobs":[' + b",".join(bodies) + b"]}", f"{key}/{len(requests) + 1}"), len(bodies)))
        bodies.clear()
        taken = 0
    for job in jobs:
        bodies.append(encoded(job.members()))
        taken += len(bodies[-1])
        if len(bodies) == JOBS_PER_REQUEST_MAX or taken >= _BODY_BYTES:
            close()
    if bodies:
        close()
    return requests


def combinations(params: Mapping[str, Any], over: Mapping[str, Iterable[Any]]) -> "list[dict[str, Any]]":
    """The parameters of a sweep: each value of each key with each of the others, the last key changing fastest. A key may be a dotted
    path into an object, such as "weights.vis"."""
    all_of_them: list[dict[str, Any]] = [json.loads(encoded(dict(params)))]
    for path, values in over.items():
        choices = list(values)
        if isinstance(values, (str, bytes)) or not choices:
            raise InvalidArgument(f"a sweep over {path!r} needs a list of values, not {values!r}")
        if len(all_of_them) * len(choices) > JOBS_PER_REQUEST_MAX:
            raise InvalidArgument(f"the sweep has more than {JOBS_PER_REQUEST_MAX} combinations", "submit it in parts")
        all_of_them = [_assigned(one, path, choice) for one in all_of_them for choice in choices]
    return all_of_them


def _assigned(params: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(encoded(dict(params)))
    *outer, last = path.split(".")
    inside = changed
    for name in outer:
        inside = inside.setdefault(name, {})
        if not isinstance(inside, dict):
            raise InvalidArgument(f"a sweep over {path!r} needs an object at {name!r}")
    inside[last] = value
    return changed


def new_job(type: str, params: Optional[Mapping[str, Any]], parameters: Mapping[str, Any], **options: Any) -> NewJob:
    """`parameters` go over `params`."""
    return NewJob(type, {**(params or {}), **parameters}, **options)
