#!/usr/bin/env python3
"""Tortures ferry's nodes: a head and three nodes, links that are cut, and kill -9 on any side. At the end the books must balance.

torture_nodes.py --bin DIR [--seconds 60] [--seed N] [--patience 40] [--keep] [--work DIR]

Needs root and iproute2; status 77: there are none here, or no namespaces.
"""

import argparse
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from client import Client, Unanswered  # noqa: E402
from far_books import FarBooks  # noqa: E402
from far_kinds import CACHE_MIB, WARM_SECONDS, FarForm, Inputs, choose_far_orders  # noqa: E402
from far_users import FarMeddler, FarSubmitter  # noqa: E402
from job_kinds import MIB  # noqa: E402
from ledger import Ledger  # noqa: E402
from machines import LEASE, MARGIN, Head, Machine, Node, World, await_nodes  # noqa: E402
from network import Network, obstacle, sweep  # noqa: E402
from processes import Family, descendants  # noqa: E402
from settlement import END_SECONDS_MAX, Settlement  # noqa: E402
from torture import WORKER_ENDS_SECONDS, listed_counts  # noqa: E402
from troubles import HeadTroublemaker, JobKiller, NodeTroublemaker, Troubles  # noqa: E402

NAMES = ("alpha", "beta", "gamma")
SUBMITTERS, MEDDLERS = 2, 2
CROWDS_A_SECOND = 1.6
SKIPPED = 77
JOIN_SECONDS_MAX = 20.0  # a node is back so long after its link is mended, both daemons being there
LEAVE_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 2.0
SLACK_SECONDS = 1.5  # of a busy machine
TOLD_SECONDS = 10.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of ferryd, ferry-shim, ferry and ferry-certs")
    parser.add_argument("--seconds", type=float, default=60, help="how long jobs are submitted and trouble is made (60)")
    parser.add_argument("--seed", type=int, default=None, help="repeats the plan of an earlier torture (random)")
    parser.add_argument("--patience", type=float, default=40, help="seconds after which what still waits is cancelled (40)")
    parser.add_argument("--keep", action="store_true", help="keep the working folder also when all is well")
    parser.add_argument("--work", type=Path, default=None, help="a folder to make the working folder in (temporary)")
    return parser.parse_args()


