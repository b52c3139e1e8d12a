"""The rehearsal: an entry plan walked through before it costs anything, on the paper exchange.

Every rung is bought at the price it waits for, in the plan's order, and booked by the same evolve
that books a real fill; so the figures are the engine's own. A rung that waits for a time or an
indicator is bought at the price before it.

Invariants:
1. Levels are measured from what was paid, slippage included, as the engine measures them.
2. A rung that an exit comes before is bought in `steps`, and left out of the worst case.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.backtest.trial import Trial, sellable
from trancher.core.bot import NO_PAST, Bot, exposure_of, funds_to_reserve
from trancher.core.conditions import Look, Observation
from trancher.core.day import day_of
from trancher.core.decide_entry import decide_entry
from trancher.core.decision import Decision
from trancher.core.errors import InvalidPlan
from trancher.core.limits import Refusal, RefusalCode, Usage
from trancher.core.money import ZERO, exact, quotient
from trancher.core.order import EntryOrder, PositionId
from trancher.core.pnl import figures
from trancher.core.position import Position, new_position
from trancher.core.rungs import EntryRung
from trancher.core.signals import WILLING
from trancher.seat import Portfolio

_START: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MINIMUMS: Final = frozenset({RefusalCode.MIN_NOTIONAL, RefusalCode.MIN_QUANTITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung as it would be bought. Cumulated figures count this rung and all before it.

    Attributes:
        deviation: how far `price` lies below the first price, a ratio; negative lies above.
        quantity: base received; ZERO where the exchange would reject so small an order.
        cumulated_cost: quote for all that is held, fees excluded.
        cumulated_cash: quote paid in all, fees included.
        break_even_price: where selling all nets zero, the sale's taker fee included.
        needed_rise: from `price` to there, a ratio.
        target_price: where a gain sells first of what is held then; None without such a rule.
        stop_price: where a loss sells first of it, likewise.
        stopped_pnl: quote, net: what selling all of it there would realize, slippage included.
        refusals: the limits that would refuse it, after what they let through before; without
            times, for nobody knows when the price will be there.
        sold_at: the exit price that the market meets on its way to `price`; None where none is.
    """

    label: str
    price: Decimal
    deviation: Decimal
    size: Decimal
    quantity: Decimal
    cumulated_cost: Decimal
    cumulated_cash: Decimal
    average_entry_price: Decimal | None
    break_even_price: Decimal | None
    needed_rise: Decimal | None
    target_price: Decimal | None
    stop_price: Decimal | None
    stopped_pnl: Decimal | None
    refusals: tuple[Refusal, ...]
    sold_at: Decimal | None

    @property
    def taken(self) -> bool:
        """Whether it is bought at all: no limit refuses it, and no exit comes first."""
        return not self.refusals and self.sold_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A plan walked through.

    Attributes:
        steps: base order first.
        admitted_cash: quote, fees included: the most that limits and stops let the plan spend.
        admitted_fees: what of it is fees, in quote.
        planned_cash: quote, fees included: what every rung together would cost.
        set_aside: quote kept back for the rungs to come once the first has been bought.
        covered_drop: from the first price to the deepest rung that is taken, a ratio.
    """

    steps: tuple[Step, ...]
    admitted_cash: Decimal
    admitted_fees: Decimal
    planned_cash: Decimal
    set_aside: Decimal
    covered_drop: Decimal

    @property
    def binding(self) -> Step | None:
        """The first rung that a limit refuses."""
        return next((step for step in self.steps if step.refusals), None)

    @property
    def too_small(self) -> Step | None:
        """The first rung that is below what the exchange takes."""
        return next(
            (s for s in self.steps if any(one.code in _MINIMUMS for one in s.refusals)), None
        )

    @property
    def sold_before(self) -> Step | None:
        """The first rung that is not reached, because an exit comes first."""
        return next((step for step in self.steps if step.sold_at is not None), None)


@exact
def rehearse(bot: Bot, portfolio: Portfolio, *, price: Decimal, slippage: Decimal) -> Rehearsal:
    """Walk through the entry plan of `bot`.

    Args:
        price: where it begins, quote per base, > 0.
        slippage: ratio that each purchase costs more than its price, 0 <= slippage < 1.

    Raises:
        InvalidPlan: a rung waits for a price that there is none of, for `price` is too low.
    """
    walk = _Walk(bot, portfolio, price, slippage)
    steps = tuple(walk.steps())
    lowest = min((step.price for step in steps if step.taken), default=price)
    return Rehearsal(
        steps=steps,
        admitted_cash=walk.admitted.book.cash_paid,
        admitted_fees=walk.admitted.book.fees_paid,
        planned_cash=walk.planned.book.cash_paid,
        set_aside=walk.set_aside,
        covered_drop=quotient(price - lowest, price),
    )


@exact
def usage_alone(portfolio: Portfolio, position: Position, at: datetime) -> Usage:
    """Return what a position uses of the limits at `at`, where there is no other."""
    today = day_of(at, portfolio.zone)
    bought = [day_of(one.opened_at, portfolio.zone).date for one in position.book.tranches]
    exposure = exposure_of(position)
    return Usage(
        free_cash=portfolio.cash - position.book.cash_paid,
        active_positions=int(position.book.tranche_count > 0),
        trades_today=bought.count(today.date),
        exits_reserved=0,
        day_ends_at=today.ends_at,
        equity=portfolio.cash,
        peak_equity=portfolio.cash,
        exposure=exposure,
        symbol_exposure=exposure,
        realized_today=ZERO,
        losing_streak=0,
    )


class _Walk:
    """Buys every rung into `planned`, and those the limits let through into `admitted` too."""

    def __init__(self, bot: Bot, portfolio: Portfolio, price: Decimal, slippage: Decimal) -> None:
        self._bot, self._portfolio, self._first = bot, portfolio, price
        self._slippage = slippage
        self._at, self._price = _START, price
        self.planned = self.admitted = new_position(
            position_id=PositionId(f"{bot.name}-1"),
            bot=bot.name,
            instrument=bot.instrument,
            disposal=bot.disposal,
        )
        self.set_aside = ZERO

    def steps(self) -> Iterator[Step]:
        for index, rung in enumerate(self._bot.plan.entries):
            for use in range(1, rung.repeat + 1):
                label = rung.label if rung.repeat == 1 else f"{rung.label} {use}"
                yield self._step(index, rung, label)

    def _step(self, index: int, rung: EntryRung, label: str) -> Step:
        self._move_on(rung)
        decision = self._decide(index)
        order = decision.order
        whole = rung.quote(self._portfolio.cash)
        size = order.size if isinstance(order, EntryOrder) else whole  # it may be clipped
        before, sold_at = self.planned.held, self._sold_at()
        self.planned = self._buy(self.planned, index, rung, size)
        if not decision.refusals and sold_at is None:
            first = self.admitted.held == 0
            self.admitted = self._buy(self.admitted, index, rung, size)
            if first:
                self.set_aside = funds_to_reserve(
                    self._bot, self.admitted, equity=self._portfolio.cash
                )
        book = self.planned.book
        said = figures(book, taker_fee=self._bot.instrument.taker_fee, mark_price=None)
        rise = said.break_even_price
        stop, target = self._exits(self.planned)
        return Step(
            label=label,
            price=self._price,
            deviation=quotient(self._first - self._price, self._first),
            size=size,
            quantity=self.planned.held - before,
            cumulated_cost=said.open_cost,
            cumulated_cash=book.cash_paid,
            average_entry_price=said.average_entry_price,
            break_even_price=said.break_even_price,
            needed_rise=None if rise is None else quotient(rise - self._price, self._price),
            target_price=target,
            stop_price=stop,
            stopped_pnl=self._stopped_pnl(stop),
            refusals=tuple(replace(one, unblocks_at=None) for one in decision.refusals),
            sold_at=sold_at,
        )

    def _exits(self, position: Position) -> tuple[Decimal | None, Decimal | None]:
        """Return the prices, below and above, at which an exit sells first of a position."""
        if position.held == 0:
            return None, None
        levels = tuple(self._bot.plan.levels(position, position.trailing_peak))
        return (
            max((one.price for one in levels if one.falling), default=None),
            min((one.price for one in levels if not one.falling), default=None),
        )

    def _sold_at(self) -> Decimal | None:
        """Return the exit that comes before the price which the next rung waits for."""
        stop, target = self._exits(self.admitted)
        if stop is not None and self._price <= stop:
            return stop
        rises = target is not None and self._price > target
        return target if rises and not self._bot.plan.rebuild else None

    def _stopped_pnl(self, stop: Decimal | None) -> Decimal | None:
        """Return what selling all that is planned at the stop would realize, in quote."""
        quantity = sellable(self.planned)
        if stop is None or not self._bot.instrument.accepts(quantity, stop):
            return None
        trial = replace(self._trial, price=min(stop, self._price))
        return trial.sold(self.planned, quantity=quantity, reason="stop").book.realized_pnl

    def _move_on(self, rung: EntryRung) -> None:
        """Go to where and when the rung is bought, once the cooldown is over."""
        self._at += self._bot.limits.tranche_cooldown
        for wait in rung.when.waits(self.planned):
            # A level that slippage has put beyond the market is met where the market stands.
            if wait.below is not None:
                if wait.below <= 0:
                    tick = self._bot.instrument.price_tick
                    raise InvalidPlan(f"{rung.label} waits for less than one tick, {tick:f}")
                self._price = min(self._price, wait.below)
            if wait.above is not None:
                self._price = max(self._price, wait.above)
            self._at = max(self._at, wait.at or self._at)

    def _decide(self, index: int) -> Decision:
        """Return what would be decided about a rung, were it due now."""
        held = self.admitted
        decision = decide_entry(
            replace(self._bot, plan=self._bot.plan.asking(index)),
            held,
            Observation(price=self._price, at=self._at, look=Look.EVERYTHING, readings=WILLING),
            past=replace(NO_PAST, last_entry_at=held.last_entry_at),
            usage=usage_alone(self._portfolio, held, self._at),
            limits=self._portfolio.limits,
        )
        assert decision is not None
        return decision

    def _buy(self, position: Position, index: int, rung: EntryRung, size: Decimal) -> Position:
        return self._trial.bought(position, size=size, rung=index, reason=rung.label)

    @property
    def _trial(self) -> Trial:
        return Trial(bot=self._bot, slippage=self._slippage, price=self._price, at=self._at)
