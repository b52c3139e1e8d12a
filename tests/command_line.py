"""Runs the command line as a person does, in this process: words in, exit code and texts out.

It goes through main, which turns bad input into a sentence; anything else that is raised there
fails the test with its own traceback.
"""

import io
import json
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from trancher.app.cli import main

FIRST_AT: Final = datetime(2024, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command left behind: its exit code, and what it printed where."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """What a person reads on stdout, with every run of blanks as one blank."""
        return " ".join(self.out.split())


def trancher(*words: str | Path, folder: Path) -> Said:
    """Run `trancher words...` in `folder`."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    code = 0
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            sys.argv = ["trancher", *map(str, words)]
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        finally:
            sys.argv = before
    return Said(code=code, out=out.getvalue(), err=err.getvalue())


def done(*words: str | Path, folder: Path) -> Said:
    """Run a command that has to succeed and to keep quiet on stderr."""
    said = trancher(*words, folder=folder)
    assert (said.code, said.err) == (0, "")
    return said


def refused(*words: str, folder: Path) -> Said:
    """Run a command that has to be told off in one sentence."""
    said = trancher(*words, folder=folder)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    return said


def candles(path: Path, *rows: str, every: timedelta = HOUR) -> Path:
    """Write a CSV of candles, each given as `open high low close`, from 2024 on."""
    lines = ["timestamp,open,high,low,close,volume"]
    for number, row in enumerate(rows):
        opened_at = FIRST_AT + number * every
        lines.append(",".join([f"{opened_at:%Y-%m-%dT%H:%M:%SZ}", *row.split(), "1"]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def config(path: Path, *parts: str) -> Path:
    """Write a configuration made of `parts`."""
    path.write_text("\n".join(parts), encoding="utf-8")
    return path
