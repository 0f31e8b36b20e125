"""A client of ferry's HTTP API over its Unix socket, which outlasts restarts of the daemon."""

import http.client
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RETRY_PAUSE = 0.03
ANSWER_SECONDS_MAX = 90.0


class Unanswered(Exception):
    """No daemon answered for as long as the client was patient."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.status} {self.body[:500].decode(errors='replace')}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("ferry", timeout=ANSWER_SECONDS_MAX)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """One connection, of one thread. A request whose connection breaks is sent again, byte for byte."""

    def __init__(self, socket_path: Path, patience: float = 60.0) -> None:
        self._path = socket_path
        self._patience = patience
        self._connection: _UnixConnection | None = None

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, body: Any = None, key: str = "") -> Answer:
        return self.request("POST", path, {} if body is None else body, key)

    def request(self, method: str, path: str, body: Any = None, key: str = "") -> Answer:
        """The first answer that is not "unavailable". Raises Unanswered."""
        until = time.monotonic() + self._patience
        while True:
            try:
                answer = self._once(method, path, body, key)
                if answer.status != 503:
                    return answer
                trouble = str(answer)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                trouble = repr(error)
            if time.monotonic() > until:
                raise Unanswered(f"{method} {path}: {trouble}")
            time.sleep(RETRY_PAUSE)

    def _once(self, method: str, path: str, body: Any, key: str) -> Answer:
        if not self._connection:
            self._connection = _UnixConnection(self._path)
        headers = {"Idempotency-Key": key} if key else {}
        text = None if body is None else json.dumps(body)
        self._connection.request(method, "/api/v1" + path, text, headers)
        response = self._connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
