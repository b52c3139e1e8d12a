"""What a candle's volume lets through, and what is sold at the end."""

from decimal import Decimal

import pytest

from backtest.replays import replay_of
from backtest.scripted import ONCE, STOP, SYMBOL, candles_of, configuration, only_seat, tape
from trancher.app.settings import parse
from trancher.backtest.exact import Replayed
from trancher.core.events import OrderEnded
from trancher.core.lifecycle import State

FLAT = (100, 100, 100, 100)
Prices = tuple[int, int, int, int]


def run(text: str, prices: list[Prices], *, close_at_end: bool = False) -> Replayed:
    """Replay candles in each of which 1 base is traded."""
    settings = parse(text, file="test.toml")
    candles = {SYMBOL: candles_of(prices)}
    return replay_of(settings, candles, close_at_end=close_at_end).run()


def test_an_entry_takes_its_share_of_the_volume_and_stays_smaller() -> None:
    """
    100 quote at 100 would be 1 base; a quarter of the volume of 1 lets 0.25 through.
    """
    text = configuration(ONCE, backtest='participation = "25%"')

    done = run(text, [FLAT] * 3)

    assert tape(done) == ["01:00:00.000000 buy 0.25 @ 100 fee 0"]
    assert only_seat(done).position.state is State.OPEN


def test_a_full_exit_that_ends_short_goes_on_at_the_next_close() -> None:
    """
    0.8 base were bought; of what the stop at 90 sells, 0.5 fit into a candle.
    """
    entry = 'plan = "dca"\nsize = 40\nevery = "1h"\nmax_tranches = 2'
    text = configuration(entry, STOP, backtest='participation = "50%"')

    done = run(text, [*[FLAT] * 4, (90, 90, 90, 90), (90, 90, 90, 90)])

    assert tape(done) == [
        "01:00:00.000000 buy 0.4 @ 100 fee 0",
        "02:00:00.000000 buy 0.4 @ 100 fee 0",
        "04:00:00.000000 sell 0.5 @ 90 fee 0",
        "05:00:00.000000 sell 0.3 @ 90 fee 0",
    ]
    assert only_seat(done).closed[0].state is State.CLOSED


def test_a_rung_stays_due_for_what_the_volume_did_not_let_through() -> None:
    """
    Half of 0.8 is wanted at 110; 0.2 fit into each candle.
    """
    leave = 'take_profit = [{gain = "10%", sell = "50%"}]'
    text = configuration(
        'plan = "dca"\nsize = 20\nevery = "1h"\nmax_tranches = 4',
        leave,
        backtest='participation = "20%"',
    )

    done = run(text, [*[FLAT] * 5, *[(100, 110, 100, 100)] * 4])

    assert tape(done)[4:] == [
        "05:59:59.999999 sell 0.2 @ 110 fee 0",
        "06:59:59.999999 sell 0.2 @ 110 fee 0",
    ]


def test_what_the_volume_leaves_no_room_for_is_tried_again() -> None:
    """
    1 % of the volume is 0.01 base, worth 1: below the minimum of 5, so nothing fills, ever.
    """
    text = configuration(ONCE, terms="min_notional = 5", backtest='participation = "1%"')

    done = run(text, [FLAT] * 4)

    assert tape(done) == []
    ends = [e.event.reason for e in done.store.journal if isinstance(e.event, OrderEnded)]
    assert ends == ["ended: too little was traded in this candle"] * 3
    assert done.engine.treasury.trades.total() == 0


@pytest.mark.parametrize("jump", [True, False])
def test_what_is_still_held_is_sold_at_the_last_close(jump: bool) -> None:  # noqa: FBT001 a case
    """
    As a taker, with the slippage of 10 %, dated by the close; without the word nothing is sold.
    """
    text = configuration(ONCE, backtest='slippage = "10%"')
    settings = parse(text, file="test.toml")
    candles = {SYMBOL: candles_of([FLAT, FLAT, FLAT, (100, 120, 100, 120)])}

    kept = replay_of(settings, candles, jump=jump).run()
    sold = replay_of(settings, candles, jump=jump, close_at_end=True).run()

    assert tape(sold) == [*tape(kept), "04:00:00.000000 sell 0.9 @ 108 fee 0"]
    assert only_seat(kept).position.state is State.OPEN
    (closed,) = only_seat(sold).closed
    assert (closed.state, closed.closing_reason) == (
        State.CLOSED,
        "closed at the end of the backtest",
    )


def test_the_end_sells_no_more_than_the_last_candle_lets_through() -> None:
    """
    The rest is reported as open, as the assumptions say.
    """
    entry = 'plan = "dca"\nsize = 20\nevery = "1h"\nmax_tranches = 4'
    text = configuration(entry, backtest='participation = "20%"')

    done = run(text, [FLAT] * 7, close_at_end=True)

    assert tape(done)[-1] == "07:00:00.000000 sell 0.2 @ 100 fee 0"
    assert only_seat(done).position.state is State.CLOSING
    assert only_seat(done).position.held == Decimal("0.6")
