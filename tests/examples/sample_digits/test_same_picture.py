"""The same parameters give the same picture to the last bit, alone or in whatever company."""

import os
import random
import subprocess
import sys
import unittest
from typing import Optional

import torch
from models import base, lora, scratch
from request import Request
from run_tests import EXAMPLES
from sampler import TILE, Model, Sheet, draw

SEED = int(os.environ.get("TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


def drawn(model: Model, *requests: Request) -> list[list[bytes]]:
    """The bits of all pictures of each request, drawn together."""
    sheets = [Sheet(request) for request in requests]
    for _ in draw(model.network, sheets):
        pass
    return [[picture.numpy().tobytes() for picture in sheet.pictures] for sheet in sheets]


def digit(label: int, seed: int = 1, steps: int = 5, scale: float = 2.0) -> Request:
    return Request((label,), seed, steps, scale)


class SamePicture(unittest.TestCase):
    def setUp(self) -> None:
        self.random = random.Random(f"{SEED} {self.id()}")

    def assert_company_changes_nothing(self, model: Model, rounds: int) -> None:
        alone: dict[Request, list[bytes]] = {}
        for _ in range(rounds):
            count = self.random.randint(1, TILE)
            batch = [digit(self.random.randrange(10), self.random.randrange(4)) for _ in range(count)]
            for request, pictures in zip(batch, drawn(model, *batch)):
                if request not in alone:
                    (alone[request],) = drawn(model, request)
                self.assertEqual(pictures, alone[request], f"{request} in {batch}: again with TEST_SEED={SEED}")

    def test_alone_and_in_batches_of_any_size(self) -> None:
        self.assert_company_changes_nothing(Model(str(base()), None), 25)

    def test_in_parts(self) -> None:
        model = Model(str(base()), None)
        whole = Request((3, 1, 4, 1, 5), 7, 5, 2.0)
        parts = [Request((3, 1), 7, 5, 2.0), Request((4, 1), 7, 5, 2.0, 2), Request((5,), 7, 5, 2.0, 4)]
        (pictures,) = drawn(model, whole)
        self.assertEqual([picture for part in parts for picture in drawn(model, part)[0]], pictures)

    def test_with_a_lora(self) -> None:
        self.assert_company_changes_nothing(Model(str(base()), str(lora())), 25)

    def test_of_a_width_that_fills_no_register(self) -> None:
        self.assert_company_changes_nothing(Model(str(base(width=21)), None), 25)

    def test_company_that_is_no_number_does_not_spread(self) -> None:
        model = Model(str(base()), None)
        sheets = [Sheet(digit(3)), Sheet(digit(4))]
        sheets[1].noise[0].fill_(float("nan"))
        for _ in draw(model.network, sheets):
            pass
        self.assertEqual([[sheets[0].pictures[0].numpy().tobytes()]], drawn(model, digit(3)))

    def test_jobs_of_many_pictures_and_of_other_settings(self) -> None:
        model = Model(str(base()), None)
        counts = [self.random.randint(1, 11) for _ in range(3)]
        many = [Request(tuple(self.random.randrange(10) for _ in range(count)), 1, 3, 1.5) for count in counts]
        others = [digit(3, 1, 3, 2.0), digit(3, 1, 4, 1.5), digit(3, 1, 3, 1.5)]
        together = drawn(model, *many, *others)
        self.assertEqual(together, [drawn(model, each)[0] for each in [*many, *others]])
        self.assertEqual([len(pictures) for pictures in together], [len(each.classes) for each in [*many, *others]])
        self.assertEqual(len({pictures[0] for pictures in together[3:]}), 3)

    def test_a_picture_does_not_depend_on_those_that_follow_it_in_its_job(self) -> None:
        model = Model(str(base()), None)
        self.assertEqual(drawn(model, Request((3, 5, 5), 7, 5, 2.0))[0][:1], drawn(model, digit(3, 7))[0])

    def test_each_parameter_counts(self) -> None:
        model, with_lora = Model(str(base()), None), Model(str(base()), str(lora()))
        usual = digit(3)
        others = [digit(4), digit(3, seed=2), digit(3, steps=6), digit(3, scale=2.5)]
        pictures = [drawn(model, usual)[0][0], drawn(with_lora, usual)[0][0], *(drawn(model, each)[0][0] for each in others)]
        self.assertEqual(len(set(pictures)), len(pictures))
        no_class = [drawn(model, digit(label, scale=0.0))[0][0] for label in (3, 4)]
        nearly = [torch.frombuffer(bytearray(each), dtype=torch.float32) for each in no_class]
        self.assertTrue(torch.allclose(*nearly, atol=1e-3), "guidance_scale 0 is to draw any digit")

    def test_dropping_a_sheet_changes_nothing_for_the_others(self) -> None:
        model = Model(str(base()), None)
        wanted, dropped = Sheet(Request((1, 2, 3), 1, 5, 2.0)), Sheet(Request(tuple(range(10)), 2, 5, 2.0))
        for sheets in draw(model.network, [dropped, wanted]):
            dropped.dropped = True
            self.assertFalse(wanted.is_drawn and dropped in sheets)
        self.assertEqual([[each.numpy().tobytes() for each in wanted.pictures]], drawn(model, wanted.request))
        self.assertEqual(dropped.step, TILE)  # the one step that it was in, of eight of its pictures

    def test_by_hand_and_again_the_files_are_the_same(self) -> None:
        def files(name: str, *options: str, model: Optional[str] = None) -> dict[str, bytes]:
            folder = scratch() / "by hand" / name
            command = [sys.executable, str(EXAMPLES / "sample_digits" / "sample.py"), "--base-model", model or str(base()),
                       "--num-steps", "4", "--output", str(folder), *options]
            run = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            return {path.name: path.read_bytes() for path in folder.iterdir()}

        once = files("once", "--class", "3")
        again = files("again", "--class", "3", "--seed", "1", model=str(base().parent / "checkpoint-000040.pt"))
        self.assertEqual(list(once), ["000-digit-3.png"])
        self.assertEqual(once, again)
        several = files("several", "--classes", "3,4,3")
        self.assertEqual(sorted(several), ["000-digit-3.png", "001-digit-4.png", "002-digit-3.png"])
        self.assertEqual(several["000-digit-3.png"], once["000-digit-3.png"])
        self.assertEqual(len(set(several.values())), 3)
        self.assertNotEqual(files("others", "--class", "3", "--seed", "9", "--lora", str(lora())), once)
