"""The chart of a plan: three lines over its rungs, the first target, and the cost so far as bars.

A Chart holds the figures; it is drawn here for a terminal, in plan_html.py and in plan_png.py.
In a terminal the rungs run downwards and the price to the right, so that every line is a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trancher.app.tables import price, quote
from trancher.backtest.rehearsal import Rehearsal
from trancher.core.money import exact

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST: Final = 80
UNTAKEN: Final = "Hollow or pale: not bought, for a limit refuses it or an exit comes before."
_WIDEST: Final = 110
_LABEL: Final = 18
_BAR: Final = 12
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One price over the rungs.

    Attributes:
        mark: its sign in a terminal.
        light, dark: its color on white, and on black.
        values: quote per base, one a rung; None where there is none.
    """

    name: str
    mark: str
    light: str
    dark: str
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is drawn of a plan.

    Attributes:
        labels: of the rungs.
        taken: whether each is bought: no limit refuses it, and no exit comes before it.
        lines: the price of each rung first.
        costs: quote for all that is held, fees excluded.
    """

    title: str
    currency: str
    labels: tuple[str, ...]
    taken: tuple[bool, ...]
    lines: tuple[Line, ...]
    costs: tuple[Decimal, ...]

    @property
    def lowest(self) -> Decimal:
        return min(value for line in self.lines for value in line.values if value is not None)

    @property
    def highest(self) -> Decimal:
        return max(value for line in self.lines for value in line.values if value is not None)


def chart_of(told: Rehearsal, *, title: str, currency: str) -> Chart:
    """Return what is drawn of a plan."""
    steps = told.steps
    lines = (
        ("price", "●", "#1f2328", "#e6edf3", tuple(step.price for step in steps)),
        ("average", "┼", "#0969da", "#58a6ff", tuple(s.average_entry_price for s in steps)),
        ("break-even", "◆", "#bc4c00", "#f0883e", tuple(s.break_even_price for s in steps)),
        ("first target", "▲", "#1a7f37", "#3fb950", tuple(s.target_price for s in steps)),
    )
    return Chart(
        title=title,
        currency=currency,
        labels=tuple(step.label for step in steps),
        taken=tuple(step.taken for step in steps),
        lines=tuple(
            Line(name=name, mark=mark, light=light, dark=dark, values=values)
            for name, mark, light, dark, values in lines
            if any(value is not None for value in values)
        ),
        costs=tuple(step.cumulated_cost for step in steps),
    )


def in_terminal(chart: Chart, *, width: int) -> Iterator["Text"]:
    """Yield the chart as rows of at most `width` columns; `width` is NARROWEST at least."""
    from rich.text import Text

    sums = [quote(cost) for cost in chart.costs]
    longest = max(map(len, [*sums, "so far"]))
    label = min(max(map(len, chart.labels)), _LABEL)
    room = min(width, _WIDEST) - label - _BAR - longest - 6
    low, high = price(chart.lowest), price(chart.highest)
    yield Text(f" {'':{label}}  {low}{high:>{room - len(low)}}  {'so far':>{longest + _BAR + 1}}")
    for row, (name, taken) in enumerate(zip(chart.labels, chart.taken, strict=True)):
        drawn = Text(f" {_cut(name, label):{label}}  ", style="" if taken else "dim")
        drawn.append_text(_row(chart, row, room))
        bar = _bar(chart.costs[row], max(chart.costs))
        drawn.append(f"  {bar:{_BAR}} {sums[row]:>{longest}}", style="" if taken else "dim")
        drawn.rstrip()
        yield drawn
    signs = [(f"{line.mark} {line.name}", line.dark) for line in chart.lines]
    yield Text("   ").join([Text(f" {'':{label}} "), *(Text(*sign) for sign in signs)])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _row(chart: Chart, row: int, room: int) -> "Text":
    """Return the prices of one rung from left to right, a rule from its price to break-even."""
    from rich.text import Text

    cells, styles = [" "] * room, [""] * room
    places = [
        (line, column(value, chart, room))
        for line in chart.lines
        if (value := line.values[row]) is not None
    ]
    columns = [place for line, place in places if line.name != "first target"]
    for place in range(min(columns), max(columns) + 1):
        cells[place] = "─"
    # Where several meet, the price of the rung is seen: it is the one that is acted on.
    for line, place in [*places[1:], places[0]]:
        cells[place], styles[place] = line.mark, line.dark
    return Text.assemble(*zip(cells, styles, strict=True))


@exact
def column(value: Decimal, chart: Chart, room: int) -> int:
    """Return which of `room` columns a price falls into; the lowest of all into the first."""
    spread = chart.highest - chart.lowest
    return 0 if spread == 0 else int((value - chart.lowest) * (room - 1) // spread)


@exact
def _bar(cost: Decimal, most: Decimal) -> str:
    eighths = 0 if most == 0 else int(cost * _BAR * 8 // most)
    whole, part = divmod(eighths, 8)
    return f"{'█' * whole}{_EIGHTHS[part].strip()}"


def thinned(labels: Sequence[str], most: int) -> Iterator[tuple[int, str]]:
    """Yield evenly at most `most` of the labels, one at least, with their places."""
    step = -(-len(labels) // max(most, 1))
    return ((place, label) for place, label in enumerate(labels) if place % step == 0)
