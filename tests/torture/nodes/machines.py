"""The head and the nodes: a ferryd each, on a machine of its own."""

import json
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from client import Client
from daemon import SERVE_SECONDS_MAX, Daemon
from far_kinds import CACHE_MIB, HEAD_MEMORY_MIB, HEAD_SLOTS, NODE_MEMORY_MIB, NODE_SLOTS, FarForm
from ledger import Ledger
from network import HEAD, Network
from processes import Family

PORT = 7879
HEARTBEAT, SILENT_AFTER, LEASE, MARGIN = 0.2, 0.6, 4.0, 5.0  # seconds; the margin is ferry's own
LENDS = "lends this machine's devices"  # in the log of a node's daemon, once it takes signals


@dataclass(frozen=True)
class World:
    """What all machines share."""

    programs: Path
    work: Path
    form: FarForm
    network: Network
    family: Family
    ledger: Ledger

    def certify(self, nodes: tuple[str, ...]) -> None:
        hosts = [word for node in nodes for word in ("--host", self.network.head_address(node))]
        for words in (["init"], ["issue", HEAD, *hosts], *(["issue", node] for node in nodes)):
            argv = [str(self.programs / "ferry"), "certs", *words, "--dir", str(self.work / "certs")]
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)

    def files(self, name: str) -> str:
        files = {"certificate": f"{name}.pem", "key": f"{name}.key", "ca": "ca.pem"}
        return "".join(f"{key} = {json.dumps(str(self.work / 'certs' / file))}\n" for key, file in files.items())


class Machine(Daemon):
    """One ferryd at a time there, used by one thread. `section`: lines of [node]."""

    def __init__(self, name: str, section: str, slots: int, memory_mib: int, world: World) -> None:
        self.name, self._section = name, section + world.files(name)
        self._device = f"[devices.gpu]\nenabled = false\n[devices.cpu]\nslots = {slots}\nmemory_mib = {memory_mib}\n"
        folder = world.work / name
        folder.mkdir()
        super().__init__(world.programs, folder, world.form, world.family, world.ledger)
        self._argv = [*world.network.under(name), *self._argv]

    def _configure(self, with_retries: bool, keep_workers: bool = True) -> bool:
        http = "" if "join" in self._section else f"[http]\nsocket = {json.dumps(str(self.socket))}\ntcp.listen = \"\"\n"
        self._file.write_text(f"[storage]\ndata_dir = {json.dumps(str(self.data))}\n{http}[node]\n{self._section}{self._device}"
                              + self._form.types(with_retries, keep_workers))
        check = subprocess.run([*self._argv, "--check-config"], capture_output=True, text=True)
        if check.returncode != 0:
            self._ledger.say(check.stdout + check.stderr)
        return check.returncode == 0

    def freeze(self) -> None:
        """It stands still, as a whole machine would not: its shims go on."""
        if self._child:
            self._child.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._child:
            self._child.process.send_signal(signal.SIGCONT)

    @property
    def is_alive(self) -> bool:
        return self._child is not None and not self._notice_end(self._child)


class Head(Machine):
    def __init__(self, world: World) -> None:
        section = (f'listen = "0.0.0.0:{PORT}"\nheartbeat = "{HEARTBEAT * 1000:.0f}ms"\nsilent_after = "{SILENT_AFTER * 1000:.0f}ms"\n'
                   f'lease = "{LEASE:g}s"\n')
        super().__init__(HEAD, section, HEAD_SLOTS, HEAD_MEMORY_MIB, world)

    def run_of(self, batch: str) -> str:
        """Its directory of a run, also of one on a node: by that name the ledger knows it."""
        return str(self.data / "runs" / batch)


class Node(Machine):
    """`root`: where its runs, its workers and its cache are."""

    def __init__(self, name: str, world: World) -> None:
        section = (f'join = "{world.network.head_address(name)}:{PORT}"\nname = "{name}"\nsilent_after = "{SILENT_AFTER * 1000:.0f}ms"\n'
                   f"cache_mib = {CACHE_MIB}\n")
        super().__init__(name, section, NODE_SLOTS, NODE_MEMORY_MIB, world)
        self.root = self.data / "node"
        self.own = Family(world.programs, self.root)

    def _await_service(self) -> bool:
        """It serves nobody; that it joins, others see to."""
        return True

    def stop(self) -> None:
        """Before it says that it is there, SIGTERM ends it as it ends any program."""
        until = time.monotonic() + SERVE_SECONDS_MAX
        while self._child and LENDS not in self._child.log.read_text(errors="replace") and time.monotonic() < until:
            time.sleep(0.02)
        super().stop()

    def wipe(self) -> None:
        """Another machine, of the same name."""
        shutil.rmtree(self.data, ignore_errors=True)

    def runs(self) -> list[str]:
        """The batches that it has directories of."""
        return sorted((path.name for path in (self.root / "runs").glob("[0-9]*") if path.name.isdigit()), key=int)

    def folders_of_workers(self) -> list[str]:
        return [str(path) for path in (self.root / "workers").glob("[0-9]*")]

    def cached_bytes(self) -> int:
        return sum(path.lstat().st_size for path in (self.root / "cache").rglob("*") if path.is_file())


def await_nodes(client: Client, names: tuple[str, ...], seconds: float) -> list[str]:
    """Waits until all of these are connected; returns those that are not."""
    until = time.monotonic() + seconds
    while True:
        there = {one["name"] for one in client.get("/nodes").json["nodes"] if one["connected"]}
        missing = [name for name in names if name not in there]
        if not missing or time.monotonic() > until:
            return missing
        time.sleep(0.05)
