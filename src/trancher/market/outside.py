"""Signals from outside, read from a file: scores and events that somebody else has found.

Columns: `time`, `name`, and `score` or `event` or both columns; a row gives one of the two. A
column `bot` says for which bot a row is; empty means for each that listens to the name.

Invariants:
1. Rows come out in order of time; those of one time keep the order of the file.
2. A file with a row that cannot be read exactly is refused, with its line.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from trancher.core.day import EPOCH, MICROSECOND
from trancher.core.money import ZERO, exact, floor_to
from trancher.core.signals import SCORE_QUANTUM
from trancher.files import FileError, Table, read_table

REQUIRED: Final = ("time", "name")
SAID: Final = ("score", "event")
COLUMNS: Final = (*REQUIRED, *SAID, "bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideSignal:
    """Somebody outside said something.

    Attributes:
        at: when, UTC; an evaluation at that time knows it.
        name: of the signal, as a bot lists it.
        score: -1 to 1, in steps of 1e-9; None where this is an event.
        event: its name; None where this is a score.
        bot: the only bot that it is for; None means all that listen to the name.
    """

    at: datetime
    name: str
    score: Decimal | None = None
    event: str | None = None
    bot: str | None = None

    def __post_init__(self) -> None:
        assert (self.score is None) is not (self.event is None)
        assert self.score is None or -1 <= self.score <= 1


def read_outside(
    path: Path,
    *,
    heard: Collection[str] | None = None,
    bots: Collection[str] | None = None,
) -> tuple[OutsideSignal, ...]:
    """Read a CSV or Parquet file of outside signals, in order of time.

    A score's digits beyond the ninth decimal are cut off.

    Args:
        heard: the names that may stand there; None takes any.
        bots: likewise of bots.

    Raises:
        FileError: the file cannot be read, or a row is faulty.
    """
    table = read_table(path, lambda names: _chosen(path, names))
    times = table.instants("time")
    texts = {name: _texts(table, name) for name in ("name", "event", "bot")}
    scores = _scores(table)
    rows: list[OutsideSignal] = []
    for row in range(table.rows):
        if times.bad[row]:
            raise _bad(table, row, "time", expected=times.expected)
        if not texts["name"][row]:
            raise _bad(table, row, "name", expected="the name of a signal")
        if heard is not None and texts["name"][row] not in heard:
            names = ", ".join(heard) or "none: [bot.signals.external] is empty"
            expected = f"a signal that a bot listens to ({names})"
            raise _bad(table, row, "name", expected=expected)
        if bots is not None and texts["bot"][row] and texts["bot"][row] not in bots:
            raise _bad(table, row, "bot", expected=f"one of {', '.join(bots)}, or nothing")
        score, event = scores[row], texts["event"][row]
        if (score is None) is (event == ""):
            raise FileError(
                file=str(path),
                place=table.place(row),
                found="neither a score nor an event" if score is None else "a score and an event",
                expected="one of the two",
            )
        rows.append(
            OutsideSignal(
                at=EPOCH + int(times.micros[row]) * MICROSECOND,
                name=texts["name"][row],
                score=score,
                event=event or None,
                bot=texts["bot"][row] or None,
            )
        )
    return tuple(sorted(rows, key=lambda one: one.at))


def spoken_to(bot: str, rows: Sequence[OutsideSignal]) -> tuple[OutsideSignal, ...]:
    """Return the rows that are for `bot`, by its name or for every bot."""
    return tuple(row for row in rows if row.bot in {None, bot})


def _chosen(path: Path, names: Sequence[str]) -> Mapping[str, int]:
    """Return the columns to read: each known, each once, all that are needed."""

    def wrong(found: str, expected: str, column: str = "") -> FileError:
        return FileError(
            file=str(path), place="header", column=column, found=found, expected=expected
        )

    for index, name in enumerate(names):
        if name not in COLUMNS:
            raise wrong(f"the unknown column {name!r}", f"columns among {', '.join(COLUMNS)}")
        if name in names[:index]:
            raise wrong("it twice", "each column once", name)
    for name in REQUIRED:
        if name not in names:
            raise wrong("no such column", f"the columns {', '.join(COLUMNS[:-1])}", name)
    if not set(SAID) & set(names):
        raise wrong("neither a column score nor a column event", "at least one of them")
    return {name: index for index, name in enumerate(names)}


def _texts(table: Table, column: str) -> list[str]:
    """Return a column of names, each printable and without blanks around it; or all empty."""
    if column not in table.columns:
        return [""] * table.rows
    cells = ["" if cell is None else str(cell) for cell in table.columns[column]]
    for row, cell in enumerate(cells):
        if not cell.isprintable() or cell != cell.strip():
            raise _bad(table, row, column, expected="a plain name, without blanks around it")
    return cells


@exact
def _scores(table: Table) -> list[Decimal | None]:
    """Return a column of scores, None where a cell is empty; or all None."""
    if "score" not in table.columns:
        return [None] * table.rows
    numbers, bad = table.decimals("score")
    scores: list[Decimal | None] = []
    for row, cell in enumerate(table.columns["score"]):
        if cell is None or cell == "":
            scores.append(None)
            continue
        number = numbers.value(row)
        if bad[row] or not -1 <= number <= 1:
            raise _bad(table, row, "score", expected="a plain number from -1 to 1")
        scores.append(cut_score(number))
    return scores


@exact
def cut_score(number: Decimal) -> Decimal:
    """Return a score whose digits after the ninth decimal are cut off."""
    cut = floor_to(abs(number), SCORE_QUANTUM).copy_sign(number)
    return cut + ZERO  # which turns the minus zero that may be left into zero


def _bad(table: Table, row: int, column: str, *, expected: str) -> FileError:
    return FileError(
        file=str(table.path),
        place=table.place(row),
        column=table.headings[column],
        found=table.cell(column, row),
        expected=expected,
    )
