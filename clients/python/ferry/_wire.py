"""HTTP/1.1 as bytes: requests written, answers read, by whichever transport. No input or output here."""

from dataclasses import dataclass, field
from typing import Mapping, Optional

from ferry._address import Address
from ferry.errors import FerryError, Unauthorized, Unavailable

ANSWER_WITHIN_SECONDS = 30.0  # what the daemon may take beyond what it was asked to wait
READ_BYTES = 64 * 1024
_ANSWER_BYTES_MAX = 512 * 1024 * 1024
_HEAD_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Request:
    """path: below /api/v1, with its query. wait: seconds that the daemon may take on purpose. deadline: of the monotonic clock.
    upload_offset: the body is no document but bytes of a file, from there on. harmless: done twice, it does nothing worse than once.
    headers: further ones."""

    method: str
    path: str
    body: Optional[bytes] = None
    idempotency_key: str = ""
    wait: float = 0.0
    deadline: Optional[float] = None
    upload_offset: Optional[int] = None
    harmless: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def repeatable(self) -> bool:
        """It may be sent twice."""
        return self.method == "GET" or bool(self.idempotency_key) or self.harmless

    def seconds(self, now: float) -> float:
        """How long an answer may take."""
        longest = self.wait + ANSWER_WITHIN_SECONDS
        return longest if self.deadline is None else min(longest, max(0.0, self.deadline - now))

    def encoded(self, address: Address) -> bytes:
        lines = [f"{self.method} /api/v1{self.path} HTTP/1.1", "Host: " + address.authority(), "Accept: */*"]
        if address.token is not None:
            lines.append(f"Authorization: Bearer {address.token}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.idempotency_key:
            lines.append(f"Idempotency-Key: {self.idempotency_key}")
        if self.upload_offset is not None:
            lines += [f"Upload-Offset: {self.upload_offset}", "Content-Type: application/octet-stream"]
        elif self.body is not None:
            lines.append("Content-Type: application/json")
        if self.method != "GET":
            lines.append(f"Content-Length: {len(self.body or b'')}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + (self.body or b"")


@dataclass(frozen=True)
class Response:
    """headers: by their names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    keep_alive: bool = True

    def number(self, header: str) -> int:
        text = self.headers.get(header, "")
        return int(text) if text.lstrip("-").isdecimal() else 0


class Broken(Exception):
    """No answer came. passing: it may go by itself. sent: the daemon may have got the request."""

    def __init__(self, error: FerryError, passing: bool, sent: bool) -> None:
        super().__init__(str(error))
        self.error, self.passing, self.sent = error, passing, sent
        if isinstance(error, Unavailable):
            error.was_sent = sent


def no_connection(address: Address, why: OSError) -> Broken:
    untrusted = getattr(why, "verify_message", None)  # of an ssl.SSLCertVerificationError
    if untrusted is not None:
        return Broken(Unauthorized(f"the certificate of {address} is not trusted: {untrusted}",
                                   "name the certificate that is to be trusted as cafile, or in $FERRY_CA_FILE"), passing=False, sent=False)
    if isinstance(why, PermissionError):
        return Broken(Unauthorized(f"the daemon's socket {address} belongs to another user",
                                   "be its owner, or set FERRY_SOCKET to your own daemon's"), passing=False, sent=False)
    if isinstance(why, BlockingIOError):  # a Unix socket whose backlog is full
        return Broken(Unavailable(f"the daemon at {address} takes no connections: it has too many waiting"), passing=True, sent=False)
    known = isinstance(why, (FileNotFoundError, ConnectionRefusedError))
    return Broken(Unavailable(f"no ferry daemon listens at {address}" + ("" if known else f": {why.strerror or why}"),
                              "`ferry up` starts one"), passing=True, sent=False)


def no_answer_in_time(address: Address, sent: bool = True) -> Broken:
    return Broken(Unavailable(f"the daemon at {address} does not answer"), passing=False, sent=sent)


def went_away(address: Address, why: str = "") -> Broken:
    return Broken(Unavailable(f"the daemon at {address} went away before it answered" + (f": {why}" if why else "")),
                  passing=True, sent=True)


class ResponseReader:
    """Takes the bytes of one answer as they come."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._pending = bytearray()
        self._head: Optional[Response] = None
        self._length: Optional[int] = None  # None: until the connection ends

    def feed(self, data: bytes) -> Optional[Response]:
        """The answer, once it is whole."""
        self._pending += data
        while self._head is None:
            end = self._pending.find(b"\r\n\r\n")
            if end < 0:
                if len(self._pending) > _HEAD_BYTES_MAX:
                    raise self._nonsense("its head has no end")
                return None
            head = self._parsed(bytes(self._pending[:end]))
            del self._pending[:end + 4]
            if head.status >= 200:  # others announce the real one
                self._head = head
        if self._length is None or len(self._pending) < self._length:
            if len(self._pending) > _ANSWER_BYTES_MAX:
                raise self._nonsense("its body has no end")
            return None
        if len(self._pending) > self._length:
            raise self._nonsense("it goes on behind its end")
        return self._whole()

    def end(self) -> Response:
        """The connection has ended."""
        if self._head is None or self._length is not None:
            raise went_away(self._address)
        return self._whole()

    def _whole(self) -> Response:
        assert self._head is not None
        return Response(self._head.status, self._head.headers, bytes(self._pending), self._head.keep_alive and self._length is not None)

    def _parsed(self, head: bytes) -> Response:
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            raise self._nonsense(f"it begins with {first[:40]!r}")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if "transfer-encoding" in headers:
            raise self._nonsense("it comes in an encoding that no ferryd uses")
        length = headers.get("content-length")
        if length is not None and (not length.isdecimal() or int(length) > _ANSWER_BYTES_MAX):
            raise self._nonsense(f"its length is {length[:40]}")
        self._length = int(length) if length is not None else None
        ends = headers.get("connection", "").lower() == "close" or words[0] == "HTTP/1.0"
        return Response(int(words[1]), headers, keep_alive=not ends)

    def _nonsense(self, why: str) -> Broken:
        return Broken(Unavailable(f"what listens at {self._address} does not answer as ferry's daemon does: {why}"),
                      passing=False, sent=True)
