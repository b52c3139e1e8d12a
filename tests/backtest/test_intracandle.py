import pytest

from backtest.scripted import (
    BOUGHT_AT_100,
    GAINS,
    LADDER,
    ONCE,
    STOP,
    Prices,
    configuration,
    only_seat,
    refused,
    replayed_rows,
    run,
    tape,
)
from trancher.core.events import ExitAccepted, Filled
from trancher.core.lifecycle import State

QUIET: Prices = (100, 100, 100, 100)
BASE = "01:00:00.000000 buy 1 @ 100 fee 0"


def test_an_order_decided_at_a_close_fills_at_the_next_open() -> None:
    """
    100 quote at 101 and 1 % slippage: 102.01 rounds up to 103, which buys 0.97 for 99.91 and a
    fee of 0.09991; dated at the opening.
    """
    text = configuration(ONCE, terms='taker_fee = "0.1%"', backtest='slippage = "1%"')

    replayed = run(text, [QUIET, (101, 103, 99, 102), QUIET])

    assert tape(replayed) == ["01:00:00.000000 buy 0.97 @ 103 fee 0.09991"]


@pytest.mark.parametrize("drawdown", ["6%", "4%"])
def test_what_is_bought_inside_a_candle_is_worth_what_was_paid(drawdown: str) -> None:
    """
    4.44 bought at 90 are no gain because the last close was 99: equity has never been above 1000.
    The stop loses 5 % of it, which 6 % allow and 4 % do not.
    """
    entry = 'plan = "ladder"\nbase_size = 10\nlevels = [{drop = "10%", size = 400}]'
    limit = f'max_drawdown = "{drawdown}"'
    path = 'same_candle = "path"'
    text = configuration(entry, 'stop_loss = "12%"', portfolio=limit, backtest=path)

    replayed = run(text, [*BOUGHT_AT_100, (100, 100, 99, 99), (99, 99, 70, 75), QUIET])

    assert len(tape(replayed)) == (4 if drawdown == "6%" else 3)
    assert bool(refused(replayed)) is (drawdown == "4%")


def test_a_stop_that_the_candle_opened_beyond_fills_at_the_open() -> None:
    """
    Stop at 90, open 85: sold at 85, dated at the opening, whatever the low.
    """
    replayed = run(configuration(ONCE, STOP), [*BOUGHT_AT_100, (85, 86, 80, 82)])

    assert tape(replayed) == [BASE, "02:00:00.000000 sell 1 @ 85 fee 0"]


def test_a_stop_inside_the_candle_fills_at_its_level_less_slippage() -> None:
    """
    Bought 1 @ 101; the stop of 90.9 is 90 on the tick, less 1 % is 89.1, floored to 89. Dated one
    microsecond before the close.
    """
    entry = ONCE.replace("100", "101")
    text = configuration(entry, STOP, backtest='slippage = "1%"')

    replayed = run(text, [*BOUGHT_AT_100, (95, 96, 90, 92)])

    assert tape(replayed)[1:] == ["02:59:59.999999 sell 1 @ 89 fee 0"]


@pytest.mark.parametrize(
    ("candle", "sold"),
    [
        ((100, 111, 99, 110), "02:59:59.999999 sell 1 @ 110 fee 0.11"),
        ((100, 101, 89, 90), "02:59:59.999999 sell 1 @ 90 fee 0.18"),
    ],
)
def test_gains_pay_maker_and_losses_pay_taker(candle: Prices, sold: str) -> None:
    """
    Maker 0.1 % of 110, taker 0.2 % of 90.
    """
    leave = 'take_profit = [{gain = "10%", sell = "rest"}]\nstop_loss = "10%"'
    terms = 'maker_fee = "0.1%"\ntaker_fee = "0.2%"'

    replayed = run(configuration(ONCE, leave, terms=terms), [*BOUGHT_AT_100, candle])

    assert tape(replayed) == ["01:00:00.000000 buy 1 @ 100 fee 0.2", sold]


@pytest.mark.parametrize(("opening", "quantity"), [(110, "0.25"), (125, "0.75"), (140, "1")])
def test_exit_rungs_passed_by_an_opening_gap_fire_as_one_order(
    opening: int, quantity: str
) -> None:
    """
    Rungs at 110, 120 and 130: those at or below the open sell together at the open.
    """
    candle = (opening, opening, opening, opening)

    replayed = run(configuration(ONCE, GAINS), [*BOUGHT_AT_100, candle])

    assert tape(replayed)[1:] == [f"02:00:00.000000 sell {quantity} @ {opening} fee 0"]


