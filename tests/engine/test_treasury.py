from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from engine.fakes import NOON
from trancher.core.order import BotName, ClientOrderId
from trancher.treasury import Treasury

D = Decimal
ONE, TWO = ClientOrderId("one"), ClientOrderId("two")
BOT = BotName("bot")
TOMORROW = NOON + timedelta(days=1)


def treasury() -> Treasury:
    """Return a treasury of 100, whose days are those of UTC."""
    return Treasury(D(100), ZoneInfo("UTC"))


def test_free_cash_is_what_nobody_has_reserved() -> None:
    """
    Invariant 1: cash less working orders less what is set aside; a bot's own rungs are its own.
    """
    one = treasury()

    one.reserve(ONE, cost=D(20), decided_at=NOON)
    one.reserve(TWO, cost=D(5), decided_at=NOON)
    one.set_aside(BOT, D(30))

    assert (one.free_cash(but=None), one.free_cash(but=BOT)) == (D(45), D(75))
    one.set_aside(BOT, None)
    one.set_aside(BOT, None)
    assert one.free_cash(but=None) == D(75)


@pytest.mark.parametrize(
    ("amount", "of_reserved", "cash", "free"),
    [("12", "12", "88", "80"), ("12", "10", "88", "78"), ("25", "25", "75", "75")],
)
def test_a_payment_comes_out_of_what_was_reserved_for_it(
    amount: str, of_reserved: str, cash: str, free: str
) -> None:
    """
    20 were reserved; a fee lower than feared frees nothing before the end, and an order that has
    cost more than it was to reserves nothing below zero.
    """
    one = treasury()
    one.reserve(ONE, cost=D(20), decided_at=NOON)

    one.pay(ONE, amount=D(amount), of_reserved=D(of_reserved))

    assert (one.cash, one.free_cash(but=None)) == (D(cash), D(free))


def test_a_trade_is_given_back_if_nothing_filled() -> None:
    """
    Invariant 2: to the day it was decided on; with a fill it stays counted.
    """
    one = treasury()
    one.reserve(ONE, cost=D(20), decided_at=NOON)
    one.reserve(TWO, cost=D(20), decided_at=NOON)

    one.release(ONE, filled=False)
    one.release(TWO, filled=True)

    assert one.trades[NOON.date()] == 1
    assert (one.works(ONE), one.works(TWO), one.free_cash(but=None)) == (False, False, D(100))


def test_profits_and_losses_of_a_day_add_up() -> None:
    """
    By the day of the sale; the next day begins with nothing.
    """
    one = treasury()

    one.receive(D(10), realized=D(-5), at=NOON)
    one.receive(D(10), realized=D(2), at=NOON)
    one.receive(D(1), realized=D(1), at=TOMORROW)

    assert one.cash == 121
    days = [one.realized_on(one.day(at)) for at in (NOON, TOMORROW, TOMORROW + timedelta(days=1))]
    assert days == [D(-3), D(1), D(0)]


def test_losses_in_a_row_are_those_of_one_day() -> None:
    """
    A profit, one of nothing too, and a new day begin the row anew; each day keeps its own.
    """
    one = treasury()
    streaks = []
    for realized, at in (
        ("-1", NOON),
        ("-1", NOON),
        ("0", NOON),
        ("-0.0000000001", NOON),
        ("-1", TOMORROW),
    ):
        one.closed(D(realized), at)
        streaks.append(one.losing_streak_on(one.day(at)))

    assert streaks == [1, 2, 0, 1, 1]
    assert one.losing_streak_on(one.day(NOON)) == 1
    assert treasury().losing_streak_on(one.day(NOON)) == 0
