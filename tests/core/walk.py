"""A bot's life on a random price path, on an exchange that is not kind.

Orders fill in part, end short, fill late after a cancel, or fill nothing at all. Nothing here
judges: the tests read what happened from the story.

Invariants:
1. The same bot and steps give the same story.
2. Every event goes through evolve, every decision through decide_exit, decide_entry, conclude, or
   through what decides by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

from core.test_halts import BROKEN, PAUSED, STOPPED
from core.wishes import Wish, granted, told
from strategies import NOON, Dial, bot_from, dials, fill, opened, portfolio_from
from trancher.core.bot import NO_PAST, Bot, Past, exposure_of
from trancher.core.conditions import Look, Observation
from trancher.core.decide_entry import building_over, decide_entry
from trancher.core.decide_exit import conclude, decide_exit
from trancher.core.decision import Decision
from trancher.core.events import EntryAccepted, Event, ExitAccepted, Filled, Marked, OrderEnded
from trancher.core.evolve import evolve
from trancher.core.instrument import FeeIn
from trancher.core.lifecycle import State
from trancher.core.limits import Halt, PortfolioLimits, Usage
from trancher.core.money import BASE_FEE_QUANTUM, QUOTE_QUANTUM, ceil_to, exact, floor_to
from trancher.core.order import ClientOrderId, EntryOrder, Order, Side
from trancher.core.position import Position, Working, WorkingEntry
from trancher.core.signals import SILENT, Readings
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
        score: what all signals say together, in tenths, -10 to 10.
        dips: whether the event of that name comes; it stays valid for one step more.
        rsi: the level of that indicator; None while it warms up.
        halts: what holds back entries.
        wish: what a person asks for or tells, once the plan has had its say.
    """

    move: int
    quarters: int
    ends: tuple[Side, ...]
    minutes: int
    look: Look
    score: int = 0
    dips: bool = False
    rsi: int | None = None
    halts: tuple[Halt, ...] = ()
    wish: Wish = Wish.NOTHING


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
    """One decision, with all that it was decided from, and the wish that it grants, if any."""

    position: Position
    seen: Observation
    usage: Usage
    past: Past
    decision: Decision
    wish: Wish = Wish.NOTHING


@dataclass(slots=True)
class Story:
    """What came of a walk."""

    bot: Bot
    limits: PortfolioLimits
    position: Position
    price: Decimal = START_PRICE
    past: Past = NO_PAST
    readings: Readings = SILENT
    halts: tuple[Halt, ...] = ()
    peak_equity: Decimal = CASH
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
        if isinstance(event, Filled) and event.fill.side is Side.BUY:
            self.past = replace(self.past, last_entry_at=event.at)
        entry = self.position.working_entry
        if isinstance(event, OrderEnded) and entry is not None and after.working_entry is None:
            unfilled_at = event.at if entry.filled == 0 else self.past.unfilled_at
            self.past = replace(self.past, unfilled_at=unfilled_at)
        self.position = after


def step_from(dial: Dial, person: Dial) -> Step:
    """Return a step; the plainest is a close at which all fills and nothing moves.

    Args:
        person: what people say is read off it; by itself, or it would rarely be turned so far.
    """
    return Step(
        move=dial.pick(MOVES),
        quarters=dial.pick([4, 4, 4, 2, 1, 0]),
        ends=dial.pick(ENDS),
        minutes=dial.pick([60, 20, 150, 0]),
        look=dial.pick([Look.EVERYTHING] * 4 + list(Look)),
        score=dial.pick([0, 3, 6, 2, -4, 1, -1]),
        dips=dial.pick([False, False, True]),
        rsi=dial.pick([None, 50, 29]),
        halts=person.pick([(), (), (), (), (), (), (PAUSED,), (STOPPED,), (BROKEN,)]),
        wish=person.pick([Wish.NOTHING] * 11 + list(Wish)),
    )


MOVES: Final = (0, 1, -1, 2, -2, 4, -4, 6, -6, 12, -12)
ENDS: Final = ((), (Side.BUY, Side.SELL), (Side.SELL,), (Side.BUY,))
steps: Final = st.lists(
    st.builds(
        step_from, st.integers(0, 2**27 - 1).map(Dial), st.integers(0, 8 * 24 - 1).map(Dial)
    ),
    max_size=20,
)
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
        story.readings = _read(story, step, since=since, at=at)
        story.halts = step.halts
        seen = Observation(price=story.price, at=at, look=step.look, readings=story.readings)
        for working in story.position.working:
            _exchange(story, working, step, seen)
        if story.position.held > 0:
            story.now(_mark(story.price, seen=seen))
        _conclude(story, seen)
        peak = story.position.highest_mark if story.position.held > 0 else None
        _decide(story, replace(seen, peak_price=peak))
        _grant(story, replace(seen, peak_price=peak), step.wish)
    return story


def _read(story: Story, step: Step, *, since: datetime, at: datetime) -> Readings:
    """Return what the signals say: the score of two steps in a row confirms the lower one."""
    score, before = Decimal(step.score).scaleb(-1), story.readings
    confirm = story.bot.limits.confirm > timedelta(0)
    events = {name: came for name, came in before.events.items() if came == since}
    return Readings(
        indicators={} if step.rsi is None else {"rsi": Decimal(step.rsi)},
        events=events | ({"dip": at} if step.dips else {}),
        score=score,
        confirmed_score=min(score, before.score) if confirm else score,
        temperature=story.bot.thermometer.next(before.temperature, score),
        contributions={"all": score},
    )


def _moved(story: Story, move: int) -> Decimal:
    tick = story.bot.instrument.price_tick
    return max(floor_to(story.price * (100 + move) / 100, tick), tick)


