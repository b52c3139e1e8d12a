"""Groups: what tranches and exits earned, by number, signal, temperature, hour and rung.

Every group keeps realized and unrealized apart; nothing here adds the two up.

Invariant: the groups of any one kind have together the realized and the unrealized P&L of all
bots.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from typing import Final

from trancher.backtest.summary import BotSummary
from trancher.core.ledger import Realized, realized_by_tranche
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, ClientOrderId
from trancher.core.tranches import SWEPT, Tranche

NO_SIGNAL: Final = "none"
SWEPT_UP: Final = "dust swept up"
"""The group of what earlier positions left over; no signal can have such a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tranches that have something in common. Quote, unless the name says otherwise.

    Attributes:
        cost: what was paid for them, fees excluded.
        unrealized_net: of what is left of them, at the last close.
    """

    key: str
    tranches: int
    cost: Decimal
    realized_gross: Decimal
    realized_pnl: Decimal
    unrealized_net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What one exit rule, or whoever sold, did for one bot. Quote, but for `exits`: orders."""

    bot: BotName
    reason: str
    exits: int
    cost_consumed: Decimal
    realized_gross: Decimal
    realized_pnl: Decimal


def by_number(tranche: Tranche) -> str:
    return str(tranche.number)


def by_reason(tranche: Tranche) -> str:
    return tranche.reason


def by_signal(tranche: Tranche) -> str:
    """Return the signal that added most to the score at entry, the first of equals."""
    said = tranche.evidence
    added = {} if said is None else {name: x for name, x in said.contributions.items() if x > 0}
    return max(added, key=lambda name: added[name], default=NO_SIGNAL)


def by_temperature(tranche: Tranche) -> str:
    return NO_SIGNAL if tranche.evidence is None else tranche.evidence.temperature.value


def by_hour(zone: tzinfo) -> Callable[[Tranche], str]:
    """Return what groups tranches by the hour of the portfolio's day in which they opened."""
    return lambda tranche: f"{tranche.opened_at.astimezone(zone):%H}"


@dataclass(slots=True)
class _Sum:
    tranches: int = 0
    cost: Decimal = ZERO
    realized_gross: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    unrealized_net: Decimal = ZERO


@exact
def grouped(bots: Sequence[BotSummary], key: Callable[[Tranche], str]) -> tuple[Group, ...]:
    """Return all tranches by `key`, in its order: numbers by size, words by letter.

    Dust of earlier positions that was swept up is a group of its own, the last, without tranches
    and cost: those were counted when it was bought.
    """
    sums: defaultdict[str, _Sum] = defaultdict(_Sum)
    for bot in bots:
        for position in bot.positions:
            realized = realized_by_tranche(position.book.exits)
            swept = realized.get(SWEPT)
            if swept is not None:
                sums[SWEPT_UP].realized_gross += swept.gross
                sums[SWEPT_UP].realized_pnl += swept.pnl
            for tranche in position.book.tranches:
                earned = realized.get(tranche.id, Realized())
                one = sums[key(tranche)]
                one.tranches += 1
                one.cost += tranche.cost
                one.realized_gross += earned.gross
                one.realized_pnl += earned.pnl
                one.unrealized_net += (
                    tranche.open_quantity * bot.mark_price - tranche.open_cost - tranche.open_fee
                )
    return tuple(
        Group(
            key=name,
            tranches=one.tranches,
            cost=one.cost,
            realized_gross=one.realized_gross,
            realized_pnl=one.realized_pnl,
            unrealized_net=one.unrealized_net,
        )
        for name, one in sorted(sums.items(), key=_place)
    )


def _place(item: tuple[str, _Sum]) -> tuple[bool, int, str]:
    key, _ = item
    return key == SWEPT_UP, len(key) if key.isdecimal() else 0, key


@dataclass(slots=True)
class _Sold:
    orders: set[ClientOrderId] = field(default_factory=set)
    cost_consumed: Decimal = ZERO
    realized_gross: Decimal = ZERO
    realized_pnl: Decimal = ZERO


@exact
def exits_by_rung(bots: Iterable[BotSummary]) -> Iterator[Rung]:
    """Yield who sold what of each bot, the most frequent first."""
    for bot in bots:
        sold: defaultdict[str, _Sold] = defaultdict(_Sold)
        for done in (done for position in bot.positions for done in position.book.exits):
            one = sold[done.reason]
            one.orders.add(done.order_id)
            one.cost_consumed += done.cost_consumed
            one.realized_gross += done.realized_gross
            one.realized_pnl += done.realized_pnl
        for reason, one in sorted(sold.items(), key=lambda item: -len(item[1].orders)):
            yield Rung(
                bot=bot.name,
                reason=reason,
                exits=len(one.orders),
                cost_consumed=one.cost_consumed,
                realized_gross=one.realized_gross,
                realized_pnl=one.realized_pnl,
            )
