"""The treasury: what the bots of one portfolio share, and what each of them has reserved of it.

Bots of one portfolio may run in several processes. What those of other processes use is known as
sums; whoever runs a bot says what those are before each step.

Invariants:
1. free cash = cash - what working orders may cost - what is set aside for rungs, over all bots.
2. A trade is counted when its order is decided, and given back if nothing of it fills.
3. Losses and streaks are counted on the average figures, so no disposal rule moves a limit.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Final

from trancher.core.day import Day, day_of
from trancher.core.money import ZERO, exact
from trancher.core.order import ClientOrderId, SeatName


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """An order that works: what it may still cost in quote, and the day its trade counts for."""

    cost: Decimal
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What bots use of what all bots of the portfolio share.

    Attributes:
        active: positions that are not CLOSED.
        exits_reserved: trades kept back for their way out.
        ordered: quote that their working orders may still cost, fees included.
        set_aside: quote for their rungs to come.
        worth: quote, what they hold at the latest prices.
        exposure: quote by symbol, anchor cost and working entries.
    """

    active: int = 0
    exits_reserved: int = 0
    ordered: Decimal = ZERO
    set_aside: Decimal = ZERO
    worth: Decimal = ZERO
    exposure: Mapping[str, Decimal] = field(default_factory=dict)


NOTHING: Final = Used()


class Treasury:
    """Cash, reservations, and the counts of the portfolio's day."""

    def __init__(self, cash: Decimal, zone: tzinfo) -> None:
        """Begin with `cash` quote; `zone` is whose days the daily limits count by.

        Attributes:
            trades, realized: by day; realized is net, on the average figures.
            streaks: by day, positions closed at a loss in a row. Bots are not all at the same
                time, so a day may go on when a later one has begun.
            working: the orders that work.
            rungs: what is set aside for rungs to come, by the place of their position.
            others: what bots of other processes use.
        """
        self.cash = cash
        self.peak_equity = cash
        self.trades: Counter[date] = Counter()
        self.realized: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
        self.streaks: Counter[date] = Counter()
        self.working: dict[ClientOrderId, Reservation] = {}
        self.rungs: dict[SeatName, Decimal] = {}
        self.others = NOTHING
        self._zone = zone

    def day(self, at: datetime) -> Day:
        """Return the portfolio's day that `at` belongs to."""
        return day_of(at, self._zone)

    @exact
    def free_cash(self, *, but: SeatName | None) -> Decimal:
        """Return the quote neither spent nor reserved by anybody, `but` one position's rungs."""
        orders = sum((working.cost for working in self.working.values()), ZERO)
        rungs = sum((cost for name, cost in self.rungs.items() if name != but), ZERO)
        return self.cash - orders - rungs - self.others.ordered - self.others.set_aside

    def realized_on(self, day: Day) -> Decimal:
        """Return the net P&L realized on a day, on the average figures; negative is a loss."""
        return self.realized.get(day.date, ZERO)

    def losing_streak_on(self, day: Day) -> int:
        """Return how many positions were closed at a loss in a row on a day."""
        return self.streaks[day.date]

    def reserve(self, order_id: ClientOrderId, *, cost: Decimal, decided_at: datetime) -> None:
        """Reserve what an order may cost in quote, and a trade of the day it was decided on."""
        day = self.day(decided_at).date
        self.working[order_id] = Reservation(cost=cost, day=day)
        self.trades[day] += 1

    def works(self, order_id: ClientOrderId) -> bool:
        """Say whether an order has a reservation, which it has until it ends."""
        return order_id in self.working

    @exact
    def pay(self, order_id: ClientOrderId, *, amount: Decimal, of_reserved: Decimal) -> None:
        """Take `amount` quote out of the cash, `of_reserved` of it out of what was reserved."""
        reservation = self.working[order_id]
        self.cash -= amount
        left = max(reservation.cost - of_reserved, ZERO)
        self.working[order_id] = replace(reservation, cost=left)

    @exact
    def receive(self, amount: Decimal, *, realized: Decimal, at: datetime) -> None:
        """Put `amount` quote into the cash; `realized` of it is profit, or a loss."""
        self.cash += amount
        self.realized[self.day(at).date] += realized

    def release(self, order_id: ClientOrderId, *, filled: bool) -> None:
        """Give back what an ended order has reserved and not used."""
        reservation = self.working.pop(order_id)
        if not filled:
            self.trades[reservation.day] -= 1

    def set_aside(self, seat: SeatName, cost: Decimal | None) -> None:
        """Keep quote for the rungs of a position that are still to come; None keeps none."""
        if cost is None:
            self.rungs.pop(seat, None)
        else:
            self.rungs[seat] = cost

    def closed(self, realized: Decimal, at: datetime) -> None:
        """Count a closed position for the streak of its day."""
        day = self.day(at).date
        self.streaks[day] = self.streaks[day] + 1 if realized < 0 else 0
