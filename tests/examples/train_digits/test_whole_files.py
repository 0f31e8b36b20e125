"""A file under its final name is the old one or the new one, whichever call the process is killed in."""

import os
import shutil
import signal
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import files

_CALLS = ("open", "fsync", "replace", "close")


def _killed_at(path: Path, data: bytes, call: int, before: bool) -> bool:
    """Writes in a child that is killed before or after its n-th system call; whether it came that far."""
    child = os.fork()
    if child == 0:
        count = 0

        def deadly(original):  # type: ignore[no-untyped-def]
            def wrapped(*arguments, **names):  # type: ignore[no-untyped-def]
                nonlocal count
                count += 1
                if count == call and before:
                    os.kill(os.getpid(), signal.SIGKILL)
                answer = original(*arguments, **names)
                if count == call:
                    os.kill(os.getpid(), signal.SIGKILL)
                return answer
            return wrapped

        for name in _CALLS:
            mock.patch.object(os, name, deadly(getattr(os, name))).start()
        files.write_whole(path, data)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


class WholeFiles(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="train-digits-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_a_writer_killed_in_any_call_leaves_the_old_file_or_the_new_one(self) -> None:
        old, new, path = b"old" * 1000, b"new" * 100_000, self.folder / "checkpoint-000001.pt"
        for before in (True, False):
            call = 1
            while True:
                path.write_bytes(old)
                if not _killed_at(path, new, call, before):
                    break
                self.assertIn(path.read_bytes(), (old, new), f"call {call}")
                files.remove_leftovers(self.folder)
                self.assertEqual(os.listdir(self.folder), [path.name])
                call += 1
            self.assertGreaterEqual(call, 4)
            self.assertEqual(path.read_bytes(), new)

    def test_the_data_is_on_disk_before_the_name_and_the_name_before_it_is_announced(self) -> None:
        calls: list[str] = []
        with mock.patch.object(os, "fsync", side_effect=lambda _: calls.append("fsync")), \
                mock.patch.object(os, "replace", side_effect=lambda *_: calls.append("replace")):
            files.write_whole(self.folder / "a", b"1")
        self.assertEqual(calls, ["fsync", "replace", "fsync"])
