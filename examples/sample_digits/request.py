"""What a job asks for: which digits, and how they are drawn. Needs the standard library alone."""

import json
from dataclasses import dataclass
from typing import Any, Mapping

from errors import InputError
from parameters import CLASSES

STEPS_MAX = 250  # the noise that the network was trained on has so many levels
PICTURES_MAX = 1000
_GUIDANCE_MAX = 20.0
_SEED_MAX = 2**63 - 1
_DEFAULTS = {"seed": 1, "num_steps": 50, "guidance_scale": 2.0}
_WARM = ("base_model", "lora")


@dataclass(frozen=True)
class Request:
    """classes: a picture of each, of which the first one is picture number `first` (from 0) of its job. num_steps: from noise to picture. guidance_scale: 1 draws what is typical of the class, more what
    is typical of no other one, 0 any digit."""

    classes: tuple[int, ...]
    seed: int
    num_steps: int
    guidance_scale: float
    first: int = 0


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise InputError(f"{name} must be a whole number from {low} to {high}, is {json.dumps(value)}")
    return value


def from_params(given: Mapping[str, Any], first: int = 0) -> Request:
    """From a job's parameters: what is missing or null has its default. `first`: of a job that is drawn in parts, the number of the first
    picture of this one. Errors: InputError, for all that cannot be drawn."""
    given = {name: value for name, value in given.items() if value is not None}
    known = ["class", "classes", *_DEFAULTS, *_WARM]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(f"unknown parameter {unknown[0]}: there are {', '.join(known)}")
    if ("class" in given) == ("classes" in given):
        raise InputError("either class or classes is needed: the digit to draw, or a list of digits")
    classes = given["classes"] if "classes" in given else [given["class"]]
    if not isinstance(classes, list) or not 1 <= len(classes) <= PICTURES_MAX:
        raise InputError(f"classes must be a list of 1 to {PICTURES_MAX} digits, is {json.dumps(classes)[:100]}")
    values = {**_DEFAULTS, **given}
    scale = values["guidance_scale"]
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 <= scale <= _GUIDANCE_MAX:
        raise InputError(f"guidance_scale must be a number from 0 to {_GUIDANCE_MAX:g}, is {json.dumps(scale)}")
    return Request(tuple(_whole("class", each, 0, CLASSES - 1) for each in classes), _whole("seed", values["seed"], 0, _SEED_MAX),
                   _whole("num_steps", values["num_steps"], 1, STEPS_MAX), float(scale), first)
