"""Every number of every table of a report, in a browser: whole, it is the document's.

What is rounded for the eye is whole under the pointer; so each cell is read twice, and the one has
to be the other, rounded half to even to the places that are shown.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from browsers import Opened, chromium
from command_line import done
from report_folded import walked

pytestmark = pytest.mark.slow

# The cells of a table that hold numbers, as the pointer finds them and as the eye sees them.
CELLS: Final = """(table) => [...table.querySelectorAll("tbody tr")].map((row) =>
  [...row.querySelectorAll("td:not(.word)")].map((cell) => [cell.title, cell.textContent]))"""
EARNED: Final = ("realized_pnl", "unrealized_net", "realized_gross")
GROUP: Final = (*EARNED, "tranches", "cost")
Key = str | Callable[[Any], int | str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def said(folder: Path) -> Any:
    return walked(folder).said


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: Browser, said: Any, folder: Path) -> Iterator[Page]:
    """Return the page with all rows of its tables shown."""
    assert said
    window = Opened(browser, folder / "out.html", width=1440, scheme="light")
    unfold(window.page)
    yield window.page
    window.close()


def unfold(page: Page) -> None:
    """Ask for more rows until there are none."""
    while page.locator("button.more").count():
        page.locator("button.more").first.click()


def cells(page: Page, table: str) -> list[list[list[str]]]:
    shown: list[list[list[str]]] = page.locator(f"table[aria-label={table!r}]").evaluate(CELLS)
    assert shown, table
    return shown


def check(page: Page, table: str, rows: Sequence[Any], *keys: Key) -> None:
    """Compare the numbers of a table: a key names the figure, and a function says the text."""
    shown = cells(page, table)
    expected = [[texts(row, key) for key in keys] for row in rows]
    assert [[title or text for title, text in row] for row in shown] == expected, table
    for row in shown:
        for title, text in row:
            assert not title or rounds(title, text), (table, title, text)


def texts(row: Any, key: Key) -> str:
    value = key(row) if callable(key) else row[key]
    return f"{value:,}" if isinstance(value, int) else "\u2013" if value is None else value


def rounds(whole: str, shown: str) -> bool:
    """Say whether a text is a decimal, rounded half to even to as many places as it has."""
    plain = shown.replace("\u2212", "-").replace("+", "").replace(",", "")
    number = Decimal(whole)
    if plain.endswith("\u00a0%"):
        plain, number = plain.removesuffix("\u00a0%"), number * 100
    places = len(plain.partition(".")[2])
    return Decimal(plain) == round(number, places)


def length(seconds: int) -> str:
    """Return a length of time by its two largest units."""
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = [
        f"{seconds % before // size}\u00a0{unit}"
        for (unit, size), before in zip(units, (10**12, 86400, 3600, 60), strict=True)
    ]
    first = next(place for place, part in enumerate(parts) if not part.startswith("0"))
    return " ".join(part for part in parts[first : first + 2] if not part.startswith("0"))


def test_the_head_is_of_the_document(page: Page, said: Any) -> None:
    """
    Each box of the head has the whole figure under its rounded one.
    """
    shown = page.eval_on_selector_all(
        "#kpis .number", "all => all.map((one) => [one.title, one.textContent])"
    )

    keys = ("realized_pnl", "unrealized_net", "fees_paid")
    report = said["report"]
    assert [title for title, _ in shown] == [
        *(said[key] for key in keys),
        report["equity_at_end"],
        report["performance"]["max_drawdown"],
        "",
    ]
    assert all(rounds(title, text) for title, text in shown if title)
    assert shown[-1][1] == f"{said['entries']} / {said['exits']}"


def test_warnings_are_at_the_top_and_the_dates_agree(page: Page, said: Any) -> None:
    """
    What never fits is not left to the end of the page; head and assumptions name the same days.
    """
    warnings = page.locator("header .warning").all_inner_texts()
    assert warnings == [f"Warning: {one}." for one in said["warnings"]]
    assert len(warnings) > 0
    about = page.locator("#about").inner_text()
    candles = said["assumptions"]["candles"]["BTC/USD"]
    dates = [candles[key][:10] for key in ("first_at", "last_at")]
    assert about.startswith(" to ".join(dates))
    assert any(f"from {' to '.join(dates)}" in one for one in said["assumptions"]["sentences"])


def test_the_tables_below_the_charts_are_of_the_document(page: Page, said: Any) -> None:
    """
    Bots, tranches, exits by rung, refusals, five groupings, months, rules, instruments.
    """
    report = said["report"]
    bots = [{**one, **row} for one, row in zip(said["bots"], report["bots"], strict=True)]
    check(page, "Bots", bots, *EARNED[:2], "win_rate", "closed", "won", "exits", "fees_paid",
          "buy_and_hold")  # fmt: skip
    tranches = [one for position in said["positions"] for one in position["position_tranches"]]
    check(page, "Tranches", tranches, *EARNED[:2], "entry_price", "quantity", "open_quantity",
          "size_quote", "entry_fee", "realized_gross", "score")  # fmt: skip
    check(page, "Exits by rung", report["exits_by_rung"], "realized_pnl", "exits", "cost_consumed",
          "realized_gross")  # fmt: skip
    check(page, "Refusals", list(said["refusals"].values()), lambda times: times)
    check(page, "Refused rungs", report["refused"], "count", "price")
    for kind, table in {
        "number": "By tranche number",
        "signal": "By signal: what added most to the score at entry",
        "temperature": "By temperature at entry",
        "reason": "By entry rung",
        "hour": "By hour of entry (UTC)",
    }.items():
        check(page, table, report["groups"][kind], *GROUP)
    check(page, "Months", report["months"], "realized_pnl", "change", "change_return",
          "equity", "entries", "exits", "realized_gross")  # fmt: skip
    check(page, "Disposal rules", report["disposal_rules"], *EARNED, "open_cost", "dust_cost")
    check(page, "Instruments", report["instruments"], "maker_fee", "taker_fee", "price_tick",
          "quantity_step", "min_quantity", "min_notional")  # fmt: skip


def test_performance_is_of_the_document(page: Page, said: Any) -> None:
    """
    Ratios are floats, shown to two places; what is a percentage is shown as one.
    """
    told = said["report"]["performance"]
    shown = [row[0][1].replace("\u2212", "-") for row in cells(page, "Performance")]

    assert shown == [
        f"{told['sharpe']:.2f}",
        f"{told['sortino']:.2f}",
        f"{100 * told['yearly_return']:.2f}\u00a0%",
        f"{told['calmar']:.2f}",
        f"{round(100 * Decimal(told['max_drawdown']), 2)}\u00a0%",
        length(told["longest_under_water_seconds"]),
    ]
    words = page.locator("table[aria-label=Performance]").inner_text()
    assert f"mean of {told['days']} daily returns" in words
    for key in ("peak_at", "lowest_at"):
        assert told[key].replace("T", " ").removesuffix("Z") in words


def test_the_positions_of_a_bot_are_of_the_document(page: Page, said: Any) -> None:
    """
    Over all positions: what was put in, held and earned; and the plan of the bot.
    """
    for bot, plan in zip(said["bots"], said["report"]["plans"], strict=True):
        page.select_option("#bot", bot["bot"])
        unfold(page)
        own = [one for one in said["positions"] if one["bot"] == bot["bot"]]
        if own:
            check(page, "Positions", own, "realized_pnl", "realized_return_on_money_put_in",
                  "unrealized_net", "money_put_in", lambda one: len(one["position_tranches"]),
                  lambda one: length(one["seconds_held"]))  # fmt: skip
        check(page, "Plan", plan["rungs"], "size")


def test_a_position_is_of_the_document(page: Page, said: Any) -> None:
    """
    Each position: its sentences, its tranches under every rule, and what it was refused.
    """
    report = said["report"]
    ruled = {(one["position_id"], one["tranche"]): one for one in report["tranches_by_rule"]}
    for position in said["positions"]:
        page.select_option("#bot", position["bot"])
        page.select_option("#position", position["position_id"])
        unfold(page)
        tranches = [
            {**one, **ruled[position["position_id"], one["id"]]}
            for one in position["position_tranches"]
        ]
        check(page, "Tranches of this position", tranches, "realized_pnl", "fifo", "lifo", "hifo",
              "average", "unrealized_net", "size_quote", "entry_price")  # fmt: skip
        refused = [
            one for one in report["refused"] if one["position_id"] == position["position_id"]
        ]
        if refused:
            check(page, "Refused in this position", refused, "count", "price")
            words = page.locator("table[aria-label='Refused in this position']").inner_text()
            assert all(one["sentence"] in words for one in refused)
        told = page.locator("table[aria-label='Entries and exits']").inner_text()
        for one in (*position["position_tranches"], *position["exits"]):
            assert Decimal(one["quantity"]) == Decimal(told_quantity(told, one))
        assert position["position_id"] in page.locator("#story").inner_text()


def told_quantity(told: str, one: Any) -> str:
    """Return the quantity that the sentence of an entry or an exit says."""
    at = (one.get("entry_timestamp") or one["timestamp"])[:19].replace("T", " ")
    sentence = next(line for line in told.splitlines() if at in line)
    words = sentence[sentence.index(at) :].split()
    return words[words.index("at") - 1]


def test_the_document_of_the_page_is_what_json_prints_today(said: Any, folder: Path) -> None:
    """
    The figures above are compared with --json, which a second run prints again.
    """
    again = done(
        "backtest", "c.toml", "--data", "BTC/USD=b.csv", "--data", "ETH/USD=e.csv", "--json",
        folder=folder,
    ).document  # fmt: skip

    assert again["report"] == said["report"]