class NodeTorture:
    """One torture from its first job to its balance, in a folder and a network of its own."""

    def __init__(self, options: argparse.Namespace, seed: int, work: Path, network: Network) -> None:
        self._options, self._seed, self._work = options, seed, work
        self._evidence = work / "evidence"
        self._evidence.mkdir()
        programs = options.bin.resolve()
        self._ledger, self._stop = Ledger(seed), threading.Event()
        self._form = FarForm(self._evidence, work, Inputs(work / "inputs", seed))
        self._family = Family(programs, work)
        world = World(programs, work, self._form, network, self._family, self._ledger)
        world.certify(NAMES)
        self._head, self._nodes = Head(world), [Node(name, world) for name in NAMES]
        self._troubles = Troubles(seed, self._head, network, self._ledger, self._stop)
        self._books = FarBooks(self._evidence, self._head.data, self._client(), self._ledger, self._troubles.outages, self._troubles.drains)

    def run(self) -> bool:
        """True: the books balance."""
        say, burying = self._ledger.say, threading.Event()
        undertaker = self._thread("undertaker", lambda: self._bury(burying))
        self._thread("alarm", lambda: self._end_in_time(self._options.seconds * 1.1 + self._options.patience + 3 * END_SECONDS_MAX))
        try:
            self._start()
            self._torture()
            say("the trouble is over; waiting for every node to be back")
            if missing := await_nodes(self._client(), NAMES, JOIN_SECONDS_MAX):
                self._ledger.crime(f"these nodes are not connected {JOIN_SECONDS_MAX:.0f} s after all was mended: {missing}")
            say("waiting for every job to end")
            Settlement(self._seed, self._options.patience, self._evidence, self._client(), self._ledger).work()
            say("checking the books")
            self._books.audit()
            say("looking whether all leave when they should")
            self._leave()
        except Unanswered as error:
            self._ledger.crime(f"nobody answers any more: {error}")
        finally:
            self._stop.set()
            self._end_all()
            burying.set()
            undertaker.join()
        self._check_database()
        self._balance()
        return not self._ledger.crimes()

    def _start(self) -> None:
        self._head.start_and_serve()
        for node in self._nodes:
            node.start()
        if missing := await_nodes(self._client(), NAMES, JOIN_SECONDS_MAX):
            self._ledger.crime(f"these nodes have not joined after {JOIN_SECONDS_MAX:.0f} s: {missing}")

    def _torture(self) -> None:
        threads = [self._thread(f"trouble of {node.name}", NodeTroublemaker(node, self._client(), self._troubles).work)
                   for node in self._nodes]
        threads.append(self._thread("trouble of the head", HeadTroublemaker(self._troubles).work))
        threads.append(self._thread("killer of jobs", JobKiller(self._nodes, self._troubles).work))
        threads += [self._thread(f"meddler {n}", FarMeddler(n, MEDDLERS, self._seed, self._evidence, self._head.data / "runs",
                                                            self._client(), self._ledger, self._stop).work) for n in range(MEDDLERS)]
        submitters = [self._thread(f"submitter {n}", one.work) for n, one in enumerate(self._submitters())]
        begun = told = time.monotonic()
        while time.monotonic() < begun + self._options.seconds or any(thread.is_alive() for thread in submitters):
            time.sleep(0.5)
            if time.monotonic() - told > TOLD_SECONDS:
                told = time.monotonic()
                self._ledger.say(self._progress())
        self._stop.set()
        for thread in threads + submitters:
            thread.join()

    def _submitters(self) -> list[FarSubmitter]:
        random = Random(f"{self._seed}/far orders")
        crowds = [choose_far_orders(random) for _ in range(round(self._options.seconds * CROWDS_A_SECOND))]
        return [FarSubmitter(n, self._seed, crowds[n::SUBMITTERS], self._options.seconds, self._form, self._client(), self._ledger)
                for n in range(SUBMITTERS)]

    # ---- the end ---------------------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """Nothing of what has ended is left on a node, and every daemon ends when it is asked to."""
        for node in self._nodes:
            self._eventually(lambda: [str(one) for one, _ in node.own.jobs()], f"processes of jobs remain on {node.name}")
            self._eventually(node.runs, f"directories of runs remain on {node.name}")
            self._eventually(lambda: [str(one) for one, _ in node.own.workers()] + node.folders_of_workers(),
                             f"workers outlive their keep_alive on {node.name}", WARM_SECONDS + WORKER_ENDS_SECONDS)
            if (cached := node.cached_bytes()) > CACHE_MIB * MIB:
                self._ledger.crime(f"the cache of {node.name} takes {cached} bytes, which is more than {CACHE_MIB} MiB")
        given = [f"{one['name']}: {one['runs']}" for one in self._client().get("/nodes").json["nodes"] if one["runs"]]
        if given:
            self._ledger.crime(f"all jobs have ended, and the head believes of its nodes that they run {given}")
        for machine in self._machines():
            machine.stop()
            if machine.stops and (longest := max(machine.stops)) > STOP_SECONDS_MAX + SLACK_SECONDS:
                self._ledger.crime(f"{machine.name} took {longest:.1f} s to end after SIGTERM")
        self._eventually(lambda: [str(one) for one in descendants(os.getpid())], "processes remain")

    def _eventually(self, look: Callable[[], list[str]], crime: str, seconds: float = LEAVE_SECONDS_MAX) -> None:
        until = time.monotonic() + seconds
        while left := look():
            if time.monotonic() > until:
                self._ledger.crime(f"{crime}: {', '.join(left)}")
                return
            time.sleep(0.05)

    def _end_all(self) -> None:
        """After the last check: ends what should not be there any more."""
        until = time.monotonic() + LEAVE_SECONDS_MAX
        while (left := [one for one in descendants(os.getpid()) if one.lives]) and time.monotonic() < until:
            self._family.end(left)
            time.sleep(0.05)

    def _check_database(self) -> None:
        try:
            with sqlite3.connect(self._head.data / "ferry.db") as database:
                said = database.execute("PRAGMA integrity_check").fetchall()
            database.close()
        except sqlite3.Error as error:
            said = [(repr(error),)]
        if said != [("ok",)]:
            self._ledger.crime(f"the database is damaged: {said}")

    # ---- what is told ----------------------------------------------------------------------------------------------------------

    def _progress(self) -> str:
        counts = self._ledger.counts
        kills = ", ".join(f"{counts['kills of ' + what]} of {what}" for what in
                          ("the head", "a node's daemon", "shims", "job processes", "worker processes"))
        cuts = sum(n for name, n in counts.items() if name.startswith("links"))
        return f"{len(self._ledger.entries())} jobs; kills: {kills}; links at fault {cuts} times; {len(self._ledger.crimes())} crimes"

    def _balance(self) -> None:
        counts, books = self._ledger.counts, self._books
        kinds = {name.removeprefix("acknowledged "): n for name, n in sorted(counts.items()) if name.startswith("acknowledged ")}
        deeds = {name: n for name, n in sorted(counts.items()) if not name.startswith(("acknowledged ", "submitted", "log MiB"))}
        print(f"\nsubmitted {counts['submitted']}, acknowledged {sum(kinds.values())}: {listed_counts(kinds)}")
        print(f"ended: {listed_counts(books.states)}; {listed_counts(books.attempts)}")
        print(f"done to it: {listed_counts(deeds)}")
        for machine in self._machines():
            if machine.stops:
                print(f"{machine.name}: {len(machine.stops)} stops; ended after {max(machine.stops):.2f} s (longest)")
            for line in machine.errors()[:5]:
                print(f"{machine.name} logged: {line}")
        for crime in self._ledger.crimes():
            print(f"FAILED (seed {self._seed}): {crime}")
        crimes = len(self._ledger.crimes())
        print(f"seed {self._seed}: " + (f"{crimes} crimes" if crimes else "the books balance"), flush=True)

    # ---- within ----------------------------------------------------------------------------------------------------------------

    def _machines(self) -> list[Machine]:
        return [*self._nodes, self._head]

    def _bury(self, stop: threading.Event) -> None:
        while not stop.wait(0.2):
            self._family.bury()

    def _end_in_time(self, seconds: float) -> None:
        """Whatever hangs, nothing is left running for whoever waits for this to end."""
        time.sleep(seconds)
        self._ledger.crime(f"the torture has not ended after {seconds:.0f} s; kept: {self._work}")
        self._balance()
        self._end_all()
        self._troubles.network.close()
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
        return Client(self._head.socket)


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the clean-up
    if why := obstacle():
        print(f"skipped: no network namespaces here: {why}")
        return SKIPPED
    seed = Random().getrandbits(32) if options.seed is None else options.seed
    print(f"torture_nodes: --seed {seed} --seconds {options.seconds:g}; lease {LEASE:g} s and {MARGIN:g} s", flush=True)
    sweep()
    work = Path(tempfile.mkdtemp(prefix="ferry-torture-nodes-", dir=options.work)).resolve()
    network = Network(NAMES)
    if not network.can_delay:
        print("this kernel has no netem: links are " + ("thin (tbf) instead of late" if network.can_thin else "never slowed"), flush=True)
    try:
        balanced = NodeTorture(options, seed, work, network).run()
    except SystemExit:  # it was asked to end
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
        raise
    finally:
        network.close()
    if balanced and not options.keep:
        shutil.rmtree(work, ignore_errors=True)
    else:
        print(f"kept: {work}")
    return 0 if balanced else 1


if __name__ == "__main__":
    sys.exit(main())
