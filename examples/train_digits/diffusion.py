"""Denoising diffusion: what noise is added, what is learned, and how pictures are made of noise.

J. Ho, A. Jain, P. Abbeel: Denoising Diffusion Probabilistic Models, 2020 (the loss is their equation 14); the cosine schedule of
A. Nichol, P. Dhariwal: Improved DDPM, 2021 (equation 17); sampling after J. Song, C. Meng, S. Ermon: DDIM, 2020 (equation 12 with
sigma = 0); classifier-free guidance of J. Ho, T. Salimans, 2021 (equation 6).
"""

import math
from typing import Iterator

import torch
from torch import nn

from denoiser import NO_CLASS
from digits_data import PIXELS

NOISE_STEPS = 250
SAMPLE_STEPS = 50
_CLASS_DROPOUT = 0.1
GUIDANCE = 1.0  # of the samples that a training shows


def _kept_signal() -> torch.Tensor:
    """The share of the picture's variance (alpha-bar) that is left after each of the noise steps, shape (250,), falling."""
    def level(at: float) -> float:
        return math.cos((at + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - level((t + 1) / NOISE_STEPS) / level(t / NOISE_STEPS), 0.999) for t in range(NOISE_STEPS)]
    return torch.cumprod(1 - torch.tensor(betas, dtype=torch.float64), 0).to(torch.float32)


KEPT_SIGNAL = _kept_signal()


def training_loss(network: nn.Module, pictures: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """The mean squared error of the predicted noise, a scalar. Draws from torch's generator."""
    count = pictures.shape[0]
    steps = torch.randint(0, NOISE_STEPS, (count,))
    noise = torch.randn(count, PIXELS)
    shown = torch.where(torch.rand(count) < _CLASS_DROPOUT, torch.tensor(NO_CLASS), classes)
    kept = KEPT_SIGNAL[steps][:, None]
    noisy = kept.sqrt() * pictures + (1 - kept).sqrt() * noise
    return nn.functional.mse_loss(network(noisy, steps / NOISE_STEPS, shown), noise)


@torch.no_grad()
def denoising(network: nn.Module, noisy: torch.Tensor, classes: torch.Tensor, steps: int,
              guidance: float) -> Iterator[torch.Tensor]:
    """Of noise (count, 64) makes pictures of the classes (count,) in 1 to NOISE_STEPS steps. After each step yields what the
    pictures are taken to be, (count, 64) from -1 to 1; the last ones are the samples. guidance: how far they are pushed from "any
    digit" to their class, 0 for not at all."""
    count = classes.shape[0]
    times = torch.linspace(NOISE_STEPS - 1, 0, steps).round().to(torch.int64).tolist()
    both = torch.cat([classes, torch.full_like(classes, NO_CLASS)])
    for index, step in enumerate(times):
        kept = KEPT_SIGNAL[step]
        at = torch.full((2 * count,), step / NOISE_STEPS)
        with_class, without = network(torch.cat([noisy, noisy]), at, both).chunk(2)
        noise = with_class + guidance * (with_class - without)
        picture = ((noisy - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-1, 1)
        yield picture
        if index + 1 < len(times):
            noise = (noisy - kept.sqrt() * picture) / (1 - kept).sqrt()
            kept = KEPT_SIGNAL[times[index + 1]]
            noisy = kept.sqrt() * picture + (1 - kept).sqrt() * noise


def sample(network: nn.Module, classes: torch.Tensor, seed: int) -> torch.Tensor:
    """Pictures (count, 64) from -1 to 1 of the classes (count,). Begins with the same noise for the same seed, and touches no other
    generator."""
    noise = torch.randn(classes.shape[0], PIXELS, generator=torch.Generator().manual_seed(seed))
    *_, pictures = denoising(network, noise, classes, SAMPLE_STEPS, GUIDANCE)
    return pictures
