"""What the charts of a report say, in a real browser: labels, marks, lines, scales.

What is written on a canvas is caught on its way there, and compared with the data of the page.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

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
"""


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
