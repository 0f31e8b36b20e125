"""A run of jobs with lists of items, as a process of its own: sheets.py EVIDENCE_FOLDER SPEC

It works on the items of one job after the other. At one of them it does, so many times, what the job's argument "how" says; and of
one that has too many items for the memory it says just that.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from evidence import Execution, RanTwice

Job = dict[str, Any]


def work_on(job: Job, execution: Execution) -> None:
    params, arguments = job["params"], job["params"]["arguments"]
    items, told = params["items"], job.get("part") or {"first_item": 0, "of": len(params["items"])}
    for number, item in enumerate(items, told["first_item"]):
        execution.begin_item(number, item)
        if number == int(arguments["at"] * told["of"]) and execution.times_worked_on(number) <= arguments["times"]:
            if arguments["how"] == "fails":
                sys.exit(1)
            if arguments["how"] == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(arguments["seconds"] / len(items))
    Path(job["dir"], "made.txt").write_text("made\n")
    execution.done()
    report({"type": "artifact", "job": job["id"], "path": "made.txt"})
    report({"type": "done", "job": job["id"], "result": {"answer": job["id"], "edition": params["edition"]}})


def is_too_much(job: Job) -> bool:
    arguments = job["params"]["arguments"]
    return arguments["how"] == "devours" and len(job["params"]["items"]) > arguments["most"]


def report(event: dict[str, object]) -> None:
    descriptor = os.open(os.environ["FERRY_EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, json.dumps(event).encode() + b"\n")
    os.close(descriptor)


def main(folder: str, spec: str) -> None:
    told = json.loads(Path(spec).read_bytes())
    begun = []
    for job in told["jobs"]:
        more = {"edition": job["params"]["edition"], "part": job.get("part")}
        try:
            begun.append((job, Execution(folder, job["id"], told["batch"], job["dir"], **more)))
        except RanTwice:
            report({"type": "failed", "job": job["id"], "error": "it ran twice at once", "kind": "input"})
    for job, execution in begun:
        if is_too_much(job):
            report({"type": "failed", "job": job["id"], "error": "out of memory", "kind": "oom"})
        else:
            work_on(job, execution)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
