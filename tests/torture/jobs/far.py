"""A job of the torture of nodes: far.py EVIDENCE_FOLDER DEED ARGUMENTS_AS_JSON [SOURCE]

Beside the evidence of the others, it says every few hundredths of a second that it lives, by a clock that all machines of this
torture share: evidence/<job>.beats
"""

import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path

import deeds
from evidence import Execution, accuse, append, execution_of_process
from made import fault_of, text_of

BEAT_SECONDS = 0.05
EVIDENCE = Path(sys.argv[1])
SOURCE = Path(sys.argv[4]) if len(sys.argv) > 4 else Path()
DIRECTORY = Path(os.environ["FERRY_JOB_DIR"])


def beat(execution: Execution) -> None:
    append(EVIDENCE / f"{execution.job}.beats", {"batch": execution.batch, "at": time.clock_gettime(time.CLOCK_BOOTTIME)})


def beat_on(execution: Execution) -> None:
    while True:
        beat(execution)
        time.sleep(BEAT_SECONDS)


def makes(execution: Execution, seconds: float, sizes: list[int]) -> None:
    """Files in folders; the first is its result."""
    for number, size in enumerate(sizes):
        file = DIRECTORY / "deep" / f"made-{number}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text_of(execution.job, execution.batch, number, size))
        report(type="artifact", path=f"deep/made-{number}")
        time.sleep(seconds / len(sizes))
    report(type="done", result={"answer": execution.job, "path": "deep/made-0"})


def steps(execution: Execution, steps: int, every: int, pause: float) -> None:
    """Step by step, with a checkpoint every so often; goes on from the one it is given."""
    first = resume(execution)
    for step in range(first, steps):
        execution.begin_item(step, str(step))
        time.sleep(pause)
        if (step + 1) % every == 0:
            save(execution, step + 1)
        report(type="progress", step=step + 1, total=steps)
    report(type="done", result={"answer": execution.job, "steps": steps})


def resume(execution: Execution) -> int:
    given = os.environ.get("FERRY_RESUME_FROM", "")
    if not given:
        return 0
    try:
        text = Path(given).read_bytes()
    except OSError as error:
        tell(execution, f"was to go on from {given}, which cannot be read: {error}")
        return 0
    said = json.loads(text.partition(b"\n")[0] or b"{}")
    if (fault := fault_of(text)) or said["job"] != execution.job:
        tell(execution, f"was to go on from {given}, which {fault or 'is of another job'}")
        return 0
    append(EVIDENCE / f"{execution.job}.resumed", {"batch": execution.batch, "from": said["batch"], "step": said["number"]})
    return int(said["number"])


def save(execution: Execution, step: int) -> None:
    """Written under another name, so that nobody takes it before it is complete."""
    half, whole = DIRECTORY / "half", DIRECTORY / f"checkpoint-{step}"
    half.write_bytes(text_of(execution.job, execution.batch, step, step * 997 % 100_000))
    half.rename(whole)
    append(EVIDENCE / f"{execution.job}.saved", {"batch": execution.batch, "step": step})
    report(type="checkpoint", path=whole.name, step=step)


def reads(execution: Execution, seconds: float, digest: str, **_: object) -> None:
    """What was brought to it, and whether that is whole; a file of another job tells so itself."""
    files = sorted(file for file in ([SOURCE] if SOURCE.is_file() else SOURCE.rglob("*")) if file.is_file())
    text = b"".join(file.read_bytes() for file in files)
    found = hashlib.sha256(text).hexdigest()
    fault = "" if digest == found else f"has the digest {found}" if digest else fault_of(text)
    if fault:
        tell(execution, f"was given {SOURCE} ({len(files)} files), which {fault}")
    time.sleep(seconds)
    report(type="done", result={"answer": execution.job, "digest": found})


def tell(execution: Execution, crime: str) -> None:
    accuse(EVIDENCE, crime, {"job": execution.job, "batch": execution.batch}, "")


def report(**line: object) -> None:
    append(Path(os.environ["FERRY_EVENTS"]), line)


OWN = {deed.__name__: deed for deed in (makes, steps, reads)}


def main() -> None:
    execution = execution_of_process(sys.argv[1])
    beat(execution)
    threading.Thread(target=beat_on, args=[execution], daemon=True).start()
    if own := OWN.get(sys.argv[2]):
        own(execution, **json.loads(sys.argv[3]))
    else:
        deeds.do(sys.argv[2], sys.argv[3])
    execution.done()
    beat(execution)


main()
