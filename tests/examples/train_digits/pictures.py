"""Reads PNG files without the code that wrote them."""

import struct
import zlib
from pathlib import Path


def decode_png(path: Path) -> list[bytes]:
    """The rows of an 8-bit greyscale picture; AssertionError where the file is no such thing, or damaged."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), f"{path}: no PNG"
    at, chunks = 8, []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        (check,) = struct.unpack_from(">I", data, at + 8 + length)
        assert check == zlib.crc32(kind + body), f"{path}: wrong checksum of {kind!r}"
        chunks.append((kind, body))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"], f"{path}: {chunks}"
    width, height, bits, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (bits, colour, rest) == (8, 0, [0, 0, 0]), f"{path}: not plain 8-bit grey"
    pixels = zlib.decompress(chunks[1][1])
    assert len(pixels) == height * (width + 1), f"{path}: {len(pixels)} bytes for {width} x {height}"
    lines = [pixels[row * (width + 1):(row + 1) * (width + 1)] for row in range(height)]
    assert all(line[0] == 0 for line in lines), f"{path}: filtered"
    return [line[1:] for line in lines]
