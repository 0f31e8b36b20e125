"""LoRA: a frozen network with small trained additions.

E. Hu et al.: LoRA: Low-Rank Adaptation of Large Language Models, 2021, section 4.1: a layer W x becomes W x + (alpha / r) B A x,
with A (r, in) random and B (out, r) zero at first, so that training begins at the base.
"""

import math

import torch
from torch import nn

_ALPHA_PER_RANK = 2.0  # alpha = 2 r, so that one learning rate fits all ranks


class LoraLinear(nn.Module):
    """A linear layer (batch, in) -> (batch, out) whose own weights are frozen."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        low = nn.functional.linear(given, self.down)
        return self.base(given) + _ALPHA_PER_RANK * nn.functional.linear(low, self.up)


def add_lora(network: nn.Module, rank: int) -> None:
    """Freezes the network and puts an addition beside each of its linear layers. Draws from torch's generator."""
    network.requires_grad_(False)
    layers = [(parent, name, child) for parent in network.modules() for name, child in parent.named_children()
              if isinstance(child, nn.Linear)]
    for parent, name, child in layers:
        setattr(parent, name, LoraLinear(child, rank))
