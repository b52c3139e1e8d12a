"""A bot's life on a random price path, on an exchange that is not kind.

Orders fill in part, end short, fill late after a cancel, or fill nothing at all. Nothing here
judges: the tests read what happened from the story.

Invariants:
1. The same bot and steps give the same story.
2. Every event goes through evolve, every decision through decide_exit, decide_entry, conclude.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

from strategies import NOON, Dial, bot_from, dials, fill, opened, portfolio_from
from trancher.core.bot import Bot
from trancher.core.conditions import Look, Observation
from trancher.core.decide import Decision, conclude, decide_entry, decide_exit
from trancher.core.events import EntryAccepted, Event, ExitAccepted, Filled, Marked, OrderEnded
from trancher.core.instrument import FeeIn
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, Usage
from trancher.core.money import BASE_FEE_QUANTUM, QUOTE_QUANTUM, ceil_to, exact, floor_to
from trancher.core.order import ClientOrderId, Side
from trancher.core.position import Position, Working, WorkingEntry, evolve
from trancher.core.tranches import Disposal

CASH: Final = Decimal(130)
START_PRICE: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Step:
    """One evaluation.

    Attributes:
        move: percent by which the price moves, > -100.
        quarters: how much of each working order fills first, 0 to 4.
        ends: the sides whose orders are ended short, if they did not fill.
        minutes: time since the step before, >= 0.
        look: what the evaluation looks at.
    """

    move: int
    quarters: int
    ends: tuple[Side, ...]
    minutes: int
    look: Look


@dataclass(frozen=True, slots=True)
class Life:
    """A bot, the limits over it, and the path it will walk."""

    bot: Bot
    limits: PortfolioLimits
    path: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, with the position on both sides of it."""

    before: Position
    event: Event
    after: Position


@dataclass(frozen=True, slots=True)
class Asked:
    """One decision, with all that it was decided from."""

    position: Position
    seen: Observation
    usage: Usage
    decision: Decision


@dataclass(slots=True)
class Story:
    """What came of a walk."""

    bot: Bot
    limits: PortfolioLimits
    position: Position
    price: Decimal = START_PRICE
    closed: list[Position] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    @property
    def positions(self) -> list[Position]:
        """Every position the bot had, the last as it is now."""
        return [*self.closed, self.position]

    @property
    def decisions(self) -> list[Decision]:
        return [asked.decision for asked in self.asked]

    def now(self, event: Event) -> None:
        """Let `event` happen."""
        after = evolve(self.position, event)
        self.happened.append(Happened(self.position, event, after))
        self.position = after


def step_from(dial: Dial) -> Step:
    """Return a step; the plainest is a close at which all fills and nothing moves."""
    return Step(
        move=dial.pick(MOVES),
        quarters=dial.pick([4, 4, 4, 2, 1, 0]),
        ends=dial.pick(ENDS),
        minutes=dial.pick([60, 20, 150, 0]),
        look=dial.pick([Look.EVERYTHING] * 4 + list(Look)),
    )


MOVES: Final = (0, 1, -1, 2, -2, 4, -4, 6, -6, 12, -12)
ENDS: Final = ((), (Side.BUY, Side.SELL), (Side.SELL,), (Side.BUY,))
steps: Final = st.lists(st.integers(0, 2**20 - 1).map(Dial).map(step_from), max_size=16)
lives: Final = st.builds(
    lambda dial, path: Life(bot_from(dial), portfolio_from(dial), path), dials(), steps
)


@exact
def walk(life: Life, *, disposal: Disposal = Disposal.FIFO) -> Story:
    """Live through the path and return what happened."""
    story = Story(
        bot=replace(life.bot, disposal=disposal),
        limits=life.limits,
        position=opened(disposal=disposal, instrument=life.bot.instrument),
    )
    at = NOON
    for step in life.path:
        since, at = at, at + timedelta(minutes=step.minutes)
        story.price = _moved(story, step.move)
        seen = Observation(price=story.price, at=at, look=step.look, indicators={})
        for working in story.position.working:
            _exchange(story, working, step, seen)
        if story.position.held > 0:
            story.now(_mark(story.price, since=since, seen=seen))
        _conclude(story, seen)
        _decide(story, seen)
    return story


