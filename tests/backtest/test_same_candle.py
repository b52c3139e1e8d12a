import pytest

from backtest.scripted import (
    BOUGHT_AT_100,
    LADDER,
    ONCE,
    STOP,
    Prices,
    configuration,
    only_seat,
    run,
    tape,
)
from trancher.backtest.inside import SameCandle

BOTH = f'{STOP}\ntake_profit = [{{gain = "10%", sell = "rest"}}]'
GAIN = 'take_profit = [{gain = "10%", sell = "rest"}]'


def told(order: str, entry: str, leave: str, candle: Prices) -> list[str]:
    """Return what filled in one candle after 1 was bought @ 100, times left out."""
    text = configuration(entry, leave, backtest=f'same_candle = "{order}"')
    return [
        line.split(" ", 1)[1].removesuffix(" fee 0")
        for line in tape(run(text, [*BOUGHT_AT_100, candle]))[1:]
    ]


@pytest.mark.parametrize(
    ("order", "candle", "sold"),
    [
        ("worst", (100, 112, 88, 100), "sell 1 @ 90"),
        ("best", (100, 112, 88, 100), "sell 1 @ 110"),
        ("path", (100, 111, 88, 100), "sell 1 @ 110"),
        ("path", (100, 112, 89, 100), "sell 1 @ 90"),
    ],
)
def test_where_stop_and_gain_are_touched_the_order_decides(
    order: str, candle: Prices, sold: str
) -> None:
    """
    Stop 90, gain 110. The path goes to the nearer extreme first: 111 is nearer than 88, and 89
    nearer than 112.
    """
    assert told(order, ONCE, BOTH, candle) == [sold]


@pytest.mark.parametrize(
    ("order", "fills"),
    [
        ("worst", ["buy 1 @ 95"]),
        ("best", ["sell 1 @ 110"]),
        ("path", ["buy 1 @ 95", "sell 2 @ 108"]),
    ],
)
def test_where_entry_and_gain_are_touched_the_order_decides(order: str, fills: list[str]) -> None:
    """
    Rung at 95, gain at 110, candle from 100 down to 95, up to 120. In the worst order the gain
    waits, in the best it came first, and on the path it follows, from the anchor of 97.5: 108.
    """
    assert told(order, LADDER, GAIN, (100, 120, 95, 100)) == fills


@pytest.mark.parametrize("order", list(SameCandle))
def test_where_nothing_is_ambiguous_every_order_is_the_same(order: SameCandle) -> None:
    """
    One level touched, one fill.
    """
    assert told(order, ONCE, BOTH, (100, 105, 88, 100)) == ["sell 1 @ 90"]
    assert told(order, ONCE, BOTH, (100, 115, 95, 100)) == ["sell 1 @ 110"]
    assert told(order, LADDER, "", (100, 100, 95, 100)) == ["buy 1 @ 95"]


@pytest.mark.parametrize("order", list(SameCandle))
def test_at_most_one_entry_is_made_in_a_candle_in_every_order(order: SameCandle) -> None:
    """
    Both rungs are touched, at 95 and at 90.
    """
    text = configuration(LADDER, backtest=f'same_candle = "{order}"')

    replayed = run(text, [*BOUGHT_AT_100, (100, 100, 85, 100)])

    assert only_seat(replayed).position.book.tranche_count == 2
