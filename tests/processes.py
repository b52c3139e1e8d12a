"""Runs the command line as a process of its own, with fewer rights or with small files only."""

import ctypes
import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Final

from command_line import Said

# Of the Linux kernel: to drop a capability for good, and those that pass over permissions.
_PR_CAPBSET_DROP: Final = 24
_CAP_DAC_OVERRIDE: Final = 1
_CAP_DAC_READ_SEARCH: Final = 2


def started(
    *words: str | Path, folder: Path, bound: bool = False, largest: int | None = None
) -> subprocess.Popen[str]:
    """Start `trancher words...` in `folder`.

    Args:
        bound: bound by the permissions of files, which root is not otherwise.
        largest: bytes that a file may grow to.
    """
    return subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-m", "trancher.app.cli", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(_weaken, bound=bound, largest=largest),  # noqa: PLW1509 one thread
    )


def ended(process: subprocess.Popen[str]) -> Said:
    """Wait for a process and return what it left behind."""
    with process:
        out, err = process.communicate()
    return Said(code=process.returncode, out=out, err=err)


def _weaken(*, bound: bool, largest: int | None) -> None:
    if largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    if bound and os.geteuid() == 0:
        kernel = ctypes.CDLL(None)
        for right in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            assert kernel.prctl(_PR_CAPBSET_DROP, right, 0, 0, 0) == 0, right
