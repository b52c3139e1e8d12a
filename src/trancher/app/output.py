"""What every command prints with: JSON on stdout for programs, tables for people, news on stderr.

Money in JSON is text with every digit (SPEC 2). Only tables round.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


class BadInput(Exception):
    """What a person gave cannot be used: one sentence, where and what was found and expected.

    The command line prints it on stderr and exits with code 2.
    """


class Failed(Exception):
    """What a person gave is right, and yet it could not be done: one sentence, exit code 1."""


def money(number: Decimal | None) -> str | None:
    """Return `number` as plain text with every digit, or None."""
    return None if number is None else f"{number:f}"


def instant(at: datetime | None) -> str | None:
    """Return a UTC time as RFC 3339 with Z, or None."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def print_json(document: Json) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def rounded(number: Decimal | None, *, places: int = 2) -> str:
    """Return `number` for a table: at most `places` decimals, a dash for nothing."""
    return "-" if number is None else f"{number:,.{places}f}"


def plain(number: Decimal | None) -> str | None:
    """Return `number` as plain text with every digit that says something, or None."""
    text = money(number)
    return text.rstrip("0").rstrip(".") if text is not None and "." in text else text


def assumed_in_words(symbol: str, assumed: Sequence[str]) -> str:
    """Return in one sentence what was taken for granted of an instrument."""
    taken = ", ".join(one.removeprefix(f"{symbol}: ") for one in assumed)
    return f"{symbol}: assumed, because the configuration does not say: {taken}."


def one_line(text: object) -> str:
    """Return a text on one line, with nothing in it that a terminal would obey.

    The name of a file may hold a line break or an escape; it is shown as Python writes it.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in str(text)
    )


def is_there(path: Path) -> bool:
    """Say whether anything stands at `path`; nothing does at a name that no disk would take."""
    try:
        return path.exists()
    except OSError:
        return False
