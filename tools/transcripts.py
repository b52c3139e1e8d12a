"""Pages that are made by running: below each command stands what it printed, to the letter.

A page that opens with MARK is played from top to bottom in a fresh folder beside the examples:

    ```toml       is written to the file that its first line names: `# NAME.toml`
    ```csv        likewise, `# NAME.csv`, without that line
    ```diff       changes the toml before it: each `-line` becomes the `+line` below it
    ```console    `$ trancher ...` is run, and what it prints is put below it

A command of another program is left to the reader, with whatever stands below it. A diff of src/,
as git writes it, is made in a copy of the program before anything runs, and that copy plays the
page.

Invariants:
1. What the program prints decides the page; only the times of VARYING and the clock are replaced.
2. A command that fails, and a change that does not fit its file, make no page.
3. Every number in the prose, and every code with a digit, is one that a block of the page shows.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import trancher
from trancher.app.cli import main

ROOT: Final = Path(__file__).resolve().parent.parent
MARK: Final = "<!-- What commands print here is written by tools/docs.py; the rest is ours. -->"
# A terminal of this size that knows neither colors nor bold.
TERMINAL: Final = {"TERM": "dumb", "COLUMNS": "96", "LINES": "50"}
# Everything else that would change what a command does or prints.
ABSENT: Final = ("TRANCHER_DB", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
# How long a command took.
VARYING: Final = ((re.compile(r"\bin \d+\.\d s\.$", re.MULTILINE), "in 0.5 s."),)
CLOCK: Final = re.compile(r"(\d{4}-\d\d-\d\d)(\s)(\d\d:\d\d:\d\d)(?=\sUTC)")
NOON: Final = r"2026-01-01\g<2>12:00:00"
BLOCK: Final = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE: Final = re.compile(r"# (\w[\w.-]*\.(?:toml|csv))\n")
SOURCE: Final = "--- a/src/"
PROMPT: Final = "$ "
CODE: Final = re.compile(r"`([^`]+)`")
LINK: Final = re.compile(r"\]\([^)]*\)")
NUMBER: Final = re.compile(r"\d[\d.,:-]*\d|\d")


class Unplayable(Exception):
    """A page cannot be played: what stands there, and what is wrong with it."""


class _Screen(io.StringIO):
    """A text that takes itself for a terminal, so that sentences are folded as people see them."""

    def isatty(self) -> bool:
        return True


def played(page: str) -> str:
    """Return `page` with what each command prints below it.

    Raises:
        Unplayable: a command failed, or a change does not fit its file.
    """
    if not _changes_of_source(page):
        return _played_here(page)
    with changed_program(page) as folder:
        ended = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, __file__],
            input=page,
            env={**os.environ, "PYTHONPATH": str(folder / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
    if ended.returncode:
        raise Unplayable(ended.stderr)
    return ended.stdout


@contextmanager
def changed_program(page: str) -> Iterator[Path]:
    """Work with a folder that holds src/ as it is once the changes of `page` are made.

    Raises:
        Unplayable: a change does not fit the source.
    """
    with TemporaryDirectory() as place:
        folder = Path(place).resolve()
        package = Path(trancher.__file__).parent
        unmade = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package, folder / "src" / package.name, ignore=unmade)
        for change in _changes_of_source(page):
            applied = subprocess.run(
                ["git", "apply", "-"],  # noqa: S607 - whichever git there is
                input=change,
                cwd=folder,
                # A repository above the folder would make it skip what it does not track.
                env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)},
                capture_output=True,
                text=True,
                check=False,
            )
            if applied.returncode:
                raise Unplayable(f"{applied.stderr}in this change:\n{change}")
        yield folder


def _changes_of_source(page: str) -> list[str]:
    blocks = BLOCK.finditer(page)
    return [found["text"] for found in blocks if found["text"].startswith(SOURCE)]


def _played_here(page: str) -> str:
    """Return the page as this program plays it."""
    files: list[Path] = []
    began = datetime.now(UTC).replace(microsecond=0)

    def block(found: re.Match[str]) -> str:
        kind, text = found["kind"], found["text"]
        if kind == "toml":
            files.append(_written(text))
        elif kind == "csv":
            _written(text, from_line=1)
        elif kind == "diff" and not text.startswith(SOURCE):
            _change(files, text)
        elif kind == "console":
            printed = "".join(f"{line}\n" for line in _console(text.splitlines()))
            text = _settled(printed, began=began)
        return f"```{kind}\n{text}```"

    with _desk():
        return BLOCK.sub(block, page)


def unfounded(page: str) -> list[str]:
    """Return the figures of the prose that no block of the page shows."""
    shown = (
        found["text"].replace(",", " ") if found["kind"] == "csv" else found["text"]
        for found in BLOCK.finditer(page)
    )
    blocks = " ".join(" ".join(text.split()) for text in shown)
    prose = LINK.sub("]", " ".join(BLOCK.sub("", page.removeprefix(MARK)).split()))
    codes = [code for code in CODE.findall(prose) if re.search(r"\d", code)]
    figures = dict.fromkeys([*codes, *NUMBER.findall(CODE.sub("", prose))])
    return [
        figure
        for figure in figures
        if not re.search(rf"(?<![\w.,]){re.escape(figure)}(?![.,]?\w)", blocks)
    ]


@contextmanager
def _desk() -> Iterator[None]:
    """Work in a fresh folder that holds the examples, at a terminal that is always the same."""
    before = {name: os.environ.get(name) for name in (*TERMINAL, *ABSENT)}
    with TemporaryDirectory() as folder, chdir(folder):
        shutil.copytree(ROOT / "examples", "examples")
        _set({**dict.fromkeys(ABSENT), **TERMINAL})
        try:
            yield
        finally:
            _set(before)


def _set(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _written(text: str, *, from_line: int = 0) -> Path:
    named = FILE.match(text)
    if named is None:
        raise Unplayable(f"found a file without a name, expected `# NAME.toml` first:\n{text}")
    file = Path(named[1])
    file.write_text("".join(text.splitlines(keepends=True)[from_line:]), encoding="utf-8")
    return file


def _change(files: list[Path], diff: str) -> None:
    """Replace, in the file written last, each `-line` by the `+line` below it."""
    pairs = re.findall(r"^-(.*)\n\+(.*)$", diff, re.MULTILINE)
    if not pairs or not files:
        expected = "a file before it" if pairs else "lines to change"
        raise Unplayable(f"found a change, expected {expected}:\n{diff}")
    lines = files[-1].read_text(encoding="utf-8").splitlines()
    for old, new in pairs:
        if lines.count(old) != 1:
            raise Unplayable(f"{files[-1]}: expected one line {old!r} to change")
        lines[lines.index(old)] = new
    files[-1].write_text("\n".join(lines) + "\n", encoding="utf-8")


def _console(lines: list[str]) -> Iterator[str]:
    """Yield the commands of a block, each with what it prints, if it is ours."""
    ours = False
    for line in lines:
        if line.startswith(PROMPT):
            program, *words = shlex.split(line.removeprefix(PROMPT), comments=True)
            ours = program == "trancher"
            yield line
            if ours:
                yield from _printed(words)
        elif not ours:
            yield line


def _printed(words: list[str]) -> list[str]:
    """Run `trancher words...`, and return what a person sees, without blanks at its edges."""
    out, err, before = _Screen(), io.StringIO(), sys.argv
    with redirect_stdout(out), redirect_stderr(err):
        try:
            sys.argv = ["trancher", *words]
            main()
        except SystemExit as left:
            if left.code:
                raise Unplayable(f"trancher {shlex.join(words)}: {err.getvalue()}") from left
        finally:
            sys.argv = before
    seen = "\n".join(line.rstrip() for line in (out.getvalue() + err.getvalue()).splitlines())
    return seen.strip("\n").splitlines()


def _settled(text: str, *, began: datetime) -> str:
    """Replace what differs from run to run: times since `began`, and how long it took."""
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)

    def moment(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(f"{found[1]}T{found[3]}+00:00")
        return found.expand(NOON) if began <= at <= datetime.now(UTC) else found[0]

    return CLOCK.sub(moment, text)


if __name__ == "__main__":
    try:
        sys.stdout.write(_played_here(sys.stdin.read()))
    except Unplayable as problem:
        sys.exit(str(problem))
