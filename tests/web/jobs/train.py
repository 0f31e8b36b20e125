#!/usr/bin/env python3
"""A stand-in for a training or an inference: reports steps, loss and learning rate, writes validation pictures, obeys a gate.

Arguments: SPEC, the path of ferry's spec.json. Parameters that it reads: steps, step_seconds, pause_at and gate (at step
pause_at it waits until the file `gate` exists, so that a test sees a job half done for as long as it likes;
with pause_prompt only in the part that has this prompt), fail_at.
"""
import json
import math
import os
import struct
import sys
import time
import zlib


def png(width, height, pixel):
    """A PNG whose pixel(x, y) is (r, g, b)."""
    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def sample(directory, step, share):
    os.makedirs(os.path.join(directory, "samples"), exist_ok=True)
    name = f"samples/step-{step:05}.png"

    def pixel(x, y):
        wave = (math.sin(x / 9 + step) + math.cos(y / 7 - step)) * 60 * (1 - share) + 110
        return (int(wave * 0.7), int(wave * 0.9 + 20 * share), min(255, int(wave + 60 * share)))

    with open(os.path.join(directory, name), "wb") as file:
        file.write(png(192, 128, pixel))
    return name


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)["jobs"]
    events = open(os.environ["FERRY_EVENTS"], "a", encoding="utf-8", buffering=1)

    def tell(**fact):
        events.write(json.dumps(fact) + "\n")

    params = jobs[0]["params"]
    total = params.get("steps") or params.get("num_steps") or 10
    waits = params.get("pause_prompt") in [None, *params.get("prompt_ids", [])]
    for step in range(1, total + 1):
        if waits and step == params.get("pause_at"):
            while not os.path.exists(params["gate"]):
                time.sleep(0.05)
        if step == params.get("fail_at"):
            sys.exit("the loss is no number any more")
        share = step / total
        rate = params.get("learning_rate", 2e-4) * min(1, step / (total * 0.1)) * (1 - share * 0.9)
        loss = 0.02 + 0.4 * math.exp(-4 * share) * (1 + 0.15 * math.sin(step * 1.7))
        for job in jobs:
            tell(type="progress", job=job["id"], step=step, total=total, value=share, metrics={"loss": loss, "learning_rate": rate})
            if step % max(1, total // 4) == 0:
                tell(type="artifact", job=job["id"], path=sample(job["dir"], step, share))
        print(f"step {step}/{total} loss={loss:.4f} lr={rate:.2e}", flush=True)
        time.sleep(params.get("step_seconds", 0))
    for job in jobs:
        tell(type="done", job=job["id"], result={"loss": loss})


main()
