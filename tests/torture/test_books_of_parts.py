"""The rules of jobs that run in parts themselves: each finds what it is to find, and nothing else."""

import unittest
from typing import Any

from books_of_parts import BooksOfParts
from histories import History
from test_books_of_bonds import at, event

MOST = 3
ITEMS = [f"0-{number}" for number in range(7)]
Event = dict[str, Any]


class Rules(unittest.TestCase):
    """A job with seven items, of which three may run together. Batch n begins at 10 n and is over at 10 n + 9."""

    def setUp(self) -> None:
        self.events: list[Event] = []
        self.lines: list[Event] = []
        self.executions: list[Event] = []
        self.parts: list[Event] = []
        self.sizes: dict[int, int] = {}
        self.status, self.done = "completed", 7

    def begin(self, batch: int, first: int, items: int, of: int = 7, worked: int | None = None, told: Any = "that") -> None:
        """It works on so many of the items: on all, unless that is said."""
        part = {"first_item": first, "items": items, "of": of} if of else {}
        self.events.append(event(10 * batch, "batch_started", batch=batch, **part))
        self.executions.append({"batch": batch, "part": (part or None) if told == "that" else told})
        self.sizes[batch] = items
        for number in range(first, first + (items if worked is None else worked)):
            self.lines.append({"batch": batch, "number": number, "item": ITEMS[number]})

    def end(self, batch: int, how: str, **more: Any) -> None:
        self.events.append(event(10 * batch + 9, "attempt_ended", batch=batch, how=how, **more))

    def finish(self, batch: int, state: str = "completed") -> None:
        self.events.append(event(10 * batch + 9, "job_finished", batch=batch, state=state))

    def told(self, batch: int, first: int, items: int) -> None:
        self.parts.append({"batch": batch, "first_item": first, "items": items, "result": {}})

    def does(self, batch: int, first: int, items: int, of: int = 7) -> None:
        self.begin(batch, first, items, of)
        self.end(batch, "part_done")
        self.told(batch, first, items)

    def ends(self, batch: int, first: int, items: int) -> None:
        self.begin(batch, first, items)
        self.finish(batch)
        self.told(batch, first, items)

    def crimes(self, items: list[str] = ITEMS) -> int:
        job = {"status": self.status, "result": {"parts": self.parts} if self.parts else None, "items": {"done": self.done}}
        books = BooksOfParts(items, MOST, History(at(0), self.events), self.sizes, self.executions, self.lines)
        return len(list(books.crimes(job)))

    def test_three_parts_in_order_are_innocent(self) -> None:
        self.does(1, 0, 3)
        self.does(2, 3, 3)
        self.ends(3, 6, 1)
        self.assertEqual(self.crimes(), 0)

    def test_so_are_parts_that_were_begun_again(self) -> None:
        self.begin(1, 0, 3, worked=2)
        self.end(1, "suspended")
        self.does(2, 0, 3)
        self.begin(3, 3, 3, worked=0)
        self.events.append(event(39, "batch_requeued", batch=3))
        self.does(4, 3, 3)
        self.ends(5, 6, 1)
        self.assertEqual(self.crimes(), 0)

    def test_an_item_that_is_done_is_not_worked_on_again(self) -> None:
        self.does(1, 0, 3)
        self.begin(2, 3, 3)
        self.lines.append({"batch": 2, "number": 2, "item": ITEMS[2]})
        self.end(2, "suspended")
        self.does(3, 3, 3)
        self.ends(4, 6, 1)
        self.assertEqual(self.crimes(), 2)  # it is also no item of that part

    def test_a_start_that_forgets_what_is_done_is_found(self) -> None:
        self.does(1, 0, 3)
        self.begin(2, 0, 3, worked=0)
        self.end(2, "retried")
        self.does(3, 3, 3)
        self.ends(4, 6, 1)
        self.assertEqual(self.crimes(), 1)

    def test_but_after_a_retry_from_scratch_all_begins_anew(self) -> None:
        self.begin(1, 0, 3)
        self.end(1, "part_done")
        self.begin(2, 3, 3, worked=1)
        self.finish(2, "failed")
        self.events.append(event(30, "job_retried", from_scratch=True))
        self.does(4, 0, 3)
        self.does(5, 3, 3)
        self.ends(6, 6, 1)
        self.assertEqual(self.crimes(), 0)

    def test_a_retry_alone_begins_nothing_anew(self) -> None:
        self.does(1, 0, 3)
        self.begin(2, 3, 3, worked=1)
        self.finish(2, "failed")
        self.events.append(event(30, "job_retried"))
        self.does(4, 3, 3)
        self.ends(5, 6, 1)
        self.assertEqual(self.crimes(), 0)

    def test_a_part_that_counts_has_worked_on_all_its_items(self) -> None:
        self.does(1, 0, 3)
        self.does(2, 3, 3)
        self.ends(3, 6, 1)
        del self.lines[4]
        self.assertEqual(self.crimes(), 3)  # out of order, not all, and not the whole list

    def test_and_on_those_of_the_list(self) -> None:
        self.does(1, 0, 3)
        self.does(2, 3, 3)
        self.ends(3, 6, 1)
        self.assertEqual(self.crimes(["other", *ITEMS[1:]]), 1)

    def test_a_job_does_not_complete_with_items_left(self) -> None:
        self.does(1, 0, 3)
        self.ends(2, 3, 3)
        self.done = 6
        self.assertEqual(self.crimes(), 1)

    def test_a_part_of_another_list_is_found(self) -> None:
        self.does(1, 0, 3, of=8)
        self.does(2, 3, 3)
        self.ends(3, 6, 1)
        self.assertEqual(self.crimes(), 2)  # at its start, and at the end

    def test_no_more_items_than_may_run_together(self) -> None:
        self.does(1, 0, 4)
        self.ends(2, 4, 3)
        self.assertEqual(self.crimes(), 1)

    def test_half_of_what_was_too_much(self) -> None:
        self.begin(1, 0, 3, worked=0)
        self.end(1, "regrouped", items_max=1)
        for number in range(6):
            self.begin(2 + number, number, 1)
            self.end(2 + number, "part_done", items_max=1)
            self.told(2 + number, number, 1)
        self.ends(8, 6, 1)
        self.assertEqual(self.crimes(), 0)

    def test_and_neither_more_nor_another_half(self) -> None:
        self.begin(1, 0, 3, worked=0)
        self.end(1, "regrouped", items_max=2)
        self.does(2, 0, 3)  # after which any number may run together, without a reason
        self.does(3, 3, 3)
        self.ends(4, 6, 1)
        self.assertEqual(self.crimes(), 3)

    def test_two_parts_do_not_run_at_once(self) -> None:
        self.does(1, 0, 3)
        self.does(2, 3, 3)
        self.ends(3, 6, 1)
        self.events[1]["at"] = at(21)
        self.assertEqual(self.crimes(), 1)

    def test_a_worker_is_told_what_ferry_counts(self) -> None:
        self.does(1, 0, 3)
        self.begin(2, 3, 3, told={"first_item": 0, "items": 3, "of": 7})
        self.end(2, "part_done")
        self.told(2, 3, 3)
        self.begin(3, 6, 1, told=None)
        self.finish(3)
        self.told(3, 6, 1)
        self.assertEqual(self.crimes(), 2)

    def test_a_result_has_the_parts_that_are_done_and_no_others(self) -> None:
        self.does(1, 0, 3)
        self.begin(2, 3, 3)
        self.finish(2, "cancelled")
        self.status, self.done = "cancelled", 3
        self.assertEqual(self.crimes(), 0)
        self.told(2, 3, 3)
        self.assertEqual(self.crimes(), 1)
        self.parts.pop()
        self.done = 6
        self.assertEqual(self.crimes(), 1)

    def test_a_list_that_runs_at_once_has_no_parts(self) -> None:
        self.begin(1, 0, 3, of=0)
        self.finish(1)
        self.done = 0
        self.assertEqual(self.crimes(ITEMS[:3]), 0)
        self.begin(2, 0, 4, of=0)
        self.assertEqual(self.crimes(ITEMS[:3]), 1)


if __name__ == "__main__":
    unittest.main()
