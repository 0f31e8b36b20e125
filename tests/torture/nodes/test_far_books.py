"""The rules by which the books of the torture of nodes judge."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from client import Client  # noqa: E402
from far_books import FarBooks  # noqa: E402
from far_kinds import FAR_KINDS  # noqa: E402
from histories import History  # noqa: E402
from job_kinds import Order  # noqa: E402
from ledger import Entry, Ledger  # noqa: E402
from made import fault_of, text_of  # noqa: E402
from outages import Outages  # noqa: E402

JOB = {"id": 1, "device": "alpha:cpu", "name": "", "status": "completed", "attempts": 1, "batch": 9,
       "failure": None, "phase": None, "waiting_for": None}


def at(seconds: float) -> str:
    return f"2026-01-01T00:00:{seconds:06.3f}+00:00"


class Rules(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.ledger, self.outages = Path(folder.name), Ledger(0), Outages()
        self.ledger.say = lambda line: None  # type: ignore
        self.books = FarBooks(self.folder, self.folder, Client(self.folder / "none"), self.ledger, self.outages, [])

    def write(self, what: str, *lines: dict[str, object]) -> None:
        (self.folder / f"1.{what}").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def entry(self, kind: str, **arguments: object) -> Entry:
        return Entry(1, "key", Order(FAR_KINDS[kind], arguments))

    def lose(self, kind: str, how: str = "lost") -> list[str]:
        """A job that ran on alpha from 10 s to 20 s, and was lost."""
        events = [{"at": at(10), "what": "batch_started", "detail": {"batch": 9, "device": "alpha:cpu"}},
                  {"at": at(20), "what": "attempt_ended", "detail": {"batch": 9, "how": "retried", "failure": {"kind": how}}}]
        self.books._histories[1] = History(at(1), events)
        self.books._audit_losses(self.entry(kind), JOB)
        return self.ledger.crimes()

    def take_out(self, machine: str, begun: float, ended: float) -> None:
        origin = 1767225600_000.0
        with self.outages.of(machine):
            span = self.outages._spans[machine][-1]
        span[:] = [origin + begun * 1000, origin + ended * 1000]

    def test_executions_one_after_the_other_do_not_overlap(self) -> None:
        self.write("beats", {"batch": 1, "at": 5.0}, {"batch": 1, "at": 6.0}, {"batch": 2, "at": 6.1}, {"batch": 2, "at": 7.0})
        self.write("jsonl", {"batch": 1}, {"batch": 2})
        self.books._audit_beats(self.entry("long"), JOB)
        self.assertEqual(self.ledger.crimes(), [])

    def test_executions_that_overlap_by_their_own_times_are_a_crime(self) -> None:
        self.write("beats", {"batch": 1, "at": 5.0}, {"batch": 2, "at": 5.9}, {"batch": 1, "at": 6.0}, {"batch": 2, "at": 7.0})
        self.write("jsonl", {"batch": 1}, {"batch": 2})
        self.books._audit_beats(self.entry("long"), JOB)
        self.assertIn("ran twice at once", self.ledger.crimes()[0])

    def test_what_was_lost_though_nothing_was_done_is_a_crime(self) -> None:
        self.take_out("beta", 5, 20)
        self.take_out("alpha", 5, 5.5)
        self.assertIn("to which nothing was done", self.lose("long")[0])

    def test_what_was_lost_while_its_node_was_out_is_none(self) -> None:
        self.take_out("alpha", 9, 12)
        self.take_out("head", 12.5, 15)
        self.assertEqual(self.lose("long"), [])

    def test_what_survives_partitions_is_lost_only_where_it_was_killed(self) -> None:
        self.take_out("alpha", 5, 20)
        self.assertIn("survives partitions", self.lose("lasting")[0])

    def test_what_was_killed_may_be_lost(self) -> None:
        self.ledger.kill_run(str(self.folder / "runs" / "9"))
        self.assertEqual(self.lose("lasting", "signal"), [])

    def test_a_job_goes_on_from_what_it_saved(self) -> None:
        entry = self.entry("steps", steps=3, every=2, pause=0)
        self.write("items", {"batch": 8, "number": 0}, {"batch": 8, "number": 1}, {"batch": 9, "number": 2})
        self.write("resumed", {"batch": 9, "from": 8, "step": 2})
        self.write("saved", {"batch": 8, "step": 2})
        self.books._audit_steps(entry, JOB)
        self.assertEqual(self.ledger.crimes(), [])
        self.write("saved", {"batch": 7, "step": 2})
        self.books._audit_steps(entry, JOB)
        self.assertIn("which it never saved", self.ledger.crimes()[0])

    def test_a_job_with_a_step_left_out_is_a_crime(self) -> None:
        self.write("items", {"batch": 9, "number": 0}, {"batch": 9, "number": 2})
        self.books._audit_steps(self.entry("steps", steps=3, every=2, pause=0), JOB)
        self.assertIn("did the steps", self.ledger.crimes()[0])

    def test_a_file_tells_whether_it_is_whole(self) -> None:
        text = text_of(1, 2, 0, 5000)
        self.assertEqual(fault_of(text), "")
        self.assertNotEqual(fault_of(text[:-1]), "")
        self.assertNotEqual(fault_of(text[:-1] + bytes([text[-1] ^ 1])), "")
        self.assertNotEqual(fault_of(b""), "")


if __name__ == "__main__":
    unittest.main()