def _mark(price: Decimal, *, seen: Observation) -> Marked:
    return Marked(highest=price, lowest=price, last=price, since=seen.at, at=seen.at)


def _exchange(story: Story, working: Working, step: Step, seen: Observation) -> None:
    """Fill `working` by as many quarters as the step says, then end it if it must end."""
    order_id = working.order.client_order_id
    side = Side.BUY if isinstance(working, WorkingEntry) else Side.SELL
    instrument = story.bot.instrument
    left = _left(story, working)
    waits = isinstance(working, WorkingEntry) and _is_dear(working.order, story.price)
    filled = Decimal(0) if waits else instrument.sellable(left * step.quarters / 4)
    if filled > 0:
        _fill(story, order_id, side, filled, seen)
    if side in step.ends or filled == left or _is_over(working.order, seen.at):
        story.now(OrderEnded(order_id=order_id, reason="ended", at=seen.at))


def _left(story: Story, working: Working) -> Decimal:
    """Return the base that an order may still fill; a purchase, what its size has left for."""
    if not isinstance(working, WorkingEntry):
        return working.order.quantity - working.filled
    spent = sum(
        (
            one.fill.price * one.fill.quantity
            for one in story.position.fills.values()
            if one.order_id == working.order.client_order_id
        ),
        Decimal(0),
    )
    return story.bot.instrument.quantity_for(working.order.size - spent, story.price)


def _is_dear(order: EntryOrder, price: Decimal) -> bool:
    return order.limit_price is not None and price > order.limit_price


def _is_over(order: Order, at: datetime) -> bool:
    if not isinstance(order, EntryOrder) or order.expires_at is None:
        return False
    return at >= order.expires_at


def _fill(
    story: Story, order_id: ClientOrderId, side: Side, quantity: Decimal, seen: Observation
) -> None:
    instrument, entry = story.bot.instrument, story.position.working_entry
    rests = side is Side.BUY and entry is not None and entry.order.limit_price is not None
    rate = instrument.maker_fee if rests else instrument.taker_fee
    in_base = side is Side.BUY and instrument.fee_in is FeeIn.BASE
    fee = (
        ceil_to(quantity * rate, BASE_FEE_QUANTUM)
        if in_base
        else ceil_to(quantity * story.price * rate, QUOTE_QUANTUM)
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
    if done.state is State.CLOSED and done.closed_at is not None and not done.working:
        story.closed.append(done)
        if done.book.tranche_count:
            stopped = story.bot.plan.was_stopped(done)
            closed_at = done.closed_at
            story.past = replace(
                story.past, closed_at=closed_at, stopped_at=closed_at if stopped else None
            )
        number = len(story.closed) + 1
        story.position = opened(
            disposal=story.bot.disposal,
            instrument=done.instrument,
            name=f"bot-{number}",
            before=done,
        )


def _decide(story: Story, seen: Observation) -> None:
    story.peak_equity = max(story.peak_equity, equity_of(story))
    leaving = decide_exit(story.bot, story.position, seen)
    if leaving is not None:
        _take(story, seen, leaving)
    ended = building_over(story.bot, story.position, seen.at)
    if ended is not None:
        story.now(ended)
    _conclude(story, seen)
    entering = decide_entry(
        story.bot,
        story.position,
        seen,
        past=story.past,
        usage=usage_of(story, seen),
        limits=story.limits,
    )
    if entering is not None:
        _take(story, seen, entering)


def _grant(story: Story, seen: Observation, wish: Wish) -> None:
    _conclude(story, seen)
    usage, past = usage_of(story, seen), story.past
    bot, limits = story.bot, story.limits
    decision = granted(wish, bot, story.position, seen, past=past, usage=usage, limits=limits)
    if decision is not None:
        _take(story, seen, decision, wish)
    for event in told(wish, story.position, seen):
        story.now(event)


def _take(story: Story, seen: Observation, decision: Decision, wish: Wish = Wish.NOTHING) -> None:
    asked = Asked(story.position, seen, usage_of(story, seen), story.past, decision, wish)
    story.asked.append(asked)
    for event in decision.events:
        story.now(event)


def equity_of(story: Story) -> Decimal:
    """Return cash and what is held at the latest price."""
    return cash_of(story) + story.position.held * story.price


def cash_of(story: Story) -> Decimal:
    """Return the cash that fills have left."""
    return CASH + sum(p.book.cash_received - p.book.cash_paid for p in story.positions)


def usage_of(story: Story, seen: Observation) -> Usage:
    """Return what the story's only bot uses of the portfolio."""
    today = [h for h in story.happened if h.event.at.date() == seen.at.date()]
    exposure = exposure_of(story.position)
    return Usage(
        free_cash=cash_of(story),
        active_positions=int(story.position.state is not State.CLOSED),
        trades_today=sum(isinstance(h.event, EntryAccepted | ExitAccepted) for h in today),
        exits_reserved=0,
        day_ends_at=seen.at.replace(hour=0, minute=0) + timedelta(days=1),
        equity=equity_of(story),
        peak_equity=story.peak_equity,
        exposure=exposure,
        symbol_exposure=exposure,
        realized_today=sum(
            (h.after.anchor_realized - h.before.anchor_realized for h in today), Decimal(0)
        ),
        losing_streak=_streak(story, seen),
        halts=story.halts,
    )


def _streak(story: Story, seen: Observation) -> int:
    """Return how many positions in a row were closed today at a loss."""
    losses = 0
    for done in reversed(story.closed):
        assert done.closed_at is not None
        if not done.book.exits:
            continue
        if done.closed_at.date() != seen.at.date() or done.anchor_realized >= 0:
            break
        losses += 1
    return losses
