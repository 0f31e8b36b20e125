#!/usr/bin/python3
"""Draws digits with a model of examples/train_digits: as a warm worker of ferry (--worker), or once. README.md says how."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Sequence

_HERE = Path(__file__).resolve().parent
sys.path += [str(_HERE.parent / "train_digits"), str(_HERE.parents[1] / "clients" / "python")]

from errors import InputError  # noqa: E402
from ferry import worker  # noqa: E402
from request import from_params  # noqa: E402
from threads import fix_threads, fix_torch, slow_blas, threads_of_slot  # noqa: E402

if TYPE_CHECKING:
    from sampler import Model, Sheet


def load(warm: Mapping[str, Any]) -> "Model":
    threads = threads_of_slot()
    fix_threads(threads)

    import torch  # not before its threads are fixed
    from sampler import Model

    fix_torch(threads)
    print(f"PyTorch {torch.__version__} on the CPU, threads: {threads}")
    slow = slow_blas()
    if slow:
        print(f"warning: {slow} is the slow reference BLAS: install libopenblas0-pthread")
    try:
        if not warm.get("base_model"):
            raise InputError("base_model is needed: a checkpoint or weights.pt of a base training, or job:ID of one in the queue")
        return Model(warm["base_model"], warm.get("lora"))
    except InputError as why:
        raise worker.InputError(str(why)) from why


def run(jobs: Sequence[worker.Job], model: "Model") -> None:
    from sampler import Sheet, draw

    drawn_for: dict[Sheet, worker.Job] = {}
    for job in jobs:
        try:
            request = from_params(job.params, job.part["first_item"] if job.part else 0)
            model.check(request)
            drawn_for[Sheet(request)] = job
        except InputError as why:  # the others do not suffer for it
            job.fail(str(why), "input")
    for sheets in draw(model.network, list(drawn_for)):
        wanted = worker.without_cancelled(drawn_for[sheet] for sheet in sheets)
        for sheet in sheets:
            sheet.dropped = drawn_for[sheet] not in wanted
        for far in dict.fromkeys((sheet.step, sheet.total) for sheet in sheets):
            worker.progress([drawn_for[sheet] for sheet in sheets if (sheet.step, sheet.total) == far], step=far[0], total=far[1])
        for sheet in sheets:
            if sheet.is_drawn and not sheet.dropped:
                finish(drawn_for[sheet], sheet)


def finish(job: worker.Job, sheet: "Sheet") -> None:
    paths = write_pictures(job.dir, sheet)
    for path in paths:
        job.artifact(path)
    job.done({"path": paths[0].name, "pictures": [path.name for path in paths]})


def write_pictures(folder: Path, sheet: "Sheet") -> list[Path]:
    from files import write_whole
    from samples import grid_png

    request = sheet.request
    paths = [folder / f"{index:03}-digit-{digit}.png" for index, digit in enumerate(request.classes, request.first)]
    for path, picture in zip(paths, sheet.pictures):
        write_whole(path, grid_png(picture[None, None]))
    return paths


def draw_once(given: Mapping[str, Any], folder: Path) -> None:
    request = from_params(given)
    model = load(given)
    model.check(request)

    from sampler import Sheet, draw

    sheet = Sheet(request)
    for _ in draw(model.network, [sheet]):
        pass
    folder.mkdir(parents=True, exist_ok=True)
    for path in write_pictures(folder, sheet):
        print(path)


def read_command_line(arguments: Sequence[str]) -> tuple[bool, dict[str, Any], Path]:
    """Whether it is a worker; the parameters; the folder for pictures."""
    parser = argparse.ArgumentParser(description="Draws handwritten digits with a model of examples/train_digits.")
    parser.add_argument("--worker", action="store_true", help="speak with ferry, which says what to draw")
    parser.add_argument("--output", default=".", help="the folder for the pictures")
    parser.add_argument("--base-model", help="a checkpoint or weights.pt of a base training")
    parser.add_argument("--lora", help="a checkpoint or weights.pt of a LoRA on it")
    parser.add_argument("--class", type=int, help="the digit to draw")
    parser.add_argument("--classes", type=lambda text: [int(word) for word in text.split(",")], help="or several: 1,2,3")
    parser.add_argument("--seed", type=int, help="of the noise that it begins with")
    parser.add_argument("--num-steps", type=int, help="from noise to picture")
    parser.add_argument("--guidance-scale", type=float, help="1: typical of the digit; more: typical of no other one")
    given = vars(parser.parse_args(arguments))
    is_worker, folder = given.pop("worker"), Path(given.pop("output"))
    return is_worker, given, folder


def main(arguments: Sequence[str]) -> int:
    is_worker, given, folder = read_command_line(arguments)
    if is_worker:
        worker.serve(load, run)
        return 0
    try:
        draw_once(given, folder)
    except (InputError, worker.InputError) as why:
        print(f"sample.py: {why}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # nothing is left to tidy, and no library may change the status on its way out
