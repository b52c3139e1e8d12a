"""What comes to a bot without a trade, as the engine books it: its money, limits and counts."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from engine.fakes import NO_LIMITS
from engine.test_by_hand import BOT, STOP, Counter, plain
from trancher.core.errors import InvalidRequest
from trancher.core.events import Corrected, Event
from trancher.core.exits import StopLoss
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, RefusalCode
from trancher.core.outside import adoption, correction, way_back

D = Decimal
ALONE: Final = PortfolioLimits(max_active_positions=1)


class Stock(Counter):
    """The counter of an engine, where a person also tells what is there."""

    def adopt(self, quantity: str, *, cost: str, price: str = "100") -> None:
        """Adopt a holding while the market stands at a price."""
        self.engine.seats[BOT].price, self.engine.seats[BOT].priced_at = D(price), self.now
        self._happen(
            adoption(
                self.position,
                quantity=D(quantity),
                cost=D(cost),
                price=D(price),
                reason="mine",
                at=self.now,
            )
        )

    def correct(self, left: str) -> None:
        """Find less than the books say."""
        self._happen(correction(self.position, D(left), None, reason="lost", at=self.now))

    def undo(self) -> None:
        """Take the last of that back."""
        self._happen(way_back(self.position, reason="no", at=self.now))

    def _happen(self, events: tuple[Event, ...]) -> None:
        self.engine.happen(BOT, events)


def test_a_holding_takes_no_cash_no_trade_and_no_cooldown() -> None:
    """
    And the next entry by hand is asked of nothing that it would not have been asked of.
    """
    cooled = replace(NO_LIMITS, tranche_cooldown=timedelta(hours=1))
    stock = Stock(replace(plain(), limits=cooled))

    stock.adopt("2", cost="150")

    treasury = stock.engine.treasury
    assert (treasury.cash, treasury.free_cash(but=None)) == (D(1000), D(1000))
    assert treasury.trades == {}
    assert stock.seat.past.last_entry_at is None
    assert stock.position.state is State.OPEN
    assert stock.engine.equity(stock.now) == D(1200)
    assert stock.replayed() == [stock.position]


def test_what_was_adopted_counts_for_the_limits_of_all() -> None:
    """
    It is a position like any other from then on, and what it cost is exposure.
    """
    stock = Stock(plain(), limits=replace(ALONE, max_exposure=D(180)))
    stock.adopt("2", cost="150")

    used = stock.engine.used(BOT)

    assert (used.active, used.worth, used.ordered) == (1, D(200), D(0))
    assert used.exposure == {stock.bot.instrument.symbol: D(150)}


def test_the_plan_sells_what_was_adopted_and_buys_nothing_more() -> None:
    """
    Its stop is measured from what the holding had cost.
    """
    stock = Stock(plain(STOP))
    stock.adopt("2", cost="200", price="100")

    stock.look("95")
    assert stock.position.working == ()
    stock.buy("90")

    (done,) = stock.seat.closed
    assert done.book.realized_pnl == D(-20)
    assert stock.engine.treasury.cash == D(1180)
    assert done.closing_reason is not None
    assert done.closing_reason.startswith("stop loss")


def test_an_entry_by_hand_goes_on_from_a_holding_where_the_bot_rebuilds() -> None:
    """
    Else building has ended for good, as it has after an exit.
    """
    stock = Stock(plain())
    stock.adopt("2", cost="200")
    rebuilding = Stock(replace(plain(), plan=replace(plain().plan, rebuild=True)))
    rebuilding.adopt("2", cost="200")

    refused, bought = stock.add("50", "100"), rebuilding.add("50", "100")

    assert [one.code for one in refused.refusals] == [RefusalCode.NOT_BUILDING]
    assert bought.accepted
    assert [one.id for one in rebuilding.position.book.open] == ["tranche_1", "tranche_2"]


def test_a_correction_is_no_loss_of_the_day() -> None:
    """
    It closes the position: the streak of losses goes on as if it had never been, and so does the
    next position.
    """
    stock = Stock(plain())
    stock.add("50", "100")
    held = stock.position.held
    stock.engine.treasury.closed(D(-1), stock.now)

    stock.correct("0.1")
    stock.correct("0")

    day = stock.engine.treasury.day(stock.now)
    assert held > 0
    assert stock.engine.treasury.realized_on(day) == D(0)
    assert stock.engine.treasury.losing_streak_on(day) == 1
    assert [one.state for one in stock.seat.closed] == [State.CLOSED]
    assert stock.position.id == "bot-2"
    assert stock.engine.used(BOT).active == 0


def test_the_drawdown_counts_no_holding_that_came_or_went() -> None:
    """
    A typo that is taken back would refuse every entry for good.
    """
    stock = Stock(plain(), limits=replace(ALONE, max_drawdown=D("0.1")))
    stock.look("100")
    stock.open("100")
    peak = stock.engine.treasury.peak_equity

    stock.adopt("900", cost="1", price="100")
    stock.engine.evaluate(BOT, stock.seen("100"))
    assert stock.engine.treasury.peak_equity == peak + 90_000
    stock.undo()

    assert stock.engine.treasury.peak_equity == peak
    stock.correct("0.5")
    assert stock.engine.treasury.peak_equity < peak


def test_what_cannot_be_leaves_everything_as_it_was() -> None:
    """
    Neither the journal nor the position nor the money knows of it.
    """
    stock = Stock(plain(StopLoss(loss=D("0.5"))))
    stock.add("50", "100")
    stock.engine.treasury.peak_equity = D(7)
    before, journal = stock.position, list(stock.store.journal)
    wrong = Corrected(held=D(9), left=D(1), tranche_id=None, reason="", at=stock.now)

    with pytest.raises(InvalidRequest):
        stock.engine.happen(BOT, [wrong])

    assert stock.position is before
    assert stock.store.journal == journal
    assert stock.engine.treasury.peak_equity == D(7)
