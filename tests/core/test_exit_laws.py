"""The laws of the way out, on random lives: the one allocator, and average cost."""

from collections.abc import Iterator
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.walk import Asked, Happened, Life, Story, lives, walk
from core.wishes import Wish
from strategies import BOT_RULES
from trancher.core.anchor import realized_by_fill
from trancher.core.book import dust_line
from trancher.core.decide_exit import decide_exit
from trancher.core.events import DustBooked, Filled, OrderEnded
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import ONE, QUOTE_QUANTUM, ZERO, exact, share_of
from trancher.core.order import ExitOrder, Side, settle
from trancher.core.position import Position, WorkingExit
from trancher.core.tranches import NO_DUST, Disposal


def left(story: Story) -> list[tuple[Asked, ExitOrder]]:
    """Return the exits that were accepted, with what they were decided from."""
    return [
        (asked, asked.decision.order)
        for asked in story.asked
        if isinstance(asked.decision.order, ExitOrder)
    ]


def offered(position: Position) -> Decimal:
    """Return the base that working orders still offer."""
    return sum((w.order.quantity - w.filled for w in position.working_exits), ZERO)


# ---- the allocator


@given(life=lives)
@exact
def test_an_exit_leaves_what_the_exchange_takes_or_nothing(life: Life) -> None:
    """
    Invariant 2 of decide_exit: of what no other order offers it sells all, or it leaves enough
    for an order; and it is itself large enough.
    """
    for asked, order in left(walk(life)):
        instrument, price = life.bot.instrument, asked.seen.price
        free = instrument.sellable(asked.position.held - offered(asked.position))
        # A full exit takes the dust line along.
        rest = max(free - order.quantity, ZERO)

        assert instrument.accepts(order.quantity, price)
        assert rest == 0 or instrument.accepts(rest, price)
        assert order.full is (rest == 0)
        assert order.full or order.quantity <= free
        assert order.full <= (asked.position.working_exits == ())


@given(life=lives)
@exact
def test_an_exit_that_names_tranches_takes_no_more_than_each_has(life: Life) -> None:
    """
    Nor what another working order has named and not sold yet; and one that leaves only crumbs,
    which no order could name any more, sells them along.
    """
    for asked, order in left(walk(life)):
        if not order.named:
            continue
        free = {one.id: one.open_quantity for one in asked.position.book.open}
        for working in asked.position.working_exits:
            filled = working.filled
            for share in working.order.named:
                free[share.tranche_id] -= max(share.quantity - filled, ZERO)
                filled = max(filled - share.quantity, ZERO)
        for share in order.named:
            assert share.quantity > 0
            free[share.tranche_id] -= share.quantity

        assert sum((share.quantity for share in order.named), ZERO) == order.quantity
        assert all(free[share.tranche_id] >= 0 for share in order.named)
        step = life.bot.instrument.quantity_step
        assert order.full or max(free.values()) >= step


@given(life=lives, disposal=st.sampled_from(BOT_RULES))
@exact
def test_a_named_sale_is_booked_as_it_was_named(life: Life, disposal: Disposal) -> None:
    """
    Whatever the disposal rule, and in however many fills: as long as nobody else has sold of a
    named tranche meanwhile, each match is of one that was named, of no more than was named, and
    at the cost that this part of it had.
    """
    for one, working in sales(walk(life, disposal=disposal)):
        has = {tranche.id: tranche for tranche in one.before.book.open}
        wanted = dict.fromkeys((share.tranche_id for share in working.named_left), ZERO)
        for share in working.named_left:
            wanted[share.tranche_id] += share.quantity
        if not all(name in has and has[name].open_quantity >= wanted[name] for name in wanted):
            continue
        for match in one.after.book.exits[-1].matches if wanted else ():
            tranche = has[match.tranche_id]
            fraction = (match.quantity, tranche.open_quantity)
            assert match.quantity <= wanted[match.tranche_id]
            assert match.entry_cost == share_of(
                tranche.open_cost, *fraction, quantum=QUOTE_QUANTUM
            )


def sales(story: Story) -> Iterator[tuple[Happened, WorkingExit]]:
    """Yield every fill of an exit, with the order that it filled."""
    for one in story.happened:
        if isinstance(one.event, Filled) and one.event.fill.side is Side.SELL:
            for working in one.before.working_exits:
                if working.order.client_order_id == one.event.order_id:
                    yield one, working


@given(life=lives)
@exact
def test_what_a_rule_still_has_to_sell_falls_by_what_was_sold(life: Life) -> None:
    """
    To the last digit, over all rules that an order serves: a rung filled in part stays due for
    its remainder, and for no more. What a full exit takes along belongs to no rule.
    """
    for one, working in sales(walk(life)):
        assert isinstance(one.event, Filled)
        rules = working.order.rule_ids
        before = {rule: one.before.rung_left[rule] for rule in rules}
        gone = {rule: before[rule] - one.after.rung_left[rule] for rule in rules}

        assert all(0 <= gone[rule] <= before[rule] for rule in rules)
        assert sum(gone.values(), ZERO) == min(one.event.fill.quantity, sum(before.values(), ZERO))


