"""Every source of randomness, and how it is written down so that it goes on where it was."""

import json
import random
from typing import Any

import numpy as np
import torch


class DataOrder:
    """Which pictures come next: all of them in a random order, then all in another one, without end."""

    def __init__(self, count: int, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._order = self._generator.permutation(count)
        self._at = 0

    def next_batch(self, size: int) -> torch.Tensor:
        """Indices (size,) of int64."""
        taken: list[np.ndarray] = []
        missing = size
        while missing > 0:
            if self._at == len(self._order):
                self._order = self._generator.permutation(len(self._order))
                self._at = 0
            piece = self._order[self._at:self._at + missing]
            self._at += len(piece)
            missing -= len(piece)
            taken.append(piece)
        return torch.from_numpy(np.concatenate(taken))

    def state(self) -> dict[str, Any]:
        return {"generator": self._generator.bit_generator.state, "order": self._order.tolist(), "at": self._at}

    def restore(self, state: dict[str, Any]) -> None:
        self._generator.bit_generator.state = state["generator"]
        self._order = np.array(state["order"], dtype=np.int64)
        self._at = state["at"]


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def generators_state() -> dict[str, Any]:
    """The process's own generators, those that nothing here draws from included: a change of the training may."""
    name, words, at, has_gauss, gauss = np.random.get_state()
    return {"python": json.dumps(random.getstate()), "numpy": [name, words.tolist(), at, has_gauss, gauss],
            "torch": torch.get_rng_state().numpy().tobytes().hex()}


def restore_generators(state: dict[str, Any]) -> None:
    version, words, gauss = json.loads(state["python"])
    random.setstate((version, tuple(words), gauss))
    name, words, *rest = state["numpy"]
    np.random.set_state((name, np.array(words, dtype=np.uint32), *rest))
    torch.set_rng_state(torch.frombuffer(bytearray.fromhex(state["torch"]), dtype=torch.uint8))
