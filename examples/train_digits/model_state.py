"""What is learned and how: the network, the average of its weights, and the optimizer, as named tensors."""

import copy
import math
from typing import Any, Optional

import torch
from torch import nn

from denoiser import Denoiser
from lora import add_lora

_AVERAGE_DECAY_MAX = 0.999
_WARM_UP_STEPS_MAX = 100
_LAST_RATE_SHARE = 0.05


def learning_rate_at(step: int, total: int, highest: float) -> float:
    """The rate of the step that leads to `step` (1 to total): a linear warm-up, then half a cosine down to a twentieth."""
    warm_up = min(_WARM_UP_STEPS_MAX, max(1, total // 10))
    if step <= warm_up:
        return highest * step / warm_up
    share = (step - warm_up) / max(1, total - warm_up)
    return highest * (_LAST_RATE_SHARE + (1 - _LAST_RATE_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def named(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those whose names begin with the prefix, by the rest of their names."""
    return {name[len(prefix):]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


class ModelState:
    """Trains all parameters of the network that want a gradient: all of a base, the additions of a LoRA."""

    def __init__(self, width: int, rank: Optional[int], base: Optional[dict[str, torch.Tensor]]) -> None:
        self.network = Denoiser(width)
        if base is not None and rank is not None:
            self.network.load_state_dict(named(base, "average."))
            add_lora(self.network, rank)
        self.trained = {name: each for name, each in self.network.named_parameters() if each.requires_grad}
        self.average = {name: each.detach().clone() for name, each in self.trained.items()}
        self.optimizer = torch.optim.Adam(list(self.trained.values()))

    def learn(self, loss: torch.Tensor, step: int, rate: float) -> None:
        """One step of Adam (Kingma, Ba 2015) against `loss`."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        decay = min(_AVERAGE_DECAY_MAX, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, weight in self.trained.items():
                self.average[name].lerp_(weight, 1 - decay)

    def averaged_network(self) -> nn.Module:
        """A copy that samples better than the last weights do: the exponential moving average (Ho et al. 2020, appendix B)."""
        network = copy.deepcopy(self.network)
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if name in self.average:
                    parameter.copy_(self.average[name])
        return network

    def is_finite(self) -> bool:
        """Whether all that is learned are numbers. A step can spoil the weights while its own loss was still one."""
        return all(bool(each.isfinite().all()) for each in [*self.trained.values(), *self.average.values()])

    def average_tensors(self) -> dict[str, torch.Tensor]:
        return {"average." + name: tensor for name, tensor in self.average.items()}

    def tensors(self) -> dict[str, torch.Tensor]:
        named = {"weights." + name: weight.detach() for name, weight in self.trained.items()} | self.average_tensors()
        for index, state in self.optimizer.state_dict()["state"].items():
            named |= {f"optimizer.{index}.{key}": torch.as_tensor(value) for key, value in state.items()}
        return named

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        weights, average = named(tensors, "weights."), named(tensors, "average.")
        with torch.no_grad():
            for name, parameter in self.trained.items():
                parameter.copy_(weights[name])
                self.average[name].copy_(average[name])
        state: dict[int, dict[str, Any]] = {}
        for name, tensor in named(tensors, "optimizer.").items():
            index, _, key = name.partition(".")
            state.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
