"""JSON lists of lists, as exchanges answer and bots store candles: rows whose cells have no names.

Invariants:
1. No number passes through a float: each is kept as the text that stands in the file.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Final

from trancher.files.errors import FileError

_EXPONENT_MAX: Final = 40


def read_lists(path: Path, text: str) -> list[list[str | None]]:
    """Return the rows of a JSON list of lists: every cell as its text, null as None.

    Raises:
        JSONDecodeError, RecursionError: it is no JSON, or nested too deep.
        FileError: it is another JSON.
    """
    found = json.loads(text, parse_float=_plain, parse_int=str, parse_constant=str)
    if not isinstance(found, list):
        raise _other(path, found="JSON that is no list")
    for number, row in enumerate(found, start=1):
        if not isinstance(row, list):
            raise _other(path, found="no list", place=f"row {number}")
    return [[_text(cell) for cell in row] for row in found]


def _plain(number: str) -> str:
    """Return a number in plain digits: an exponent is how JSON writes what is small."""
    exponent = number.lower().partition("e")[2]
    if not exponent or len(exponent) > len("-40") or abs(int(exponent)) > _EXPONENT_MAX:
        return number
    return f"{Decimal(number):f}"


def _text(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return {True: "true", False: "false"}[cell] if isinstance(cell, bool) else "a list or object"


def _other(path: Path, *, found: str, place: str = "") -> FileError:
    return FileError(
        file=str(path), place=place, found=found, expected="a JSON list of lists, one per row"
    )
