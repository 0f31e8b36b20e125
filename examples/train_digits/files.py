"""Files that are whole or not there, whenever the process ends: written under another name, synced, renamed."""

import os
from pathlib import Path

_MARK = ".tmp-"


def write_whole(path: Path, data: bytes) -> None:
    """Puts `data` at `path`. On return both the file and its name are on disk; before, `path` is what it was."""
    temporary = path.with_name(f".{path.name}{_MARK}{os.getpid()}")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_leftovers(folder: Path) -> None:
    """Removes what write_whole() left where the process was killed. Nothing else may be writing to the folder."""
    for path in folder.glob(f".*{_MARK}*"):
        path.unlink(missing_ok=True)
