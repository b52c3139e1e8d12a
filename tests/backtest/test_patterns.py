"""The design's four trading patterns on scripted prices: its sizes and results, to the digit.

Scores and events come from outside, as a desk would send them; candle k opens at k o'clock.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from backtest.replays import replay_of
from backtest.scripted import (
    MIDNIGHT,
    SYMBOL,
    Prices,
    candles_of,
    configuration,
    only_seat,
    refused,
    tape,
)
from trancher.app.settings import parse
from trancher.backtest.exact import Replayed
from trancher.core.pnl import figures
from trancher.core.position import Position
from trancher.market.outside import OutsideSignal

D = Decimal
HOUR: Final = timedelta(hours=1)
DESK: Final = """
[bot.signals]
external = {desk = {max_age = "1h"}}
"""
FINE: Final = "quantity_step = 0.00000001"


def flat(price: int) -> Prices:
    """Return a candle that stands still."""
    return (price, price, price, price)


def scores(*said: str | None) -> list[OutsideSignal]:
    """Return a score at the close of each candle, from the first on."""
    return [
        OutsideSignal(at=MIDNIGHT + (place + 1) * HOUR, name="desk", score=D(score))
        for place, score in enumerate(said)
        if score is not None
    ]


def events(*named: str | None) -> list[OutsideSignal]:
    """Return an event at the close of each candle, from the first on."""
    return [
        OutsideSignal(at=MIDNIGHT + (place + 1) * HOUR, name="desk", event=event)
        for place, event in enumerate(named)
        if event is not None
    ]


def run(
    text: str,
    prices: Sequence[Prices],
    outside: Sequence[OutsideSignal] = (),
    *,
    every: timedelta = HOUR,
) -> Replayed:
    """Replay candles with what was said outside."""
    candles = {SYMBOL: candles_of(prices, interval=every)}
    return replay_of(parse(text, file="test.toml"), candles, outside=outside).run()


def position_of(done: Replayed) -> Position:
    """Return the only position there was."""
    seat = only_seat(done)
    return seat.closed[0] if seat.closed else seat.position


def test_weekly_purchases_average_by_cost_and_not_by_price() -> None:
    """
    25 @ 50000, 49000, 51000 make 0.00050000 + 0.00051020 + 0.00049019; their average is
    74.99949 / 0.00150039 = 49986.6634674..., not the mean of the prices.
    """
    text = configuration('plan = "dca"\nsize = 25\nevery = "1w"\nmax_tranches = 3', terms=FINE)
    weeks = [flat(50000), flat(50000), *[flat(49000)] * 7, *[flat(51000)] * 7]

    done = run(text, weeks, every=timedelta(days=1))

    book = position_of(done).book
    assert [one.quantity for one in book.tranches] == [
        D("0.0005"),
        D("0.0005102"),
        D("0.00049019"),
    ]
    said = figures(book, taker_fee=D(0), mark_price=None)
    assert said.open_cost == D("74.99949")
    assert str(said.average_entry_price).startswith("49986.6634674")


GRADUATED: Final = (
    'plan = "graduated"\n'
    "steps = [{score = 0.6, size = 20}, {score = 0.7, size = 30}, {score = 0.8, size = 50}]"
)


def test_conviction_adds_its_step_once_each() -> None:
    """
    0.6, 0.7 and 0.8 buy 20, 30 and 50 at 100; a score that stays buys nothing twice.
    """
    text = configuration(GRADUATED + DESK)
    said = scores("0.59", "0.6", "0.69", "0.7", "0.8", "0.9", "1")

    done = run(text, [flat(100)] * 9, said)

    assert tape(done) == [
        "02:00:00.000000 buy 0.2 @ 100 fee 0",
        "04:00:00.000000 buy 0.3 @ 100 fee 0",
        "05:00:00.000000 buy 0.5 @ 100 fee 0",
    ]
    assert [one.rung for one in position_of(done).book.tranches] == [0, 1, 2]


def test_a_leap_of_the_score_takes_the_lowest_unused_step_first() -> None:
    """
    At 0.8 all three are reached: 20, then 30, then 50, one order at a time.
    """
    done = run(configuration(GRADUATED + DESK), [flat(100)] * 5, scores(*["0.8"] * 4))

    assert [line.split()[2] for line in tape(done)] == ["0.2", "0.3", "0.5"]


def test_each_tranche_keeps_its_conviction() -> None:
    """
    Score, temperature and what each signal added, so that P&L can be told apart by them.
    """
    done = run(configuration(GRADUATED + DESK), [flat(100)] * 4, scores("0.6", "0.7"))

    said = [one.evidence for one in position_of(done).book.tranches]
    assert [(one.score, one.temperature.value) for one in said if one] == [
        (D("0.6"), "hot"),
        (D("0.7"), "hot"),
    ]
    assert said[0] is not None
    assert said[0].contributions == {"desk": D("0.6")}


def test_profits_are_taken_in_three_steps_of_the_peak() -> None:
    """
    20, 30 and 50 at 100; +10, +20 and +30 % sell 25, 50 and 25 % of it: 2.5 + 10 + 7.5 = 20.
    """
    leave = """take_profit = [
        {gain = "10%", sell = "25%"}, {gain = "20%", sell = "50%"}, {gain = "30%", sell = "rest"},
    ]"""
    text = configuration(GRADUATED + DESK, leave)
    up = [(100, 110, 100, 110), (110, 120, 110, 120), (120, 130, 120, 130)]

    done = run(text, [*[flat(100)] * 4, *up], scores(*["0.8"] * 3))

    assert tape(done)[3:] == [
        "04:59:59.999999 sell 0.25 @ 110 fee 0",
        "05:59:59.999999 sell 0.5 @ 120 fee 0",
        "06:59:59.999999 sell 0.25 @ 130 fee 0",
    ]
    assert [one.realized_pnl for one in position_of(done).book.exits] == [D("2.5"), 10, D("7.5")]
    assert position_of(done).book.realized_pnl == 20


SIGNALS: Final = """plan = "signals"
steps = [{signal = "rsi_oversold", size = 30}, {signal = "macd_bullish_cross", size = 40},
         {signal = "ma_support", size = 30}]
