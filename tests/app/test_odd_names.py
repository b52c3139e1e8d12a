"""Names of files with line breaks and escapes: they are shown, and no terminal obeys them."""

from pathlib import Path
from typing import Final

import pytest

from command_line import candles, done, refused, trancher

NAME: Final = "a\x1b[2J\nbooks balance"
SHOWN: Final = r"a\x1b[2J\nbooks balance"
MISSING: Final = {
    "check": ("check", NAME),
    "ledger": ("ledger", NAME),
    "candles": ("data", "check", NAME),
    "books": ("status", "--db", f"sqlite:///{NAME}"),
    "a bot of a run": ("why", NAME, "--db", f"sqlite:///{NAME}"),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_sentence_is_one_line_whatever_is_named_in_it(tmp_path: Path, case: str) -> None:
    """
    Else a name could clear the screen, or write a second sentence below the first.
    """
    said = refused(*MISSING[case], folder=tmp_path)

    assert said.err.startswith(SHOWN)
    assert said.err.removesuffix("\n").isprintable()


def test_a_file_that_is_written_is_named_on_one_line(tmp_path: Path) -> None:
    """
    So is one that was read: the table of `data check` is called by it.
    """
    written = trancher("init", NAME, folder=tmp_path)
    valid = done("check", NAME, folder=tmp_path)
    candles(tmp_path / f"{NAME}.csv", *["100 101 99 100"] * 3)
    sound = done("data", "check", f"{NAME}.csv", folder=tmp_path)
    copied = done("data", "convert", f"{NAME}.csv", f"{NAME}2.csv", folder=tmp_path)

    assert written.err == f"wrote {SHOWN}; next: trancher check {SHOWN}\n"
    assert valid.out.startswith(f"{SHOWN} is valid: ")
    assert sound.out.startswith(f"{SHOWN}.csv")
    assert copied.out.startswith(f"{SHOWN}2.csv: 3 candles")
