"""How many threads the mathematics uses, and which BLAS does it.

Sums of floating-point numbers depend on the order in which threads make them: another number of threads changes the last bits of
a training. The number is therefore kept in each checkpoint and used again after a resume.
"""

import os
import re
from typing import Optional

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_THREADS_MAX = 256


def threads_of_slot() -> int:
    """What the environment allows (ferry sets OMP_NUM_THREADS to the threads of the job's slot); one where it says nothing."""
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(int(text), _THREADS_MAX) if text.isdigit() and int(text) > 0 else 1


def fix_threads(count: int) -> None:
    """Before numpy and torch are imported: OpenBLAS and OpenMP read their variables once, as they are loaded."""
    for name in _VARIABLES:
        os.environ[name] = str(count)


def fix_torch(count: int) -> None:
    """The same number for torch's own pool, and only operations that give the same bits each time."""
    import torch

    torch.set_num_threads(count)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(True)


def slow_blas() -> Optional[str]:
    """The path of the reference BLAS where that is what the process has loaded; it is many times slower than OpenBLAS."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        libraries = {line.split(maxsplit=5)[5].strip() for line in maps if line.count("/") > 0}
    blas = {path for path in libraries if re.search(r"/lib(blas|openblas|mkl_\w+|blis)[^/]*\.so", path)}
    if any(re.search(r"openblas|mkl|blis|atlas", path) for path in blas):
        return None
    return min(blas, default=None)
