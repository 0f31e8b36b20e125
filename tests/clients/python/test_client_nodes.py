"""The machines that lend their devices: listed, drained and removed, with a second daemon as the node."""

import asyncio
import socket
import subprocess
import time
from datetime import datetime, timezone
from typing import Any, Callable

from daemon import PROGRAMS, SAMPLE_TYPE, WAIT_SECONDS, Between, Daemon, DaemonTest, answer_of

import ferry
from ferry.reports import Node, NodeDevice

_FILES = 'certificate = "{folder}/certs/@.pem"\nkey = "{folder}/certs/@.key"\nca = "{folder}/certs/ca.pem"\n'
_HEAD = '[node]\nlisten = "127.0.0.1:%d"\nheartbeat = "100ms"\nsilent_after = "500ms"\n' + _FILES.replace("@", "head")
_NODE = """
[storage]
data_dir = "{folder}/node"
[devices.gpu]
enabled = false
[devices.cpu]
slots = 1
memory_mib = 500
[node]
join = "127.0.0.1:%d"
name = "alpha"
""" + _FILES.replace("@", "alpha")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


class Nodes(DaemonTest):
    port = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.port = _free_port()
        cls.daemon = Daemon(SAMPLE_TYPE + _HEAD % cls.port)
        cls.addClassCleanup(cls.daemon.end)
        for words in (["init"], ["issue", "head", "--host", "127.0.0.1"], ["issue", "alpha"]):
            subprocess.run([str(PROGRAMS / "ferry"), "certs", *words, "--dir", str(cls.daemon.folder / "certs")], check=True,
                           capture_output=True)
        cls.daemon.start()

    def join(self) -> "subprocess.Popen[bytes]":
        """The node; returns once it is connected."""
        config = self.daemon.folder / "node.toml"
        config.write_text((_NODE % self.port).format(folder=self.daemon.folder))
        node = subprocess.Popen([str(PROGRAMS / "ferryd"), "--config", str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        self.addCleanup(node.wait)
        self.addCleanup(node.kill)
        self.alpha(lambda alpha: alpha.connected)
        return node

    def alpha(self, wanted: Callable[[Node], bool]) -> Node:
        """Once it is as wanted."""
        give_up_at = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < give_up_at:
            for node in self.client.nodes():
                if node.name == "alpha" and wanted(node):
                    return node
            time.sleep(0.05)
        raise AssertionError("it did not come")

    def test_a_node_is_listed_drained_and_removed(self) -> None:
        self.assertEqual(self.client.nodes(), ())
        node = self.join()
        alpha = self.alpha(lambda alpha: True)
        self.assertEqual((alpha.version, alpha.drained, alpha.trouble, alpha.runs), (self.client.status().version, False, None, ()))
        self.assertEqual([(device.id, device.kind, device.slots, device.memory_mib) for device in alpha.devices], [("cpu", "cpu", 1, 500)])
        self.assertEqual([device.id for device in self.client.status().devices], ["cpu", "alpha:cpu"])
        self.client.drain_node("alpha")
        self.assertEqual(self.alpha(lambda alpha: alpha.drained).trouble, "node alpha is drained")
        self.client.resume_node("alpha")
        self.assertFalse(self.alpha(lambda alpha: True).drained)
        self.assertIn("connected", str(self.refused(ferry.Conflict, self.client.remove_node, "alpha")))

        gates = [self.daemon.gate() for _ in self.client.status().devices]
        jobs = [self.script(f"read x < {gate}") for gate in gates]
        busy = self.alpha(lambda alpha: alpha.runs != ())
        node.kill()
        self.assertEqual(self.alpha(lambda alpha: not alpha.connected).runs, busy.runs)
        why = self.refused(ferry.Conflict, self.client.remove_node, "alpha")
        self.assertIn(f"may still run batch {busy.runs[0]}", str(why))
        node = self.join()
        for gate in gates:
            gate.open()
        self.assertEqual({job.status for job in self.client.wait_all(jobs, WAIT_SECONDS)}, {"completed"})
        node.kill()
        self.alpha(lambda alpha: not alpha.connected and alpha.runs == ())
        self.client.remove_node("alpha")
        self.assertEqual(self.client.nodes(), ())
        self.assertEqual([device.id for device in self.client.status().devices], ["cpu"])


class WithoutNodes(DaemonTest):
    def test_what_the_daemon_does_not_know_is_refused(self) -> None:
        calls: "list[Callable[..., None]]" = [self.client.drain_node, self.client.resume_node, self.client.remove_node]
        for call in calls:
            self.assertIn("no node 'beta'", str(self.refused(ferry.NotFound, call, "beta")))
            self.refused(ferry.InvalidArgument, call, "")

    def test_asyncio_has_the_same(self) -> None:
        async def body() -> Any:
            async with ferry.AsyncClient(self.daemon.socket) as client:
                for call in (client.drain_node("beta"), client.resume_node("beta"), client.remove_node("beta", force=True)):
                    with self.assertRaises(ferry.NotFound):
                        await call
                return await client.nodes()
        self.assertEqual(asyncio.run(body()), self.client.nodes())

    def test_a_node_is_read_whole(self) -> None:
        told = {"name": "alpha", "version": "0.1.0", "address": "192.0.2.7", "connected": False, "drained": True,
                "trouble": "node alpha is not connected", "heard": "2026-01-31T12:00:00.500Z", "lease_ends": "2026-01-31T12:01:05.500Z",
                "devices": [{"id": "cpu", "kind": "cpu", "name": "8 cores", "slots": 4, "memory_mib": 2000}], "runs": [7, 8]}
        bare: "dict[str, Any]" = {"name": "beta", "trouble": None, "heard": None, "lease_ends": None, "devices": [], "runs": []}
        between = Between(self.daemon.folder / "between", self.daemon.socket, answer_of(200, {"nodes": [told, bare]}))
        self.addCleanup(between.close)
        with ferry.Client(between.path) as client:
            alpha, beta = client.nodes()
        self.assertEqual(alpha, Node(
            name="alpha", version="0.1.0", address="192.0.2.7", connected=False, drained=True, trouble="node alpha is not connected",
            heard=datetime(2026, 1, 31, 12, 0, 0, 500_000, timezone.utc),
            lease_ends=datetime(2026, 1, 31, 12, 1, 5, 500_000, timezone.utc),
            devices=(NodeDevice(id="cpu", kind="cpu", name="8 cores", slots=4, memory_mib=2000),), runs=(7, 8)))
        self.assertEqual(beta, Node(name="beta"))
        self.assertEqual(between.seen, ["GET /api/v1/nodes"])

    def test_what_it_may_still_run_is_given_up_only_by_force(self) -> None:
        gone = answer_of(200, {"name": "alpha", "removed": True})
        between = Between(self.daemon.folder / "force", self.daemon.socket, gone, gone)
        self.addCleanup(between.close)
        with ferry.Client(between.path) as client:
            client.remove_node("alpha")
            client.remove_node("alpha", force=True)
        self.assertEqual(between.seen, ["DELETE /api/v1/nodes/alpha", "DELETE /api/v1/nodes/alpha?force=true"])
