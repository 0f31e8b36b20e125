#!/usr/bin/python3
"""Trains a small diffusion model on handwritten digits, or a LoRA on top of it; README.md says how.

Ends with status 0 when done, 1 when it failed, 75 when it was asked to stop and another attempt goes on from its checkpoint.
"""

import os
import sys
import traceback
from typing import Any, Optional, Sequence

from checkpoints import base_header, check_fits, read_header
from errors import InputError
from files import remove_leftovers
from parameters import Parameters, checkpoint_to_resume, read_command_line
from reporting import Reporter
from stopping import TO_BE_CONTINUED, StopRequest
from threads import fix_threads, fix_torch, slow_blas, threads_of_slot


def identity_of(asked: Parameters, base: Optional[dict[str, Any]]) -> dict[str, Any]:
    """What must be the same for a checkpoint to be this training's. The steps may differ: a training can be made longer."""
    same = {name: getattr(asked, name) for name in ("stage", "dataset", "batch_size", "seed", "learning_rate")}
    return {**same, "rank": asked.rank, "base": base["average_sha256"]} if base else {**same, "width": asked.width}


def shown_classes(asked: Parameters, base: Optional[dict[str, Any]]) -> tuple[int, ...]:
    """What samples show: the class that is asked for, else all that the network knows."""
    if asked.validation_class is not None:
        return (asked.validation_class,)
    return tuple(base["classes"]) if base else asked.classes


def train(arguments: Sequence[str], reporter: Reporter, stop: StopRequest) -> int:
    asked, place = read_command_line(arguments)
    reporter.root = place.root
    base = base_header(asked.base_model) if asked.stage == "lora" else None
    identity = identity_of(asked, base)
    path = checkpoint_to_resume(asked)
    resume = (path, read_header(path)) if path else None
    if resume:
        check_fits(*resume, identity)
    slot_threads = threads_of_slot()
    threads = resume[1]["threads"] if resume else slot_threads
    fix_threads(threads)
    place.output.mkdir(parents=True, exist_ok=True)
    remove_leftovers(place.output)

    from training import Task, Training  # numpy and torch: not before their threads are fixed

    fix_torch(threads)
    say_how(reporter, threads, slot_threads, resume)
    task = Task(asked, place, threads, identity, base["width"] if base else asked.width,
                shown_classes(asked, base), resume)
    training = Training(task, reporter)
    reporter.say(f"{asked.stage}: {len(training.pictures)} pictures of {asked.dataset}, "
                 f"{sum(each.numel() for each in training.model.trained.values())} weights to train")
    if training.run(stop):
        return 0
    reporter.say(f"asked to stop: step {training.step} of {training.total} is done, to be continued")
    return TO_BE_CONTINUED


def say_how(reporter: Reporter, threads: int, slot_threads: int, resume: Optional[tuple[str, dict[str, Any]]]) -> None:
    import torch

    reporter.say(f"PyTorch {torch.__version__} on the CPU, threads: {threads}")
    if resume:
        path, header = resume
        reporter.say(f"going on after step {header['step']} of {path}")
        if threads != slot_threads:
            reporter.say(f"threads: {threads}, as in the checkpoint, not the slot's {slot_threads}: "
                         "another number changes the last bits")
        if header["torch"] != torch.__version__:
            reporter.say(f"warning: the checkpoint was made with PyTorch {header['torch']}: the last bits may differ")
    slow = slow_blas()
    if slow:
        reporter.say(f"warning: {slow} is the slow reference BLAS: install libopenblas0-pthread")


def failure_kind(why: BaseException) -> Optional[str]:
    """Whether it is worth trying again, in ferry's words; nothing where that is not known."""
    if isinstance(why, InputError):
        return "input"
    if isinstance(why, MemoryError) or (isinstance(why, RuntimeError) and "allocate memory" in str(why)):
        return "oom"
    return "transient" if isinstance(why, OSError) else None


def main(arguments: Sequence[str]) -> int:
    stop = StopRequest()
    stop.listen()
    reporter = Reporter()
    try:
        return train(arguments, reporter, stop)
    except Exception as why:  # the last place that can tell the queue why
        kind = failure_kind(why)
        if kind != "input":
            traceback.print_exc()
        reporter.failed(str(why) if kind == "input" else f"{type(why).__name__}: {why}", kind)
        return 1


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # nothing is left to tidy, and no library may change the status on its way out
