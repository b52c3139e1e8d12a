"""A plan as one page: the chart as SVG, the tables, the lines. No script, no outside host.

Light or dark as the reader's system is. The page forbids itself to load anything.

Invariant: every text that somebody else chose is escaped.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from trancher.app import plan_view
from trancher.app.plan_chart import UNTAKEN, Chart, Line, column, thinned
from trancher.app.plan_view import Planned
from trancher.app.tables import price, quote

_LEFT: Final = 96
_RIGHT: Final = 664  # where the labels of the lines begin
_WIDTH: Final = 860
_PRICES: Final = (24, 264)  # from the highest price down to the lowest
_COSTS: Final = (312, 392)  # from the largest sum down to nothing
_HEIGHT: Final = 428
_GAP: Final = 15  # between two labels
_RULES: Final = 4
_LETTER: Final = 7
_STYLE: Final = """
:root { color-scheme: light dark; --ground: #ffffff; --text: #1f2328; --quiet: #59636e;
  --rule: #d1d9e0; --bar: #8c959f; }
body { margin: 0 auto; padding: 1rem; max-width: 56rem; background: var(--ground);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; } h2 { font-size: 1rem; margin: 1.5rem 0 0.25rem; }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 36rem; display: block; }
svg text { font-size: 12px; fill: var(--text); } svg .quiet { fill: var(--quiet); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: 0.25rem 0.6rem; text-align: right; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th { font-weight: 600; color: var(--quiet); } .quiet { color: var(--quiet); }
"""
_DARK: Final = """--ground: #0d1117; --text: #e6edf3; --quiet: #9198a1; --rule: #3d444d;
  --bar: #656c76;"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(plan: Planned, chart: Chart) -> str:
    """Return the page of a plan."""
    title = escape(chart.title)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}{_colors(chart.lines)}</style>
</head>
<body>
<h1>{title}</h1>
<div class="wide" tabindex="0">{drawn(chart)}</div>
<h2>What each rung buys, in {escape(chart.currency)}</h2>
{_table(plan_view.LADDER, plan_view.ladder_rows(plan.told))}
<h2>Where it sells after each rung, in {escape(chart.currency)}</h2>
{_table(plan_view.SALES, plan_view.sale_rows(plan.told))}
<h2>What it comes to</h2>
{_list(plan_view.lines(plan))}
{_list((*plan_view.notes(plan), *_explained(chart)), kind="quiet")}
</body>
</html>
"""


def _colors(lines: Iterable[Line]) -> str:
    light = " ".join(f"--line-{place}: {line.light};" for place, line in enumerate(lines))
    dark = " ".join(f"--line-{place}: {line.dark};" for place, line in enumerate(lines))
    return (
        f":root {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} {dark} }} }}\n"
    )


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    body = "\n".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    if not body:
        return "<p>No price sells anything.</p>"
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    return (
        f'<div class="wide" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _list(texts: Iterable[str], *, kind: str = "") -> str:
    return "\n".join(f'<p class="{kind}">{escape(text)}</p>' for text in texts)


def _explained(chart: Chart) -> Iterator[str]:
    if not all(chart.taken):
        yield UNTAKEN
    if not _named(chart):
        yield "The numbers below the bars count the rungs of the table."


def _named(chart: Chart) -> bool:
    """Say whether there is room below the bars for the names of the rungs."""
    return max(map(len, chart.labels)) * _LETTER <= (_RIGHT - _LEFT) // len(chart.labels)


def drawn(chart: Chart) -> str:
    """Return the chart as SVG: prices above, the cost so far below, a rung a column."""
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        *_rules(chart),
        *_bars(chart),
        *(text for place, line in enumerate(chart.lines) for text in _line(chart, place, line)),
        *_names(chart),
        "</svg>",
    ]
    return "\n".join(parts)


def _across(chart: Chart, rung: int) -> int:
    """Return where a rung stands, from the left."""
    return _LEFT + (2 * rung + 1) * (_RIGHT - _LEFT - 16) // (2 * len(chart.labels))


def _down(chart: Chart, line: Line, rung: int) -> int:
    """Return where the price of a line stands, from the top."""
    value = line.values[rung]
    assert value is not None
    return _PRICES[1] - column(value, chart, _PRICES[1] - _PRICES[0] + 1)


def _rules(chart: Chart) -> Iterator[str]:
    spread = chart.highest - chart.lowest
    for part in range(_RULES + 1):
        value = chart.lowest + spread * part / _RULES
        height = _PRICES[1] - (_PRICES[1] - _PRICES[0]) * part // _RULES
        yield (
            f'<path d="M{_LEFT} {height}H{_RIGHT - 16}" stroke="var(--rule)"/>'
            f'<text x="{_LEFT - 8}" y="{height + 4}" text-anchor="end" class="quiet">'
            f"{price(value)}</text>"
        )


def _bars(chart: Chart) -> Iterator[str]:
    top, bottom = _COSTS
    most, width = max(chart.costs), min(48, 400 // len(chart.labels))
    yield f'<text x="{_LEFT - 8}" y="{bottom}" text-anchor="end" class="quiet">so far</text>'
    sums = [quote(cost) for cost in chart.costs]
    room = (max(map(len, sums)) + 1) * _LETTER
    written, named = dict(thinned(chart.labels, (_RIGHT - _LEFT) // room)), _named(chart)
    for rung, cost in enumerate(chart.costs):
        height = 0 if most == 0 else int(cost * (bottom - top) // most)
        x, pale = _across(chart, rung), "" if chart.taken[rung] else ' fill-opacity="0.35"'
        yield (
            f'<rect x="{x - width // 2}" y="{bottom - height}" width="{width}" '
            f'height="{height}" fill="var(--bar)"{pale}>'
            f"<title>{escape(chart.labels[rung])}: {sums[rung]}</title></rect>"
        )
        if rung in written:
            name = escape(written[rung]) if named else str(rung + 1)
            yield (
                f'<text x="{x}" y="{bottom - height - 5}" text-anchor="middle" class="quiet">'
                f"{sums[rung]}</text>"
                f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{name}</text>'
            )


def _line(chart: Chart, place: int, line: Line) -> Iterator[str]:
    there = [rung for rung, value in enumerate(line.values) if value is not None]
    points = " ".join(f"{_across(chart, rung)},{_down(chart, line, rung)}" for rung in there)
    color, dashes = f"var(--line-{place})", ' stroke-dasharray="5 4"' if place else ""
    yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>'
    for rung in there:
        inside = color if chart.taken[rung] else "var(--ground)"
        yield (
            f'<circle cx="{_across(chart, rung)}" cy="{_down(chart, line, rung)}" r="3.5" '
            f'fill="{inside}" stroke="{color}" stroke-width="1.5"><title>'
            f"{escape(chart.labels[rung])}: {line.name} {price(line.values[rung])}"
            "</title></circle>"
        )


def _names(chart: Chart) -> Iterator[str]:
    """Yield the name of each line where it ends, none upon another."""
    ends = []
    for place, line in enumerate(chart.lines):
        rung = max(one for one, value in enumerate(line.values) if value is not None)
        ends.append((_down(chart, line, rung), place, f"{line.name} {price(line.values[rung])}"))
    free = 0
    for height, place, text in sorted(ends):
        free = max(height + 4, free)
        yield f'<text x="{_RIGHT}" y="{free}" style="fill: var(--line-{place})">{text}</text>'
        free += _GAP
