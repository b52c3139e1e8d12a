"""What a replay came to: per bot and in all, with the proof that the books balance."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trancher.backtest.exact import Replayed
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, Side
from trancher.core.pnl import figures, identity_gap
from trancher.core.position import Position, number_of
from trancher.seat import Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Figures of one bot, or of all of them. Quote, unless the name says otherwise.

    Attributes:
        positions: that bought something, closed ones included.
        entries, exits: orders with at least one fill.
        dust_cost: cost and entry fees of what was left over as unsellable, and not swept up.
    """

    positions: int
    entries: int
    exits: int
    realized_pnl: Decimal
    realized_gross: Decimal
    fees_paid: Decimal
    unrealized_pnl: Decimal
    unrealized_net: Decimal
    open_cost: Decimal
    dust_cost: Decimal

    @property
    @exact
    def net_pnl(self) -> Decimal:
        return self.realized_pnl + self.unrealized_net


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSummary:
    """One bot of a run.

    Attributes:
        state: of the position that it has, the latest of several, or CLOSED.
        positions: those that bought something, oldest first; the last may be open.
        mark_price: the last close of its symbol.
        refusals: evaluations refused, by code; one with two reasons counts for both.
    """

    name: BotName
    state: State
    positions: tuple[Position, ...]
    mark_price: Decimal
    figures: Summary
    refusals: Counter[RefusalCode]


@exact
def summaries(replayed: Replayed) -> tuple[BotSummary, ...]:
    """Return the summary of every bot, in the configuration's order."""
    told: list[BotSummary] = []
    for seat in replayed.engine.seats.values():
        if seat.place > 1:
            continue
        places = (seat, *seat.others)
        # A position of each place is there, and one that opened later has a higher number.
        latest = max(places, key=lambda one: one.opened * one.active)
        told.append(
            bot_summary(
                seat.bot.name,
                state=latest.position.state,
                positions=sorted(
                    (one for place in places for one in _entered(place)), key=number_of
                ),
                mark_price=replayed.last_prices[seat.bot.instrument.symbol],
                refusals=sum((one.refusals for one in places), Counter()),
            )
        )
    return tuple(told)


def _entered(seat: Seat) -> Iterator[Position]:
    """Yield the positions of a place that bought something."""
    yield from seat.closed
    if seat.position.book.tranche_count:
        yield seat.position


@exact
def bot_summary(
    name: BotName,
    *,
    state: State,
    positions: Sequence[Position],
    mark_price: Decimal,
    refusals: Counter[RefusalCode],
) -> BotSummary:
    """Return the summary of a bot from its positions that bought something, oldest first."""
    return BotSummary(
        name=name,
        state=state,
        positions=tuple(positions),
        mark_price=mark_price,
        figures=_summary(positions, mark_price),
        refusals=refusals,
    )


def most_first(refusals: Counter[RefusalCode]) -> Mapping[RefusalCode, int]:
    """Return refusals by code, the most frequent first; equals by the name of their code."""
    return dict(sorted(refusals.items(), key=lambda one: (-one[1], one[0])))


def _summary(positions: Sequence[Position], mark_price: Decimal) -> Summary:
    said = [figures(one.book, taker_fee=ZERO, mark_price=mark_price) for one in positions]
    return Summary(
        positions=len(positions),
        entries=sum(_orders(one, Side.BUY) for one in positions),
        exits=sum(_orders(one, Side.SELL) for one in positions),
        realized_pnl=_sum(one.realized_pnl for one in said),
        realized_gross=_sum(one.realized_gross for one in said),
        fees_paid=_sum(one.fees_paid for one in said),
        unrealized_pnl=_sum(one.unrealized_pnl or ZERO for one in said),
        unrealized_net=_sum(one.unrealized_net or ZERO for one in said),
        open_cost=_sum(one.open_cost for one in said),
        dust_cost=_sum(_dust(one) for one in positions),
    )


def _dust(position: Position) -> Decimal:
    """Return what dust a position has left over had cost, less what it has swept up."""
    book = position.book
    return book.dust_cost + book.dust_fee - book.swept.cost - book.swept.fee


def _orders(position: Position, side: Side) -> int:
    filled = {one.order_id for one in position.fills.values() if one.fill.side is side}
    return len(filled)


@exact
def total(bots: Sequence[BotSummary]) -> Summary:
    """Return the figures of all bots together; realized and unrealized stay apart."""
    each = [bot.figures for bot in bots]
    return Summary(
        positions=sum(one.positions for one in each),
        entries=sum(one.entries for one in each),
        exits=sum(one.exits for one in each),
        realized_pnl=_sum(one.realized_pnl for one in each),
        realized_gross=_sum(one.realized_gross for one in each),
        fees_paid=_sum(one.fees_paid for one in each),
        unrealized_pnl=_sum(one.unrealized_pnl for one in each),
        unrealized_net=_sum(one.unrealized_net for one in each),
        open_cost=_sum(one.open_cost for one in each),
        dust_cost=_sum(one.dust_cost for one in each),
    )


@exact
def cash_of(bots: Sequence[BotSummary], *, before: Decimal) -> Decimal:
    """Return the cash that the books of all positions leave of what there was before them."""
    books = [position.book for bot in bots for position in bot.positions]
    return before + _sum(one.cash_received - one.cash_paid for one in books)


@exact
def books_balance(
    bots: Sequence[BotSummary], *, cash_before: Decimal, cash_after: Decimal
) -> bool:
    """Say whether every position's books balance, and all of them with the cash, exactly."""
    positions = [(position, bot.mark_price) for bot in bots for position in bot.positions]
    return cash_after == cash_of(bots, before=cash_before) and all(
        identity_gap(one.book, mark_price=price) == 0 for one, price in positions
    )


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    return sum(numbers, ZERO)
