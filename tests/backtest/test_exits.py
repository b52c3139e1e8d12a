"""Every exit on scripted prices: trailing, break-even, by tranche and by signal."""

from decimal import Decimal
from typing import Final

import pytest

from backtest.scripted import (
    BOUGHT_AT_100,
    ONCE,
    Prices,
    configuration,
    only_seat,
    refused,
    run,
    tape,
)
from backtest.test_patterns import DESK, scores
from backtest.test_patterns import run as run_with

UP: Final = ((100, 110, 100, 110), (110, 120, 110, 120))
TWICE: Final = 'plan = "dca"\nsize = 50\ndrop = "10%"\nmax_tranches = 2'


def exits(done: object) -> list[str]:
    """Return what was sold, a line each."""
    return [line for line in tape(done) if " sell " in line]  # type: ignore[arg-type]


def at(price: int) -> Prices:
    """Return a candle that stands still."""
    return (price, price, price, price)


def test_a_trailing_stop_follows_the_peak_once_it_is_active() -> None:
    """
    10 % below the peak of 120 is 108, which the candle that makes the peak of 130 does not touch;
    its own high counts from the next on: 117.
    """
    text = configuration(ONCE, 'trailing_stop = {activate = "10%", trail = "10%"}')

    done = run(text, [*BOUGHT_AT_100, *UP, (120, 130, 109, 118), (118, 118, 117, 117)])

    assert exits(done) == ["05:59:59.999999 sell 1 @ 117 fee 0"]


def test_before_its_gain_is_reached_it_sleeps() -> None:
    """
    109 is no gain of 10 %: a fall to 50 sells nothing.
    """
    text = configuration(ONCE, 'trailing_stop = {activate = "10%", trail = "10%"}')

    assert exits(run(text, [*BOUGHT_AT_100, (100, 109, 100, 109), (109, 109, 50, 50)])) == []


@pytest.mark.parametrize("evaluate", ["intracandle", "close"])
@pytest.mark.parametrize(
    "rule",
    [
        'trailing_stop = {activate = "5%", trail = "2%"}',
        'break_even_after = "5%"',
        'take_profit = [{gain = "5%", sell = "rest"}]\ntrailing_take_profit = "2%"',
    ],
)
def test_averaging_down_arms_nothing(rule: str, evaluate: str) -> None:
    """
    104 was no gain of 5 % over 100, and is none over the anchor of 94.7 once 90 was bought: from
    the last entry on, the price has to come to 99.5 first. Then it sells on the way down.
    """
    text = configuration(TWICE, rule, backtest=f'evaluate = "{evaluate}"')
    down = [*BOUGHT_AT_100, (100, 104, 100, 104), (104, 104, 90, 90), at(90), at(91), at(99)]

    assert exits(run(text, down)) == []
    assert exits(run(text, [*down, at(90), at(90)])) == []
    assert len(exits(run(text, [*down, at(100), (98, 98, 90, 90), at(90)]))) == 1


@pytest.mark.parametrize(("evaluate", "sold"), [("intracandle", "108"), ("close", "107")])
def test_where_it_sells_depends_on_what_is_looked_at(evaluate: str, sold: str) -> None:
    """
    10 % below 120: at the level of 108 inside the candle, or at the open after the close of 107.
    """
    text = configuration(
        ONCE,
        'trailing_stop = {activate = "10%", trail = "10%"}',
        backtest=f'evaluate = "{evaluate}"',
    )

    done = run(text, [*BOUGHT_AT_100, *UP, (115, 115, 107, 107), at(107)])

    assert [line.split()[4] for line in exits(done)] == [sold]


def test_a_break_even_stop_nets_nothing() -> None:
    """
    1 @ 100 with 1 % fee cost 101; sold at 102.02, the tick below 101 / 0.99, it brings 101 less
    two hundredths of a cent.
    """
    text = configuration(
        ONCE, 'break_even_after = "10%"', terms='taker_fee = "1%"\nprice_tick = 0.01'
    )

    done = run(text, [*BOUGHT_AT_100, (100, 111, 100, 111), (111, 111, 100, 100)])

    assert exits(done) == ["03:59:59.999999 sell 1 @ 102.02 fee 1.0202"]
    assert only_seat(done).closed[0].book.realized_pnl == Decimal("-0.0002")


def test_the_last_rung_trails_from_its_gain_on() -> None:
    """
    A quarter at 110; the rest waits for 120, and sells 5 % below the peak of 130, at 123.
    """
    leave = """take_profit = [{gain = "10%", sell = "25%"}, {gain = "20%", sell = "rest"}]
trailing_take_profit = "5%\""""

    done = run(
        configuration(ONCE, leave),
        [*BOUGHT_AT_100, *UP, (120, 130, 120, 130), (130, 130, 120, 120)],
    )

    assert exits(done) == [
        "02:59:59.999999 sell 0.25 @ 110 fee 0",
        "05:59:59.999999 sell 0.75 @ 123 fee 0",
    ]


