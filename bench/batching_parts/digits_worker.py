#!/usr/bin/python3
"""The digits sampler of examples/sample_digits with a clock beside it, for batching.py: a worker, or with --once a process a job.

It appends to the file named by BATCHING_TIMES, one JSON object a line: {"what": "load" or "run", "jobs": 8, "seconds": 0.1}.
"""

import json
import os
import sys
import time

BEGUN = time.monotonic()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "sample_digits"))

import sample  # noqa: E402


def note(what: str, jobs: int, begun: float) -> None:
    line = json.dumps({"what": what, "jobs": jobs, "seconds": time.monotonic() - begun}) + "\n"
    with open(os.environ["BATCHING_TIMES"], "a", encoding="ascii") as times:
        times.write(line)


def load(warm: dict) -> "object":
    model = sample.load(warm)
    note("load", 0, BEGUN)
    return model


def run(jobs: list, model: "object") -> None:
    begun = time.monotonic()
    for job in jobs:
        job.done = noted_at_end(job, jobs, begun)
    sample.run(jobs, model)


def noted_at_end(job: "object", jobs: list, begun: float):
    """Noted before the last job of the batch is told to be done: what comes after that is ferry's."""
    done = job.done

    def noted(*result: object) -> None:
        if all(other.ended for other in jobs if other is not job):
            note("run", len(jobs), begun)
        done(*result)

    return noted


def main() -> int:
    if sys.argv[1:2] == ["--once"]:
        status = sample.main(sys.argv[2:])
        note("run", 1, BEGUN)
        return status
    sample.worker.serve(load, run)
    return 0


if __name__ == "__main__":
    ended_with = main()
    sys.stdout.flush()
    os._exit(ended_with)
