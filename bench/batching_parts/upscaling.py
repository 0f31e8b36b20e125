"""Enlargements of a small picture by ferry-upscale: they gain from warmth alone, for it enlarges one picture after the other."""

import os
import struct
import subprocess
import zlib
from pathlib import Path
from random import Random
from typing import Any

from batching_parts.daemon import KEEP_ALIVE_SECONDS, Job, Queue, words

PROBE_SECONDS_MAX = 120
WHERE_NETWORKS_ARE = ("FERRY_MODELS", "FERRY_CACHE", "XDG_CACHE_HOME")


class Upscaling:
    name = "upscaling"

    def __init__(self, program: Path, work: Path, jobs: int, model: str, scale: int, pixels: int, max_items: int) -> None:
        self.jobs, self._program, self._model, self._scale, self._max_items = jobs, program, model, scale, max_items
        self.title = f"ferry-upscale, {model} ×{scale}, of {pixels}×{pixels} pixels"
        self._source = work / "source.png"
        self._source.write_bytes(picture(pixels))
        self._work = work

    def why_not(self) -> str:
        """What it lacks; empty: nothing."""
        command = [self._program, "--source", self._source, "--output", self._work / "probe.png", "--model", self._model, "--scale",
                   str(self._scale), "--device", "cpu", "--threads", "1"]
        try:
            probe = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS_MAX)
        except OSError as error:
            return str(error)
        return probe.stderr.strip() if probe.returncode != 0 else ""

    def types(self) -> str:
        inherited = words(*(name for name in WHERE_NETWORKS_ARE if name in os.environ))
        common = f'device = "cpu"\nthreads = 1\ninherit_environment = {inherited}\n'
        use = ("--device", "cpu", "--threads", "{threads}")
        worker = (f'{common}runner = "worker"\ncommand = {words(self._program, "--worker", *use)}\nwarm_key = ["model"]\n'
                  f'keep_alive = "{KEEP_ALIVE_SECONDS}s"\n')
        return (
            f"[job_types.upscaling_fresh]\n{common}command = {words(self._program, '--spec', '{spec}', *use)}\n"
            f"[job_types.upscaling_warm]\n{worker}"
            f"[job_types.upscaling_batched]\n{worker}batch.max_items = {self._max_items}\n"
        )

    def prepare(self, queue: Queue) -> None:
        pass

    def params(self, number: int) -> dict[str, Any]:
        return {"source": str(self._source), "model": self._model, "scale": self._scale}

    def seconds_said(self, jobs: list[Job]) -> float:
        return float(sum(job["result"]["seconds"] for job in jobs))


def picture(pixels: int) -> bytes:
    """A PNG: a slope of colours with some noise."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    random = Random(1)
    rows = bytearray()
    for y in range(pixels):
        rows.append(0)  # this row is not filtered
        for x in range(pixels):
            noise = random.randrange(32)
            rows += bytes((x * 223 // pixels + noise, y * 223 // pixels + noise, (x + y) * 111 // pixels + noise))
    header = struct.pack(">IIBBBBB", pixels, pixels, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
