"""The chart of a plan: in a terminal, as a picture and as a page."""

import io
import re
import struct
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from command_line import config, trancher
from trancher.app.cli import main
from trancher.app.plan_chart import Chart, Line, column, in_terminal, thinned
from trancher.app.plan_html import drawn

LADDER = """
[portfolio]
quote = "USD"
cash = 1000
[instrument."BTC/USD"]
price_tick = 0.01
maker_fee = 0
taker_fee = 0
[[bot]]
name = "ladder"
symbol = "BTC/USD"
[bot.entry]
plan = "ladder"
base_size = 10
levels = [{drop = "10%", size = 20}, {drop = "20%", size = 60}]
[bot.exit]
take_profit = [{gain = "10%", sell = "rest"}]
"""
PLAN = ("plan", "c.toml", "--price", "100")


class Terminal(io.StringIO):
    """A text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


class Seen(HTMLParser):
    """The tags of a page, with what they refer to, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "srcset"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a configuration of three rungs, the last too large for its limit."""
    config(tmp_path / "c.toml", LADDER)
    return tmp_path


def test_the_chart_in_a_terminal_puts_every_price_where_it_belongs(place: Path) -> None:
    """
    From 80 to 110, each row its rung: the price, a rule to the break-even, the target behind it.
    """
    rows = trancher(*PLAN, "--plot", folder=place).out.splitlines()[-5:]

    assert rows[0].split() == ["80.00", "110.00", "so", "far"]
    assert [re.sub("─+", "─", "".join(row.split())) for row in rows[1:4]] == [
        "baseorder●▲█▎10.00",
        "safetyorder1●─◆▲███▉30.00",
        "safetyorder2●─◆▲████████████90.00",
    ]
    assert rows[1].index("●") > rows[2].index("●") > rows[3].index("●")
    assert rows[4].strip() == "● price   ┼ average   ◆ break-even   ▲ first target"


@pytest.mark.parametrize(
    ("columns", "options", "drawn"),
    [
        ("100", [], True),
        ("80", [], True),
        ("79", [], False),
        ("100", ["--no-plot"], False),
        ("60", ["--plot"], True),
    ],
)
def test_a_terminal_that_is_wide_enough_is_drawn_in(
    place: Path, monkeypatch: pytest.MonkeyPatch, columns: str, options: list[str], *, drawn: bool
) -> None:
    """
    A narrow one would break every row in two; a person may still ask for it, or not want it.
    """
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "dumb")
    shown = Terminal()
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", ["trancher", *PLAN, *options])

    with redirect_stdout(shown), pytest.raises(SystemExit):
        main()

    assert ("● price" in shown.getvalue()) is drawn


def test_a_pipe_gets_the_table_alone(place: Path) -> None:
    """
    A program that reads the table reads no picture.
    """
    assert "●" not in trancher(*PLAN, folder=place).out


def test_the_picture_is_a_picture_and_the_same_each_time(place: Path) -> None:
    """
    1350 x 780 pixels; no time and no version in it, so that two can be compared.
    """
    said = trancher(*PLAN, "--png", "a.png", folder=place)
    trancher(*PLAN, "--png", "b.png", folder=place)

    content = (place / "a.png").read_bytes()
    assert (said.code, said.err) == (0, "wrote a.png\n")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (1350, 780)
    assert content == (place / "b.png").read_bytes()


def test_without_matplotlib_the_picture_says_what_it_needs(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is an extra: everything else is drawn without it.
    """
    monkeypatch.delitem(sys.modules, "trancher.app.plan_png", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    said = trancher(*PLAN, "--png", "a.png", "--html", "a.html", folder=place)

    assert (said.code, said.out) == (2, "")
    assert said.err == "--png: found no matplotlib, expected it; pip install 'trancher[plots]'\n"
    assert [path.name for path in place.iterdir()] == ["c.toml"]


def test_the_page_says_what_the_terminal_says_and_asks_nobody(place: Path) -> None:
    """
    One file that can be mailed: no script, no link, and it forbids itself to load anything.
    """
    out = trancher(*PLAN, "--html", "a.html", folder=place).out

    page = (place / "a.html").read_text(encoding="utf-8")
    seen = Seen(page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert not seen.tags & {"script", "link", "img", "iframe"}
    assert seen.links == []
    assert re.findall(r"(?:https?:|url\(|@import)", page) == []
    for text in ("safety order 1", "93.10", "83.94", "At most 30.00 USD is spent"):
        assert text in out
        assert text in " ".join(seen.texts)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'a" onload="x', "R&B $x_1$"])
def test_a_name_is_text_whatever_it_is(name: str) -> None:
    """
    Names come from files that somebody else may have written.
    """
    chart = Chart(
        title=name,
        currency="USD",
        labels=(name,),
        taken=(False,),
        lines=(line("price", "1"),),
        costs=(Decimal(1),),
    )

    page = drawn(chart)

    assert Seen(page).tags == {"svg", "path", "text", "rect", "title", "polyline", "circle"}
    assert not [name for name in Seen(page).attributes if name.startswith("on")]


def line(name: str, *values: str | None) -> Line:
    """Return a line of a chart."""
    prices = tuple(None if value is None else Decimal(value) for value in values)
    return Line(name=name, mark="●", light="#000000", dark="#ffffff", values=prices)


def flat() -> Chart:
    """Return the chart of two rungs that buy nothing at one price."""
    return Chart(
        title="flat",
        currency="USD",
        labels=("first", "a name that is longer than there is room"),
        taken=(True, True),
        lines=(line("price", "5", "5"), line("break-even", None, "5")),
        costs=(Decimal(0), Decimal(0)),
    )


@pytest.mark.parametrize("draw", [drawn, lambda chart: list(in_terminal(chart, width=80))])
def test_a_ladder_without_height_and_cost_is_drawn_all_the_same(
    draw: Callable[[Chart], object],
) -> None:
    """
    A plan by time knows one price only, and orders that the exchange does not take cost nothing.
    """
    assert draw(flat())


def test_a_long_label_gives_way_to_the_figures() -> None:
    """
    The table above names it in full.
    """
    rows = [str(row) for row in in_terminal(flat(), width=80)]

    assert rows[2].startswith(" a name that is lo… ")
    assert all(len(row) <= 80 for row in rows)


def test_the_lowest_price_is_the_first_column_and_the_highest_the_last() -> None:
    """
    Nothing is drawn outside, whatever the prices.
    """
    chart = Chart(
        title="",
        currency="USD",
        labels=("a", "b", "c"),
        taken=(True, True, True),
        lines=(line("price", "3", "2", "1"),),
        costs=(Decimal(1), Decimal(1), Decimal(1)),
    )

    assert [column(value, chart, 41) for value in chart.lines[0].values if value] == [40, 20, 0]


@pytest.mark.parametrize(("most", "kept"), [(9, "abcde"), (5, "abcde"), (3, "ace"), (0, "a")])
def test_labels_are_thinned_evenly(most: int, kept: str) -> None:
    """
    Those that are written stand apart, and the first always is.
    """
    assert "".join(label for _, label in thinned("abcde", most)) == kept
