"""Machines of their own, on this one: network namespaces, each with a link to the head's, and what may be wrong with a link.

Needs root and iproute2. The addresses are private and known inside the namespaces only. Their names hold the pid of the torture, so
that several can run at once; what a torture that was killed has left behind, the next one takes away.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

HEAD = "head"
PREFIX = "ferry-torture"
NOBODY = "02:00:00:00:de:ad"  # the other side takes no frame that is addressed to another
THIN = ("tbf", "rate", "1mbit", "burst", "4kb", "latency", "30ms")  # what does not fit is dropped
LATE = ("netem", "delay", "80ms", "40ms", "loss", "2%")


class NoNetwork(Exception):
    """The machine refuses what ip was asked for."""


def ip(*words: str) -> str:
    end = subprocess.run(["ip", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if end.returncode != 0:
        raise NoNetwork(f"ip {' '.join(words)}: {end.stderr.strip()}")
    return end.stdout


def try_ip(*words: str) -> bool:
    try:
        ip(*words)
    except NoNetwork:
        return False
    return True


def obstacle() -> str:
    """Why no network can be made here; empty: one can."""
    if os.geteuid() != 0:
        return "network namespaces are root's to make"
    if not shutil.which("ip"):
        return "ip (iproute2) is not installed"
    name = f"{PREFIX}-{os.getpid()}-try"
    try:
        ip("netns", "add", name)
        ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "two")
    except NoNetwork as error:
        return str(error)
    finally:
        try_ip("netns", "del", name)
    return ""


def sweep() -> None:
    """Takes away the namespaces of tortures that are no more."""
    for name in re.findall(rf"^{PREFIX}-\d+-\S+", ip("netns", "list"), re.MULTILINE):
        if not Path("/proc", name.split("-")[2]).exists():
            try_ip("netns", "del", name)


class Network:
    """The head's namespace, one a node, and a link from each node to the head. Each link is used by one thread."""

    def __init__(self, nodes: tuple[str, ...]) -> None:
        self._numbers = {name: number for number, name in enumerate(nodes, 1)}
        try:
            for machine in (HEAD, *nodes):
                ip("netns", "add", self._space(machine))
                ip("-n", self._space(machine), "link", "set", "lo", "up")
            for node in nodes:
                self._join(node)
        except NoNetwork:
            self.close()
            raise
        self.can_delay = self._try_qdisc(nodes[0], LATE)
        self.can_thin = self._try_qdisc(nodes[0], THIN)

    def close(self) -> None:
        for machine in (HEAD, *self._numbers):
            try_ip("netns", "del", self._space(machine))

    def under(self, machine: str) -> list[str]:
        """What a program is started by to be on that machine; its pid stays."""
        return ["ip", "netns", "exec", self._space(machine)]

    def head_address(self, node: str) -> str:
        return f"10.77.{self._numbers[node]}.1"

    # ---- faults; nobody is told of what is lost --------------------------------------------------------------------------------

    def lose_from_head(self, node: str) -> None:
        try_ip("-n", self._space(HEAD), "neigh", "replace", self._node_address(node), "lladdr", NOBODY, "dev", node, "nud", "permanent")

    def lose_from_node(self, node: str) -> None:
        try_ip("-n", self._space(node), "neigh", "replace", self.head_address(node), "lladdr", NOBODY, "dev", HEAD, "nud", "permanent")

    def lose_all(self, node: str) -> None:
        self.lose_from_head(node)
        self.lose_from_node(node)

    def unplug_node(self, node: str) -> None:
        try_ip("-n", self._space(node), "link", "set", HEAD, "down")

    def unplug_head(self, node: str) -> None:
        try_ip("-n", self._space(HEAD), "link", "set", node, "down")

    def forbid(self, node: str) -> None:
        """The node is told at once that it may not speak to the head."""
        try_ip("-n", self._space(node), "route", "replace", "prohibit", self.head_address(node))

    def slow_down(self, node: str) -> None:
        """Late and lossy where the kernel has netem, thin where it has not."""
        for machine, device in self._ends(node):
            self._qdisc(machine, device, "replace", LATE if self.can_delay else THIN)

    def reset(self, node: str) -> None:
        """Breaks the connections that there are, and no others."""
        subprocess.run([*self.under(node), "ss", "-K", "dst", self.head_address(node)], stdin=subprocess.DEVNULL, capture_output=True)

    def mend(self, node: str) -> None:
        for machine, device in self._ends(node):
            try_ip("-n", self._space(machine), "link", "set", device, "up")
            self._qdisc(machine, device, "del", ())
        try_ip("-n", self._space(node), "route", "del", "prohibit", self.head_address(node))
        try_ip("-n", self._space(HEAD), "neigh", "del", self._node_address(node), "dev", node)
        try_ip("-n", self._space(node), "neigh", "del", self.head_address(node), "dev", HEAD)

    # ---- within ----------------------------------------------------------------------------------------------------------------

    def _join(self, node: str) -> None:
        ip("link", "add", node, "netns", self._space(HEAD), "type", "veth", "peer", "name", HEAD, "netns", self._space(node))
        ip("-n", self._space(HEAD), "addr", "add", self.head_address(node) + "/24", "dev", node)
        ip("-n", self._space(node), "addr", "add", self._node_address(node) + "/24", "dev", HEAD)
        for machine, device in self._ends(node):
            ip("-n", self._space(machine), "link", "set", device, "up")

    def _try_qdisc(self, node: str, words: tuple[str, ...]) -> bool:
        can = self._qdisc(HEAD, node, "replace", words)
        self._qdisc(HEAD, node, "del", ())
        return can

    def _qdisc(self, machine: str, device: str, verb: str, words: tuple[str, ...]) -> bool:
        argv = [*self.under(machine), "tc", "qdisc", verb, "dev", device, "root", *words]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    def _ends(self, node: str) -> tuple[tuple[str, str], tuple[str, str]]:
        return (HEAD, node), (node, HEAD)

    def _node_address(self, node: str) -> str:
        return f"10.77.{self._numbers[node]}.2"

    def _space(self, machine: str) -> str:
        return f"{PREFIX}-{os.getpid()}-{machine}"
