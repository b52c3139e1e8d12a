"""The report in a real browser: silent, alone, readable at any width, in light and in dark."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from browsers import Opened, chromium, settled
from command_line import done
from report_pages import waves
from trancher.app.report_file import asset
from trancher.app.tables import quote

pytestmark = pytest.mark.slow

# What a reader sees of a colour on the first ground below it, as WCAG counts contrast.
FAINT: Final = """() => {
  const curve = (one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
  const part = (one) => curve(one / 255);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const parsed = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const color = parsed(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || ["SCRIPT", "NOSCRIPT", "STYLE", "OPTION"].includes(node.tagName)) continue;
    if (node.closest(".chart") || node.disabled) continue;
    const [one, other] = [light(parsed(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) faint.push(`${node.tagName} ${node.textContent.slice(0, 30)} ${ratio}`);
  }
  return faint;
}"""
LOW: Final = """() => [...document.querySelectorAll("button, select, nav a, .layers label")]
  .filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.textContent)"""
INK: Final = """() => [...document.querySelectorAll(".chart")].map((chart) =>
  [...chart.querySelectorAll("canvas")].reduce((most, one) => {
    if (!one.width || !one.height) return most;
    const { data } = one.getContext("2d").getImageData(0, 0, one.width, one.height);
    return Math.max(most, new Set(new Uint32Array(data.buffer)).size);
  }, 0))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waves(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def document(report: Path) -> Any:
    """Return what --json says of the same backtest."""
    said = done("backtest", "c.toml", "--data", "<b>.csv", "--json", folder=report.parent)
    return said.document


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


@pytest.fixture(params=[(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")], ids=str)
def opened(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Opened]:
    """Return the report opened at a width, by a reader whose system is light or dark."""
    width, scheme = request.param
    window = Opened(browser, report, width=width, scheme=scheme)
    yield window
    window.close()


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    window = Opened(browser, report, width=1440, scheme="light")
    yield window.page
    window.close()


def test_the_report_is_silent_and_alone(opened: Opened, report: Path) -> None:
    """
    Whatever is done with it: no message, no dialog from the hostile comment and file name, and
    no request but for the file itself.
    """
    page = opened.page
    for index in range(page.locator("#position option").count()):
        page.select_option("#position", index=index)
    for theme in ("dark", "light", ""):
        page.select_option("#theme", theme)
    page.locator("#price").hover()
    settled(page, 300)

    assert opened.said == []
    assert opened.asked == [report.as_uri()]


def test_nothing_is_cut_off_and_nothing_is_faint(opened: Opened) -> None:
    """
    The page never scrolls sideways, all text has a contrast of 4.5 or more, and what is to be
    touched is 24 px high: in all themes, over all positions and over one.
    """
    page = opened.page
    for index in (0, 1):
        page.select_option("#position", index=index)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide == 0
        assert page.evaluate(FAINT) == []
        assert page.evaluate(LOW) == []


def test_every_chart_is_drawn_in_the_theme_of_the_reader(opened: Opened) -> None:
    """
    Each of the four charts has colours on it, and the ground is what the system asks for.
    """
    page = opened.page
    settled(page, 500)

    assert all(colours > 3 for colours in page.evaluate(INK))
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(17, 21, 28)" if dark else "rgb(255, 255, 255)")
    page.select_option("#theme", "light" if dark else "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground


def test_the_figures_on_the_page_are_those_of_the_document(page: Page, document: Any) -> None:
    """
    Under every rounded figure lies the whole one: of the totals, and of every tranche.
    """
    whole = page.eval_on_selector_all("#kpis [title]", "all => all.map((one) => one.title)")
    assert whole[:3] == [document[key] for key in ("realized_pnl", "unrealized_net", "fees_paid")]
    while page.locator("[aria-labelledby=h-tranches] button.more").count():
        page.locator("[aria-labelledby=h-tranches] button.more").click()
    rows = page.eval_on_selector_all(
        "[aria-labelledby=h-tranches] tbody tr",
        "all => all.map((row) => [...row.querySelectorAll('[title]')].map((one) => one.title))",
    )
    keys = (
        "realized_pnl", "unrealized_net", "entry_price", "quantity", "open_quantity",
        "size_quote", "entry_fee", "realized_gross", "score",
    )  # fmt: skip
    assert rows == [
        [tranche[key] for key in keys]
        for position in document["positions"]
        for tranche in position["position_tranches"]
    ]
    assert len(rows) > 5


WIDTHS: Final = """(table) => {
  const box = table.parentElement, first = table.querySelector("tbody td");
  const frame = [...box.parentElement.classList], before = first.getBoundingClientRect().left;
  const asked = [...table.querySelectorAll("thead th")]
    .find((one) => ["realized net", "times"].includes(one.textContent));
  const shown = asked.getBoundingClientRect().right - box.getBoundingClientRect().right;
  box.scrollLeft = box.scrollWidth;
  const moved = first.getBoundingClientRect().left - before;
  return { cut: box.scrollWidth - box.clientWidth, frame, shown, moved };
}"""


def test_tables_use_the_width_and_say_where_there_is_more(opened: Opened) -> None:
    """
    On a wide window nothing is cut; on a phone the frame says that there is more, the first
    column stays, and what is asked most is seen without scrolling.
    """
    page = opened.page
    wide = page.evaluate("window.innerWidth") > 1000
    for name in ("Positions", "Tranches", "Exits by rung", "Disposal rules"):
        table = page.locator(f"table[aria-label='{name}']")
        table.scroll_into_view_if_needed()
        settled(page, 100)
        told = table.evaluate(WIDTHS)
        assert (told["cut"] > 0) is ("more-right" in told["frame"]), (name, told)
        assert told["moved"] == 0, name
        assert told["shown"] <= 0, (name, told)
        assert not wide or told["cut"] == 0, (name, told)
        settled(page, 100)
        assert table.locator("xpath=ancestor::*[contains(@class, 'more-right')]").count() == 0
    if not wide:
        assert page.locator(".edged.more-left").count() > 2


def test_figures_are_rounded_half_to_even_and_signed(page: Page, document: Any) -> None:
    """
    What a table shows is the decimal rounded to two places, with its sign and with commas.
    """
    shown = page.locator("#kpis .number").first.inner_text()

    realized = f"{float(document['realized_pnl']):+,.2f}".replace("-", "\u2212")
    assert shown == realized


def test_all_of_it_works_by_keyboard(page: Page, document: Any) -> None:
    """
    Tab reaches every control and the charts; arrows choose a position and move the chart.
    """
    reached: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    for control in ("theme", "bot", "position", "after", "price", "curve", "water", "capital"):
        assert control in reached

    page.focus("#position")
    page.keyboard.press("ArrowDown")
    first = document["positions"][0]["position_id"]
    assert page.locator("#story").inner_text().startswith(f"{first} on BTC/USD")
    page.focus("#price")
    settled(page, 300)
    before = page.locator("#price").screenshot()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    settled(page, 300)
    assert page.locator("#price").screenshot() != before


def test_a_mark_says_what_happened(page: Page, document: Any) -> None:
    """
    The table beside the chart has a sentence for each entry and each exit of the position.
    """
    page.select_option("#position", index=1)
    position = document["positions"][0]

    told = page.locator("#events [aria-label='Entries and exits'] tbody tr").all_inner_texts()
    assert len(told) == len(position["position_tranches"]) + len(position["exits"])
    assert any(position["exits"][0]["reason"] in one for one in told)


numbers = st.decimals(
    min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=10, allow_nan=False
)


@given(amounts=st.lists(numbers, max_size=50))
def test_the_page_rounds_as_the_terminal_does(blank: Page, amounts: list[Decimal]) -> None:
    """
    Text in, text out, half to even: what the script makes of an amount is what tables print.
    """
    texts = [f"{one:f}" for one in [*amounts, Decimal("0.125"), Decimal("-0.135"), Decimal(0)]]

    shown = blank.evaluate(
        "([code, texts]) => new Function(code + '; return (all) => all.map(amount)')()(texts)",
        [asset("words.js"), texts],
    )

    assert [one.replace("\u2212", "-") for one in shown] == [
        quote(Decimal(text)) for text in texts
    ]


def test_hiding_a_layer_changes_the_chart(page: Page) -> None:
    """
    No flag that does nothing: each box takes something off the chart of a position.
    """
    page.select_option("#position", index=1)
    settled(page, 300)
    page.mouse.move(0, 0)
    boxes = page.locator("#layers input")
    assert boxes.count() == 8
    for place in range(boxes.count()):
        before = page.locator("#price").screenshot()
        boxes.nth(place).uncheck()
        settled(page, 200)
        assert page.locator("#price").screenshot() != before, place
