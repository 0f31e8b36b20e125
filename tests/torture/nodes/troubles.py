"""What is done to a node and its link: everything that may happen to a machine elsewhere, and to the way there."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random

from client import Client, Unanswered
from ledger import Ledger
from machines import LEASE, MARGIN, Head, Node
from network import Network
from outages import Outages, now_ms
from processes import Process, descendants, send

OVER_SECONDS_MAX = 10.0  # until a daemon has ended what is left of a run without its shim
POWER_SECONDS_MAX = 10.0
Drain = tuple[str, float, float]  # a node, and from when until when, in ms, it was drained


class Troubles:
    """What all that make trouble know."""

    def __init__(self, seed: int, head: Head, network: Network, ledger: Ledger, stop: threading.Event) -> None:
        self.seed, self.head, self.network, self.ledger, self.stop = seed, head, network, ledger, stop
        self.outages = Outages()
        self.drains: list[Drain] = []

    def blame(self, node: Node, folders: set[str]) -> None:
        """Noted before the signal. What is done to a worker is done to all that the node runs."""
        batches = {folder.rsplit("/", 1)[1] for folder in folders if "/runs/" in folder}
        if any("/workers/" in folder for folder in folders):
            batches |= set(node.runs())
        for batch in batches:
            self.ledger.kill_run(self.head.run_of(batch))


class Troublemaker:
    """Of one machine: does something, waits, does the next thing."""

    def __init__(self, name: str, troubles: Troubles) -> None:
        self._random = Random(f"{troubles.seed}/trouble of {name}")
        self._troubles, self._ledger, self._stop = troubles, troubles.ledger, troubles.stop
        self._deeds: dict[Callable[[], None], int] = {}

    def work(self) -> None:
        while not self._stop.wait(self._random.choice((0.1, self._random.uniform(0, 1.5), self._random.uniform(1, 5)))):
            self._do_one(self._deeds)

    def _do_one(self, deeds: dict[Callable[[], None], int]) -> None:
        self._random.choices(list(deeds), list(deeds.values()))[0]()

    def _choose_seconds(self) -> float:
        """A moment; less than a lease; longer than the head waits."""
        bounds = ((0, 0.6), (0.6, LEASE), (LEASE, LEASE + MARGIN + 3))
        return self._random.uniform(*self._random.choices(bounds, (45, 35, 20))[0])

    def _out(self, machine: str) -> AbstractContextManager[None]:
        return self._troubles.outages.of(machine)


class NodeTroublemaker(Troublemaker):
    """Owns a node while the torture lasts.

    It kills no shim of a node whose daemon does not live and run: who then looks after the run is nobody, as docs/nodes.md says.
    """

    def __init__(self, node: Node, client: Client, troubles: Troubles) -> None:
        super().__init__(node.name, troubles)
        self._node, self._name, self._client, self._network = node, node.name, client, troubles.network
        network = troubles.network
        self._faults = {network.lose_all: 25, network.lose_from_head: 20, network.lose_from_node: 20, network.unplug_node: 10,
                        network.unplug_head: 10, network.forbid: 10, network.slow_down: 15 if network.can_delay or network.can_thin else 0}
        self._deeds = {self._kill_shim: 60, self._kill: 25, self._terminate: 8, self._freeze: 14, self._cut: 50, self._flap: 8,
                       self._reset: 6, self._turn_off: 10, self._drain: 10}
        # While it is cut off:
        self._inner = {self._kill_shim: 40, self._kill: 25, self._terminate: 8, self._freeze: 14}

    def work(self) -> None:
        super().work()
        self._network.mend(self._name)
        self._node.revive()

    # ---- its daemon ------------------------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        self._ledger.count("kills of a node's daemon")
        with self._out(self._name):
            self._node.kill()
            self._pause()
            self._node.start()

    def _terminate(self) -> None:
        self._ledger.count("stops of a node's daemon")
        with self._out(self._name):
            self._node.stop()
            self._pause()
            self._node.start()

    def _freeze(self) -> None:
        self._ledger.count("halts of a node's daemon")
        with self._out(self._name):
            self._node.freeze()
            self._pause()
            self._node.thaw()

    def _turn_off(self) -> None:
        """The machine is off, and after a while on again; meanwhile its operator may say so, or put another one in its place."""
        self._ledger.count("nodes turned off")
        with self._out(self._name):
            self._node.kill()
            self._troubles.blame(self._node, {f"/runs/{batch}" for batch in self._node.runs()})
            until = time.monotonic() + POWER_SECONDS_MAX
            while left := self._processes():
                self._node.own.end(left)
                if time.monotonic() > until:
                    self._ledger.crime(f"on {self._name} KILL has not ended {', '.join(map(str, left))}")
                    break
                time.sleep(0.01)
            removed = self._random.random() < 0.5 and self._remove()
            if removed and self._random.random() < 0.4:
                self._ledger.count("nodes replaced")
                self._node.wipe()
            elif not removed or self._random.random() < 0.7:
                self._pause()
            self._node.start()

    def _remove(self) -> bool:
        """A head that is not there, or that has not noticed yet, says no."""
        until, since = time.monotonic() + LEASE, now_ms()
        while time.monotonic() < until and not self._stop.is_set():
            answer = self._client.request("DELETE", f"/nodes/{self._name}?force=true")
            if answer.status in (200, 404):
                self._ledger.count("nodes removed by force")
                self._troubles.outages.removal(self._name, since)
                return True
            if answer.status != 409:
                self._ledger.crime(f"the removal of {self._name} was answered {answer}")
            time.sleep(0.2)
        return False

    def _processes(self) -> list[Process]:
        """Its shims, and all of its jobs and workers. Shims that are kept ready are of no use to anybody, and end by themselves."""
        shims = [shim for shim in self._node.own.shims() if self._node.own.runs_of(shim) or self._node.own.workers_of(shim)]
        below = [process for shim in shims for process in descendants(shim.pid)]
        jobs = [process for process, _ in self._node.own.jobs() + self._node.own.workers()]
        return [process for process in {one.pid: one for one in shims + below + jobs}.values() if process.lives]

    # ---- its link --------------------------------------------------------------------------------------------------------------

    def _cut(self) -> None:
        fault = self._random.choices(list(self._faults), list(self._faults.values()))[0]
        self._ledger.count(f"links: {fault.__name__}")
        seconds = self._choose_seconds()
        with self._out(self._name):
            until = time.monotonic() + seconds
            fault(self._name)
            while self._random.random() < 0.5 and not self._stop.wait(self._random.uniform(0, seconds / 2)):
                self._ledger.count("deeds while a link was at fault")
                self._do_one(self._inner)
            self._stop.wait(max(0.0, until - time.monotonic()))
            self._network.mend(self._name)

    def _flap(self) -> None:
        self._ledger.count("links that flap")
        with self._out(self._name):
            for _ in range(self._random.randint(3, 8)):
                self._random.choice((self._network.lose_all, self._network.lose_from_head, self._network.lose_from_node))(self._name)
                time.sleep(self._random.uniform(0, 0.8))
                self._network.mend(self._name)
                time.sleep(self._random.uniform(0, 0.8))

    def _reset(self) -> None:
        self._ledger.count("connections reset")
        with self._out(self._name):
            self._network.reset(self._name)

    # ---- what it runs ----------------------------------------------------------------------------------------------------------

    def _kill_shim(self) -> None:
        own = self._node.own
        busy = [(shim, runs) for shim in own.shims() if (runs := own.runs_of(shim) | own.workers_of(shim))]
        if not busy or not self._node.is_alive:
            return
        shim, folders = self._random.choice(busy)
        self._troubles.blame(self._node, folders)
        if send(shim, signal.SIGKILL):
            self._ledger.count("kills of shims")
            self._await_end_of(folders)

    def _await_end_of(self, folders: set[str]) -> None:
        """The daemon ends what is left of them."""
        until = time.monotonic() + OVER_SECONDS_MAX
        while left := [str(one) for one, folder in self._node.own.jobs() + self._node.own.workers() if folder in folders]:
            if time.monotonic() > until:
                self._ledger.crime(f"{OVER_SECONDS_MAX:.0f} s after their shim was killed on {self._name}, whose daemon lives, "
                                   f"{', '.join(left)} of {folders} live")
                return
            time.sleep(0.02)

    # ---- its users -------------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        if not self._client.post(f"/nodes/{self._name}/drain").good:
            return  # it was removed
        since = now_ms()
        self._ledger.count("drains")
        self._stop.wait(self._random.uniform(0.2, 4))
        if self._random.random() < 0.3:
            self._kill()
        until = now_ms()
        answer = self._client.post(f"/nodes/{self._name}/resume")
        if not answer.good:
            self._ledger.crime(f"{self._name} was to be resumed: {answer}")
        self._troubles.drains.append((self._name, since, until))

    def _pause(self) -> None:
        self._stop.wait(self._choose_seconds())


class HeadTroublemaker(Troublemaker):
    """Owns the head while the torture lasts."""

    def __init__(self, troubles: Troubles) -> None:
        super().__init__(troubles.head.name, troubles)
        self._head = troubles.head
        self._deeds = {self._kill: 40, self._kill_while_it_starts: 15, self._terminate: 12, self._freeze: 12}

    def work(self) -> None:
        """A lease counts anew from each start of the head: now and then it lives for long enough to see one end."""
        bounds = ((0.2, 3), (2, 8), (LEASE + MARGIN + 1, LEASE + MARGIN + 6))
        while not self._stop.wait(self._random.uniform(*self._random.choices(bounds, (45, 35, 20))[0])):
            self._do_one(self._deeds)

    def _kill(self) -> None:
        self._ledger.count("kills of the head")
        with self._out(self._head.name):
            self._head.kill()
            self._pause()
            self._head.start_and_serve()

    def _kill_while_it_starts(self) -> None:
        with self._out(self._head.name):
            for _ in range(self._random.randint(1, 3)):
                self._ledger.count("kills of the head")
                self._head.kill()
                self._head.start()
                time.sleep(self._random.uniform(0, 0.4))
            self._head.kill()
            self._head.start_and_serve()

    def _terminate(self) -> None:
        self._ledger.count("stops of the head")
        with self._out(self._head.name):
            self._head.stop()
            self._pause()
            self._head.start_and_serve()

    def _freeze(self) -> None:
        self._ledger.count("halts of the head")
        with self._out(self._head.name):
            self._head.freeze()
            self._pause()
            self._head.thaw()

    def _pause(self) -> None:
        """Mostly shorter than a lease, or nothing would ever be done."""
        self._stop.wait(self._random.uniform(0, 0.5) if self._random.random() < 0.7 else self._random.uniform(0, LEASE + 1))


class JobKiller(Troublemaker):
    """Meets processes of jobs and of workers, on any node."""

    def __init__(self, nodes: list[Node], troubles: Troubles) -> None:
        super().__init__("jobs", troubles)
        self._nodes = nodes

    def work(self) -> None:
        while not self._stop.wait(self._random.uniform(0.1, 1.5)):
            own = (node := self._random.choice(self._nodes)).own
            if self._random.random() < 0.7:
                self._kill_one_of(node, own.jobs(), "kills of job processes")
            else:
                self._kill_one_of(node, own.workers(), "kills of worker processes")

    def _kill_one_of(self, node: Node, found: list[tuple[Process, str]], what: str) -> None:
        if not found:
            return
        process, folder = self._random.choice(found)
        self._troubles.blame(node, {folder})
        if send(process, signal.SIGKILL):
            self._ledger.count(what)
