"""Draws digits, many at a time, so that each comes out the same to the last bit whoever else is drawn with it.

Two things see to that. The noise of a picture is drawn by a generator of its job's own. And the network is always given TILE
pictures, zeros where nobody wants one: a matrix product of another number of rows goes another way through the BLAS and adds in
another order (with OpenBLAS the last bits of two rows are not those of sixteen), while within one size a row depends neither on
its place nor on the rows beside it.
"""

from typing import Iterator, Optional, Sequence

import torch
from torch import nn

from checkpoints import base_header, read_header, read_tensors
from denoiser import NO_CLASS, Denoiser
from diffusion import denoising
from digits_data import PIXELS
from errors import InputError
from lora import add_lora
from model_state import named
from request import Request

TILE = 8


class Model:
    """The network of a base training, with a LoRA on top where one is named. Errors: InputError."""

    def __init__(self, base_model: str, lora: Optional[str]) -> None:
        base = base_header(base_model)
        header = _lora_header(lora, base) if lora else None
        self.classes: tuple[int, ...] = tuple(base["classes"])
        self.network: nn.Module = Denoiser(base["width"])
        self.network.load_state_dict(named(read_tensors(base_model), "average."))
        if lora and header:
            add_lora(self.network, header["identity"]["rank"])
            self.network.load_state_dict({**self.network.state_dict(), **named(read_tensors(lora), "average.")})

    def check(self, request: Request) -> None:
        """Whether it can draw what is asked for."""
        foreign = sorted(set(request.classes) - set(self.classes))
        if foreign:
            known = ", ".join(map(str, self.classes))
            raise InputError(f"the model does not know the digit {foreign[0]}: it was trained on {known}")


def _lora_header(lora: str, base: dict) -> dict:
    header = read_header(lora)
    if header["identity"].get("stage") != "lora":
        raise InputError(f"lora {lora} is of stage {header['identity'].get('stage')}: it must be a training of stage lora")
    if header["identity"].get("base") != base["average_sha256"]:
        raise InputError(f"the LoRA {lora} was trained on another base_model")
    return header


class Sheet:
    """The pictures of one job, as they come to be."""

    def __init__(self, request: Request) -> None:
        self.request = request
        generator = torch.Generator().manual_seed(request.seed)
        noise = [torch.randn(PIXELS, generator=generator) for _ in range(request.first + len(request.classes))]
        self.noise = noise[request.first:]  # that of a job that is drawn whole
        self.pictures: list[torch.Tensor] = []  # (64,) from -1 to 1, in the order of the classes
        self.step, self.total = 0, request.num_steps * len(request.classes)
        self.dropped = False  # set by who no longer wants it

    @property
    def is_drawn(self) -> bool:
        return self.step == self.total


def draw(network: nn.Module, sheets: Sequence[Sheet]) -> Iterator[list[Sheet]]:
    """After each step yields the sheets that it has brought further. Sheets of equal settings are drawn together."""
    for settings in dict.fromkeys((sheet.request.num_steps, sheet.request.guidance_scale) for sheet in sheets):
        places = [(sheet, index) for sheet in sheets for index in range(len(sheet.noise))
                  if (sheet.request.num_steps, sheet.request.guidance_scale) == settings]
        while places:
            yield from _draw_tile(network, places[:TILE], *settings)
            places = [place for place in places[TILE:] if not place[0].dropped]


def _draw_tile(network: nn.Module, places: Sequence[tuple[Sheet, int]], steps: int, guidance_scale: float) -> Iterator[list[Sheet]]:
    noise, classes = torch.zeros(TILE, PIXELS), torch.full((TILE,), NO_CLASS)
    for row, (sheet, index) in enumerate(places):
        noise[row], classes[row] = sheet.noise[index], sheet.request.classes[index]
    for step, pictures in enumerate(denoising(network, noise, classes, steps, guidance_scale - 1), 1):
        for row, (sheet, _) in enumerate(places):
            sheet.step += 1
            if step == steps:
                sheet.pictures.append(pictures[row])
        wanted = [sheet for sheet in dict.fromkeys(sheet for sheet, _ in places) if not sheet.dropped]
        yield wanted
        if all(sheet.dropped for sheet in wanted):
            return
