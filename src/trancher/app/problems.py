"""Problems of a configuration, one sentence each: where, what was found, what is expected."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from trancher.app.entries import PLANS
from trancher.app.locate import Path, Spot, in_words, line_of
from trancher.app.output import BadInput
from trancher.app.section import UnknownKey
from trancher.app.words import Mismatch

_QUOTED_MAX: Final = 60
_SLIPS: Final = (
    (re.compile(r"=\s*-?[\d.]+\s*%"), 'write a percentage in quotes, such as "15%"'),
    (re.compile("[\u2018\u2019\u201c\u201d\u201e]"), 'use plain quotes: "'),
    (re.compile(r"=\s*-?\d+,\d+\s*(#|$)"), "write a decimal point, not a comma"),
    (
        re.compile(r"=\s*(?:[$\u20ac\u00a3]|-?[\d.]+\s*[A-Z]{3,})"),
        "write the number without its currency",
    ),
    (re.compile(r"^\s*[\w-]+\s*:"), "write = between key and value, not :"),
    (re.compile(r"=\s*\d+\s*[smhdw]\b"), 'write a length of time in quotes, such as "15m"'),
    (re.compile(r"=\s*-?\d+[.,']\d{3}[.,']\d"), "write a number without marks between thousands"),
    (re.compile(r"=\s*-?\.\d"), "write a digit before the point"),
    (re.compile(r"=\s*(?:True|False|TRUE|FALSE|yes|no)\b"), "write true or false"),
    (re.compile(r"=\s*(?:null|none|None|nil)\b"), "leave a key out that is to have no value"),
    (re.compile(r"=\s*[A-Za-z]"), 'write a text in quotes, such as "USD"'),
    (re.compile(r"^\s*(?://|;|--)"), "begin a comment with #"),
    (re.compile(r";\s*$"), "end a line without ;"),
    (re.compile(r"^\s*\[[^\"]*/"), 'write a symbol in quotes: [instrument."BTC/USD"]'),
)
_PLACE: Final = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def sentence(
    *, file: str, line: int | None, key: str, found: str, expected: str, hint: str = ""
) -> BadInput:
    """Return the problem as every reader of configurations tells it."""
    where = [file, *([f"line {line}"] if line is not None else []), *([key] if key else [])]
    tail = f"; {hint}" if hint else ""
    return BadInput(f"{', '.join(where)}: found {found}, expected {expected}{tail}")


def of_syntax(error: ValueError, text: str, *, file: str) -> BadInput:
    """Return what keeps `text` from being TOML."""
    said = str(error)
    place = _PLACE.search(said)
    lines = text.splitlines() or [""]
    line = int(place["line"]) if place is not None and place["line"] else len(lines)
    what = said[: place.start()] if place is not None else said
    if re.search(r"overwrite a value|twice|Cannot (?:declare|mutate)|Duplicate", what):
        header = re.match(r"\s*\[{1,2}[^\]]+\]{1,2}|[^=]+", lines[min(line, len(lines)) - 1])
        key = "" if header is None else _short(header[0])
        return sentence(
            file=file, line=line, key=key, found="it a second time", expected="each key once"
        )
    written = lines[min(line, len(lines)) - 1]
    return sentence(
        file=file,
        line=line,
        key="",
        found=f"no TOML ({_short(what)})",
        expected="key = value",
        hint=next((hint for slip, hint in _SLIPS if slip.search(written)), ""),
    )


def of_values(
    error: ValidationError, document: Mapping[str, Any], spots: Mapping[Path, Spot], *, file: str
) -> BadInput:
    """Return the most telling problem: the first in the file, an unknown key before others."""
    problems = [_mismatch(one) for one in error.errors(include_url=False)]
    path, first = min(
        problems, key=lambda it: (line_of(spots, it[0]), not isinstance(it[1], UnknownKey))
    )
    return of_mismatch(first, path, document, spots, file=file)


def of_mismatch(
    problem: Mismatch,
    path: Path,
    document: Mapping[str, Any],
    spots: Mapping[Path, Spot],
    *,
    file: str,
) -> BadInput:
    """Return the problem that `problem` has with the value at `path`."""
    found = problem.found if problem.found is not None else _found(path, document, spots)
    several = len(document["bot"]) > 1 if isinstance(document.get("bot"), list) else True
    shown = path if several or path[:2] != ("bot", 0) else ("bot", *path[2:])
    return sentence(
        file=file,
        line=line_of(spots, path),
        key=_short(in_words(shown)) if shown else "",
        found=found,
        expected=problem.expected,
        hint=problem.hint,
    )


def _mismatch(one: Any) -> tuple[Path, Mismatch]:
    cause = one.get("ctx", {}).get("error")
    known = cause if isinstance(cause, Mismatch) else Mismatch(expected="a value of another kind")
    return (*_written(one["loc"]), *known.at), known


def _written(loc: Path) -> Path:
    """Return `loc` without the plan's name, which stands behind `entry` and is no key there."""
    for names in (("bot", "entry"), ("bot", "strategy", "entry")):
        end = 2 * len(names) - 1
        head, plan, rest = loc[:end], loc[end : end + 1], loc[end + 1 :]
        if head[::2] == names and plan and plan[0] in PLANS:
            return (*head, *rest)
    return loc


def _found(path: Path, document: Any, spots: Mapping[Path, Spot]) -> str:
    spot = spots.get(path)
    if spot is not None and spot.text is not None:
        return _short(spot.text)
    value = document
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return "nothing"
    return "a table" if isinstance(value, dict) else "a list"


def _short(text: str) -> str:
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= _QUOTED_MAX else f"{line[:_QUOTED_MAX]}..."
