"""Samples are pictures that any program can read, of the size that the classes ask for."""

from attempts import BASE, AttemptTest, lora_on, shared_attempt
from pictures import decode_png

_CELL = 8 * 8 + 2  # eight pixels, each eight wide, and a line


KNOWN = {**BASE, "dataset": "digits:3,8"}


class Png(AttemptTest):
    def test_a_base_shows_a_row_of_each_class_that_it_knows(self) -> None:
        attempt = shared_attempt(KNOWN)
        paths = [event["path"] for event in attempt.of_type("artifact") if event["path"].endswith(".png")]
        self.assertEqual([path.rpartition("-")[2] for path in paths], ["000030.png", "000060.png", "000080.png"])
        for path in paths:
            rows = decode_png(attempt.directory / path)
            self.assertEqual((len(rows[0]), len(rows)), (10 * _CELL + 2, 2 * _CELL + 2))
            self.assertGreater(len(set(rows[_CELL // 2])), 4, "an empty picture")

    def test_a_lora_shows_the_class_that_is_asked_for(self) -> None:
        attempt = self.complete({**lora_on(shared_attempt(KNOWN).final_checkpoint()), "steps": 5, "validation_class": 3})
        rows = decode_png(attempt.directory / attempt.result()["sample"])
        self.assertEqual((len(rows[0]), len(rows)), (10 * _CELL + 2, 4 * _CELL + 2))
