"""Samples as one picture that a person can look at."""

import torch
from torch import nn

from diffusion import sample
from digits_data import SIDE
from png import encode_png

_ENLARGED = 8
_COLUMNS = 10
_SEED = 20  # the same noise each time, so that the pictures of a training can be compared
_GREY = 96


def _gap_rows(width: int) -> list[bytes]:
    return [bytes([_GREY]) * width] * 2


def grid_png(pictures: torch.Tensor) -> bytes:
    """Pictures (rows, columns, 64) from -1 to 1 as a PNG: each pixel eight wide and high, grey lines between."""
    levels = ((pictures.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    rows, columns, _ = levels.shape
    gap = bytes([_GREY]) * 2
    width = columns * (SIDE * _ENLARGED + 2) + 2
    lines = _gap_rows(width)
    for row in range(rows):
        for y in range(SIDE):
            cells = [bytes(levels[row, column, y * SIDE:(y + 1) * SIDE].tolist()) for column in range(columns)]
            line = gap + b"".join(b"".join(bytes([pixel]) * _ENLARGED for pixel in cell) + gap for cell in cells)
            lines += [line] * _ENLARGED
        lines += _gap_rows(width)
    return encode_png(lines)


def validation_png(network: nn.Module, shown: tuple[int, ...]) -> bytes:
    """Ten samples of each class, a row a class; of a single class forty."""
    rows = list(shown) * (4 if len(shown) == 1 else 1)
    classes = torch.tensor(rows).repeat_interleave(_COLUMNS)
    return grid_png(sample(network, classes, _SEED).reshape(len(rows), _COLUMNS, SIDE * SIDE))