def test_exit_rungs_touched_inside_a_candle_fill_each_at_its_level() -> None:
    """
    From 105 up to 131: a quarter at 110, half at 120, the rest at 130; the position is closed.
    """
    replayed = run(configuration(ONCE, GAINS), [*BOUGHT_AT_100, (105, 131, 100, 131)])

    assert tape(replayed)[1:] == [
        "02:59:59.999999 sell 0.25 @ 110 fee 0",
        "02:59:59.999999 sell 0.5 @ 120 fee 0",
        "02:59:59.999999 sell 0.25 @ 130 fee 0",
    ]
    assert [one.state for one in only_seat(replayed).closed] == [State.CLOSED]


def test_at_most_one_entry_is_made_in_a_candle() -> None:
    """
    Rungs at 95 and 90, both touched: the nearer buys; the other one waits for the next candle,
    which opens beyond it.
    """
    candles = [*BOUGHT_AT_100, (99, 99, 85, 89), (88, 88, 88, 88)]

    replayed = run(configuration(LADDER), candles)

    assert tape(replayed) == [
        BASE,
        "02:59:59.999999 buy 1 @ 95 fee 0",
        "03:00:00.000000 buy 1.02 @ 88 fee 0",
    ]


def test_a_fill_at_the_open_is_not_the_entry_of_its_candle() -> None:
    """
    The base order fills at the open of a candle that then touches 95.
    """
    replayed = run(configuration(LADDER), [QUIET, (100, 100, 95, 97), QUIET])

    assert tape(replayed) == [BASE, "01:59:59.999999 buy 1 @ 95 fee 0"]


def test_gains_wait_for_the_next_candle_where_an_entry_filled() -> None:
    """
    After 100 and 95 the anchor is 97.5 and +10 % is 108 on the tick; the high of 120 came in the
    candle of the entry and counts no more. The next candle touches it.
    """
    leave = 'take_profit = [{gain = "10%", sell = "rest"}]'
    candles = [*BOUGHT_AT_100, (99, 120, 95, 100), (100, 108, 100, 100)]

    replayed = run(configuration(LADDER, leave), candles)

    assert tape(replayed)[1:] == [
        "02:59:59.999999 buy 1 @ 95 fee 0",
        "03:59:59.999999 sell 2 @ 108 fee 0",
    ]


RISE = """plan = "rungs"
rungs = [
    {when = {flat = true}, size = 40},
    {when = {rise = "25%", from = "first_entry"}, size = 50},
]"""


def test_a_stop_re_anchored_by_an_entry_may_fire_in_its_candle() -> None:
    """
    0.4 @ 100 and 0.4 @ 125: the anchor is 112.5, so the stop moves from 80 to 90, which the
    candle touches.
    """
    text = configuration(RISE, 'stop_loss = "20%"')

    replayed = run(text, [*BOUGHT_AT_100, (100, 125, 90, 95)])

    assert tape(replayed)[1:] == [
        "02:59:59.999999 buy 0.4 @ 125 fee 0",
        "02:59:59.999999 sell 0.8 @ 90 fee 0",
    ]


def test_a_stop_re_anchored_to_the_opening_price_is_not_dated_at_the_opening() -> None:
    """
    As before, but the candle opened at 90: the price came back to it after the entry at 125, and
    nothing is sold before it was bought.
    """
    text = configuration(RISE, 'stop_loss = "20%"')

    replayed = run(text, [*BOUGHT_AT_100, (90, 125, 90, 95)])

    assert tape(replayed)[1:] == [
        "02:59:59.999999 buy 0.4 @ 125 fee 0",
        "02:59:59.999999 sell 0.8 @ 90 fee 0",
    ]


def test_losses_come_before_gains() -> None:
    """
    One candle touches the stop at 90 and the gain at 110: the worst is that the stop came first.
    """
    replayed = run(configuration(ONCE, f"{STOP}\n{GAINS}"), [*BOUGHT_AT_100, (100, 115, 90, 100)])

    assert tape(replayed)[1:] == ["02:59:59.999999 sell 1 @ 90 fee 0"]


@pytest.mark.parametrize(
    ("candle", "ambiguous"),
    [
        ((100, 110, 90, 100), 1),
        ((100, 110, 91, 100), 0),
        ((100, 109, 90, 100), 0),
        ((100, 109, 91, 100), 0),
        ((100, 140, 60, 100), 1),
    ],
)
def test_the_report_counts_candles_that_leave_the_order_open(
    candle: Prices, ambiguous: int
) -> None:
    """
    Stop at 90, gain at 110: a candle that touches both can be told in two ways.
    """
    replayed = run(configuration(ONCE, f"{STOP}\n{GAINS}"), [*BOUGHT_AT_100, candle])

    assert replayed.ambiguous == ambiguous


