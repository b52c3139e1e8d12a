"""A plan as a picture: the chart of plan_chart.py, drawn by matplotlib on white.

The same chart gives the same file.
"""

import io
from decimal import Decimal
from typing import Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from trancher.app.plan_chart import UNTAKEN, Chart, thinned
from trancher.app.tables import price, quote

_DOTS: Final = 150
_LETTERS: Final = 110  # that have room below the bars
_QUIET: Final = "#59636e"
_BARS: Final = "#8c959f"


def picture(chart: Chart) -> bytes:
    """Return the chart as a PNG file."""
    # A dollar sign in a name is a dollar sign, not the beginning of a formula.
    with rc_context({"text.parse_math": False, "font.size": 9, "axes.unicode_minus": False}):
        figure = Figure(figsize=(9, 5.2), layout="constrained", facecolor="white")
        canvas = FigureCanvasAgg(figure)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        figure.suptitle(chart.title, fontsize=11)
        _prices(above, chart)
        _costs(below, chart)
        file = io.BytesIO()
        canvas.print_figure(file, format="png", dpi=_DOTS, metadata={"Software": None})
    return file.getvalue()


def _prices(axes: Axes, chart: Chart) -> None:
    rungs = range(len(chart.labels))
    for place, line in enumerate(chart.lines):
        points = [
            (rung, float(value)) for rung, value in enumerate(line.values) if value is not None
        ]
        across, down = zip(*points, strict=True)
        axes.plot(
            across, down, color=line.light, linestyle="--" if place else "-", label=line.name
        )
        axes.scatter(
            across,
            down,
            s=18,
            zorder=3,
            edgecolors=line.light,
            facecolors=[line.light if chart.taken[rung] else "white" for rung in across],
        )
    _frame(axes, f"price, {chart.currency}")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _as_price(value)))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=4, frameon=False)
    axes.set_xlim(-0.6, len(rungs) - 0.4)


def _costs(axes: Axes, chart: Chart) -> None:
    costs = [float(cost) for cost in chart.costs]
    bars = axes.bar(range(len(costs)), costs, width=0.5, color=_BARS)
    for rect, taken in zip(bars, chart.taken, strict=True):
        rect.set_alpha(1 if taken else 0.4)
    written = list(thinned(chart.labels, _LETTERS // (max(map(len, chart.labels)) + 2)))
    for rung, _ in written:
        axes.annotate(
            quote(chart.costs[rung]),
            (rung, costs[rung]),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            color=_QUIET,
        )
    axes.set_ylim(0, max(costs) * 1.25 or 1)
    _frame(axes, f"so far, {chart.currency}")
    axes.set_xticks([rung for rung, _ in written], [label for _, label in written])
    if not all(chart.taken):
        axes.set_xlabel(UNTAKEN, color=_QUIET)


def _frame(axes: Axes, name: str) -> None:
    axes.set_ylabel(name, color=_QUIET)
    axes.grid(axis="y", color="#d1d9e0", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=_QUIET)


def _as_price(value: float) -> str:
    return price(Decimal(str(value)))
