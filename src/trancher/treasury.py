"""The treasury: what the bots of one portfolio share, and what each of them has reserved of it.

Invariants:
1. free cash = cash - what working orders may cost - what is set aside for rungs.
2. A trade is counted when its order is decided, and given back if nothing of it fills.
3. Losses and streaks are counted on the average figures, so no disposal rule moves a limit.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal

from trancher.core.day import Day, day_of
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, ClientOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reservation:
    """An order that works: what it may cost, and the day its trade counts for."""

    cost: Decimal
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Streak:
    """Positions closed at a loss in a row on one day."""

    day: date
    losses: int


class Treasury:
    """Cash, reservations, and the counts of the portfolio's day."""

    def __init__(self, cash: Decimal, zone: tzinfo) -> None:
        """Begin with `cash` quote; `zone` is whose days the daily limits count by."""
        self.cash = cash
        self.peak_equity = cash
        self.trades: Counter[date] = Counter()
        self._zone = zone
        self._realized: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
        self._streak: _Streak | None = None
        self._working: dict[ClientOrderId, _Reservation] = {}
        self._set_aside: dict[BotName, Decimal] = {}

    def day(self, at: datetime) -> Day:
        """Return the portfolio's day that `at` belongs to."""
        return day_of(at, self._zone)

    @exact
    def free_cash(self, *, but: BotName | None) -> Decimal:
        """Return the quote neither spent nor reserved by anybody, `but` one bot's rungs."""
        orders = sum((working.cost for working in self._working.values()), ZERO)
        rungs = sum((cost for name, cost in self._set_aside.items() if name != but), ZERO)
        return self.cash - orders - rungs

    def realized_on(self, day: Day) -> Decimal:
        """Return the net P&L realized on a day, on the average figures; negative is a loss."""
        return self._realized.get(day.date, ZERO)

    def losing_streak_on(self, day: Day) -> int:
        """Return how many positions were closed at a loss in a row on a day."""
        streak = self._streak
        return streak.losses if streak is not None and streak.day == day.date else 0

    def reserve(self, order_id: ClientOrderId, *, cost: Decimal, decided_at: datetime) -> None:
        """Reserve what an order may cost in quote, and a trade of the day it was decided on."""
        day = self.day(decided_at).date
        self._working[order_id] = _Reservation(cost=cost, day=day)
        self.trades[day] += 1

    def works(self, order_id: ClientOrderId) -> bool:
        """Say whether an order has a reservation, which it has until it ends."""
        return order_id in self._working

    @exact
    def pay(self, order_id: ClientOrderId, *, amount: Decimal, of_reserved: Decimal) -> None:
        """Take `amount` quote out of the cash, `of_reserved` of it out of what was reserved."""
        reservation = self._working[order_id]
        self.cash -= amount
        left = max(reservation.cost - of_reserved, ZERO)
        self._working[order_id] = replace(reservation, cost=left)

    @exact
    def receive(self, amount: Decimal, *, realized: Decimal, at: datetime) -> None:
        """Put `amount` quote into the cash; `realized` of it is profit, or a loss."""
        self.cash += amount
        self._realized[self.day(at).date] += realized

    def release(self, order_id: ClientOrderId, *, filled: bool) -> None:
        """Give back what an ended order has reserved and not used."""
        reservation = self._working.pop(order_id)
        if not filled:
            self.trades[reservation.day] -= 1

    def set_aside(self, bot: BotName, cost: Decimal | None) -> None:
        """Keep quote for the rungs of a bot that are still to come; None keeps none."""
        if cost is None:
            self._set_aside.pop(bot, None)
        else:
            self._set_aside[bot] = cost

    def closed(self, realized: Decimal, at: datetime) -> None:
        """Count a closed position for the streak of its day."""
        day = self.day(at)
        losses = self.losing_streak_on(day) + 1 if realized < 0 else 0
        self._streak = _Streak(day=day.date, losses=losses)
