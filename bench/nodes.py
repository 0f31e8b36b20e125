#!/usr/bin/env python3
"""What it costs that a job runs on a node instead of on the head's own device, measured over loopback.

nodes.py [--bin DIR] [--jobs 400] [--gib 1] [--rounds 3]

Starts a head with two slots and a node with two, both of this machine, and measures, in turns,

  jobs/s     processes that do nothing, submitted while the queue is paused, from there until all have ended: on the head's own device, and
             on the node, where each end also waits until the head has the job's files
  submit     one after the other: from POST /jobs until the job has ended
  artifact   a job on the node that leaves one large file: from its end on the node until the head has it, beside `cat` of the same file
             through openssl s_client and s_server; and the memory of both daemons

Both sides share the cores of one machine, so the node's part costs here what it would not cost a head elsewhere. The table is Markdown.
Standard library and the openssl program.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from batching_parts.daemon import Connection

ROOT = Path(__file__).resolve().parents[1]
TYPES = """
[job_types.near]
command = ["true"]
device = "cpu"
memory_mib = 0
[job_types.far]
command = ["sh", "-c", "{params.script}"]
device = "cpu"
memory_mib = 2000
[job_types.far.parameters]
properties.script = { type = "string", default = "exec true" }
"""


class Http:
    def __init__(self, path: Path) -> None:
        self._connection = Connection(path)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        while True:
            self._connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body))
            response = self._connection.getresponse()
            answer = json.loads(response.read())
            if 200 <= response.status < 300:
                return answer
            if response.status != 503:  # the head takes a node in
                sys.exit(f"nodes: {method} {path} was answered {response.status} {answer}")
            time.sleep(0.05)


class Machine:
    """A ferryd with a configuration of its own."""

    def __init__(self, folder: Path, binaries: Path, node: str, memory_mib: int) -> None:
        folder.mkdir()
        self.folder, self.data = folder, folder / "data"
        (folder / "ferry.toml").write_text(
            f'[storage]\ndata_dir = "{self.data}"\n[http]\nsocket = "{folder}/s"\ntcp.listen = ""\n[devices.gpu]\nenabled = false\n'
            f"[devices.cpu]\nslots = 2\nmemory_mib = {memory_mib}\n[node]\n{node}{TYPES}")
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen([binaries / "ferryd", "--config", folder / "ferry.toml"], stdout=log, stderr=log)

    def peak_mib(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what} has not come within ten minutes")
        time.sleep(0.002)


def throughput(http: Http, kind: str, count: int) -> float:
    http.call("POST", "/queue/pause")
    before = http.call("GET", "/status")["counts"]["completed"]
    for first in range(0, count, 200):
        http.call("POST", "/jobs", {"jobs": [{"type": kind} for _ in range(min(200, count - first))]})
    begin = time.monotonic()
    http.call("POST", "/queue/unpause")
    wait_until(lambda: http.call("GET", "/status")["counts"]["completed"] >= before + count, f"the end of {count} jobs")
    return count / (time.monotonic() - begin)


def latency_ms(http: Http, kind: str) -> float:
    begin = time.monotonic()
    job = http.call("POST", "/jobs", {"type": kind})["id"]
    while http.call("GET", f"/jobs/{job}?wait=30")["status"] != "completed":
        pass
    return (time.monotonic() - begin) * 1000


def artifact_mib_s(http: Http, mib: int) -> float:
    script = f"head -c {mib}M /dev/zero > large; date +%s.%N > $FERRY_RUN_DIR/made; cp $FERRY_RUN_DIR/made made"
    job = http.call("POST", "/jobs", {"type": "far", "params": {"script": script}})["id"]
    while (seen := http.call("GET", f"/jobs/{job}?wait=60"))["status"] != "completed":
        if seen["status"] == "failed":
            sys.exit(f"the job failed: {seen}")
    now = time.time()
    made = float((Path(seen["directory"]) / "made").read_text())
    return mib / (now - made)


def cat_mib_s(certificates: Path, folder: Path, mib: int) -> float:
    source = folder / "source"
    with source.open("wb") as file:
        file.truncate(mib << 20)
    port = free_port()
    with (folder / "copy").open("wb") as copy:
        server = subprocess.Popen(
            ["openssl", "s_server", "-quiet", "-accept", str(port), "-cert", certificates / "head.pem", "-key", certificates / "head.key"],
            stdin=subprocess.PIPE, stdout=copy, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        begin = time.monotonic()
        with source.open("rb") as file:
            subprocess.run(["openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", f"127.0.0.1:{port}"], stdin=file, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        wait_until(lambda: (folder / "copy").stat().st_size >= mib << 20, "the copy")
        with (folder / "copy").open("rb") as file:
            os.fsync(file.fileno())
        took = time.monotonic() - begin
        server.kill()
        server.wait()
    return mib / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin")
    parser.add_argument("--jobs", type=int, default=400, help="no-op jobs of each way a round (400)")
    parser.add_argument("--gib", type=float, default=1, help="size of the artifact (1)")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts (3)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ferry-nodes-"))
    certificates, port = folder / "certs", free_port()
    for words in (["init"], ["issue", "head", "--host", "127.0.0.1"], ["issue", "alpha"]):
        subprocess.run([options.bin / "ferry", "certs", *words, "--dir", certificates], check=True, stdout=subprocess.DEVNULL)

    def files(name: str) -> str:
        return "".join(f'{key} = "{certificates / file}"\n' for key, file in
                       (("certificate", f"{name}.pem"), ("key", f"{name}.key"), ("ca", "ca.pem")))

    head = Machine(folder / "head", options.bin, f'listen = "127.0.0.1:{port}"\n{files("head")}', 1000)
    node = Machine(folder / "node", options.bin, f'join = "127.0.0.1:{port}"\nname = "alpha"\n{files("alpha")}', 4000)
    try:
        wait_until(lambda: (folder / "head" / "s").exists(), "the head")
        http = Http(folder / "head" / "s")
        wait_until(lambda: any(one["connected"] for one in http.call("GET", "/nodes")["nodes"]), "the node")
        rates: dict[str, list[float]] = {"near": [], "far": []}
        times: dict[str, list[float]] = {"near": [], "far": []}
        for _ in range(options.rounds):
            for kind, found in rates.items():
                found.append(throughput(http, kind, options.jobs))
            for kind, found in times.items():
                found.append(statistics.median(latency_ms(http, kind) for _ in range(50)))
        mib = int(options.gib * 1024)
        brought = statistics.median(artifact_mib_s(http, mib) for _ in range(options.rounds))
        copied = statistics.median(cat_mib_s(certificates, folder, mib) for _ in range(options.rounds))
        near, far = (statistics.median(rates[kind]) for kind in rates)
        soon, late = (statistics.median(times[kind]) for kind in times)
        print("| figure | on the head | on a node | ratio |\n|---|---|---|---|")
        print(f"| no-op processes, jobs/s | {near:.0f} | {far:.0f} | {far / near:.2f} |")
        print(f"| submit to end, p50, ms | {soon:.2f} | {late:.2f} | {late / soon:.2f} |")
        print(f"\nan artifact of {mib} MiB: {brought:.0f} MiB/s to the head; `cat` over TLS {copied:.0f} MiB/s: {brought / copied:.2f}")
        print(f"most memory since the start: head {head.peak_mib():.0f} MiB, node {node.peak_mib():.0f} MiB")
    finally:
        node.end()
        head.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
