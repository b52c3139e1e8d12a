"""Disposal rules side by side: what each makes of the same fills, by bot and by tranche.

Invariants:
1. A rule changes what is realized when and by which tranche, and never what was bought, sold or
   paid.
2. Of a position that is closed every rule realizes the same, but for what it leaves as dust.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trancher.backtest.report_course import Entries, begun
from trancher.core.book import Book
from trancher.core.bot import Bot
from trancher.core.events import Marked, place_begun
from trancher.core.evolve import evolve
from trancher.core.ledger import Realized, realized_by_tranche
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, PositionId, SeatName, TrancheId, seat_name
from trancher.core.pnl import figures
from trancher.core.position import Position
from trancher.core.tranches import Disposal

RULES: Final = (Disposal.FIFO, Disposal.LIFO, Disposal.HIFO, Disposal.AVERAGE)
Ruled = Mapping[Disposal, tuple[Position, ...]]
"""The positions of a run as each rule has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRule:
    """What one disposal rule makes of the same fills, in quote.

    Attributes:
        bot: whose; None for all of them together.
    """

    bot: BotName | None
    disposal: Disposal
    realized_gross: Decimal
    realized_pnl: Decimal
    unrealized_net: Decimal
    open_cost: Decimal
    dust_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TrancheByRule:
    """What a tranche has realized, net, under each rule; quote."""

    position_id: PositionId
    tranche: TrancheId
    fifo: Decimal
    lifo: Decimal
    hifo: Decimal
    average: Decimal


@exact
def ruled(journal: Entries, bots: Mapping[SeatName, Bot]) -> Ruled:
    """Fold a journal under every rule; `bots` are by place.

    Exits that named their tranche keep it under every rule.
    """
    return {rule: _under(rule, journal, bots) for rule in RULES}


@exact
def by_disposal(under: Ruled, mark_prices: Mapping[BotName, Decimal]) -> tuple[ByRule, ...]:
    """Return what each rule makes of all bots together, then of each bot."""
    told = [_told(None, rule, under[rule], mark_prices) for rule in RULES]
    for bot in mark_prices:
        for rule in RULES:
            own = [one for one in under[rule] if one.bot == bot]
            told.append(_told(bot, rule, own, mark_prices))
    return tuple(told)


@exact
def by_tranche(under: Ruled) -> Iterator[TrancheByRule]:
    """Yield what every tranche has realized under each rule, by position."""
    for same in zip(*(under[rule] for rule in RULES), strict=True):
        earned = {
            rule.value: realized_by_tranche(one.book.exits)
            for rule, one in zip(RULES, same, strict=True)
        }
        for tranche in same[0].book.tranches:
            nets = {rule: of.get(tranche.id, Realized()).pnl for rule, of in earned.items()}
            yield TrancheByRule(position_id=same[0].id, tranche=tranche.id, **nets)


def _under(rule: Disposal, journal: Entries, bots: Mapping[SeatName, Bot]) -> tuple[Position, ...]:
    positions: dict[PositionId, Position] = {}
    latest: dict[SeatName, Position] = {}
    for position_id, event in journal:
        # What the market did meanwhile moves no book.
        if isinstance(event, Marked):
            continue
        before = positions.get(position_id)
        if before is None:
            opened = place_begun(event)
            assert opened is not None
            seat, place = seat_name(*opened), opened[1]
            after_ = latest.get(seat)
            before = begun(bots[seat], position_id, disposal=rule, after=after_, place=place)
        after = evolve(before, event)
        positions[position_id] = latest[after.seat] = after
    return tuple(positions.values())


def _told(
    bot: BotName | None,
    rule: Disposal,
    positions: Iterable[Position],
    mark_prices: Mapping[BotName, Decimal],
) -> ByRule:
    books = [(one.book, mark_prices[one.bot]) for one in positions]
    said = [figures(book, taker_fee=ZERO, mark_price=price) for book, price in books]
    return ByRule(
        bot=bot,
        disposal=rule,
        realized_gross=sum((one.realized_gross for one in said), ZERO),
        realized_pnl=sum((one.realized_pnl for one in said), ZERO),
        unrealized_net=sum((one.unrealized_net or ZERO for one in said), ZERO),
        open_cost=sum((one.open_cost for one in said), ZERO),
        dust_cost=sum((_dust(book) for book, _ in books), ZERO),
    )


def _dust(book: Book) -> Decimal:
    """Return what the dust of a position had cost, less that of the dust it has swept up."""
    return book.dust_cost + book.dust_fee - book.swept.cost - book.swept.fee
