"""Runs the named test modules of this folder, or all."""

import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = HERE.parents[2] / "clients" / "python"

os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # no files beside the sources, from what is started here either
os.environ.pop("PYTHONUNBUFFERED", None)  # what is printed is to be in the log without it
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(PACKAGES)]

if __name__ == "__main__":
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("test_*.py"))
    unittest.main(module=None, argv=[sys.argv[0], "-v", *names])
