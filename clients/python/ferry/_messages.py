"""What a worker says to ferry, as lines of JSON; docs/worker_protocol.md has the list."""

import json
import math
import os
from typing import Any, Mapping, Optional, Union

LINE_BYTES_MAX = 1 << 20  # of the protocol, the end of the line included
ERROR_CHARACTERS_MAX = 16_384
KINDS = ("oom", "input", "transient", "cancelled")


class InputError(Exception):
    """Parameters or files that no job can begin with: another try would fail alike. The text is for the user."""


def check_kind(kind: Optional[str]) -> None:
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, is {kind!r}")


def _out_of_memory(why: BaseException) -> bool:
    if isinstance(why, MemoryError) or any(each.__name__ == "OutOfMemoryError" for each in type(why).__mro__):
        return True
    return isinstance(why, RuntimeError) and any(words in str(why) for words in ("out of memory", "can't allocate memory"))


def failure(error: Union[str, BaseException], kind: Optional[str] = None) -> dict[str, Any]:
    """The `failed` for a text or an exception, without its job."""
    text = error if isinstance(error, str) else str(error) if isinstance(error, InputError) else named(error)
    if kind is None and isinstance(error, BaseException):
        kind = "input" if isinstance(error, InputError) else "oom" if _out_of_memory(error) else None
    if len(text) > ERROR_CHARACTERS_MAX:
        text = text[:ERROR_CHARACTERS_MAX - 1] + "…"
    return {"type": "failed", "error": text, **({"kind": kind} if kind else {})}


def named(why: BaseException) -> str:
    return f"{type(why).__name__}: {why}" if str(why) else type(why).__name__


def _plain(value: Any) -> Any:
    """The value in JSON's own types: paths as text, numbers of NumPy and PyTorch as numbers, NaN and infinities by name."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if type(value).__module__.partition(".")[0] in ("numpy", "torch") and hasattr(value, "tolist"):
        return _plain(value.tolist())
    return value


def encoded(members: Mapping[str, Any]) -> bytes:
    line = json.dumps(_plain(members), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"
    if len(line) > LINE_BYTES_MAX:
        raise ValueError(f"a line of type {members['type']} would have {len(line)} bytes, at most {LINE_BYTES_MAX} are allowed: "
                         "put what is large into a file and name that")
    return line