def test_nothing_is_decided_at_the_last_close() -> None:
    """
    It could not fill. A single candle leaves no decision; what is held stays open.
    """
    alone = run(configuration(ONCE), [QUIET])
    held = run(configuration(ONCE, 'time_stop = "1h"'), list(BOUGHT_AT_100))

    assert (alone.store.records, alone.store.journal) == ([], [])
    assert tape(held) == [BASE]
    assert only_seat(held).position.held == 1


def test_what_a_close_decides_with_prices_on_closes_only_pays_slippage_and_taker() -> None:
    """
    evaluate = "close": the wick to 115 is not seen, the close of 111 is; sold at the next open of
    112, less 1 % is 110.88, floored to 110, taker fee 0.22.
    """
    text = configuration(
        ONCE.replace("100", "101"),
        'take_profit = [{gain = "9%", sell = "rest"}]',
        terms='maker_fee = "0.1%"\ntaker_fee = "0.2%"',
        backtest='evaluate = "close"\nslippage = "1%"',
    )
    candles = [*BOUGHT_AT_100, (100, 115, 90, 100), (100, 111, 100, 111), (112, 120, 112, 112)]

    replayed = run(text, candles)

    assert tape(replayed)[1:] == ["04:00:00.000000 sell 1 @ 110 fee 0.22"]


# ---- candle prices that lie between two ticks


def test_prices_between_two_ticks_are_rounded_against_us() -> None:
    """
    Tick 5. Bought at an open of 102: 105. The time stop sells at an open of 103: 100.
    """
    text = configuration(ONCE, 'time_stop = "1h"', terms="price_tick = 5")

    replayed = run(text, [QUIET, (102, 104, 101, 103), (103, 103, 103, 103)])

    assert tape(replayed) == [
        "01:00:00.000000 buy 0.95 @ 105 fee 0",
        "02:00:00.000000 sell 0.95 @ 100 fee 0",
    ]


@pytest.mark.parametrize(
    ("candle", "sold"),
    [
        ((97, 97, 91, 92), []),
        ((97, 97, 89, 92), ["02:59:59.999999 sell 0.95 @ 90 fee 0"]),
        ((107, 119, 106, 108), []),
        ((107, 121, 106, 108), ["02:59:59.999999 sell 0.95 @ 120 fee 0"]),
    ],
)
def test_levels_lie_on_the_tick(candle: Prices, sold: list[str]) -> None:
    """
    Tick 5, bought at 105. The stop of 94.5 is watched at 90, the gain of 115.5 at 120.
    """
    leave = f'{STOP}\ntake_profit = [{{gain = "10%", sell = "rest"}}]'
    text = configuration(ONCE, leave, terms="price_tick = 5")

    replayed = run(text, [QUIET, (102, 104, 101, 103), candle])

    assert tape(replayed)[1:] == sold


def test_a_sale_never_fills_below_its_own_limit_price() -> None:
    """
    Tick 5, gain watched at 120, open 123: the sale meets 120, so its limit is no more than that.
    """
    leave = 'take_profit = [{gain = "10%", sell = "rest"}]'
    text = configuration(ONCE, leave, terms="price_tick = 5")

    replayed = run(text, [QUIET, (102, 104, 101, 103), (123, 123, 123, 123)])

    events = [entry.event for entry in replayed.store.journal]
    order = next(event.order for event in events if isinstance(event, ExitAccepted))
    sale = [event.fill for event in events if isinstance(event, Filled)][-1]
    assert order.limit_price is not None
    assert order.limit_price % 5 == 0
    assert sale.price == 120 >= order.limit_price


def test_a_rung_with_very_many_ways_to_come_due_is_watched_inside_candles_too() -> None:
    """
    Seven alternatives of two prices each are 128 ways; the price of one of them is touched.
    """
    two = '{any = [{drop = "5%"}, {drop = "6%"}]}'
    text = configuration(
        'plan = "rungs"\nrungs = [{when = {flat = true}, size = 100}, '
        f"{{when = {{all = [{', '.join([two] * 7)}]}}, size = 95}}]"
    )

    replayed = run(text, [*BOUGHT_AT_100, (100, 100, 90, 100), QUIET])

    assert tape(replayed) == [BASE, "02:59:59.999999 buy 1 @ 95 fee 0"]


def test_time_counts_and_not_candles() -> None:
    """
    Bought at one o'clock, then no candle until five: the time stop of three hours sells at the
    next open after the first close that has seen them, which is six o'clock.
    """
    settings = configuration(ONCE, 'time_stop = "3h"')
    rows = [(place, 100, 100, 100, 100) for place in (0, 1, 5, 6)]

    replayed = replayed_rows(settings, rows)

    assert tape(replayed) == [BASE, "06:00:00.000000 sell 1 @ 100 fee 0"]
