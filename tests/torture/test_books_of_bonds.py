"""The rules of needs, groups and unique keys themselves: each finds what it is to find, and nothing else."""

import unittest
from typing import Any

from bonds import Bonds
from books_of_bonds import BooksOfBonds
from group_settings import GroupSettings, Setting
from histories import History
from job_kinds import KINDS, Order
from ledger import Entry

SECOND = 1000
LATE = 100 * SECOND


def at(ms: int) -> str:
    return f"1970-01-01T00:{ms // 60_000:02}:{ms // 1000 % 60:02}.{ms % 1000:03}Z"


def event(ms: int, what: str, **detail: Any) -> dict[str, Any]:
    return {"at": at(ms), "what": what, "detail": detail}


def ran(begun: int, ended: int, batch: int = 1, state: str = "completed") -> list[dict[str, Any]]:
    return [event(begun, "batch_started", batch=batch), event(ended, "job_finished", batch=batch, state=state)]


class FakeLedger:
    def __init__(self) -> None:
        self.groups = GroupSettings()
        self.crimes: list[str] = []

    def crime(self, what: str) -> None:
        self.crimes.append(what)

    def set(self, group: str, asked: int, answered: int, parallel: int, is_paused: bool = False) -> None:
        self.groups.ask(group, Setting(asked, 0, parallel, is_paused))
        self.groups.answered(group, answered)


class Rules(unittest.TestCase):
    def setUp(self) -> None:
        self.ledger = FakeLedger()
        self.entries: list[Entry] = []
        self.histories: dict[int, History] = {}

    def job(self, events: list[dict[str, Any]], created: int = 0, needs: tuple[int, ...] = (), releases: Any = (), **bonds: str) -> Entry:
        entry = Entry(len(self.entries) + 1, "", Order(KINDS["noop"], bonds=Bonds(**bonds)), needs=needs, releases=list(releases))
        self.entries.append(entry)
        self.histories[entry.id] = History(at(created), events)
        return entry

    def crimes(self) -> int:
        self.books().audit()
        return len(self.ledger.crimes)

    def books(self) -> BooksOfBonds:
        return BooksOfBonds(self.entries, self.histories, self.ledger)  # type: ignore[arg-type]

    def test_a_job_that_starts_when_what_it_needs_has_completed_is_innocent(self) -> None:
        self.job(ran(10, 20))
        self.job(ran(20, 30, 2), needs=(1,))
        self.assertEqual(self.crimes(), 0)

    def test_a_job_that_starts_before_is_not(self) -> None:
        self.job(ran(10, 20))
        self.job(ran(19, 30, 2), needs=(1,))
        self.assertEqual(self.crimes(), 1)

    def test_after_a_failure_it_starts_by_its_rule_alone(self) -> None:
        self.job(ran(10, 20, state="failed"))
        self.job(ran(21, 30, 2), needs=(1,), rule="start")
        self.assertEqual(self.crimes(), 0)
        self.job(ran(21, 30, 3), needs=(1,), rule="hold")
        self.job(ran(21, 30, 4), needs=(1,), rule="cancel")
        self.assertEqual(self.crimes(), 2)

    def test_or_by_a_release_that_came_after_the_failure(self) -> None:
        self.job(ran(LATE, LATE + 20, state="failed"))
        self.job(ran(LATE + 40, LATE + 60, 2), needs=(1,), releases=[(LATE + 30, LATE + 35)])
        self.assertEqual(self.crimes(), 0)
        self.job(ran(LATE + 40, LATE + 60, 3), needs=(1,), releases=[(LATE + 50, LATE + 55)])
        self.job(ran(LATE + 40, LATE + 60, 4), needs=(1,), releases=[(LATE - 50, LATE - 40)])
        self.assertEqual(self.crimes(), 2)

    def test_a_need_that_is_retried_is_open_again(self) -> None:
        self.job([*ran(10, 20, state="failed"), event(30, "job_retried"), *ran(3 * SECOND, LATE, 2)])
        self.job(ran(3 * SECOND, LATE, 3), needs=(1,), rule="start")
        self.assertEqual(self.crimes(), 1)

    def test_a_cancel_needs_a_need_that_failed(self) -> None:
        by_need = {"failure": {"kind": "needs"}}
        self.job(ran(10, 20, state="failed"))
        self.job(ran(10, 20))
        good = self.job([event(21, "job_finished", state="cancelled")], needs=(1, 2), rule="cancel")
        bad = self.job([event(21, "job_finished", state="cancelled")], needs=(2,), rule="cancel")
        worse = self.job([event(21, "job_finished", state="cancelled")], needs=(1,), rule="hold")
        books = self.books()
        self.assertEqual([books.was_cancelled_by_needs(one, by_need) for one in (good, bad, worse)], [True, False, False])
        self.assertFalse(books.was_cancelled_by_needs(good, {"failure": None}))

    def test_no_more_of_a_group_than_its_limit(self) -> None:
        self.ledger.set("day", 10, 20, 2)
        self.job(ran(100, 200, 1), group="day")
        self.job(ran(100, 150, 2), group="day")
        self.job(ran(150, 200, 3), group="day")
        self.job(ran(100, 200, 4), group="night")
        self.assertEqual(self.crimes(), 0)
        self.job(ran(199, 300, 5), group="day")
        self.assertEqual(self.crimes(), 1)

    def test_a_limit_counts_from_its_answer_and_a_wider_one_from_its_request(self) -> None:
        self.ledger.set("day", 100, 120, 1)
        self.ledger.set("day", 200, 220, 2)
        for batch, begun in enumerate((110, 111, 205)):
            self.job(ran(begun, begun + 80, batch), group="day")
        self.job(ran(210, 300, 9), group="day")
        self.assertEqual(self.crimes(), 0)

    def test_none_of_a_group_starts_while_it_is_paused(self) -> None:
        self.ledger.set("day", 10, 20, 0, True)
        self.ledger.set("day", 100, 110, 0)
        self.job(ran(15, 30, 1), group="day")
        self.job(ran(105, 120, 2), group="day")
        self.assertEqual(self.crimes(), 0)
        self.job(ran(50, 120, 3), group="day")
        self.assertEqual(self.crimes(), 1)

    def test_one_key_one_job(self) -> None:
        self.job(ran(10, 20, 1, "failed"), unique_key="k")
        self.job(ran(30, 40, 2), created=20, unique_key="k")
        self.assertEqual(self.crimes(), 0)
        self.job(ran(50, 60, 3), created=39, unique_key="k")
        self.assertEqual(self.crimes(), 1)

    def test_a_start_that_was_taken_back_ends_there(self) -> None:
        told = History(at(0), [event(10, "batch_started", batch=1), event(20, "batch_requeued", batch=1), *ran(30, 40, 2)])
        self.assertEqual([(run.begun, run.ended, run.is_taken_back) for run in told.runs], [(10, 20, True), (30, 40, False)])


if __name__ == "__main__":
    unittest.main()
