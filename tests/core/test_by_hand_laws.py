"""The laws of what people ask for, on random lives; those of every position are in test_walks."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from hypothesis import given

from core.test_halts import BROKEN, PAUSED, STOPPED
from core.test_walks import HOSTILE, HOSTILE_BOT, TOO_SMALL
from core.walk import Asked, Life, Step, lives, walk
from core.wishes import ADDS, OUTSIDE, Wish, granted
from strategies import opened
from trancher.core.bot import Bot, Past
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision, Kind
from trancher.core.events import OrderEnded
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, Refusal, RefusalCode, Usage
from trancher.core.order import EntryOrder, ExitOrder, Side
from trancher.core.position import Position

RICH: Final = Decimal(10**6)
FLATTEN: Final = Step(
    move=0,
    quarters=4,
    ends=(Side.BUY, Side.SELL),
    minutes=60,
    look=Look.EVERYTHING,
    halts=(STOPPED,),
    wish=Wish.ALL,
)
NOBODY_CAN: Final = {*TOO_SMALL, RefusalCode.MIN_TRANCHE_SIZE, RefusalCode.MAX_TRANCHE_SIZE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An entry by hand with all that it depends on."""

    wish: Wish
    bot: Bot
    position: Position
    seen: Observation
    past: Past
    usage: Usage
    limits: PortfolioLimits

    def decided(self) -> Decision:
        """Ask."""
        decision = granted(
            self.wish,
            self.bot,
            self.position,
            self.seen,
            past=self.past,
            usage=self.usage,
            limits=self.limits,
        )
        assert decision is not None
        return decision


def requests(life: Life) -> list[Request]:
    """Return every entry that a person asked for."""
    return [request_of(asked, life) for asked in walk(life).asked if asked.wish in ADDS]


def request_of(asked: Asked, life: Life) -> Request:
    """Return one request as it was made."""
    return Request(
        wish=asked.wish,
        bot=life.bot,
        position=asked.position,
        seen=asked.seen,
        past=asked.past,
        usage=asked.usage,
        limits=life.limits,
    )


# ---- entries


@given(life=lives)
def test_a_halted_bot_makes_no_entry_order(life: Life) -> None:
    """
    By a rung or by hand: while somebody holds it back there is none, from the first step on. Where
    nobody adopts anything it never has anything to sell either.
    """
    halted = [
        replace(step, halts=(PAUSED,), wish=Wish.NOTHING if step.wish in OUTSIDE else step.wish)
        for step in life.path
    ]
    story = walk(replace(life, path=halted))

    assert all(asked.decision.order is None for asked in story.asked)
    assert story.happened == []


@given(life=lives)
def test_a_halt_is_one_more_reason_and_hides_none(life: Life) -> None:
    """
    Whoever resumes knows before what will still be in the way.
    """
    for request in requests(life):
        free = replace(request, usage=replace(request.usage, halts=()))
        held = replace(request, usage=replace(request.usage, halts=(PAUSED, STOPPED, BROKEN)))

        codes = [one.code for one in held.decided().refusals]

        assert {one.code for one in (PAUSED, STOPPED, BROKEN)} <= set(codes)
        others = [one for one in held.decided().refusals if one.unit != "halts"]
        assert tuple(others) == free.decided().refusals


@given(life=lives)
def test_hostile_limits_refuse_every_entry_by_hand(life: Life) -> None:
    """
    No limit looks away because a person asks.
    """
    for request in requests(life):
        bot = replace(life.bot, limits=HOSTILE_BOT)
        poor = replace(request.usage, free_cash=Decimal(0), trades_today=10**6)

        decision = replace(request, bot=bot, usage=poor, limits=HOSTILE).decided()

        assert not decision.accepted
        assert (decision.order, decision.events) == (None, ())


@given(life=lives)
def test_what_a_refusal_by_hand_names_lets_the_same_request_pass(life: Life) -> None:
    """
    One at a time and in any order; a size that the exchange or the bot never takes is left out,
    because only another request would help.
    """
    for request in requests(life):
        refusals = request.decided().refusals
        if {one.code for one in refusals} & NOBODY_CAN:
            continue
        later = request
        for refusal in refusals:
            later = come_about(refusal, later)

        left = {one.code for one in later.decided().refusals}
        assert left & {one.code for one in refusals} == set()
        # Where a position had to be closed first, another is opened: it keeps back ways out anew,
        # and where none may be open, the one before was adopted.
        opens = later.position.id != request.position.id
        assert left <= (anew(later.limits) if opens else set())


def anew(limits: PortfolioLimits) -> set[RefusalCode]:
    """Return what refuses a position only where it opens."""
    none_may = limits.max_active_positions == 0
    places = {RefusalCode.MAX_ACTIVE_POSITIONS} if none_may else set()
    return {RefusalCode.MAX_DAILY_TRADES} | places


