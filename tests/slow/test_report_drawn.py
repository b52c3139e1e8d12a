"""What the charts of a report say, in a real browser: labels, marks, lines, scales.

What is written on a canvas is caught on its way there, and compared with the data of the page.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from browsers import Opened, chromium
from report_pages import page_in, waves

pytestmark = pytest.mark.slow

WRITTEN: Final = """
window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  window.written.push(text);
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
    page.wait_for_timeout(500)
    box = page.locator("#water").bounding_box()
    assert box is not None
    assert percentage(curve["drawdown"][-1]) in page.evaluate("written")
    falls = {
        f"{datetime.fromtimestamp(at / 1000, UTC):%d %b '%y   %H:%M}": percentage(fall)
        for at, fall in zip(curve["at"], curve["drawdown"], strict=True)
    }
    told = set[str]()
    for x in range(20, int(box["width"]) - 120, 40):
        page.evaluate("written.length = 0")
        page.mouse.move(box["x"] + x, box["y"] + 60)
        page.wait_for_timeout(60)
        written = page.evaluate("written")
        (time,) = {one for one in written if one in falls}
        assert falls[time] in written, (time, written)
        told.add(falls[time])
    assert len(told) > 10


def tips(page: Page, color: str) -> list[tuple[float, float]]:
    """Return where the marks of a color point to, in order of time, on the page."""
    page.locator("#price").scroll_into_view_if_needed()
    page.wait_for_timeout(400)
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
        window.page.wait_for_timeout(700)
        assert window.page.locator("#told").inner_text().startswith(moment)
    window.page.touchscreen.tap(x, y + 90)
    window.page.wait_for_timeout(700)
    assert window.page.locator("#told").inner_text() == ""
    assert "tap a mark" in window.page.locator("#price-keys").inner_text()
    window.close()
