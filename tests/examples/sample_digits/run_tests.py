"""Runs the named test modules of this folder, or all; status 77 where what the example needs is not on this machine."""

import importlib.util
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[2] / "examples"
SKIPPED = 77

# Before numpy is imported, here and in what is started from here: one thread, and no files beside the sources.
os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")})
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(EXAMPLES / "sample_digits"), str(EXAMPLES / "train_digits")]
sys.path.append(str(HERE.parent / "train_digits"))  # pictures.py


def missing() -> str:
    for module, package in (("numpy", "python3-numpy"), ("torch", "python3-torch")):
        if importlib.util.find_spec(module) is None:
            return package
    from digits_data import find_digits

    return "" if find_digits() else "the digits (examples/train_digits/fetch_data)"


if __name__ == "__main__":
    lacking = missing()
    if lacking:
        print(f"skipped: this machine has no {lacking}")
        sys.exit(SKIPPED)
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("test_*.py"))
    unittest.main(module=None, argv=[sys.argv[0], "-v", *names])
