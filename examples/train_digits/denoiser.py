"""The network: a residual multilayer perceptron that tells the noise in a picture, given how noisy it is and what it shows.

8 x 8 pixels need no convolutions: a perceptron learns them in a minute on one core.
"""

import math

import torch
from torch import nn

from digits_data import PIXELS
from parameters import CLASSES

NO_CLASS = CLASSES  # stands for "any digit": for classifier-free guidance
_FREQUENCIES = 32
_BLOCKS = 4


def time_features(times: torch.Tensor) -> torch.Tensor:
    """Times (batch,) from 0 to 1 as sines and cosines (batch, 64), after Vaswani et al. 2017, section 3.5."""
    frequencies = torch.exp(torch.arange(_FREQUENCIES) * (math.log(1000.0) / (_FREQUENCIES - 1)))
    angles = times[:, None] * frequencies[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Block(nn.Module):
    """hidden + W2 silu(W1 norm(hidden) + C condition); hidden and condition are (batch, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.condition = nn.Linear(width, width, bias=False)
        self.outer = nn.Linear(width, width)
        nn.init.zeros_(self.outer.weight)  # each block begins as the identity

    def forward(self, hidden: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        return hidden + self.outer(nn.functional.silu(self.inner(self.norm(hidden)) + self.condition(condition)))


class Denoiser(nn.Module):
    """noise = f(picture (batch, 64), time (batch,) in 0..1, class (batch,) in 0..10)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(2 * _FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))
        self.classes = nn.Embedding(CLASSES + 1, width)
        self.enter = nn.Linear(PIXELS, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(_BLOCKS))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, PIXELS)

    def forward(self, pictures: torch.Tensor, times: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        condition = nn.functional.silu(self.time(time_features(times)) + self.classes(classes))
        hidden = self.enter(pictures)
        for block in self.blocks:
            hidden = block(hidden, condition)
        return self.leave(self.norm(hidden))
