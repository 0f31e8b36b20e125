"""Uploads: a file goes to the daemon's machine in pieces, each at the offset that the daemon has come to. Returns a Flow."""

import hashlib
import os
from typing import Any, BinaryIO, Optional

from ferry import _requests as requests
from ferry._operations import Flow, Operations, Pause, document
from ferry._requests import StrPath
from ferry._wire import Request
from ferry.errors import Conflict, FerryError, Unavailable

_PIECE_BYTES = 8 * 1024 * 1024
_TRIES_MAX = 10  # of one piece, the pauses between them doubling: about a minute
_FINISH_SECONDS = 600  # in which the daemon may bring the last bytes to its disk


def _members(document: Any) -> dict[str, Any]:
    return dict(document)


class Uploads(Operations):
    def upload(self, path: StrPath, dataset: Optional[str], name: Optional[str]) -> Flow[str]:
        """The path on the daemon's machine. name: another one than the file's; in a dataset the path below it."""
        with open(path, "rb") as file:
            return (yield from self._send_file(file, os.path.basename(os.path.abspath(os.fspath(path))), dataset, name))

    def _send_file(self, file: BinaryIO, own_name: str, dataset: Optional[str], name: Optional[str]) -> Flow[str]:
        size = os.fstat(file.fileno()).st_size
        plan: dict[str, Any] = {"name": own_name if dataset is not None or name is None else name, "bytes": size}
        if dataset is not None:
            plan.update(dataset=dataset, path=name or own_name)
        # Begun twice, one of the two is forgotten by the daemon after a day.
        begun = yield from self.ask(Request("POST", "/uploads", requests.encoded(plan), harmless=True), _members)
        upload = requests.named_path("uploads", str(begun["upload"]))
        digest, seen = hashlib.sha256(), 0
        offset = int(begun["offset"])
        while True:
            file.seek(offset)
            piece = file.read(_PIECE_BYTES)
            if not piece and offset < size:
                raise FerryError(f"{own_name} has become shorter while it was sent", "upload it again")
            piece = piece[:size - offset]
            if offset + len(piece) > seen:  # what was sent twice counts once
                digest.update(piece[seen - offset:])
                seen = offset + len(piece)
            answer = yield from self._send_piece(upload, offset, piece)
            offset = int(answer["offset"])
            if "path" in answer:
                break
        if answer["sha256"] != digest.hexdigest():
            raise FerryError(f"{own_name} has changed while it was sent", "upload it again")
        return str(answer["path"])

    def _send_piece(self, upload: str, offset: int, piece: bytes) -> Flow[Any]:
        """How far the upload is then, wherever a connection broke."""
        request = Request("PATCH", upload, piece, wait=_FINISH_SECONDS, upload_offset=offset)
        for tries in range(1, _TRIES_MAX + 1):
            try:
                response = yield from self.send(request)
                return document(response)
            except (Conflict, Unavailable):
                state = yield from self.ask(requests.get(upload), _members)
                if "path" in state or state["offset"] != offset:
                    return state
                if tries == _TRIES_MAX:
                    raise
                yield Pause(0.05 * 2 ** tries)
        raise AssertionError("the last try returns or raises")
