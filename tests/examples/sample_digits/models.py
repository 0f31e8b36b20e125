"""Models to draw with: trained for a few steps, once for all tests of the program."""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from run_tests import EXAMPLES

_SMALL = {"steps": 40, "batch_size": 32, "checkpoint_interval": 40, "validation_interval": 40}


@functools.cache
def scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sample-digits-"))
    atexit.register(shutil.rmtree, folder)
    return folder


@functools.cache
def _trained(name: str, **params: Any) -> Path:
    folder = scratch() / name
    options = [word for key, value in {**_SMALL, **params}.items() for word in (f"--{key}", str(value))]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FERRY_EVENTS")}
    subprocess.run([sys.executable, str(EXAMPLES / "train_digits" / "train.py"), "--output", str(folder), *options], check=True,
                   env=environment, stdout=subprocess.DEVNULL)
    return folder


def base(width: int = 192) -> Path:
    """The default width: what is said of bits must hold for matrices of that size."""
    return _trained(f"base-{width}", stage="base", width=width) / "weights.pt"


def base_of_some() -> Path:
    return _trained("base-3-8", stage="base", width=16, dataset="digits:3,8") / "weights.pt"


def lora() -> Path:
    return _trained("lora", stage="lora", base_model=base(), dataset="digits-inverted", rank=4) / "weights.pt"
