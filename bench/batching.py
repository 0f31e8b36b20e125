#!/usr/bin/env python3
"""What warm workers and batches save, and what ferry itself takes of a warm worker's time.

batching.py [--bin DIR] [--only PART[,PART…]] [--rounds 3] [--work DIR], and what --help names for each part

Starts a ferryd of its own, with one slot on the CPU, and measures

  digits     drawings of digits by a small network that it trains first (examples/sample_digits; `scripts/setup --examples` installs what they
             need): by a fresh process each, by a warm worker, and by a warm worker in batches
  upscaling  the same three ways for ferry-upscale and a small picture: it gains from warmth only. Left out where there is no network
             (`scripts/setup` fetches one)
  noops      jobs that do nothing on a warm worker, one by one and in batches: jobs a second
  starts     how soon a job starts on a warm idle worker, from sending POST /jobs until the worker's process has it

Of the first three, each round submits the jobs of each way while the queue is paused, and takes the time from there until all are done. The
rounds take turns, so that a machine that slows down does so for all. The tables are Markdown. Standard library alone.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from batching_parts.comparison import Comparison, Subject
from batching_parts.daemon import Queue
from batching_parts.digits import Digits
from batching_parts.noops import Starts, Throughput
from batching_parts.upscaling import Upscaling

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("digits", "upscaling", "noops", "starts")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bin", type=Path, default=None, help="the folder of ferryd, ferry-shim and ferry-upscale (build/release/bin, else build/dev/bin)")
    parser.add_argument("--only", type=chosen_parts, default=None, help=f"parts to measure, with commas: {', '.join(PARTS)} (all)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured (3); the median counts")
    parser.add_argument("--max-items", type=int, default=8, help="jobs of a batch, of digits and pictures (8)")
    parser.add_argument("--jobs", type=int, default=64, help="digits: jobs of each way a round (64)")
    parser.add_argument("--num-steps", type=int, default=50, help="digits: steps of a drawing, which is how much work a job is (50)")
    parser.add_argument("--training-steps", type=int, default=200, help="digits: how long the network is trained (200); its speed does not depend on it")
    parser.add_argument("--upscale-jobs", type=int, default=64, help="upscaling: jobs of each way a round (64)")
    parser.add_argument("--model", default="slim", help="upscaling: the network: slim, medium or thick (slim)")
    parser.add_argument("--scale", type=int, default=2, help="upscaling: how many times as wide and as high (2)")
    parser.add_argument("--pixels", type=int, default=128, help="upscaling: the picture is so wide and high (128)")
    parser.add_argument("--noop-jobs", type=int, default=4000, help="noops: jobs of each way a round (4000)")
    parser.add_argument("--noop-max-items", type=int, default=32, help="noops: jobs of a batch (32)")
    parser.add_argument("--submits", type=int, default=300, help="starts: how many jobs are submitted, one after the other (300)")
    parser.add_argument("--work", type=Path, default=None, help="a folder to make the working folder in (temporary)")
    options = parser.parse_args()
    for name in ("rounds", "max_items", "jobs", "upscale_jobs", "pixels", "noop_jobs", "noop_max_items", "submits"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} is at least 1")
    if options.bin is None:
        builds = [ROOT / "build" / preset / "bin" for preset in ("release", "dev")]
        options.bin = next((folder for folder in builds if (folder / "ferryd").exists()), None)
        if options.bin is None:
            parser.error("there is no build with a ferryd: name one with --bin")
    options.bin = options.bin.resolve()
    return options


def chosen_parts(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := [part for part in chosen if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}: {', '.join(PARTS)}")
    return chosen


def say(text: str) -> None:
    print(text, flush=True)


def chosen_subjects(options: argparse.Namespace, parts: list[str], work: Path) -> list[Subject]:
    subjects: list[Subject] = []
    if "digits" in parts:
        subjects.append(Digits(work, options.jobs, options.num_steps, options.max_items, options.training_steps))
    if "upscaling" in parts:
        upscaling = Upscaling(options.bin / "ferry-upscale", work, options.upscale_jobs, options.model, options.scale, options.pixels,
                              options.max_items)
        if not (missing := upscaling.why_not()):
            subjects.append(upscaling)
        elif options.only:
            shutil.rmtree(work)
            raise SystemExit(f"batching: {missing}")
        else:
            say(f"upscaling is left out: {missing}")
    return subjects


def measure(options: argparse.Namespace, work: Path) -> None:
    parts = options.only or list(PARTS)
    subjects = chosen_subjects(options, parts, work)
    comparison = Comparison(subjects, options.max_items)
    throughput = Throughput(options.noop_jobs, options.noop_max_items) if "noops" in parts else None
    starts = Starts(work, options.submits) if "starts" in parts else None
    types = "".join(one.types() for one in (*subjects, throughput, starts) if one)
    say(f"{options.bin / 'ferryd'}; load average {os.getloadavg()[0]:.2f}")
    queue = Queue(options.bin / "ferryd", work, types)
    try:
        comparison.prepare(queue)
        for number in range(1, options.rounds + 1):
            comparison.measure(queue, number, say)
            if throughput:
                throughput.measure(queue, number, say)
        if starts:
            starts.measure(queue)
    finally:
        queue.stop()
    for one in (comparison, throughput, starts):
        if one:
            one.report()
    say(f"\nload average at the end: {os.getloadavg()[0]:.2f}")


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the clean-up
    work = Path(tempfile.mkdtemp(prefix="ferry-batching-", dir=options.work)).resolve()
    measure(options, work)
    shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
