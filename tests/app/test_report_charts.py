"""Every point, bar and line that a report draws follows from `--json` and from the candles.

Invariant: what is drawn is compared digit by digit; no chart has a number of its own.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any, Final

import pytest

from report_folded import FEE, HOUR_MS, Walked, equities, held_at, millis, moments, walked
from trancher.core.money import quotient

DROPS: Final = (Decimal("0.03"), Decimal("0.06"))
GAINS: Final = {"take profit +3 %": Decimal("0.03"), "take profit +6 %": Decimal("0.06")}
STOP: Final = Decimal("0.09")
TICK: Final = Decimal("0.01")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    return walked(tmp_path_factory.mktemp("walk"))


@pytest.fixture(scope="module")
def said(ran: Walked) -> Any:
    return ran.said


@pytest.fixture(autouse=True)
def exactly() -> Iterator[None]:
    """Compute with as many digits as the figures have."""
    with localcontext(prec=80):
        yield


def on_tick(price: Decimal, rounding: str) -> Decimal:
    return price.quantize(TICK, rounding)


def expected_lines(position: Any, at: int) -> list[Any]:
    """Return the average, break-even and anchor prices, and the levels, at a time."""
    held = held_at(position, lambda moment: moment // 1000 <= at)
    if held.quantity == 0:
        return [None, None, None, [], [], []]
    anchor = held.anchor / held.quantity
    gains = [gain for reason, gain in GAINS.items() if reason not in held.sold]
    rungs = [] if held.sold else [held.base * (1 - drop) for drop in DROPS[held.bought - 1 :]]
    return [
        quotient(held.cost, held.quantity),
        quotient(held.cost + held.fee, held.quantity * (1 - FEE)),
        quotient(held.anchor, held.quantity),
        [on_tick(anchor * (1 - STOP), ROUND_FLOOR)],
        [on_tick(anchor * (1 + gain), ROUND_CEILING) for gain in gains],
        [on_tick(price, ROUND_FLOOR) for price in rungs],
    ]


def test_every_line_of_a_position_follows_from_its_document(ran: Walked, said: Any) -> None:
    """
    At each step: average, break-even with fees and anchor by their definitions, the stop, the
    gains that did not fire, the rungs that were not used. The last step is the document's own.
    """
    for position in said["positions"]:
        drawn = ran.page["lines"][position["position_id"]]
        for at, average, even, anchor, *levels in drawn:
            shown: list[Any] = [
                None if one is None else Decimal(one) for one in (average, even, anchor)
            ]
            shown += [[Decimal(price) for price in some] for some in levels]
            assert shown == expected_lines(position, at), (position["position_id"], at)
        keys = ("average_entry_price", "break_even_price", "anchor_price")
        assert drawn[-1][1:4] == [position[key] for key in keys]
    assert ran.page["lines"].keys() == {one["position_id"] for one in said["positions"]}


def test_every_point_of_the_curves_follows_from_positions_and_candles(
    ran: Walked, said: Any
) -> None:
    """
    Equity, drawdown, and the moment of each hour with most used and reserved: at all 133 closes.
    """
    curve, worth = ran.page["curve"], equities(said, ran.candles)
    peak = Decimal(said["report"]["cash_at_start"])
    before = Decimal(0)
    assert curve.keys() == {"at", "equity", "drawdown", "used", "reserved"}
    assert curve["at"] == [int(row["at"]) + HOUR_MS for row in ran.candles["BTC/USD"]]
    for place, at in enumerate(curve["at"]):
        close = Decimal(at * 1000)
        peak = max(peak, worth[place])
        most = max(moments(said, before, close), key=lambda one: one.used + one.reserved)
        before = close
        assert Decimal(curve["equity"][place]) == worth[place]
        assert Decimal(curve["drawdown"][place]) == 1 - quotient(worth[place], peak)
        assert Decimal(curve["used"][place]) == most.used
        assert Decimal(curve["reserved"][place]) == most.reserved
    assert Decimal(said["report"]["equity_at_end"]) == worth[-1]


def unpacked(bars: Any, tick: str) -> list[dict[str, Decimal]]:
    """Return the bars of a chart as candles."""
    size, at, close, rows = Decimal(tick), bars["at"], 0, list[dict[str, Decimal]]()
    assert (bars["interval"], bars["step"]) == (HOUR_MS, None)
    for above, high, low, by in zip(
        bars["open"], bars["high"], bars["low"], bars["close"], strict=True
    ):
        opened, close = close + above, close + by
        prices = {
            "open": opened,
            "high": max(opened, close) + high,
            "low": min(opened, close) - low,
            "close": close,
        }
        rows.append({"at": Decimal(at), **{key: size * one for key, one in prices.items()}})
        at += HOUR_MS
    return rows


def test_every_bar_is_a_candle_of_the_files(ran: Walked, said: Any) -> None:
    """
    All of them in the chart of a symbol; in that of a position those around its life.
    """
    for symbol, rows in ran.candles.items():
        chart = ran.page["charts"][symbol]
        assert unpacked(chart["bars"], chart["tick"]) == rows
        assert chart["ends_at"] == rows[-1]["at"] + HOUR_MS
    assert ran.page["positions"].keys() == {one["position_id"] for one in said["positions"]}
    for position in said["positions"]:
        rows = ran.candles[position["symbol"]]
        shown = unpacked(ran.page["positions"][position["position_id"]], "1")
        first = rows.index(shown[0])
        assert shown == rows[first : first + len(shown)]
        assert shown[0]["at"] <= millis(position["entered_at"])
        assert shown[-1]["at"] + HOUR_MS >= millis(position["closed_at"] or "2024-02-03T13:00Z")
