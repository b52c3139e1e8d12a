"""Entries that rest at a limit: where they fill, what they pay, and how they end."""

from datetime import timedelta
from typing import Final

import pytest

from backtest.scripted import bot, configuration, head, only_seat, refused, run, tape
from trancher.core.lifecycle import State

FLAT: Final = (100, 100, 100, 100)
FEES: Final = 'maker_fee = "0.1%"\ntaker_fee = "0.2%"'


def once(*, offset: str = "5%", ttl: str = "2h", more: str = "") -> str:
    """Return an entry of 95 quote that rests below the price."""
    return (
        'plan = "dca"\nsize = 95\nmax_tranches = 1\n'
        f'order = "limit"\noffset = "{offset}"\nttl = "{ttl}"\n{more}'
    )


@pytest.mark.parametrize("evaluate", ["intracandle", "close"])
def test_a_limit_below_the_price_rests_and_fills_at_it_as_a_maker(evaluate: str) -> None:
    """
    95 at 95 is 1 base; touched inside the second candle; 0.1 % of 95 is 0.095.
    """
    text = configuration(once(), terms=FEES, backtest=f'evaluate = "{evaluate}"')

    done = run(text, [FLAT, (100, 100, 95, 99)])

    assert tape(done) == ["01:59:59.999999 buy 1 @ 95 fee 0.095"]


def test_it_fills_at_the_open_where_the_candle_opens_below_it() -> None:
    """
    It rests over 01:00 and the market opens at 90 an hour later: the better price is its own.
    """
    done = run(configuration(once(), terms=FEES), [FLAT, FLAT, (90, 92, 90, 92)])

    assert tape(done) == ["02:00:00.000000 buy 1 @ 90 fee 0.09"]


def test_a_limit_that_the_next_open_meets_takes_what_is_there() -> None:
    """
    Decided at 100 without an offset, opened at 99: a taker, never above its limit of 100.
    """
    text = configuration(once(offset="0%"), terms=FEES, backtest='slippage = "5%"')

    done = run(text, [FLAT, (99, 99, 99, 99), FLAT])

    assert tape(done) == ["01:00:00.000000 buy 0.95 @ 100 fee 0.19"]


def test_it_expires_when_its_time_is_over_and_is_tried_again_a_candle_later() -> None:
    """
    Decided at 01:00 for two hours; after 03:00 it backs off, so the next is decided at 04:00.
    """
    done = run(configuration(once()), [FLAT] * 6)

    events = [(f"{e.event.at:%H:%M}", type(e.event).__name__) for e in done.store.journal]
    assert events == [
        ("01:00", "EntryAccepted"),
        ("03:00", "OrderEnded"),
        ("04:00", "EntryAccepted"),
        ("06:00", "OrderEnded"),
    ]
    assert done.engine.treasury.trades.total() == 0


def test_while_it_rests_no_other_entry_is_placed() -> None:
    """
    The next purchase of the plan is due an hour after the first, whose second order still rests.
    """
    plan = 'plan = "dca"\nsize = 95\nevery = "1h"\nmax_tranches = 3'
    text = configuration(f'{plan}\norder = "limit"\noffset = "5%"\nttl = "9h"')

    done = run(text, [FLAT, (100, 100, 95, 100), *[FLAT] * 4])

    assert tape(done) == ["01:59:59.999999 buy 1 @ 95 fee 0"]
    assert refused(done) == ["04:00 further entry: ENTRY_IN_FLIGHT"]


def test_an_exit_cancels_it() -> None:
    """
    The first tranche is stopped out at 90 while the second order rests at 86.
    """
    plan = 'plan = "dca"\nsize = 95\nevery = "1h"\nmax_tranches = 2'
    text = configuration(f'{plan}\norder = "limit"\noffset = "5%"\nttl = "9h"', 'stop_loss = "5%"')

    done = run(text, [FLAT, (100, 100, 95, 95), (95, 95, 95, 95), (95, 95, 90, 90), FLAT])

    assert [line.split()[1] for line in tape(done)] == ["buy", "sell"]
    (closed,) = only_seat(done).closed
    assert closed.state is State.CLOSED
    assert not closed.working


def test_the_build_window_cancels_it_and_ends_the_building() -> None:
    """
    The window of 3 hours from the first fill at 01:59:59 has passed at the close of 05:00.
    """
    plan = 'plan = "dca"\nsize = 95\nevery = "1h"\nmax_tranches = 3\nbuild_window = "3h"'
    text = configuration(f'{plan}\norder = "limit"\noffset = "5%"\nttl = "9h"')

    done = run(text, [FLAT, (100, 100, 95, 100), *[FLAT] * 5])

    seat = only_seat(done)
    assert (seat.position.state, seat.position.working) == (State.OPEN, ())
    ended = [e.event for e in done.store.journal if type(e.event).__name__ == "BuildingEnded"]
    assert [f"{one.at:%H:%M}" for one in ended] == ["05:00"]
    assert seat.past.unfilled_at is not None
    assert seat.past.unfilled_at - ended[0].at == timedelta(0)


@pytest.mark.parametrize("evaluate", ["intracandle", "close"])
@pytest.mark.parametrize("offsets", [("8%", "1%"), ("1%", "8%")])
def test_each_of_two_bots_fills_at_its_own_limit(evaluate: str, offsets: tuple[str, str]) -> None:
    """
    The candle falls through 99 to 90; that the other bot looks at 92 makes neither worse nor
    better, whichever comes first in the file.
    """
    text = head(backtest=f'evaluate = "{evaluate}"')
    text += "".join(bot(f"at{place}", once(offset=one)) for place, one in enumerate(offsets))

    done = run(text, [FLAT, FLAT, (100, 100, 90, 92), FLAT])

    assert sorted(line.split()[4] for line in tape(done)) == ["92", "99"]


@pytest.mark.parametrize("order", ["worst", "best", "path"])
def test_what_rests_takes_the_place_of_the_candle_s_entry(order: str) -> None:
    """
    03:00 opens at 94, below the limit of 100 that rests and the level of 95 that would be bought:
    the one fills at that open, the other at the next.
    """
    rungs = (
        'plan = "rungs"\norder = "limit"\noffset = "0%"\nttl = "9h"\n'
        'rungs = [{when = {flat = true}, size = 100}, {when = {elapsed = "1h"}, size = 94},\n'
        '         {when = {drop = "5%", from = "first_entry"}, size = 47}]'
    )
    text = configuration(rungs, backtest=f'same_candle = "{order}"')

    done = run(text, [FLAT, FLAT, (101, 101, 101, 101), *[(94, 94, 94, 94)] * 3])

    assert tape(done) == [
        "01:00:00.000000 buy 1 @ 100 fee 0",
        "03:00:00.000000 buy 0.94 @ 94 fee 0",
        "04:00:00.000000 buy 0.5 @ 94 fee 0",
    ]
