"""The laws of the whole core, on random lives: any plan, any path, partial and late fills."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

from hypothesis import given

from core.walk import CASH, Asked, Life, Step, Story, lives, step_from, walk
from strategies import BOT_RULES, Dial, bot_from, portfolio_from
from trancher.core.decide import Decision, Kind, decide_entry, decide_exit
from trancher.core.events import EntryAccepted, Filled
from trancher.core.lifecycle import TRANSITIONS, State
from trancher.core.limits import BotLimits, PortfolioLimits, RefusalCode, ReserveFunds, Usage
from trancher.core.money import QUOTE_QUANTUM, exact
from trancher.core.order import EntryOrder, ExitOrder
from trancher.core.pnl import identity_gap
from trancher.core.position import Position, evolve

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


def the_books_balance(story: Story) -> None:
    """
    The identity of P&L, with dust, and the conservation of base, at the end of each position.
    """
    for position in story.positions:
        book = position.book
        assert identity_gap(book, mark_price=story.price) == 0
        bought = sum(tranche.quantity for tranche in book.tranches)
        sold = sum(match.quantity for done in book.exits for match in done.matches)
        assert bought == sold + book.open_quantity + book.dust_quantity


def the_anchor_is_the_average_until_the_first_exit(story: Story) -> None:
    """
    Invariant 3: then exits leave it where it was, to a quantum for each over what is held.
    """
    for one in story.happened:
        before, after = one.before, one.after
        if not after.book.exits and after.state is not State.CLOSED:
            assert after.anchor_cost == after.book.open_cost
        if len(after.book.exits) > len(before.book.exits) and after.held > 0:
            moved = Fraction(after.anchor_cost) / Fraction(after.held)
            moved -= Fraction(before.anchor_cost) / Fraction(before.held)
            assert 0 <= moved < Fraction(QUOTE_QUANTUM) / Fraction(after.held)


def no_more_is_offered_than_is_held(story: Story) -> None:
    """
    Invariant 3 of decide: the working sell quantities never exceed what is held.
    """
    for one in story.happened:
        working = one.after.working_exits
        assert sum(w.order.quantity - w.filled for w in working) <= one.after.held
        assert all(w.order.quantity > 0 for w in working)


def one_entry_works_at_a_time(story: Story) -> None:
    """
    And each rung is used no more often than it says.
    """
    for one in story.happened:
        entries = len(one.after.working) - len(one.after.working_exits)
        assert entries <= 1
        for index, uses in one.after.rung_uses.items():
            assert 0 <= uses <= story.bot.plan.entries[index].repeat


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
    Invariant 4 of decide: which tranche is booked as sold moves no trigger, no size, no order.
    """
    told = [walk(life, disposal=rule) for rule in BOT_RULES]

    assert [story.decisions for story in told[1:]] == [told[0].decisions] * 3
    for positions in zip(*(story.positions for story in told), strict=True):
        assert len({(p.anchor_cost, p.peak_quantity, p.held, p.state) for p in positions}) == 1
        if positions[0].held == 0:
            assert len({earned(position) for position in positions}) == 1


@exact
def earned(position: Position) -> Decimal:
    """Return the net of a flat position, less what its dust still costs."""
    book = position.book
    return book.realized_pnl - book.dust_cost - book.dust_fee


def entered(story: Story) -> list[tuple[Asked, EntryOrder]]:
    """Return the entries that were accepted, with what they were decided from."""
    return [
        (asked, asked.decision.order)
        for asked in story.asked
        if isinstance(asked.decision.order, EntryOrder)
    ]


@given(life=lives)
def test_an_accepted_entry_breaks_no_limit(life: Life) -> None:
    """
    Invariant 2 of decide: with this entry counted in, every limit of the bot and all still holds.
    """
    story = walk(life)

    bot, portfolio = story.bot.limits, story.limits
    for asked, order in entered(story):
        position, usage = asked.position, asked.usage
        within(position.anchor_cost + order.size, bot.max_position_size)
        within(position.book.tranche_count + 1, bot.max_tranches)
        within(order.size, bot.max_tranche_size)
        assert bot.min_tranche_size is None or order.size >= bot.min_tranche_size
        if position.state is State.CLOSED:
            within(usage.active_positions + 1, portfolio.max_active_positions)
        if portfolio.exit_reserve != "none":
            within(usage.trades_today + 2, portfolio.max_daily_trades)
        within(usage.trades_today + 1, portfolio.max_daily_trades)
        within(story.bot.instrument.with_taker_fee(order.size), usage.free_cash)
        assert position.working_entry is None


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
        if one.after.last_entry_at is not None:
            last = one.after.last_entry_at


HOSTILE_BOT = BotLimits(
    max_position_size=Decimal(0),
    max_tranches=0,
    min_tranche_size=None,
    max_tranche_size=Decimal(0),
    tranche_cooldown=timedelta(days=999),
)
HOSTILE = PortfolioLimits(max_active_positions=0, max_daily_trades=0)


@given(life=lives)
def test_no_exit_is_ever_refused_by_a_limit(life: Life) -> None:
    """
    With every limit at zero and every counter used up the same exits are decided, to the field;
    and an exit is refused for being too small, and for nothing else.
    """
    for asked in walk(life).asked:
        bot = replace(life.bot, limits=HOSTILE_BOT)
        leaving = decide_exit(bot, asked.position, asked.seen)

        assert leaving == decide_exit(life.bot, asked.position, asked.seen)
        if leaving is not None:
            assert {refusal.code for refusal in leaving.refusals} <= TOO_SMALL
        if asked.decision.kind is Kind.EXIT:
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
        usage=usage,
        limits=life.limits,
        last_entry_at=asked.position.last_entry_at,
    )


# ---- the walk reaches what the laws are about


def test_the_walk_reaches_every_corner() -> None:
    """
    A law over lives in which nothing happens would hold of any program.
    """
    dice, seen = Random(1), Counter[str]()  # noqa: S311 - a seeded path, not a secret
    for _ in range(1500):
        dial = Dial(dice.getrandbits(96))
        path = [step_of(dice) for _ in range(14)]
        story = walk(Life(bot_from(dial), portfolio_from(dial), path))
        seen.update(f"{one.before.state} -> {one.after.state}" for one in story.happened)
        seen.update(f"holds {one.after.state}" for one in story.happened if one.after.held > 0)
        seen.update("dust" for p in story.positions if p.book.dust_quantity > 0)
        seen.update("cancel" for d in story.decisions if d.cancels)
        seen.update("retry" for d in story.decisions if d.reason and d.order and is_retry(d))
        seen.update(code for d in story.decisions for r in d.refusals for code in [r.code.value])
        seen.update(f"reserve {story.bot.limits.reserve_funds}" for _ in story.asked)

    reached = {f"{source} -> {target}" for source, target in ALLOWED}
    reached |= {f"holds {state}" for state in State if state is not State.CLOSED}
    reached |= {f"reserve {mode}" for mode in ReserveFunds} | {"dust", "cancel", "retry"}
    reached |= {code.value for code in RefusalCode}
    assert reached - set(seen) == set()


def step_of(dice: Random) -> Step:
    """Return a random step."""
    return step_from(Dial(dice.getrandbits(40)))


def is_retry(decision: Decision) -> bool:
    """Say whether a decision is a further attempt of a full exit."""
    order = decision.order
    return isinstance(order, ExitOrder) and order.full and not order.rungs
