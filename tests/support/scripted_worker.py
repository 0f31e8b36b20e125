#!/usr/bin/env python3
"""A worker that does what its jobs ask for: {"do": DEED, …} in the parameters. It speaks the protocol by hand, so that it can break it.

Deeds of a job: "done" (its result is {"pid", "batch_size", "value"}), "fail" (with "error" and "kind"), "exit" (with "status"), "kill" (itself, by
SIGKILL), "rubbish", "wrong" (answers for another job), "twice", "long" (a line that is too long), "large" (a result that is), "oom" (of the whole batch), "hang" (until it is
cancelled; with "deaf": not even then), "wait" (until the file "until" exists), "items" (appends each of the "items" to the file "diary", waits until a file of
that name exists where it begins with a slash, and fails at "fail_at"), "memory" (out of memory with more than "most" items), "children" (leaves one that ignores TERM). FERRY_WARM_PARAMS may hold
"load": "never" (does not get ready), "exit", "refuse" (says why it cannot), or "wait:PATH".
"""

import json
import os
import select
import signal
import subprocess
import sys
import time


def say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Heard:
    def __init__(self) -> None:
        self.runs: list[dict] = []
        self.cancelled: set[int] = set()
        self.rest = b""
        self.closed = False

    def listen(self, seconds: float | None) -> None:
        ready, _, _ = select.select([0], [], [], seconds)
        if not ready:
            return
        piece = os.read(0, 65536)
        if not piece:
            self.closed = True
            return
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if said["type"] == "run":
                self.runs.append(said)
            elif said["type"] == "cancel":
                self.cancelled.add(said["job"])
            else:
                self.closed = True


def load() -> None:
    how = json.loads(os.environ["FERRY_WARM_PARAMS"]).get("load") or ""
    print(f"loading {how}", file=sys.stderr, flush=True)
    if how == "never":
        time.sleep(1000)
    if how == "exit":
        sys.exit(3)
    if how == "refuse":
        say(type="failed", error="no such model", kind="input")
        sys.exit(1)
    if how.startswith("wait:"):
        while not os.path.exists(how[5:]):
            time.sleep(0.01)


def wait(heard: Heard, job: dict, done: object) -> bool:
    """False: it was cancelled."""
    while not done():
        if heard.closed:
            sys.exit(0)
        heard.listen(0.01)
        if job["id"] in heard.cancelled and not job["params"].get("deaf"):
            say(type="failed", job=job["id"], error="cancelled", kind="cancelled")
            return False
    return True


def work_on_items(heard: Heard, job: dict) -> bool:
    """False: it has ended."""
    items = job["params"]["items"]
    for number, item in enumerate(items):
        with open(job["params"]["diary"], "a", encoding="utf-8") as diary:
            diary.write(item + "\n")
        if item == job["params"].get("fail_at"):
            say(type="failed", job=job["id"], error=f"no {item}")
            return False
        say(type="progress", job=job["id"], step=number, total=len(items))
        if item.startswith("/") and not wait(heard, job, lambda path=item: os.path.exists(path)):
            return False
    return True


def perform(heard: Heard, job: dict, size: int) -> bool:
    """False: the batch as a whole has failed."""
    ident, params = job["id"], job["params"]
    deed = params.get("do", "done")
    print(f"job {ident}: {deed}", file=sys.stderr, flush=True)
    if deed == "fail":
        say(type="failed", job=ident, error=params.get("error", "no"), **({"kind": params["kind"]} if "kind" in params else {}))
        return True
    if deed == "exit":
        sys.exit(params.get("status", 0))
    if deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "rubbish":
        print()
        print("this is no JSON")
        print('["neither", "is", "this"]', flush=True)
    if deed == "wrong":
        say(type="done", job=ident + 1_000_000)
        time.sleep(1000)
    if deed == "long":
        say(type="log", text="x" * 2_000_000)
        time.sleep(1000)
    if deed == "oom":
        say(type="failed", error="out of memory", kind="oom")
        return False
    if deed == "children":
        subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], start_new_session=True)
    if deed == "hang" and not wait(heard, job, lambda: False):
        return True
    if deed == "memory" and len(params["items"]) > params["most"]:
        say(type="failed", job=ident, error="out of memory", kind="oom")
        return True
    if deed == "items" and not work_on_items(heard, job):
        return True
    if deed == "wait" and not wait(heard, job, lambda: os.path.exists(params["until"])):
        return True
    with open(os.path.join(job["dir"], "made.txt"), "w", encoding="utf-8") as out:
        out.write(str(params.get("value")))
    say(type="progress", job=ident, step=1, total=2)
    say(type="artifact", job=ident, path="made.txt")
    if deed == "large":
        say(type="done", job=ident, result="x" * 300_000)
        return True
    result = {"pid": os.getpid(), "batch_size": size, "value": params.get("value")}
    if "items" in params:
        result |= {"items": params["items"], "part": job.get("part")}
    say(type="done", job=ident, result=result)
    if deed == "twice":
        say(type="done", job=ident)
    return True


def main() -> None:
    load()
    say(type="ready")
    heard = Heard()
    while True:
        while not heard.runs:
            if heard.closed:
                return
            heard.listen(None)
        jobs = heard.runs.pop(0)["jobs"]
        for job in jobs:
            if not perform(heard, job, len(jobs)):
                break
        heard.cancelled.clear()


main()
