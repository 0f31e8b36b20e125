"""What counts as a batch that was committed ahead."""

import json
import tempfile
import unittest
from pathlib import Path

from follow_ups import NOT_REACHED, count_follow_ups
from histories import History
from test_books_of_bonds import at, event, ran


class FollowUps(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.histories: list[History] = []

    def batch(self, number: int, worker: str, begun: int, started: int, ended: int) -> None:
        run = Path(self.folder.name, str(number))
        run.mkdir()
        (run / "spec.json").write_text(json.dumps({"worker": {"directory": worker}}))
        (run / "events.jsonl").write_text(json.dumps({"type": "started", "at": started}) + "\n")
        self.histories.append(History(at(0), ran(begun, ended, number)))

    def counted(self) -> tuple[int, int, int]:
        counts = count_follow_ups(Path(self.folder.name), self.histories)
        return counts["ran"], counts["behind several"], counts["given back"]

    def test_a_batch_that_begins_when_its_worker_is_done_is_none(self) -> None:
        self.batch(1, "a", 10, 11, 20)
        self.batch(2, "a", 20, 21, 30)
        self.assertEqual(self.counted(), (0, 0, 0))

    def test_those_whose_start_was_on_disk_before_are_counted(self) -> None:
        self.batch(1, "a", 10, 11, 20)
        self.batch(2, "a", 15, 20, 30)
        self.batch(3, "a", 15, 30, 40)
        self.batch(4, "a", 35, 40, 50)
        self.assertEqual(self.counted(), (3, 1, 0))

    def test_each_worker_has_its_own(self) -> None:
        self.batch(1, "a", 10, 11, 20)
        self.batch(2, "b", 15, 16, 30)
        self.assertEqual(self.counted(), (0, 0, 0))

    def test_one_that_was_given_back_did_not_run(self) -> None:
        self.batch(1, "a", 10, 11, 20)
        again = [event(15, "batch_started", batch=2), event(265, "batch_requeued", batch=2, reason=NOT_REACHED), *ran(270, 280, 3)]
        self.histories.append(History(at(0), again))
        self.assertEqual(self.counted(), (0, 0, 1))


if __name__ == "__main__":
    unittest.main()
