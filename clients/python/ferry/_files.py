"""Files of jobs and datasets, and the numbers that jobs report. Each returns a Flow."""

import os
import re
from typing import BinaryIO, Optional

from ferry import _requests as requests
from ferry._document import list_of
from ferry._operations import Flow, Pause
from ferry._requests import JobRef, StrPath
from ferry._uploads import Uploads
from ferry._wire import Request, Response
from ferry.errors import FerryError, InvalidArgument
from ferry.models import Dataset, FileList, Metrics, StoredFile

_PIECE_BYTES = 8 * 1024 * 1024
_CHANGES_MAX = 10  # of a file, while it is fetched


class Files(Uploads):
    # ---- of jobs -----------------------------------------------------------------------------------------------------------------

    def artifacts(self, job: JobRef) -> Flow[FileList]:
        return self.ask(requests.get(requests.job_path(job, "artifacts")),
                        lambda raw: FileList(raw=raw, files=list_of(StoredFile)(raw["artifacts"]), is_whole=bool(raw["is_whole"])))

    def metrics(self, job: JobRef, points: Optional[int]) -> Flow[Metrics]:
        return self.ask(requests.get(requests.job_path(job, "metrics"), points=points), Metrics.of)

    def download(self, job: JobRef, path: str, to: StrPath, overwrite: bool) -> Flow[str]:
        return self._fetch(requests.job_path(job, "artifacts/") + requests.path_below(path), path, to, overwrite)

    # ---- of datasets -------------------------------------------------------------------------------------------------------------

    def datasets(self) -> Flow[tuple[Dataset, ...]]:
        return self.ask(requests.get("/datasets"), lambda raw: list_of(Dataset)(raw["datasets"]))

    def dataset_files(self, name: str, offset: int, limit: Optional[int]) -> Flow[FileList]:
        return self.ask(requests.get(requests.named_path("datasets", name), offset=offset or None, limit=limit), FileList.of)

    def create_dataset(self, name: str) -> Flow[Dataset]:
        return self.ask(requests.post("/datasets", name=name), Dataset.of)

    def remove_dataset(self, name: str) -> Flow[None]:
        yield from self.send(requests.delete(requests.named_path("datasets", name)))

    def remove_dataset_file(self, name: str, path: str) -> Flow[None]:
        yield from self.send(requests.delete(requests.named_path("datasets", name, "files/") + requests.path_below(path)))

    def download_dataset_file(self, name: str, path: str, to: StrPath, overwrite: bool) -> Flow[str]:
        return self._fetch(requests.named_path("datasets", name, "files/") + requests.path_below(path), path, to, overwrite)

    # ---- fetching ----------------------------------------------------------------------------------------------------------------

    def _fetch(self, address: str, path: str, to: StrPath, overwrite: bool) -> Flow[str]:
        """The whole path of the file here. It gets its name when it is whole."""
        target = os.path.abspath(os.fspath(to))
        if os.path.isdir(target):
            name = path.rpartition("/")[2]
            if name in (".", ".."):
                raise InvalidArgument(f"{path!r} names no file")
            target = os.path.join(target, name)
        if not overwrite and os.path.lexists(target):
            raise FileExistsError(f"{target} is there already")
        part = f"{target}.{os.getpid()}.part"
        try:
            with open(part, "wb") as file:
                yield from self._pieces(address, path, file)
            if overwrite:
                os.replace(part, target)
            else:
                os.link(part, target)  # fails where the name was taken meanwhile
        finally:
            if os.path.lexists(part):
                os.unlink(part)
        return target

    def _pieces(self, address: str, path: str, file: BinaryIO) -> Flow[None]:
        """A file that changes on the way is fetched anew from its beginning: its pieces are of one state."""
        tag, offset = "", 0
        for _ in range(_CHANGES_MAX):
            while True:
                piece = yield from self._piece(address, offset)
                if offset > 0 and (piece is None or piece.headers.get("etag") != tag):
                    break
                if piece is None:
                    return  # it is empty
                tag = piece.headers.get("etag", "")
                file.write(piece.body)
                offset += len(piece.body)
                if offset >= _total(piece):
                    return
            file.seek(0)
            file.truncate()
            tag, offset = "", 0
            yield Pause(0.1)
        raise FerryError(f"{path} keeps changing while it is fetched", "wait until the job has ended")

    def _piece(self, address: str, offset: int) -> Flow[Optional[Response]]:
        """None: the file ends before it."""
        wanted = Request("GET", address, headers=(("Range", f"bytes={offset}-{offset + _PIECE_BYTES - 1}"),))
        try:
            return (yield from self.send(wanted))
        except FerryError as why:
            if why.http_status == 416:
                return None
            raise


def _total(piece: Response) -> int:
    """Of the file: "bytes 0-9/100" says 100."""
    told = re.fullmatch(r"bytes \d+-\d+/(\d+)", piece.headers.get("content-range", ""))
    return int(told.group(1)) if told else len(piece.body)
