"""What a training is asked to do: from ferry's spec file, or from the command line.

Needs the standard library alone, so that bad input is refused in a moment and before any library has fixed its threads.
"""

import argparse
import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from errors import InputError

CLASSES = 10
STYLES = {
    "digits": "as they were written, light on dark",
    "digits-inverted": "dark on light",
    "digits-slanted": "leaning to the right",
}


def _option(default: Any, help: str, low: Any = None, high: Any = None, choices: Optional[Sequence[str]] = None) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class Parameters:
    """The parameters of a job of type `train`; ferry.toml declares the same ones."""

    stage: str = _option("lora", "base: a network from nothing; lora: a small addition to a base", choices=("base", "lora"))
    dataset: str = _option("digits", "which pictures: " + ", ".join(STYLES) + "; with :3,8 these classes alone")
    base_model: str = _option("", "stage lora: a checkpoint or weights file of a base training")
    steps: int = _option(2000, "training steps in all", 1, 1_000_000)
    learning_rate: float = _option(2e-3, "the highest learning rate, after the warm-up", 0.0, 1e6)
    rank: int = _option(8, "stage lora: the rank of the additions", 1, 256)
    batch_size: int = _option(128, "pictures a step", 1, 4096)
    seed: int = _option(42, "the random seed", 0, 2**63 - 1)
    checkpoint_interval: int = _option(500, "steps between checkpoints", 1)
    keep_checkpoints: int = _option(3, "how many of the newest checkpoints are kept", 1, 1000)
    validation_interval: int = _option(500, "steps between pictures of samples", 1)
    validation_class: Optional[int] = _option(None, "the class to sample, 0 to 9; else one row of each", 0, CLASSES - 1)
    report_interval: int = _option(20, "steps between progress reports", 1)
    stop_on_nan: bool = _option(True, "fail once the loss is no number; false: go on without checkpoints")
    width: int = _option(192, "stage base: the width of the network", 8, 2048)
    resume_from: str = _option("", "a checkpoint to continue from")

    @property
    def style(self) -> str:
        return self.dataset.partition(":")[0]

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes trained on, rising."""
        named = self.dataset.partition(":")[2]
        return tuple(sorted({int(word) for word in named.split(",")})) if named else tuple(range(CLASSES))


@dataclass(frozen=True)
class Place:
    """Where a training writes. All files lie in `output`, which is `root` or below it; events name them relative to `root`."""

    root: Path
    output: Path


def _checked(name: str, value: Any, option: Any) -> Any:
    """The value of one parameter as its own type, or InputError."""
    wanted = float if name == "learning_rate" else int if name == "validation_class" else type(option.default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        raise InputError(f"{name} must be of type {wanted.__name__}, is {json.dumps(value)}")
    low, high, choices = (option.metadata[key] for key in ("low", "high", "choices"))
    if choices and value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}, is {json.dumps(value)}")
    if low is not None and not value >= low:
        raise InputError(f"{name} must be at least {low}, is {value}")
    if high is not None and not value <= high:
        raise InputError(f"{name} must be at most {high}, is {value}")
    return value


def _check_dataset(dataset: str) -> None:
    style, colon, classes = dataset.partition(":")
    if style not in STYLES:
        known = ", ".join(STYLES)
        raise InputError(f"unknown dataset {json.dumps(dataset)}: there are {known}, and with :3,8 some classes of them")
    if colon and not all(len(word) == 1 and word in "0123456789" for word in classes.split(",")):
        raise InputError(f"dataset {json.dumps(dataset)}: after the colon come classes from 0 to 9, such as :3,8")


def from_mapping(given: Mapping[str, Any]) -> Parameters:
    """Parameters from JSON: what is missing or null has its default, what is unknown or out of bounds is an InputError."""
    options = {option.name: option for option in fields(Parameters)}
    unknown = sorted(set(given) - set(options))
    if unknown:
        raise InputError(f"unknown parameter {unknown[0]}: there are {', '.join(options)}")
    values = {name: _checked(name, value, options[name]) for name, value in given.items() if value is not None}
    parameters = Parameters(**values)
    if not parameters.learning_rate > 0:
        raise InputError("learning_rate must be more than 0")
    _check_dataset(parameters.dataset)
    if parameters.stage == "lora" and not parameters.base_model:
        raise InputError("stage lora needs base_model: a checkpoint of a base training, or job:ID of one in ferry's queue")
    return parameters


def _from_spec(path: str) -> tuple[Parameters, Place]:
    """The one job of a spec file that ferry wrote: {"jobs": [{"id": 7, "params": {…}, "dir": "/…"}]}."""
    try:
        jobs = json.loads(Path(path).read_text(encoding="utf-8"))["jobs"]
        (job,) = jobs
        number, given, root = int(job["id"]), job.get("params") or {}, Path(job["dir"]).absolute()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as why:
        raise InputError(f"the spec {path} is not one job with id, params and dir ({type(why).__name__}: {why})") from why
    parameters = from_mapping(given)
    name = f"base_job{number}" if parameters.stage == "base" else f"lora_r{parameters.rank}_job{number}"
    return parameters, Place(root, root / "outputs" / name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Trains a small diffusion model on handwritten digits, or a LoRA on top of one.")
    parser.add_argument("--spec", help="ferry's spec file, in place of all other options")
    parser.add_argument("--output", help="the folder for all files")
    for option in fields(Parameters):
        default = option.default
        flag: dict[str, Any] = {"dest": option.name, "default": None, "help": option.metadata["help"]}
        if isinstance(default, bool):
            flag["action"] = argparse.BooleanOptionalAction
        else:
            flag["type"] = int if option.name == "validation_class" else type(default)
        names = dict.fromkeys([f"--{option.name}", f"--{option.name.replace('_', '-')}"])
        parser.add_argument(*names, **flag)
    return parser


def read_command_line(arguments: Sequence[str]) -> tuple[Parameters, Place]:
    """Errors: InputError; argparse ends the program with status 2 for an unknown option."""
    given = vars(_parser().parse_args(arguments))
    spec, output = given.pop("spec"), given.pop("output")
    given = {name: value for name, value in given.items() if value is not None}
    if spec:
        if given or output:
            raise InputError("--spec holds all parameters: no others can be given beside it")
        return _from_spec(spec)
    if not output:
        raise InputError("--output is missing: the folder for the files of this training")
    root = Path(output).absolute()
    return from_mapping(given), Place(root, root)


def checkpoint_to_resume(parameters: Parameters) -> Optional[str]:
    """The checkpoint to continue from: the one that ferry names for another attempt, else the one that the user names."""
    return os.environ.get("FERRY_RESUME_FROM") or parameters.resume_from or None
