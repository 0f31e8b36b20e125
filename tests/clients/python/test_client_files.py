"""Files of jobs and datasets, numbers that jobs report, and jobs in parts."""

import asyncio
import tempfile
from pathlib import Path
from unittest import mock

from daemon import SAMPLE_TYPE, WAIT_SECONDS, DaemonTest

import ferry
from ferry import _files
from ferry._transport import Transport
from ferry._wire import Request, Response, went_away

_PARTS_TYPE = """
[job_types.parts]
command = ["sh", "-c", "cd $FERRY_JOB_DIR; echo $FERRY_BATCH_ID > made.txt"]
[job_types.parts.parameters.properties]
items = {{ type = "array" }}
[job_types.parts.batch]
items = "items"
max_items = 2
"""


class Files(DaemonTest):
    types = SAMPLE_TYPE + _PARTS_TYPE

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = Path(folder.name)
        pieces = mock.patch.object(_files, "_PIECE_BYTES", 1000)
        pieces.start()
        self.addCleanup(pieces.stop)

    def ended(self, script: str) -> ferry.JobHandle:
        job = self.script(f"cd $FERRY_JOB_DIR; {script}")
        self.assertEqual(job.wait(WAIT_SECONDS).status, "completed")
        return job

    def test_files_of_a_job_are_listed_and_fetched(self) -> None:
        job = self.ended("mkdir out; seq 1000 > 'out/a b.txt'; : > none")
        files = job.artifacts()
        self.assertTrue(files.is_whole)
        self.assertEqual([each.path for each in files], ["none", "out/a b.txt"])
        self.assertEqual((files.files[1].batch, files.files[1].media_type[:10]), (job.get().batch, "text/plain"))
        text = "".join(f"{n}\n" for n in range(1, 1001))  # of several pieces
        self.assertEqual(files.files[1].bytes, len(text))
        path = Path(job.download("out/a b.txt", self.here))
        self.assertEqual((path, path.read_text()), (self.here / "a b.txt", text))
        self.assertEqual(Path(job.download("none", self.here / "empty")).read_bytes(), b"")
        self.assertEqual(sorted(each.name for each in self.here.iterdir()), ["a b.txt", "empty"])
        path.write_text("mine")
        with self.assertRaises(FileExistsError):
            job.download("out/a b.txt", path)
        self.assertEqual(path.read_text(), "mine")
        self.assertEqual(Path(job.download("out/a b.txt", path, overwrite=True)).read_text(), text)
        self.refused(ferry.NotFound, job.download, "other", self.here)
        self.refused(ferry.InvalidArgument, job.download, "out//a", self.here)

    def test_a_broken_connection_and_a_file_that_changes_cost_nothing(self) -> None:
        job = self.ended("seq 1000 > big.txt")
        original = Path(str(job.get().directory)) / "big.txt"
        exchange, pieces = Transport.exchange, []

        def troubled(transport: Transport, request: Request) -> Response:
            answer = exchange(transport, request)
            if request.headers:
                pieces.append(dict(request.headers)["Range"])
                if len(pieces) == 1:
                    raise went_away(transport.address)
                if len(pieces) == 3:
                    original.write_text("y" * 2500)
            return answer
        with mock.patch.object(Transport, "exchange", troubled):
            path = job.download("big.txt", self.here)
        self.assertEqual(pieces[:4], ["bytes=0-999", "bytes=0-999", "bytes=1000-1999", "bytes=2000-2999"])
        self.assertEqual(Path(path).read_text(), "y" * 2500)

    def test_what_a_job_reports_comes_as_series(self) -> None:
        lines = "".join(f'{{"type":"progress","step":{n},"metrics":{{"loss":{1 / n}}}}}\n' for n in range(1, 5))
        (self.here / "lines").write_text(lines)
        job = self.ended(f"cat {self.here}/lines >> $FERRY_EVENTS")
        metrics = job.metrics()
        self.assertEqual([each.name for each in metrics], ["loss"])
        self.assertEqual([point[:2] for point in metrics["loss"].points], [(n, 1 / n) for n in range(1, 5)])
        with self.assertRaises(KeyError):
            metrics["accuracy"]

    def test_datasets_are_made_shown_and_removed(self) -> None:
        (self.here / "a.png").write_bytes(b"12345")
        self.client.create_dataset("empty")
        self.refused(ferry.Conflict, self.client.create_dataset, "empty")
        self.client.upload(self.here / "a.png", dataset="cats", name="train/a b.png")
        self.assertEqual([(each.name, each.files, each.bytes) for each in self.client.datasets()], [("cats", 1, 5), ("empty", 0, 0)])
        files = self.client.dataset_files("cats")
        self.assertEqual(([each.path for each in files], files.total), (["train/a b.png"], 1))
        path = self.client.download_dataset_file("cats", "train/a b.png", self.here / "back.png")
        self.assertEqual(Path(path).read_bytes(), b"12345")
        self.client.remove_dataset_file("cats", "train/a b.png")
        self.client.remove_dataset("cats")
        self.client.remove_dataset("empty")
        self.assertEqual(self.client.datasets(), ())
        self.refused(ferry.NotFound, self.client.dataset_files, "cats")

    def test_a_job_in_parts_has_the_files_of_all_of_them(self) -> None:
        job = self.client.submit("parts", items=["a", "b", "c"])
        ended = job.wait(WAIT_SECONDS)
        self.assertEqual((ended.status, ended.items), ("completed", ferry.Items(done=3, running=0, total=3)))
        result = job.result()
        self.assertEqual([(part.first_item, part.items) for part in result.parts], [(0, 2), (2, 1)])
        self.assertIsNone(result.not_done)
        self.assertEqual([artifact.path.read_text() for artifact in result.artifacts], [f"{part.batch}\n" for part in result.parts])
        self.assertEqual([each.path for each in job.artifacts()], [f"{part.batch}/made.txt" for part in result.parts])
        self.assertIsNone(self.ended("true").get().items)

    def test_jobs_have_users(self) -> None:
        job = self.script("true", user="ada")
        self.assertEqual(job.wait(WAIT_SECONDS).user, "ada")
        self.assertTrue(self.ended("true").get().user)
        self.assertIn("ada", [each.name for each in self.client.statistics().users])

    def test_asyncio_has_them_too(self) -> None:
        job = self.ended("seq 1000 > big.txt")

        async def work() -> str:
            async with ferry.AsyncClient(self.daemon.socket) as client:
                handle = client.job(job.id)
                self.assertEqual([each.path for each in await handle.artifacts()], ["big.txt"])
                self.assertEqual((await handle.metrics()).series, ())
                self.assertEqual(await client.datasets(), ())
                return await handle.download("big.txt", self.here)
        self.assertEqual(Path(asyncio.run(work())).read_text().split(), [str(n) for n in range(1, 1001)])
