"""The numbered lines that jobs print: the same here, where they are written, and where the log is checked."""

from collections.abc import Iterator

LINE_BYTES = 128
LINES_A_PIECE = 2048


def line(number: int) -> bytes:
    return (b"line %012d " % number).ljust(LINE_BYTES - 1, b".") + b"\n"


def pieces(lines: int) -> Iterator[bytes]:
    """Lines 1 to `lines`, a quarter of a MiB at a time."""
    for first in range(1, lines + 1, LINES_A_PIECE):
        yield b"".join(map(line, range(first, min(first + LINES_A_PIECE, lines + 1))))
