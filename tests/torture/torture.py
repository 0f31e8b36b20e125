#!/usr/bin/env python3
"""Tortures ferry: hundreds of jobs, and kill -9 of everything at random moments. At the end the books must balance.

torture.py --bin DIR [--seconds 60] [--seed N] [--jobs M] [--output-mib 20] [--patience 10] [--keep] [--work DIR]
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

from books import FINAL, Books, brief
from client import Client, Unanswered
from daemon import Daemon, data_of, socket_of
from group_keeper import GroupKeeper
from job_kinds import KEPT_TYPES, KINDS, WORKER_TYPES, Order, OrderForm, choose_flurry, choose_orders, flood_order
from killer import DaemonKiller, Killer
from ledger import Ledger
from observer import Observer
from processes import Family, descendants
from settlement import END_SECONDS_MAX, Settlement
from twins import Twins
from users import Meddler, Submitter

SUBMITTERS = 3
MEDDLERS = 3
FLOODS = 3
JOBS_A_SECOND = 5
FLURRY_SECONDS = 2.0  # about so long lies between one and the next
CHECK_SECONDS_MAX = 60.0
LEAVE_SECONDS_MAX = 5.0
WORKER_ENDS_SECONDS = 14.0  # what an idle worker takes at most to end with its children: 10 s of grace


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of ferryd and ferry-shim")
    parser.add_argument("--seconds", type=float, default=60, help="how long jobs are submitted and things are killed (60)")
    parser.add_argument("--seed", type=int, default=None, help="repeats the plan of an earlier torture (random)")
    parser.add_argument("--jobs", type=int, default=None, help=f"how many jobs ({JOBS_A_SECOND} a second)")
    parser.add_argument("--output-mib", type=int, default=20, help=f"how much each of the {FLOODS} largest logs takes (20)")
    parser.add_argument("--patience", type=float, default=10, help="seconds after which what still waits is cancelled (10)")
    parser.add_argument("--keep", action="store_true", help="keep the working folder also when all is well")
    parser.add_argument("--work", type=Path, default=None, help="a folder to make the working folder in (temporary)")
    return parser.parse_args()


class Torture:
    """One torture from its first job to its balance, in a folder of its own."""

    def __init__(self, options: argparse.Namespace, seed: int, work: Path) -> None:
        self._options, self._seed, self._work = options, seed, work
        self._evidence = work / "evidence"
        self._evidence.mkdir()
        programs = options.bin.resolve()
        self._ledger = Ledger(seed)
        self._form = OrderForm(self._evidence, socket_of(work), work)
        self._family = Family(programs, data_of(work))
        self._daemon = Daemon(programs, work, self._form, self._family, self._ledger)
        self._stop = threading.Event()
        self._books = Books(self._evidence, data_of(work), self._client(), self._ledger)

    def run(self) -> bool:
        """True: the books balance."""
        say = self._ledger.say
        burying = threading.Event()
        undertaker = self._thread("undertaker", lambda: self._bury(burying))
        self._thread("alarm", lambda: self._end_in_time(self._options.seconds * 1.25 + self._options.patience + END_SECONDS_MAX +
                                                        CHECK_SECONDS_MAX))
        try:
            self._daemon.start_and_serve()
            say(f"automatic retries: {'on' if self._daemon.retries else 'this ferryd knows none'}")
            self._torture()
            say("the killing has ended; waiting for every job to end")
            Settlement(self._seed, self._options.patience, self._evidence, self._client(), self._ledger).work()
            say("checking the books")
            self._books.audit()
            say("looking whether all leave when they should")
            self._leave()
            say("all is over")
        except Unanswered as error:
            self._ledger.crime(f"nobody answers any more: {error}")
        finally:
            self._stop.set()
            self._daemon.kill()
            self._end_all()
            burying.set()
            undertaker.join()
        self._check_database()
        self._balance()
        return not self._ledger.crimes()

    def _torture(self) -> None:
        """All threads at work, until the time is over and every order is in."""
        stop = self._stop
        killers = [
            self._thread("daemon killer", DaemonKiller(self._seed, self._daemon, self._family, self._ledger, stop).work),
            self._thread("killer", Killer(self._seed, self._daemon.data, self._family, self._client(), self._ledger, stop).work),
        ]
        meddlers = [
            self._thread(f"meddler {n}", Meddler(n, MEDDLERS, self._seed, self._evidence, self._daemon.data / "runs", self._client(),
                                                    self._ledger, stop).work)
            for n in range(MEDDLERS)
        ]
        others = [
            self._thread("group keeper", GroupKeeper(self._seed, self._client(), self._ledger, stop).work),
            self._thread("observer", Observer(self._seed, self._client(), self._ledger, stop).work),
            self._thread("twins", Twins(self._seed, (self._client(), self._client()), self._ledger, stop).work),
        ]
        submitters = [self._thread(f"submitter {n}", worker.work) for n, worker in enumerate(self._submitters())]
        begun = told = time.monotonic()
        while time.monotonic() < begun + self._options.seconds or any(thread.is_alive() for thread in submitters):
            time.sleep(0.5)
            if time.monotonic() - told > min(10.0, self._options.seconds / 6):
                told = time.monotonic()
                self._ledger.say(self._progress())
        stop.set()
        # The daemon is there again once its killer has ended, and the users need it to come to an end.
        for thread in killers + submitters + meddlers + others:
            begun = time.monotonic()
            thread.join()
            if (took := time.monotonic() - begun) > LEAVE_SECONDS_MAX:
                self._ledger.say(f"it took the {thread.name} {took:.1f} s to come to an end")

    def _submitters(self) -> list[Submitter]:
        random = Random(f"{self._seed}/orders")
        count = self._options.jobs or round(self._options.seconds * JOBS_A_SECOND)
        crowds = []
        while sum(map(len, crowds)) < count:
            crowds.append(choose_orders(random))
        for flood in range(FLOODS):
            crowds.insert(random.randrange(len(crowds) // 2 + 1), [flood_order(self._options.output_mib)])
        for _ in range(round(self._options.seconds / FLURRY_SECONDS)):
            crowds.insert(random.randrange(len(crowds) + 1), choose_flurry(random))
        return [
            Submitter(n, self._seed, crowds[n::SUBMITTERS], self._options.seconds, self._form, self._client(), self._ledger)
            for n in range(SUBMITTERS)
        ]

    def _leave(self) -> None:
        """The daemon ends when asked to, and nothing is left of it, of any job and of any worker that is not kept."""
        daemon = self._daemon.pid
        self._eventually(lambda: [p for p in descendants(daemon) if not p.lives], "zombies of the daemon remain")
        if left := self._family.jobs():
            self._ledger.crime(f"processes of jobs remain: {', '.join(f'{process} of {run}' for process, run in left)}")
        longest = max(one.keep_alive for one in WORKER_TYPES)
        short = {one.name: one.keep_alive for one in WORKER_TYPES if one.keep_alive < longest}
        self._eventually(lambda: self._workers(short), "workers outlive their keep_alive", max(short.values()) + WORKER_ENDS_SECONDS)
        self._eventually(self._misfits, "folders of workers and workers differ")
        self._leave_workers_alone(short)
        self._daemon.keep_no_workers()
        self._daemon.start_and_serve()
        self._eventually(lambda: self._workers(None), "workers outlive a keep_alive of 0 s", WORKER_ENDS_SECONDS)
        self._eventually(lambda: list(self._worker_folders()), "folders of workers remain")
        self._daemon.stop()
        self._eventually(lambda: descendants(os.getpid()), "processes remain")

    def _leave_workers_alone(self, short: dict[str, float]) -> None:
        """A daemon that ends leaves its idle workers; they stay for their keep_alive, and no longer."""
        client = self._client()
        orders = [Order(KINDS["worker"], {"seconds": 0}, type=one.name, model="other") for one in reversed(KEPT_TYPES)]
        jobs = [client.post("/jobs", self._form.body(order, "last")).json["id"] for order in orders]  # there is room for both
        for job in jobs:
            until = time.monotonic() + CHECK_SECONDS_MAX / 2
            while (told := client.get(f"/jobs/{job}?wait=5").json)["status"] not in FINAL:
                if time.monotonic() > until:
                    break
            if told["status"] != "completed":
                self._ledger.crime(f"after all others job {job} does not complete: {brief(told)}")
        client.close()
        self._daemon.stop()
        kept = {directory for _, directory in self._workers(None)} - {directory for _, directory in self._workers(short)}
        self._eventually(lambda: self._workers(short), "without a daemon workers outlive their keep_alive",
                         max(short.values()) + WORKER_ENDS_SECONDS)
        if gone := kept - {directory for _, directory in self._workers(None)}:
            self._ledger.crime(f"without a daemon workers ended before their keep_alive was over: {gone}")

    def _worker_folders(self) -> dict[str, str]:
        """The type of each worker that has a folder."""
        found = {}
        for folder in (self._daemon.data / "workers").glob("[0-9]*"):
            try:
                found[str(folder)] = json.loads((folder / "worker.json").read_bytes())["type"]
            except (OSError, ValueError, KeyError):
                pass
        return found

    def _workers(self, of: Iterable[str] | None) -> list[tuple[str, str]]:
        """Processes of workers of these types (None: of any), and their folders."""
        types = self._worker_folders()
        return [(str(process), directory) for process, directory in self._family.workers()
                if of is None or types.get(directory, "") in (*of, "")]

    def _misfits(self) -> list[str]:
        return sorted({directory for _, directory in self._workers(None)} ^ set(self._worker_folders()))

    def _eventually(self, look: Callable[[], list], crime: str, seconds: float = LEAVE_SECONDS_MAX) -> None:
        until = time.monotonic() + seconds
        while left := look():
            if time.monotonic() > until:
                self._ledger.crime(f"{crime}: {', '.join(map(str, left))}")
                return
            time.sleep(0.05)

    def _end_all(self) -> None:
        """After the last check: ends what should not be there any more."""
        until = time.monotonic() + LEAVE_SECONDS_MAX
        while (left := [p for p in descendants(os.getpid()) if p.lives]) and time.monotonic() < until:
            self._family.end(left)
            time.sleep(0.05)

    def _check_database(self) -> None:
        try:
            with sqlite3.connect(self._daemon.data / "ferry.db") as database:
                said = database.execute("PRAGMA integrity_check").fetchall()
            database.close()
        except sqlite3.Error as error:
            said = [(repr(error),)]
        if said != [("ok",)]:
            self._ledger.crime(f"the database is damaged: {said}")

    def _progress(self) -> str:
        counts = self._ledger.counts
        kills = ", ".join(f"{counts['kills of ' + what]} of {what}" for what in ("the daemon", "shims", "job processes", "worker processes"))
        return f"{len(self._ledger.entries())} jobs acknowledged; kills: {kills}; {len(self._ledger.crimes())} crimes"

    def _balance(self) -> None:
        counts, states, attempts = self._ledger.counts, self._books.states, self._books.attempts
        starts, stops, errors = sorted(self._daemon.restarts), self._daemon.stops, self._daemon.errors()
        kinds = {name.removeprefix("acknowledged "): n for name, n in sorted(counts.items()) if name.startswith("acknowledged ")}
        deeds = {name: n for name, n in sorted(counts.items()) if not name.startswith(("acknowledged ", "submitted", "log MiB"))}
        print(f"\nsubmitted {counts['submitted']}, acknowledged {sum(kinds.values())}: {listed_counts(kinds)}")
        print(f"ended: {listed_counts(states)}; {listed_counts(attempts)}; {counts['log MiB checked × 1000'] / 1000:.0f} MiB of logs read")
        print(f"done to it: {listed_counts(deeds)}")
        print(f"follow-ups: {listed_counts(self._books.follow_ups)}")
        if starts:
            print(f"{len(starts)} starts; served after {starts[len(starts) // 2]:.2f} s (median), {starts[-1]:.2f} s (longest)")
        if stops:
            print(f"{len(stops)} stops; ended after {max(stops):.2f} s (longest)")
        for line in errors[:10]:
            print(f"logged: {line}")
        for crime in self._ledger.crimes():
            print(f"FAILED (seed {self._seed}): {crime}")
        print(f"seed {self._seed}: " + (f"{len(self._ledger.crimes())} crimes" if self._ledger.crimes() else "the books balance"))

    def _bury(self, stop: threading.Event) -> None:
        while not stop.wait(0.2):
            self._family.bury()

    def _end_in_time(self, seconds: float) -> None:
        """Whatever hangs, nothing is left running for whoever waits for this to end."""
        time.sleep(seconds)
        self._ledger.crime(f"the torture has not ended after {seconds:.0f} s; kept: {self._work}")
        self._balance()
        self._end_all()
        os._exit(1)

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:
                self._ledger.crime(f"the torture itself broke, in {name}: {error!r}")
                raise

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread

    def _client(self) -> Client:
        return Client(socket_of(self._work))


def listed_counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the clean-up
    seed = Random().getrandbits(32) if options.seed is None else options.seed
    print(f"torture: --seed {seed} --seconds {options.seconds:g}", flush=True)
    work = Path(tempfile.mkdtemp(prefix="ferry-torture-", dir=options.work)).resolve()
    balanced = Torture(options, seed, work).run()
    if balanced and not options.keep:
        shutil.rmtree(work, ignore_errors=True)
    else:
        print(f"kept: {work}")
    return 0 if balanced else 1


if __name__ == "__main__":
    sys.exit(main())