@given(life=lives)
def test_a_rule_whose_order_works_or_that_has_sold_its_part_asks_for_nothing(life: Life) -> None:
    """
    Each fires once; while its order works, what that leaves over is not offered twice. A person
    who has sold a part may sell another one.
    """
    for asked, order in left(walk(life)):
        if asked.position.state is State.CLOSING:
            continue
        busy = {rule for w in asked.position.working_exits for rule in w.order.rule_ids}
        done = {rule for rule, rest in asked.position.rung_left.items() if rest == 0}

        assert set(order.rule_ids).isdisjoint(busy)
        by_hand = asked.wish is not Wish.NOTHING
        assert order.full or by_hand or set(order.rule_ids).isdisjoint(done)


@given(life=lives)
def test_once_all_that_works_has_ended_a_full_exit_goes(life: Life) -> None:
    """
    A full exit that waited for a working partial one is no exit lost: once that has ended all is
    sold, or is dust, or waits for the end of an entry that may still make an order of it.
    """
    for asked in walk(life).asked:
        position = asked.position
        if not position.working_exits or position.state is State.CLOSING:
            continue
        if all(due.quantity is not None for due in life.bot.plan.exits_due(position, asked.seen)):
            continue
        assert decide_exit(life.bot, position, asked.seen) is not None
        for working in position.working_exits:
            order_id = working.order.client_order_id
            position = evolve(
                position, OrderEnded(order_id=order_id, reason="canceled", at=asked.seen.at)
            )
        then = decide_exit(life.bot, position, asked.seen)

        assert then is not None
        dust = any(isinstance(event, DustBooked) for event in then.events)
        full = isinstance(then.order, ExitOrder) and then.order.full
        assert full or dust or (then.cancels and position.working_entry is not None)


# ---- average cost


@given(life=lives)
@exact
def test_the_anchor_follows_its_rule(life: Life) -> None:
    """
    SPEC 7, counted anew with whole quanta: an entry adds its cost and its fee, an exit takes
    x sold / open of each, cut toward zero; all of it when flat.
    """
    for one in walk(life).happened:
        if not isinstance(one.event, Filled):
            continue
        moved = settle(one.event.fill, base="BTC", quote="USD")
        for before, after, bought in (
            (one.before.anchor_cost, one.after.anchor_cost, moved.notional),
            (one.before.anchor_fee, one.after.anchor_fee, moved.fee),
        ):
            if one.event.fill.side is Side.BUY:
                assert after == before + bought
            elif one.after.held == 0:
                assert after == 0
            else:
                taken = abs(before - after)
                exact_share = abs(before) * moved.quantity
                assert (taken / QUOTE_QUANTUM) % ONE == 0
                assert taken * one.before.held <= exact_share
                assert exact_share < (taken + QUOTE_QUANTUM) * one.before.held


@given(life=lives)
@exact
def test_what_average_cost_realized_is_what_the_average_book_says_once_flat(life: Life) -> None:
    """
    The anchor and the book that keeps every tranche round apart, quantum by quantum, and meet in
    the cash: at the end both say what came in less what went out, but for what dust still costs,
    and for the cost of what came or went without a trade.
    """
    line = NO_DUST
    for position in walk(life, disposal=Disposal.AVERAGE).closed:
        book, before, line = position.book, line, position.anchor_line
        cash = book.cash_received - book.cash_paid
        dust = book.dust_cost + book.dust_fee - book.swept.cost - book.swept.fee

        gone = book.corrected.cost + book.corrected.fee - book.adopted.cost
        moved = sum((one.portion.cost + one.portion.fee for one in position.moved), ZERO)
        added = line.cost + line.fee - before.cost - before.fee
        assert position.anchor_realized - added == cash - moved
        assert book.realized_pnl - dust == cash + gone
        assert line.quantity == dust_line(book).quantity
        if line == before == NO_DUST and not position.moved:
            assert position.anchor_realized == book.realized_pnl


@given(life=lives)
@exact
def test_what_each_sale_realized_adds_up(life: Life) -> None:
    """
    The fills of a position, told one by one with what came and went between them, give what the
    position counts.
    """
    line = NO_DUST
    for position in walk(life).positions:
        fills = [one.fill for one in position.fills.values()]

        told = list(realized_by_fill(fills, position.instrument, line=line, moved=position.moved))

        line = position.anchor_line
        assert sum((realized for _, realized in told), ZERO) == position.anchor_realized
        assert [fill for fill, _ in told] == [f for f in fills if f.side is Side.SELL]
