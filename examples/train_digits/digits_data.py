"""The pictures: scikit-learn's copy of the UCI handwritten digits (E. Alpaydin, C. Kaynak 1998; CC BY 4.0), 1797 of 8 x 8 pixels.

The file is read as it lies in Debian's python3-sklearn: scikit-learn itself, with SciPy and a compiler behind it, need not be
installed. `fetch_data` puts the one file into ferry's cache.
"""

import gzip
import importlib.util
import os
from pathlib import Path
from typing import Optional

import numpy as np

from errors import InputError
from parameters import Parameters

SIDE = 8
PIXELS = SIDE * SIDE
_INK_MAX = 16.0


def _cache_folder() -> Path:
    cache = os.environ.get("FERRY_CACHE")
    if cache:
        return Path(cache)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ferry"


def find_digits() -> Optional[Path]:
    """digits.csv.gz of an installed scikit-learn, else in ferry's cache, else nothing."""
    sklearn = importlib.util.find_spec("sklearn")
    places = [Path(folder) / "datasets" / "data" for folder in (sklearn.submodule_search_locations or [])] if sklearn else []
    places.append(_cache_folder() / "digits")
    return next((place / "digits.csv.gz" for place in places if (place / "digits.csv.gz").is_file()), None)


def _inverted(ink: np.ndarray) -> np.ndarray:
    return 1 - ink


def _slanted(ink: np.ndarray) -> np.ndarray:
    """The upper rows move right and the lower ones left, by up to two pixels."""
    moved = np.zeros_like(ink)
    for row in range(SIDE):
        shift = round((SIDE - 1) / 2 * 0.5 - row * 0.5)
        source = ink[:, row, max(0, -shift):SIDE - max(0, shift)]
        moved[:, row, max(0, shift):SIDE - max(0, -shift)] = source
    return moved


def load_digits(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (count, 64) of float32 from -1, dark, to 1, light, and their classes (count,) of int64, in the file's order."""
    path = find_digits()
    if path is None:
        raise InputError("the digits are not on this machine: run fetch_data beside train.py, or install python3-sklearn")
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.float32)
        if table.shape[1:] != (PIXELS + 1,):
            raise ValueError(f"{table.shape[-1]} columns in place of {PIXELS + 1}")
    except (OSError, EOFError, ValueError) as why:
        raise InputError(f"the digits in {path} cannot be read: {why}") from why
    classes = table[:, PIXELS].astype(np.int64)
    wanted = np.isin(classes, parameters.classes)
    ink = table[wanted, :PIXELS].reshape(-1, SIDE, SIDE) / _INK_MAX
    change = {"digits-inverted": _inverted, "digits-slanted": _slanted}.get(parameters.style)
    styled = change(ink) if change else ink
    return np.ascontiguousarray(styled.reshape(-1, PIXELS) * 2 - 1, dtype=np.float32), classes[wanted]
