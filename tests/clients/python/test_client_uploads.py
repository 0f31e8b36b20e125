"""Uploads: inputs, files of datasets, and what becomes of them where a connection breaks or the file changes."""

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path
from unittest import mock

from daemon import DaemonTest

import ferry
from ferry import _uploads
from ferry._transport import Transport
from ferry._wire import Request, Response, went_away


class Uploading(DaemonTest):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "china.bin"
        self.file.write_bytes(os.urandom(1_000_000))
        pieces = mock.patch.object(_uploads, "_PIECE_BYTES", 300_000)
        pieces.start()
        self.addCleanup(pieces.stop)

    def test_an_input_arrives_whole_and_once(self) -> None:
        path = Path(self.client.upload(self.file))
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        self.assertEqual(path.read_bytes(), self.file.read_bytes())
        self.assertEqual((path.name, path.parent.name), ("china.bin", digest[:16]))
        self.assertEqual(self.client.upload(self.file), str(path))
        self.assertNotEqual(self.client.upload(self.file, name="other.bin"), str(path))

    def test_a_file_of_a_dataset_and_an_empty_one(self) -> None:
        path = Path(self.client.upload(self.file, dataset="cats", name="train/1.bin"))
        self.assertEqual(path.parts[-3:], ("cats", "train", "1.bin"))
        self.assertEqual(path.read_bytes(), self.file.read_bytes())
        self.file.write_bytes(b"")
        self.assertEqual(Path(self.client.upload(self.file, dataset="cats")).read_bytes(), b"")

    def test_an_answer_that_is_lost_costs_nothing(self) -> None:
        exchange, lost = Transport.exchange, []

        def losing(transport: Transport, request: Request) -> Response:
            answer = exchange(transport, request)
            if request.method == "PATCH" and request.upload_offset not in lost:
                lost.append(request.upload_offset)
                raise went_away(transport.address)
            return answer
        with mock.patch.object(Transport, "exchange", losing):
            path = self.client.upload(self.file)
        self.assertEqual(lost, [0, 300_000, 600_000, 900_000])
        self.assertEqual(Path(path).read_bytes(), self.file.read_bytes())

    def test_what_is_refused_is_said(self) -> None:
        why = self.refused(ferry.InvalidArgument, self.client.upload, self.file, name=".hidden")
        self.assertIn("must not begin with a dot", str(why))
        self.refused(FileNotFoundError, self.client.upload, self.file.parent / "none")

    def test_the_same_with_asyncio(self) -> None:
        async def send() -> str:
            async with ferry.AsyncClient(self.daemon.socket) as client:
                return await client.upload(self.file, dataset="cats")
        self.assertEqual(Path(asyncio.run(send())).read_bytes(), self.file.read_bytes())
