"""Killing: a process that keeps runs is killed at some moment, again and again."""

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Final

from store.kept import opened, url_of
from trancher.store.database import open_database
from trancher.store.verify import Verified, verify

WRITER: Final = """
import sys
from itertools import count
from pathlib import Path
from store.kept import keep, opened
database = opened(Path(sys.argv[1]))
print("open", flush=True)
for seed in count(1):
    keep(database, hours=60, seed=seed, batch=5)
"""
_MOMENTS: Final = 1.5


def killed(file: Path, *, times: int, seed: int) -> list[Verified]:
    """Kill a writer of `file` so many times; return what verify says after each."""
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    opened(file).close()
    found = []
    for _ in range(times):
        _write_until_killed(file, seconds=random.random() * _MOMENTS)
        database = open_database(url_of(file), mode=None)
        found.append(verify(database))
        database.close()
    return found


def _write_until_killed(file: Path, *, seconds: float) -> None:
    writer = subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-c", WRITER, str(file)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    with writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
