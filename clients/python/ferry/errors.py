"""What the client raises. All of it is a FerryError, with the code, the sentence, the hint and the problems that the daemon gave."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional

if TYPE_CHECKING:
    from ferry.models import Job


@dataclass(frozen=True)
class Problem:
    """One fault of what was sent. `where`: a JSON pointer, such as /params/scale."""

    where: str = ""
    what: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class FerryError(Exception):
    """Something that ferry refused or could not do.

    code         the API's word for it, such as "not_found"; a newer daemon may have others than these classes
    message      one sentence
    hint         how to mend it, or ""
    problems     each fault of what was sent, where there are several
    http_status  of the answer; None where none came
    """

    code: str = "internal"

    def __init__(self, message: str, hint: str = "", problems: Iterable[Problem] = (), code: Optional[str] = None,
                 http_status: Optional[int] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        self.http_status = http_status
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        text = self.message + (f" ({self.hint})" if self.hint else "")
        return "\n  ".join([text, *map(str, self.problems)])


class InvalidArgument(FerryError):
    """It breaks a rule; sending it again unchanged will fail again."""

    code = "invalid_argument"


class TooLarge(FerryError):
    """A bound of ferry is exceeded."""

    code = "too_large"


class Unauthorized(FerryError):
    """No token, or a wrong one; or the socket is another user's."""

    code = "unauthorized"


class Forbidden(FerryError):
    """The role of the token does not allow it, or the job is another user's."""

    code = "forbidden"


class NotFound(FerryError):
    """There is no such job, job type or path."""

    code = "not_found"


class Conflict(FerryError):
    """The job's state forbids it: editing a running job, cancelling a completed one."""

    code = "conflict"


class DiskFull(FerryError):
    """Nothing was stored. It works again once there is room."""

    code = "disk_full"


class DaemonError(FerryError):
    """Trouble inside the daemon; its log says more. `code` is one of internal, io, damaged, locked, newer_version, out_of_memory."""


class Unavailable(FerryError):
    """There is no daemon, or it went away, and was waited for as long as the client's patience lasts.

    was_sent  the request may have reached the daemon: nobody knows whether it was carried out. Never so for a submit that is tried again
              with the same idempotency key, and of no matter for requests that only read.
    """

    code = "unavailable"
    was_sent: bool = False


class WaitTimeout(FerryError, TimeoutError):
    """The time given to wait() is over, and the job is not. It goes on."""

    code = "timeout"

    def __init__(self, message: str, job: "Optional[Job]" = None) -> None:
        super().__init__(message)
        self.job = job


class JobFailed(FerryError):
    """Raised by result() for a job that did not complete; `job` tells the rest."""

    code = "job_failed"

    def __init__(self, message: str, job: "Optional[Job]" = None) -> None:
        super().__init__(message)
        self.job = job


class JobCancelled(JobFailed):
    """Raised by result() for a job that was cancelled."""

    code = "job_cancelled"


_CLASSES: tuple[type[FerryError], ...] = (InvalidArgument, TooLarge, Unauthorized, Forbidden, NotFound, Conflict, DiskFull,
                                         Unavailable)
_BY_CODE: dict[str, type[FerryError]] = {each.code: each for each in _CLASSES}
_BY_CODE.update(dict.fromkeys(("internal", "io", "damaged", "locked", "newer_version", "out_of_memory"), DaemonError))
_BY_STATUS: dict[int, type[FerryError]] = {400: InvalidArgument, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 413: TooLarge,
                                           503: Unavailable, 507: DiskFull}


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def error_from(http_status: int, document: Any) -> FerryError:
    """What an answer that is not 2xx says. A code that is not known here becomes the class of its HTTP status."""
    stated = document.get("error") if isinstance(document, Mapping) else None
    if not isinstance(stated, Mapping):
        return DaemonError(f"the daemon answered with HTTP status {http_status} and no reason", http_status=http_status)
    code = _text(stated, "code") or "internal"
    kind = _BY_CODE.get(code) or _BY_STATUS.get(http_status) or (DaemonError if http_status >= 500 else FerryError)
    listed = stated.get("problems")
    problems = [Problem(_text(each, "where"), _text(each, "what"), _text(each, "hint"))
                for each in (listed if isinstance(listed, list) else []) if isinstance(each, Mapping)]
    message = _text(stated, "message") or f"the daemon answered with HTTP status {http_status}"
    return kind(message, _text(stated, "hint"), problems, code, http_status)
