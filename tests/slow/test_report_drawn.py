"""What the charts of a report say, in a real browser: labels, marks, lines, scales.

What is written on a canvas is caught on its way there, and compared with the data of the page.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from browsers import Opened, chromium, settled
from report_pages import page_in, waves

pytestmark = pytest.mark.slow

WRITTEN: Final = """
window.written = [];
window.centered = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  window.written.push(text);
  const half = this.measureText(text).width / 2, width = this.canvas.width;
  const ends = [rest[0] - half, width - rest[0] - half];
  if (this.textAlign === "center") window.centered.push([text, ...ends]);
  return write.call(this, text, ...rest);
};
window.filled = {};
let begun = [];
const begin = CanvasRenderingContext2D.prototype.beginPath;
CanvasRenderingContext2D.prototype.beginPath = function () {
  begun = [];
  return begin.call(this);
};
const move = CanvasRenderingContext2D.prototype.moveTo;
CanvasRenderingContext2D.prototype.moveTo = function (x, y) {
  begun.push([x, y]);
  return move.call(this, x, y);
};
const fill = CanvasRenderingContext2D.prototype.fill;
CanvasRenderingContext2D.prototype.fill = function (...rest) {
  window.filled[this.fillStyle] = begun;
  return fill.call(this, ...rest);
};
"""
BUY: Final = "#0a56b5"
SELL: Final = "#a34700"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waves(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    window = Opened(browser, report, width=1440, scheme="light", script=WRITTEN)
    yield window.page
    window.close()


def percentage(ratio: str) -> str:
    """Return how the axis of the drawdown writes a fall."""
    shown = f"{100 * float(ratio):.2f}\u00a0%"
    return shown if shown.startswith("0.00") else f"\u2212{shown}"


def test_the_axis_of_the_drawdown_says_what_is_drawn(page: Page, report: Path) -> None:
    """
    The label of the last value, and that under the pointer at every time, are those of the data:
    a fall of 5.52 % is neither 5.1 nor 5.5.
    """
    curve = page_in(report).data["curve"]
    page.locator("#water").scroll_into_view_if_needed()
    settled(page, 500)
    box = page.locator("#water").bounding_box()
    assert box is not None
    assert percentage(curve["drawdown"][-1]) in page.evaluate("written")
    falls = {
        f"{datetime.fromtimestamp(at / 1000, UTC):%d %b '%y   %H:%M}": percentage(fall)
        for at, fall in zip(curve["at"], curve["drawdown"], strict=True)
    }
    told = set[str]()
    for x in range(60, int(box["width"]) - 160, 40):
        page.evaluate("written.length = 0")
        page.mouse.move(box["x"] + x, box["y"] + 60)
        settled(page, 60)
        written = page.evaluate("written")
        (time,) = {one for one in written if one in falls}
        assert falls[time] in written, (time, written)
        told.add(falls[time])
    assert len(told) > 10


def tips(page: Page, color: str) -> list[tuple[float, float]]:
    """Return where the marks of a color point to, in order of time, on the page."""
    page.locator("#price").scroll_into_view_if_needed()
    settled(page, 400)
    box = page.locator("#price").bounding_box()
    assert box is not None
    border = 1
    return [
        (box["x"] + border + x, box["y"] + border + y) for x, y in page.evaluate("filled")[color]
    ]


def times(rows: Any, key: str) -> list[str]:
    return [one[key][:19].replace("T", " ") for one in rows]


def most_sold(report: Path) -> Any:
    """Return the first position with the most exits."""
    positions = page_in(report).data["document"]["positions"]
    return max(positions, key=lambda one: len(one["exits"]))


def test_each_mark_says_its_own_and_nothing_when_left(page: Page, report: Path) -> None:
    """
    Every entry and every exit of a position, one after the other; beside them, and off the
    chart, there is no text.
    """
    position = most_sold(report)
    page.select_option("#position", position["position_id"])
    told = page.locator("#told")
    sentences = page.locator("[aria-label='Entries and exits'] td.long").all_inner_texts()
    exits = times(position["exits"], "timestamp")
    entries = times(position["position_tranches"], "entry_timestamp")
    assert len(exits) > 1
    for color, up, moments in ((SELL, -4, exits), (BUY, 4, entries)):
        for (x, y), moment in zip(tips(page, color), moments, strict=True):
            page.mouse.move(x, y + up)
            assert told.inner_text().startswith(moment)
            assert told.inner_text() in sentences
            page.mouse.move(x, y + 15 * up)
            assert told.inner_text() == ""
    x, y = tips(page, SELL)[0]
    page.mouse.move(x, y - 4)
    assert told.inner_text() != ""
    page.mouse.move(5, 5)
    assert told.inner_text() == ""


def test_a_tap_tells_a_mark(browser: Browser, report: Path) -> None:
    """
    A short tap on a phone, near a mark: its text; beside it: none. The hint says so.
    """
    position = most_sold(report)
    window = Opened(browser, report, width=390, scheme="light", script=WRITTEN, touch=True)
    window.page.select_option("#position", position["position_id"])
    for (x, y), moment in zip(
        tips(window.page, SELL), times(position["exits"], "timestamp"), strict=True
    ):
        window.page.touchscreen.tap(x + 3, y - 9)
        settled(window.page, 700)
        assert window.page.locator("#told").inner_text().startswith(moment)
    window.page.touchscreen.tap(x, y + 90)
    settled(window.page, 700)
    assert window.page.locator("#told").inner_text() == ""
    assert "tap a mark" in window.page.locator("#price-keys").inner_text()
    window.close()


def test_no_label_of_a_time_axis_is_cut(page: Page) -> None:
    """
    The first and the last label of every chart are whole: of all positions, and of each.
    """
    for index in range(3):
        page.select_option("#position", index=index)
        settled(page, 400)
    centered = page.evaluate("centered")
    assert len(centered) > 20
    assert [text for text, left, right in centered if min(left, right) < 0] == []


def test_far_levels_stand_at_the_edge_and_tranches_have_numbers(page: Page, report: Path) -> None:
    """
    Of what lies above or below all that is shown the price is written, and is that of the data.
    """
    data = page_in(report).data
    far = set[str]()
    for position in data["document"]["positions"]:
        page.evaluate("written.length = 0")
        page.select_option("#position", position["position_id"])
        settled(page, 400)
        written = page.evaluate("written")
        numbers = {
            f"#{one['id'].removeprefix('tranche_')}" for one in position["position_tranches"]
        }
        assert numbers == {one for one in written if one.startswith("#")}
        page.evaluate("written.length = 0")
        page.focus("#price")
        for _ in range(8):
            page.keyboard.press("+")
            # Keys that come within one frame are one step.
            settled(page, 0)
        settled(page, 200)
        steps = data["lines"][position["position_id"]]
        for name, place in (("stop", 4), ("gain rung", 5), ("entry rung", 6)):
            levels = {f"{float(price):.2f}" for step in steps for price in step[place]}
            for text in page.evaluate("written"):
                if text[:1] in "\u2191\u2193" and text[2:].startswith(name):
                    far.add(name)
                    assert set(re.findall(r"[0-9.]+", text.replace(",", ""))) <= levels
    assert far == {"stop", "gain rung", "entry rung"}


def test_the_legend_ticks_what_is_drawn(page: Page) -> None:
    """
    Over all positions the chart has no rungs and no stops; those boxes are off there, and on
    again, as they were, where one position is chosen.
    """
    boxes = "all => all.map((one) => [one.disabled, one.checked])"
    shown = page.eval_on_selector_all("#layers input", boxes)
    assert shown == [[False, True]] * 2 + [[True, False]] * 5 + [[False, True]]
    page.select_option("#position", index=1)
    page.locator("#layers input").nth(3).uncheck()
    page.select_option("#position", index=0)
    page.select_option("#position", index=1)
    shown = page.eval_on_selector_all("#layers input", boxes)
    assert shown == [[False, place != 3] for place in range(8)]