"""


def test_each_event_adds_once() -> None:
    """
    RSI 30, MACD 40 and moving average 30 at 100; a second RSI event finds its step used.
    """
    said = events("rsi_oversold", "macd_bullish_cross", "rsi_oversold", "ma_support")

    done = run(configuration(SIGNALS + DESK), [flat(100)] * 6, said)

    assert tape(done) == [
        "01:00:00.000000 buy 0.3 @ 100 fee 0",
        "02:00:00.000000 buy 0.4 @ 100 fee 0",
        "04:00:00.000000 buy 0.3 @ 100 fee 0",
    ]


def test_an_event_outlives_a_cooldown_that_is_shorter_than_its_age() -> None:
    """
    The MACD crosses 60 minutes after the first purchase; 90 have to pass, and its event is valid
    for one hour: refused at 02:00, it buys at 03:00.
    """
    text = configuration(SIGNALS + DESK, limits='tranche_cooldown = "90m"')
    said = events("rsi_oversold", "macd_bullish_cross")

    done = run(text, [flat(100)] * 6, said)

    assert refused(done) == ["02:00 signal macd_bullish_cross: COOLDOWN"]
    assert tape(done)[1:] == ["03:00:00.000000 buy 0.4 @ 100 fee 0"]


def test_an_event_that_a_position_has_lived_through_begins_no_new_one() -> None:
    """
    It buys at 01:00 and the stop sells inside the next candle; at 02:00 the event is still valid.
    """
    text = configuration(SIGNALS + DESK, 'stop_loss = "5%"')
    crash = (100, 100, 90, 90)

    done = run(text, [flat(100), crash, flat(90), flat(90)], events("rsi_oversold"))

    assert [line.split()[1] for line in tape(done)] == ["buy", "sell"]


def test_a_cold_score_is_refused_and_says_what_it_needs() -> None:
    """
    A step at 0.1 needs WARM unless a person says otherwise: 0.15.
    """
    plan = 'plan = "graduated"\nsteps = [{score = 0.1, size = 20}]'

    cold = run(configuration(plan + DESK), [flat(100)] * 3, scores("0.1", "0.1"))
    free = run(
        configuration(plan + DESK, limits='min_temperature = "off"'),
        [flat(100)] * 3,
        scores("0.1", "0.1"),
    )

    assert refused(cold) == ["01:00 score 0.1: MIN_TEMPERATURE"]
    assert [line.split()[1] for line in tape(free)] == ["buy"]


def test_a_score_has_to_last_as_long_as_it_must_be_confirmed() -> None:
    """
    0.6 stands from 01:00 on; with 90 minutes it is confirmed at the close of 03:00.
    """
    text = configuration(GRADUATED + DESK.replace("external", 'confirm = "90m"\nexternal'))

    done = run(text, [flat(100)] * 6, scores(*["0.6"] * 5))

    assert refused(done) == ["01:00 score 0.6: UNCONFIRMED"]
    assert tape(done)[0].startswith("03:00:00")
