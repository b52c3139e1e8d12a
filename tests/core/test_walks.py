"""The laws of the whole core, on random lives: any plan, any path, partial and late fills."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given

from core.stock_laws import (
    the_books_balance,
    what_comes_or_goes_without_a_trade_earns_nothing,
    what_is_undone_is_as_it_was,
)
from core.walk import CASH, Asked, Life, Story, lives, walk
from core.wishes import ADDS, BY_NAME, Wish
from strategies import BOT_RULES
from trancher.core.claims import Over
from trancher.core.decide_entry import decide_entry
from trancher.core.decide_exit import decide_exit
from trancher.core.decision import Decision, Kind
from trancher.core.events import EntryAccepted, Filled
from trancher.core.evolve import evolve
from trancher.core.exits import StopLoss, TakeProfit
from trancher.core.lifecycle import TRANSITIONS, State
from trancher.core.limits import BotLimits, PortfolioLimits, RefusalCode, Usage
from trancher.core.money import QUOTE_QUANTUM, exact
from trancher.core.order import BY_HAND, EntryOrder, Side
from trancher.core.position import Position
from trancher.core.rungs import OnExcess
from trancher.core.signals import Temperature
from trancher.core.tranches import NO_PORTION

ALLOWED = {(line.source, line.target) for line in TRANSITIONS}
TOO_SMALL = {RefusalCode.MIN_NOTIONAL, RefusalCode.MIN_QUANTITY}


# ---- what holds of every position, asked after every event


def only_allowed_transitions_happen(story: Story) -> None:
    """
    Invariant 1 of position. DustBooked and an emptied exit take two lines in one step.
    """
    through = {
        (a.source, b.target) for a in TRANSITIONS for b in TRANSITIONS if a.target is b.source
    }
    for one in story.happened:
        steps = (one.before.state, one.after.state)
        assert steps[0] is steps[1] or steps in ALLOWED | (
            through if one.after.held == 0 else set()
        )


def a_closed_position_holds_nothing(story: Story) -> None:
    """
    And no order of it may still buy something into it.
    """
    for one in story.happened:
        if one.after.state is State.CLOSED:
            assert (one.after.held, one.after.anchor_cost) == (Decimal(0), Decimal(0))
            assert one.after.working == ()


def a_repeated_fill_changes_nothing(story: Story) -> None:
    """
    Invariant 2 of position: evolve is idempotent for fills, at any later time.
    """
    for one in story.happened:
        if isinstance(one.event, Filled):
            assert evolve(one.after, one.event) is one.after


def the_anchor_is_the_average_until_the_first_exit(story: Story) -> None:
    """
    Invariant 3: then exits leave it where it was, to a quantum for each over what is held.
    """
    for one in story.happened:
        before, after = one.before, one.after
        corrected = after.book.corrected != NO_PORTION
        if not after.book.exits and not corrected and after.state is not State.CLOSED:
            assert after.anchor_cost == after.book.open_cost
        if len(after.book.exits) > len(before.book.exits) and after.held > 0:
            moved = Fraction(after.anchor_cost) / Fraction(after.held)
            moved -= Fraction(before.anchor_cost) / Fraction(before.held)
            assert 0 <= moved < Fraction(QUOTE_QUANTUM) / Fraction(after.held)


def no_more_is_offered_than_is_held(story: Story) -> None:
    """
    Invariant 1 of decide_exit: the working sell quantities never exceed what is held, and where
    all is sold the bot's dust line.
    """
    for one in story.happened:
        working = one.after.working_exits
        closing = one.after.state is State.CLOSING
        most = one.after.held + (one.after.book.line.quantity if closing else 0)
        assert sum(w.order.quantity - w.filled for w in working) <= most
        assert all(w.order.quantity > 0 for w in working)


def one_entry_works_at_a_time(story: Story) -> None:
    """
    And each rung is used no more often than it says, and as it may be re-armed.
    """
    plan = story.bot.plan
    for one in story.happened:
        entries = len(one.after.working) - len(one.after.working_exits)
        assert entries <= 1
        for index, uses in one.after.rung_uses.items():
            bought = sum(
                tranche.rung == index and "adopted" not in tranche.order_id
                for tranche in one.after.book.tranches
            )
            if index == BY_HAND:
                assert bought <= uses <= bought + entries
                continue
            again = 0 if plan.rearm is None else plan.rearm.times
            most = plan.entries[index].repeat + (bought if again is None else again)
            assert 0 <= uses <= most


def client_order_ids_are_never_given_twice(story: Story) -> None:
    """
    An id names one intent for ever: a crash must not send two orders under one name.
    """
    orders = [d.order.client_order_id for d in story.decisions if d.order is not None]
    assert len(set(orders)) == len(orders)


LAWS = (
    only_allowed_transitions_happen,
    a_closed_position_holds_nothing,
    a_repeated_fill_changes_nothing,
    the_books_balance,
    what_comes_or_goes_without_a_trade_earns_nothing,
    what_is_undone_is_as_it_was,
    the_anchor_is_the_average_until_the_first_exit,
    no_more_is_offered_than_is_held,
    one_entry_works_at_a_time,
    client_order_ids_are_never_given_twice,
)


@given(life=lives)
def test_every_law_of_a_position_holds(life: Life) -> None:
    """
    Whatever the plan, the path and the exchange; a law that breaks fails by its own name.
    """
    story = walk(life)

    for law in LAWS:
        exact(law)(story)


# ---- what holds of the decisions


@given(life=lives)
def test_the_disposal_changes_no_decision_and_no_order(life: Life) -> None:
    """
    Invariant 3 of decide_exit: which tranche is booked as sold moves no trigger, no size, no
    order, no limit. Plans that speak of tranches are excepted: they are lived without those rules.
    """
    told = [walk(without_tranches(life), disposal=rule) for rule in BOT_RULES]

    assert [story.decisions for story in told[1:]] == [told[0].decisions] * 3
    for positions in zip(*(story.positions for story in told), strict=True):
        assert len({(p.anchor, p.peak_quantity, p.held, p.state) for p in positions}) == 1
        if positions[0].held == 0:
            assert len({earned(position) for position in positions}) == 1


def without_tranches(life: Life) -> Life:
    """Return the life without anything that speaks of tranches."""
    plan = life.bot.plan
    exits = tuple(
        rule
        for rule in plan.exits
        if not (isinstance(rule, StopLoss | TakeProfit) and rule.over is Over.TRANCHE)
        and not (isinstance(rule, TakeProfit) and rule.one_tranche)
    )
    bot = replace(life.bot, plan=replace(plan, exits=exits, rearm=None))
    path = [
        replace(step, wish=Wish.NOTHING) if step.wish in BY_NAME else step for step in life.path
    ]
    return replace(life, bot=bot, path=path)


@exact
def earned(position: Position) -> Decimal:
    """Return the net of a flat position, less its dust and what was corrected: what was swept had
    cost it nothing.
    """
    book = position.book
    dust = book.dust_cost + book.dust_fee - book.swept.cost - book.swept.fee
    return book.realized_pnl - dust - book.corrected.cost - book.corrected.fee


def entered(story: Story) -> list[tuple[Asked, EntryOrder]]:
    """Return the entries that were accepted, by hand or not, with what they were decided from."""
    return [
        (asked, asked.decision.order)
        for asked in story.asked
        if isinstance(asked.decision.order, EntryOrder)
    ]


@given(life=lives)
def test_an_accepted_entry_breaks_no_limit(life: Life) -> None:
    """
    Invariant 2 of decide: with this entry counted in, every limit of the bot and all still holds,
    whoever asked for it; and no halt is in force.
    """
    story = walk(life)

    bot, portfolio = story.bot.limits, story.limits
    for asked, order in entered(story):
        position, usage, past = asked.position, asked.usage, asked.past
        within(position.anchor_cost + order.size, bot.max_position_size)
        within(usage.exposure + order.size, portfolio.max_exposure)
        within(usage.symbol_exposure + order.size, portfolio.symbol_caps.get("BTC/USD"))
        within(position.tranches_counted + 1, bot.max_tranches)
        within(order.size, bot.max_tranche_size)
        assert bot.min_tranche_size is None or order.size >= bot.min_tranche_size
        if position.state is State.CLOSED:
            within(usage.active_positions + 1, portfolio.max_active_positions)
        if portfolio.exit_reserve != "none":
            within(usage.trades_today + 2, portfolio.max_daily_trades)
        within(usage.trades_today + 1, portfolio.max_daily_trades)
        within(story.bot.instrument.with_taker_fee(order.size), usage.free_cash)
        assert position.working_entry is None
        assert usage.halts == ()
        assert past.stopped_at is None or asked.seen.at - past.stopped_at >= bot.reentry_cooldown
        if portfolio.max_daily_loss is not None:
            assert -usage.realized_today < portfolio.max_daily_loss
        if portfolio.max_losing_streak is not None:
            assert usage.losing_streak < portfolio.max_losing_streak
        if portfolio.max_drawdown is not None:
            assert usage.equity > usage.peak_equity * (1 - portfolio.max_drawdown)


@given(life=lives)
def test_an_accepted_entry_was_meant_and_warm_enough(life: Life) -> None:
    """
    Its rung was due by the confirmed score as well, at its temperature, by no event that an
    earlier position had lived through, and not within the back-off; it asks for what its rung
    says, or for less where the plan clips, at a limit on the tick that is not above the price. By
    hand it is no rung's, takes what is there, and spends no more than was said.
    """
    story = walk(life)

    plan, tick = story.bot.plan, story.bot.instrument.price_tick
    for asked, order in entered(story):
        if asked.wish in ADDS:
            assert (order.rung, order.limit_price) == (BY_HAND, None)
            assert order.size <= Decimal(asked.wish)
            continue
        rung, seen, past = plan.entries[order.rung], asked.seen, asked.past
        least, readings = rung.min_temperature, seen.readings
        assert least is None or readings.temperature.rank >= least.rank
        lived = past.closed_at
        events = {n: at for n, at in readings.events.items() if lived is None or at > lived}
        sure = replace(readings, events=events, score=readings.confirmed_score)
        assert rung.due(asked.position, replace(seen, readings=sure))
        assert past.unfilled_at is None or seen.at - past.unfilled_at >= timedelta(minutes=1)
        whole = exact(rung.quote)(asked.usage.equity)
        assert order.size <= whole
        assert order.size == whole or plan.on_excess is OnExcess.CLIP
        assert (order.limit_price is None) is (plan.limit is None)
        if order.limit_price is not None:
            assert order.limit_price <= seen.price
            assert order.limit_price % tick == 0
            assert order.expires_at == seen.at + timedelta(hours=2)


def within(used: Decimal | int, limit: Decimal | int | None) -> None:
    """Hold `used` against a limit that may be off."""
    assert limit is None or used <= limit


@given(life=lives)
def test_a_bot_never_spends_more_than_there_is(life: Life) -> None:
    """
    The sum of it all: fees, rungs and rebuilding included, cash never goes below zero.
    """
    story = walk(life)

    spent = Decimal(0)
    for before, after in pairwise([None, *story.happened]):
        if after is not None and isinstance(after.event, Filled):
            spent += after.after.book.cash_paid - after.before.book.cash_paid
            spent -= after.after.book.cash_received - after.before.book.cash_received
            assert spent <= CASH
        del before


@given(life=lives)
def test_entries_of_a_bot_keep_their_cooldown(life: Life) -> None:
    """
    From the last entry fill of the bot to the next entry, over all its positions.
    """
    story = walk(life)

    last = None
    for one in story.happened:
        if isinstance(one.event, EntryAccepted) and last is not None:
            assert one.event.at - last >= story.bot.limits.tranche_cooldown
        if isinstance(one.event, Filled) and one.event.fill.side is Side.BUY:
            last = one.event.at


HOSTILE_BOT = BotLimits(
    max_position_size=Decimal(0),
    max_tranches=0,
    min_tranche_size=None,
    max_tranche_size=Decimal(0),
    tranche_cooldown=timedelta(days=999),
    reentry_cooldown=timedelta(days=999),
    confirm=timedelta(days=999),
)
HOSTILE = PortfolioLimits(
    max_active_positions=0,
    max_daily_trades=0,
    max_exposure=Decimal(0),
    symbol_caps={"BTC/USD": Decimal(0)},
    max_daily_loss=Decimal(0),
    max_losing_streak=0,
    max_drawdown=Decimal(0),
)


@given(life=lives)
def test_no_exit_is_ever_refused_by_a_limit(life: Life) -> None:
    """
    With every limit at zero, nothing confirmed and all frozen, the same exits are decided, to the
    field; and an exit is refused for being too small, and for nothing else.
    """
    for asked in walk(life).asked:
        bot = replace(life.bot, limits=HOSTILE_BOT)
        cold = replace(
            asked.seen.readings,
            confirmed_score=Decimal(-1),
            temperature=Temperature.FROZEN,
            events={},
            indicators={},
        )
        leaving = decide_exit(bot, asked.position, replace(asked.seen, readings=cold))

        assert leaving == decide_exit(life.bot, asked.position, asked.seen)
        if leaving is not None:
            assert {refusal.code for refusal in leaving.refusals} <= TOO_SMALL
        if asked.decision.kind is Kind.EXIT and asked.wish is Wish.NOTHING:
            assert leaving == asked.decision


@given(life=lives)
def test_hostile_limits_refuse_every_entry(life: Life) -> None:
    """
    The other half of the same sentence: the limits that leave exits alone do bind.
    """
    for asked in walk(life).asked:
        used = replace(asked.usage, free_cash=Decimal(0), trades_today=10**6)
        entering = asked_again(asked, replace_limits(life), used)
        assert entering is None or not entering.accepted


def replace_limits(life: Life) -> Life:
    """Return the life under hostile limits."""
    return replace(life, bot=replace(life.bot, limits=HOSTILE_BOT), limits=HOSTILE)


def asked_again(asked: Asked, life: Life, usage: Usage) -> Decision | None:
    """Decide the entry of the same moment under other limits."""
    return decide_entry(
        life.bot,
        asked.position,
        asked.seen,
        past=asked.past,
        usage=usage,
        limits=life.limits,
    )