def _moved(story: Story, move: int) -> Decimal:
    tick = story.bot.instrument.price_tick
    return max(floor_to(story.price * (100 + move) / 100, tick), tick)


def _mark(price: Decimal, *, since: object, seen: Observation) -> Marked:
    del since
    return Marked(highest=price, lowest=price, last=price, since=seen.at, at=seen.at)


def _exchange(story: Story, working: Working, step: Step, seen: Observation) -> None:
    """Fill `working` by as many quarters as the step says, then end it if it must end."""
    order_id = working.order.client_order_id
    side = Side.BUY if isinstance(working, WorkingEntry) else Side.SELL
    instrument = story.bot.instrument
    whole = (
        instrument.quantity_for(working.order.size, story.price)
        if isinstance(working, WorkingEntry)
        else working.order.quantity
    )
    left = max(whole - working.filled, Decimal(0))
    filled = instrument.sellable(left * step.quarters / 4)
    if filled > 0:
        _fill(story, order_id, side, filled, seen)
    if side in step.ends or filled == left:
        story.now(OrderEnded(order_id=order_id, reason="ended", at=seen.at))


def _fill(
    story: Story, order_id: ClientOrderId, side: Side, quantity: Decimal, seen: Observation
) -> None:
    instrument = story.bot.instrument
    in_base = side is Side.BUY and instrument.fee_in is FeeIn.BASE
    fee = (
        ceil_to(quantity * instrument.taker_fee, BASE_FEE_QUANTUM)
        if in_base
        else ceil_to(quantity * story.price * instrument.taker_fee, QUOTE_QUANTUM)
    )
    filled = fill(
        side,
        quantity,
        story.price,
        trade_id=f"t{len(story.happened)}",
        fee=fee,
        fee_asset=instrument.base if in_base else instrument.quote,
        at=seen.at,
    )
    story.now(Filled(order_id=order_id, fill=filled))


def _conclude(story: Story, seen: Observation) -> None:
    for event in conclude(story.bot, story.position, price=story.price, at=seen.at):
        story.now(event)
    done = story.position
    if done.state is State.CLOSED and done.orders_placed and not done.working:
        story.closed.append(done)
        number = len(story.closed) + 1
        story.position = opened(
            disposal=story.bot.disposal, instrument=done.instrument, name=f"bot-{number}"
        )


def _decide(story: Story, seen: Observation) -> None:
    usage = usage_of(story, seen)
    leaving = decide_exit(story.bot, story.position, seen)
    if leaving is not None:
        _take(story, Asked(story.position, seen, usage, leaving))
    _conclude(story, seen)
    usage = usage_of(story, seen)
    entering = decide_entry(
        story.bot,
        story.position,
        seen,
        usage=usage,
        limits=story.limits,
        last_entry_at=last_entry_at(story),
    )
    if entering is not None:
        _take(story, Asked(story.position, seen, usage, entering))


def _take(story: Story, asked: Asked) -> None:
    story.asked.append(asked)
    for event in asked.decision.events:
        story.now(event)


def usage_of(story: Story, seen: Observation) -> Usage:
    """Return what the story's only bot uses of the portfolio."""
    free = CASH + sum(p.book.cash_received - p.book.cash_paid for p in story.positions)
    midnight = seen.at.replace(hour=0, minute=0) + timedelta(days=1)
    orders = [
        h.event.order
        for h in story.happened
        if isinstance(h.event, EntryAccepted | ExitAccepted)
        and h.event.at.date() == seen.at.date()
    ]
    return Usage(
        free_cash=free,
        active_positions=int(story.position.state is not State.CLOSED),
        trades_today=len(orders),
        exits_reserved=0,
        day_ends_at=midnight,
    )


def last_entry_at(story: Story) -> datetime | None:
    """Return the bot's last entry fill, over all its positions."""
    times = [p.last_entry_at for p in story.positions if p.last_entry_at is not None]
    return max(times, default=None)