def come_about(refusal: Refusal, request: Request) -> Request:
    """Return the request once all that `refusal` names has come about."""
    later = waited(refusal, request)
    usage, limits, measured = later.usage, later.limits, refusal.measured
    match refusal.code:
        case RefusalCode.ENTRY_IN_FLIGHT | RefusalCode.NOT_BUILDING | RefusalCode.MAX_TRANCHES:
            return ended(refusal, later)
        case RefusalCode.MAX_POSITION_SIZE:
            wider = replace(later.bot.limits, max_position_size=measured)
            return replace(later, bot=replace(later.bot, limits=wider))
        case RefusalCode.MAX_EXPOSURE:
            return replace(later, limits=replace(limits, max_exposure=measured))
        case RefusalCode.SYMBOL_CAP:
            caps = {later.bot.instrument.symbol: measured}
            return replace(later, limits=replace(limits, symbol_caps=caps))
        case RefusalCode.MAX_ACTIVE_POSITIONS:
            return replace(later, limits=replace(limits, max_active_positions=int(measured)))
        case RefusalCode.MAX_DAILY_TRADES:
            return replace(later, limits=replace(limits, max_daily_trades=int(measured)))
        case RefusalCode.MAX_DRAWDOWN:
            return replace(later, usage=replace(usage, equity=usage.peak_equity))
        case RefusalCode.INSUFFICIENT_FUNDS:
            return replace(later, usage=replace(usage, free_cash=refusal.limit))
        case RefusalCode.PAUSED | RefusalCode.EMERGENCY_STOP | RefusalCode.RECONCILIATION_BREAK:
            left = tuple(one for one in usage.halts if one.code is not refusal.code)
            return replace(later, usage=replace(usage, halts=left))
        case _:
            assert refusal.unblocks_at is not None
            return later


def waited(refusal: Refusal, request: Request) -> Request:
    """Return the request at the time that `refusal` names, if it names one."""
    if refusal.unblocks_at is None:
        return request
    at = max(request.seen.at, refusal.unblocks_at)
    usage = request.usage
    if refusal.unblocks_at == usage.day_ends_at:
        usage = replace(usage, trades_today=0, realized_today=Decimal(0), losing_streak=0)
    return replace(request, seen=replace(request.seen, at=at), usage=usage)


def ended(refusal: Refusal, request: Request) -> Request:
    """Return the request once the orders, or the position, that are in the way are over."""
    position = request.position
    entries = refusal.code is RefusalCode.ENTRY_IN_FLIGHT
    for one in position.working:
        if isinstance(one.order, EntryOrder) is entries:
            order_id = one.order.client_order_id
            event = OrderEnded(order_id=order_id, reason="ended", at=request.seen.at)
            position = evolve(position, event)
    over = refusal.unblocks_when == "the position is closed" or position.state is State.CLOSED
    if not over:
        return replace(request, position=position)
    # Its money came back, and its place is free.
    fresh = opened(instrument=position.instrument, name="bot-999")
    usage = replace(request.usage, free_cash=RICH, active_positions=0)
    return replace(request, position=fresh, usage=usage)


# ---- exits


@given(life=lives)
def test_no_exit_by_hand_is_ever_refused_by_a_limit_or_a_halt(life: Life) -> None:
    """
    The same sale, to the field, with every limit at zero and every halt in force; refused for
    being too small, and for nothing else.
    """
    for asked in walk(life).asked:
        if asked.wish is Wish.NOTHING or asked.decision.kind is not Kind.EXIT:
            continue
        request = request_of(asked, life)
        halted = replace(request.usage, free_cash=Decimal(0), halts=(PAUSED, STOPPED, BROKEN))
        bot = replace(life.bot, limits=HOSTILE_BOT)

        decision = replace(request, bot=bot, usage=halted, limits=HOSTILE).decided()

        assert decision == asked.decision
        assert {one.code for one in decision.refusals} <= TOO_SMALL


@given(life=lives)
def test_a_sale_by_hand_is_about_what_was_asked_for(life: Life) -> None:
    """
    A full exit, or the share of what is held floored to the step, or all of the tranche that is
    free; never more, but for a remainder that nobody could sell.
    """
    for asked in walk(life).asked:
        order, position = asked.decision.order, asked.position
        if asked.wish is Wish.NOTHING or not isinstance(order, ExitOrder) or order.full:
            continue
        assert position.state is not State.CLOSING
        if order.named:
            (share,) = order.named
            assert (share.tranche_id, share.quantity) == (asked.wish.value, order.quantity)
        else:
            wanted = position.held * Decimal(asked.wish)
            assert order.quantity == position.instrument.sellable(wanted)


@given(life=lives)
def test_who_asks_for_a_close_until_nothing_is_left_gets_it(life: Life) -> None:
    """
    Whatever works when it is asked for: three steps later at most, if the exchange fills all that
    it is sent and ends all that it is told to end, the position is flat.
    """
    story = walk(replace(life, path=[*life.path, FLATTEN, FLATTEN, FLATTEN]))

    assert story.position.held == 0
    assert not story.position.working
    assert story.position.state is State.CLOSED