def test_each_tranche_has_its_own_target() -> None:
    """
    0.5 @ 100 and 0.55 @ 90: 10 % above 90 is 99 and sells the second alone, 110 the first.
    """
    leave = 'take_profit = [{gain = "10%", sell = "rest", over = "tranche"}]'

    done = run(
        configuration(TWICE, leave), [*BOUGHT_AT_100, (100, 100, 90, 90), (90, 100, 90, 100), *UP]
    )

    assert exits(done) == [
        "03:59:59.999999 sell 0.55 @ 99 fee 0",
        "04:59:59.999999 sell 0.5 @ 110 fee 0",
    ]
    (closed,) = only_seat(done).closed
    assert [[match.tranche_id for match in one.matches] for one in closed.book.exits] == [
        ["tranche_2"],
        ["tranche_1"],
    ]


def test_each_tranche_has_its_own_stop() -> None:
    """
    15 % below 100 is 85 and sells the first alone; 15 % below 90 is 76.5, on the tick 76.
    """
    text = configuration(TWICE, 'stop_loss = {loss = "15%", over = "tranche"}')

    done = run(text, [*BOUGHT_AT_100, (100, 100, 90, 90), (90, 90, 76, 76)])

    assert exits(done) == [
        "03:59:59.999999 sell 0.5 @ 85 fee 0",
        "03:59:59.999999 sell 0.55 @ 76 fee 0",
    ]


def test_a_rung_that_sells_one_tranche_takes_the_next_by_the_disposal_rule() -> None:
    """
    5 % over the anchor of 94.76 is 100 on the tick: lifo sells the second tranche, fifo the first.
    """
    leave = 'take_profit = [{gain = "5%", sell = "tranche"}, {gain = "20%", sell = "rest"}]\n'
    prices = [*BOUGHT_AT_100, (100, 100, 90, 90), (90, 100, 90, 100)]

    first = run(configuration(TWICE, leave + 'disposal = "fifo"'), prices)
    last = run(configuration(TWICE, leave + 'disposal = "lifo"'), prices)

    assert exits(first) == ["03:59:59.999999 sell 0.5 @ 100 fee 0"]
    assert exits(last) == ["03:59:59.999999 sell 0.55 @ 100 fee 0"]


def test_a_tranche_that_was_sold_high_is_bought_back_lower() -> None:
    """
    The second tranche of 90 is sold at 99 and its rung re-armed once: bought again at 90, sold
    again at 99, and not a third time. The first tranche stays.
    """
    leave = 'take_profit = [{gain = "10%", sell = "rest", over = "tranche"}]'
    ladder = 'plan = "ladder"\nbase_size = 50\nlevels = [{drop = "10%", size = 50}]'
    text = configuration(f'{ladder}\nrearm = true\nrearm_max = 1\nrearm_cooldown = "0s"', leave)
    swing: list[Prices] = [(100, 100, 90, 90), (90, 99, 90, 99)]

    done = run(text, [*BOUGHT_AT_100, *swing, *[(99, 99, 90, 90), (90, 99, 90, 99)] * 2])

    assert [line.split()[1] for line in tape(done)] == ["buy", "buy", "sell", "buy", "sell"]
    position = only_seat(done).position
    assert [one.id for one in position.book.open] == ["tranche_1"]
    assert dict(position.rung_uses) == {0: 1, 1: 2}


def test_a_re_armed_rung_waits_for_its_own_cooldown() -> None:
    """
    Sold inside the candle of 03:00; two hours later it may buy again, and does at 90.
    """
    leave = 'take_profit = [{gain = "10%", sell = "rest", over = "tranche"}]'
    ladder = 'plan = "ladder"\nbase_size = 50\nlevels = [{drop = "10%", size = 50}]'
    text = configuration(f'{ladder}\nrearm = true\nrearm_cooldown = "2h"', leave)
    low = (99, 99, 90, 95)

    done = run(text, [*BOUGHT_AT_100, (100, 100, 90, 90), (90, 99, 90, 99), low, low, low])

    assert [line for line in tape(done) if " buy " in line][2:] == [
        "05:59:59.999999 buy 0.55 @ 90 fee 0"
    ]


def test_a_falling_score_sells() -> None:
    """
    At -0.5 half of the peak is sold, once; nothing has to confirm it.
    """
    text = configuration(ONCE + DESK, 'signal_exit = {score = -0.5, sell = "50%"}')

    done = run_with(text, [at(100)] * 6, scores("0", "-0.49", "-0.5", "-1"))

    assert exits(done) == ["03:00:00.000000 sell 0.5 @ 100 fee 0"]


def test_after_a_stop_the_bot_keeps_away_for_a_while() -> None:
    """
    Stopped inside the candle of 02:00; three hours later, at the close of 06:00, it may again.
    """
    text = configuration(ONCE, 'stop_loss = "10%"\nreentry_cooldown = "3h"')

    done = run(text, [*BOUGHT_AT_100, (100, 100, 90, 90), *[at(90)] * 5])

    assert refused(done) == ["03:00 first entry: COOLDOWN"]
    assert [line for line in tape(done) if " buy " in line][1:] == [
        "06:00:00.000000 buy 1.11 @ 90 fee 0"
    ]
