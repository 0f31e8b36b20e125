"""Checkpoints: all that a training needs to go on to the last bit, in one file.

A file of torch.save() that holds tensors alone (so it is read without running any code in it), with one member more in its ZIP
archive, training.json: the step, what the training is (`identity`), and all state that is no tensor. That member is read without
torch, and ZIP's checksums tell whether the file is damaged. Reading answers InputError for whatever is wrong with the file.
"""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Optional

from errors import InputError
from files import write_whole

if TYPE_CHECKING:
    import torch

FORMAT = 1
_HEADER = "training.json"
_NAME = re.compile(r"checkpoint-(\d+)\.pt")
_SAME_DATE = (1980, 1, 1, 0, 0, 0)  # files of equal content are equal


def checkpoint_path(folder: Path, step: int) -> Path:
    return folder / f"checkpoint-{step:06}.pt"


def digest(tensors: Mapping[str, "torch.Tensor"]) -> str:
    """SHA-256 of names and bits, in the order of names."""
    sum_of_all = hashlib.sha256()
    for name in sorted(tensors):
        sum_of_all.update(name.encode() + b"\0" + tensors[name].detach().contiguous().numpy().tobytes())
    return sum_of_all.hexdigest()


def write_checkpoint(path: Path, header: Mapping[str, Any], tensors: Mapping[str, "torch.Tensor"]) -> None:
    """On return the file is whole and on disk; see write_whole()."""
    import torch

    buffer = io.BytesIO()
    torch.save({name: tensor.detach() for name, tensor in tensors.items()}, buffer)
    with zipfile.ZipFile(buffer, "a") as archive:
        folder = archive.namelist()[0].partition("/")[0]
        text = json.dumps({"format": FORMAT, **header}, allow_nan=False)
        archive.writestr(zipfile.ZipInfo(f"{folder}/{_HEADER}", _SAME_DATE), text)
    write_whole(path, buffer.getvalue())


def read_header(path: str) -> dict[str, Any]:
    """What the file says of itself, once all its checksums are found right."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            if broken is not None:
                raise InputError(f"the checkpoint {path} is damaged: the checksum of its part {broken} is wrong")
            (member,) = [name for name in archive.namelist() if name.endswith("/" + _HEADER)]
            header = json.loads(archive.read(member))
    except InputError:
        raise
    except OSError as why:
        raise InputError(f"the checkpoint {path} cannot be read: {why.strerror or why}") from why
    except Exception as why:  # zipfile raises many kinds for a broken archive
        raise InputError(f"{path} is damaged or no checkpoint of this program ({type(why).__name__}: {why})") from why
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError(f"the checkpoint {path} was written by another version of this program")
    return header


def read_tensors(path: str) -> dict[str, "torch.Tensor"]:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as why:
        raise InputError(f"the checkpoint {path} cannot be loaded ({type(why).__name__}: {why})") from why


def check_fits(path: str, header: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Whether a training with the identity `wanted` can go on from the checkpoint; the InputError names all that differs."""
    if header.get("holds") != "training":
        raise InputError(f"{path} holds weights alone: a training goes on from a checkpoint")
    found = header["identity"]
    names = ["stage"] if found.get("stage") != wanted["stage"] else sorted(set(found) | set(wanted))
    differing = [f"{name} is {json.dumps(found.get(name))} there and {json.dumps(wanted.get(name))} here"
                 for name in names if found.get(name) != wanted.get(name)]
    if differing:
        raise InputError(f"the checkpoint {path} does not fit: " + "; ".join(differing))


def prune(folder: Path, step: int, keep: int) -> None:
    """Of the checkpoints up to `step`, removes all but the newest `keep`. What is newer belongs to another training."""
    steps = {int(match[1]): path for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))}
    old = sorted(each for each in steps if each <= step)
    for each in old[:-keep]:
        steps[each].unlink(missing_ok=True)


def base_header(path: str) -> dict[str, Any]:
    """The header of a file that a LoRA can be put on."""
    header = read_header(path)
    stage: Optional[str] = header["identity"].get("stage")
    if stage != "base":
        raise InputError(f"base_model {path} is of stage {stage}: a LoRA is put on a training of stage base")
    return header
