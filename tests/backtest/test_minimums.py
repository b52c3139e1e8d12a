from decimal import Decimal

from backtest.scripted import (
    BOUGHT_AT_100,
    ONCE,
    STOP,
    Prices,
    configuration,
    only_seat,
    refused,
    run,
    tape,
)
from trancher.backtest.summary import books_balance, summaries
from trancher.core.lifecycle import State

QUIET: Prices = (100, 100, 100, 100)
BASE = "01:00:00.000000 buy 1 @ 100 fee 0"


def test_a_fee_in_base_leaves_dust_and_the_books_balance() -> None:
    """
    Bought 1 less 0.001: 0.999. The stop sells 0.99; 0.009, which had cost 0.9 and 0.0009009009
    of fee, is dust, and the position is closed.
    """
    terms = 'taker_fee = "0.1%"\nfee_in = "base"'

    replayed = run(configuration(ONCE, STOP, terms=terms), [*BOUGHT_AT_100, (100, 100, 90, 90)])

    told = summaries(replayed)
    (closed,) = only_seat(replayed).closed
    assert tape(replayed) == [
        "01:00:00.000000 buy 1 @ 100 fee 0.001",
        "02:59:59.999999 sell 0.99 @ 90 fee 0.0891",
    ]
    assert (closed.state, closed.held, closed.book.dust_quantity) == (
        State.CLOSED,
        Decimal(0),
        Decimal("0.009"),
    )
    assert closed.book.dust_cost == Decimal("0.9")
    assert replayed.engine.treasury.cash == 1000 - 100 + Decimal("89.1") - Decimal("0.0891")
    assert books_balance(told, cash_before=Decimal(1000), cash_after=replayed.engine.treasury.cash)


def test_what_nobody_would_buy_is_booked_as_dust_and_the_position_closes() -> None:
    """
    At the stop 1 is worth 50, below the minimum of 60: no order, and the bot is free again.
    """
    text = configuration(ONCE, 'stop_loss = "50%"', terms="min_notional = 60")

    replayed = run(text, [*BOUGHT_AT_100, (100, 100, 50, 50)])

    (closed,) = only_seat(replayed).closed
    assert tape(replayed) == [BASE]
    assert (closed.state, closed.book.dust_quantity, closed.book.dust_cost) == (
        State.CLOSED,
        Decimal(1),
        Decimal(100),
    )


def test_a_step_below_the_minimum_waits_for_the_next() -> None:
    """
    A tenth at 110 is 11, below 20: refused. At 120 both rungs sell 0.6 as one order.
    """
    leave = 'take_profit = [{gain = "10%", sell = "10%"}, {gain = "20%", sell = "50%"}]'
    text = configuration(ONCE, leave, terms="min_notional = 20")

    replayed = run(text, [*BOUGHT_AT_100, (100, 120, 100, 110)])

    assert tape(replayed)[1:] == ["02:59:59.999999 sell 0.6 @ 120 fee 0"]
    assert refused(replayed) == ["02:59 take profit +10 %: MIN_NOTIONAL"]


def test_a_remainder_below_the_minimum_is_taken_along() -> None:
    """
    After 90 % at 110 the rest would be worth 11, below 20: all is sold.
    """
    leave = 'take_profit = [{gain = "10%", sell = "90%"}, {gain = "20%", sell = "rest"}]'
    text = configuration(ONCE, leave, terms="min_notional = 20")

    replayed = run(text, [*BOUGHT_AT_100, (100, 110, 100, 100)])

    assert tape(replayed)[1:] == ["02:59:59.999999 sell 1 @ 110 fee 0"]
    assert [one.state for one in only_seat(replayed).closed] == [State.CLOSED]


def test_an_exit_step_that_waits_keeps_no_entry_from_being_asked() -> None:
    """
    Prices on closes. A tenth of 0.4 at 110 is 4.4, below 20, so the exit waits; the entry that is
    due an hour after the last one is bought all the same.
    """
    text = configuration(
        'plan = "dca"\nsize = 40\nevery = "1h"\nmax_tranches = 2',
        'take_profit = [{gain = "10%", sell = "10%"}, {gain = "20%", sell = "90%"}]',
        terms="min_notional = 20",
        backtest='evaluate = "close"',
    )

    replayed = run(text, [QUIET, (100, 110, 100, 110), (110, 110, 110, 110)])

    assert tape(replayed) == [
        "01:00:00.000000 buy 0.4 @ 100 fee 0",
        "02:00:00.000000 buy 0.36 @ 110 fee 0",
    ]
