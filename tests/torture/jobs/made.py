"""The files that tortured jobs make: the same here, where they are written, and where they are read and checked."""

import hashlib
import json
from random import Random


def text_of(job: int, batch: int, number: int, size: int) -> bytes:
    """The `number`th file of a job, as it is of that batch: a line that says so, and `size` bytes that follow from it."""
    head = json.dumps({"job": job, "batch": batch, "number": number, "bytes": size})
    return head.encode() + b"\n" + Random(head).randbytes(size)


def fault_of(text: bytes) -> str:
    """What is wrong with such a file; empty: it is whole."""
    head, _, _ = text.partition(b"\n")
    try:
        said = json.loads(head)
        whole = text_of(said["job"], said["batch"], said["number"], said["bytes"])
    except (ValueError, KeyError, TypeError):
        return f"begins with {head[:200]!r}"
    if text == whole:
        return ""
    return f"has {len(text)} bytes, {hashlib.sha256(text).hexdigest()[:12]}, and not those that follow from {head.decode()}"
