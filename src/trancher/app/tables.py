"""Tables for people. They round, and nothing else does."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trancher.core.money import exact

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_SMALL: Final = Decimal("0.01")
_TEN: Final = Decimal(10)
_HUNDRED: Final = Decimal(100)
_SHARE_PLACES: Final = 4
_NO_MARGIN: Final = 1000
_NARROWEST: Final = 80


def console() -> "Console":
    """Return the terminal, which takes every text as it is; a file or a pipe has no margin."""
    from rich.console import Console

    shown = Console(highlight=False, markup=False, emoji=False)
    if not shown.is_terminal and "COLUMNS" not in os.environ:
        shown.width = _NO_MARGIN
    # A table squeezed further loses columns; lines that the terminal wraps lose nothing.
    shown.width = max(shown.width, _NARROWEST)
    return shown


def table(title: str, *columns: str, words: int = 1, tight: bool = False) -> "Table":
    """Return an empty table whose first `words` columns hold words and the others numbers.

    Where the terminal is narrow the words are folded; a number is never cut before them.

    Args:
        columns: their headings; without any heading the table has no head.
        tight: one blank between columns instead of two, for a table of many.
    """
    from rich import box
    from rich.table import Table

    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 0 if tight else 1),
        show_header=any(columns),
    )
    for place, column in enumerate(columns):
        number = place >= words
        made.add_column(
            column,
            justify="right" if number else "left",
            no_wrap=number,
            overflow="ellipsis" if number else "fold",
        )
    return made


@exact
def quote(amount: Decimal | None) -> str:
    """Two decimals, or more where that would show a little as nothing; a dash for nothing."""
    if amount is None:
        return "-"
    return f"{amount:,.{8 if 0 < abs(amount) < _SMALL else 2}f}"


@exact
def price(amount: Decimal | None) -> str:
    """Two decimals; below 10 up to four, below 1 up to eight, without idle zeros beyond two."""
    if amount is None:
        return "-"
    if amount >= _TEN:
        return f"{amount:,.2f}"
    whole, _, decimals = f"{amount:.{8 if amount < 1 else 4}f}".partition(".")
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


@exact
def exactly(quantity: Decimal) -> str:
    """Up to eight decimals, none of them an idle zero."""
    text = f"{quantity:,.8f}"
    return text.rstrip("0").rstrip(".")


@exact
def share(ratio: Decimal) -> str:
    """A ratio in percent: all of it, or what `quote` shows where that has over four decimals."""
    exact_percent = (ratio * _HUNDRED).normalize()
    digits = exact_percent.as_tuple().exponent
    assert isinstance(digits, int), ratio
    if digits < -_SHARE_PLACES:
        return f"{quote(exact_percent)} %"
    return f"{exact_percent:f} %"


def counted(count: int, thing: str) -> str:
    """A number with its noun: 1 exit, 2 exits, 1,000 exits."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr with rate and time left, and give what moves it; silent in a pipe."""
    from rich import progress as bars
    from rich.console import Console

    watched = Console(stderr=True)
    with bars.Progress(
        bars.TextColumn(what),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[rate]}"),
        bars.TimeRemainingColumn(),
        console=watched,
        disable=not watched.is_terminal,
        transient=True,
    ) as shown:
        task = shown.add_task(what, total=None, rate="")

        def move(done: int, whole: int) -> None:
            speed = shown.tasks[0].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            shown.update(task, completed=done, total=whole, rate=rate)

        yield move
