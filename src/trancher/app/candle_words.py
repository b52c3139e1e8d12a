"""Candles in words: their faults as bad input, their lengths and options as people write them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal, TypeVar

from trancher.app.nearest import nearest
from trancher.app.output import BadInput
from trancher.files import FileError, UnnamedColumns
from trancher.market.candles import Candles, InvalidInterval, OutOfOrder
from trancher.market.layout import COLUMNS, TIME_NAMES, Layout

T = TypeVar("T")
SKIPPED: Final = "-"
_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def in_words(read: Callable[[], T]) -> T:
    """Call `read` and turn what is wrong with candles into bad input."""
    try:
        return read()
    except UnnamedColumns as problem:
        raise BadInput(f"{problem}, or --columns, which names them in order") from problem
    except OutOfOrder as problem:
        raise BadInput(f"{problem}, or --newest-first for a file that stands so") from problem
    except (FileError, InvalidInterval) as problem:
        raise BadInput(str(problem)) from problem


def parse_on_bad(text: str) -> Literal["fail", "drop"]:
    """Return the word of --on-bad."""
    if text == "fail":
        return "fail"
    if text == "drop":
        return "drop"
    raise BadInput(f"--on-bad: found {text!r}, expected fail or drop")


def parse_layout(columns: str | None, *, newest_first: bool) -> Layout:
    """Return what --columns and --newest-first say."""
    if columns is None:
        return Layout(newest_first=newest_first)
    names = tuple(name.strip().lower() for name in columns.split(","))
    for name in names:
        if name != SKIPPED and name not in {*TIME_NAMES, *COLUMNS}:
            near = nearest(name, (*TIME_NAMES, *COLUMNS))
            meant = f"; did you mean {near}?" if near else ""
            known = ", ".join((TIME_NAMES[0], *COLUMNS))
            raise BadInput(
                f"--columns: found {name[:40]!r}, "
                f"expected {known}, or {SKIPPED} for a column that is not read{meant}"
            )
    for wanted in (TIME_NAMES, *((name,) for name in COLUMNS)):
        count = sum(name in wanted for name in names)
        if count != 1:
            raise BadInput(
                f"--columns: found {count or 'no'} columns named {wanted[0]}, expected one"
            )
    return Layout(columns=names, newest_first=newest_first)


def parse_interval(text: str | None) -> timedelta | None:
    """Return the length of a candle written as 1m, 4h or 1d."""
    if text is None:
        return None
    count, unit = text[:-1], text[-1:]
    if not (count.isascii() and count.isdigit() and unit in _UNITS and 0 < int(count) < 10_000):
        raise BadInput(f"--interval: found {text!r}, expected a length of time such as 1m or 4h")
    return timedelta(seconds=int(count) * _UNITS[unit])


def dropped_in_words(candles: Candles) -> str:
    """Return how many rows were left out and why, or nothing."""
    reasons = ", ".join(f"{one.count:,} {one.fault}" for one in candles.dropped)
    return f"; dropped: {reasons}" if reasons else ""
