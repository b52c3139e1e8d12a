"""The dust line: what past positions left over as unsellable, and the sale that sweeps it up."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import after, entry, filled, leave
from core.facts import ended as order_ended
from core.walk import Life, Step, walk
from sparing import one_in
from strategies import BOT_NAME, BOT_RULES, BTC, NOON, observed, opened, units
from trancher.core.anchor import Anchor, realized_by_fill
from trancher.core.book import Book, book_dust, dust_line, sell
from trancher.core.bot import Bot
from trancher.core.conditions import ALWAYS, Look
from trancher.core.decide_exit import conclude, decide_exit
from trancher.core.errors import OversoldPosition
from trancher.core.events import BuildingEnded, DustBooked, Event
from trancher.core.exits import StopLoss, TakeProfit
from trancher.core.instrument import FeeIn
from trancher.core.limits import BotLimits, PortfolioLimits
from trancher.core.money import exact
from trancher.core.order import ClientOrderId, ExitOrder, TradeId
from trancher.core.pnl import identity_gap
from trancher.core.position import Position
from trancher.core.rungs import EntryRung, Plan
from trancher.core.tranches import NO_DUST, SWEPT, Disposal, Dust, Sale

D = Decimal
CRUMB: Final = Dust(quantity=D("0.06"), cost=D(6), fee=D(0))
LINE: Final = Dust(quantity=D("0.3"), cost=D(33), fee=D("0.3"))


def held(line: Dust = LINE, *, disposal: Disposal = Disposal.FIFO) -> Position:
    """Return a position that bought 1 @ 100 with a fee of 0.1, beside a dust line."""
    over = replace(opened(), book=Book(disposal=disposal, line=line), anchor_line=line)
    start = opened(disposal=disposal, name="bot-2", before=over)
    return after([entry(), filled("b1", "1", "100", fee="0.1"), order_ended("b1")], start=start)


def sale(quantity: str, *, fee: str = "0.5") -> Sale:
    """Return a sale at 200."""
    return Sale(
        trade_id=TradeId("t"),
        order_id=ClientOrderId("s1"),
        reason="test",
        at=filled("b1", "1", "100").at,
        quantity=D(quantity),
        consumed=D(quantity),
        price=D(200),
        fee=D(fee),
    )


def test_what_a_sale_needs_beyond_the_open_tranches_comes_from_the_dust_line() -> None:
    """
    1.2 @ 200: 1 from the tranche, 0.2 of the 0.3 on the line, with two thirds of its 33 and 0.3.
    The fee of 0.5 is shared by quantity: 0.4166666666 and the rest.
    """
    book = sell(held().book, sale("1.2"))

    (done,) = book.exits
    assert [(one.tranche_id, one.quantity) for one in done.matches] == [
        ("tranche_1", D(1)),
        (SWEPT, D("0.2")),
    ]
    assert done.matches[1].entry_cost == D(22)
    assert done.matches[1].entry_fee == D("0.2")
    assert [one.exit_fee for one in done.matches] == [D("0.4166666666"), D("0.0833333334")]
    assert (done.fee, done.quantity) == (D("0.5"), D("1.2"))
    assert book.line == Dust(quantity=D("0.1"), cost=D(11), fee=D("0.1"))
    assert book.swept == Dust(quantity=D("0.2"), cost=D(22), fee=D("0.2"))


def test_swept_dust_is_realized_with_what_it_had_cost() -> None:
    """
    240 - 0.5 less 100 + 0.1 of the tranche and 22 + 0.2 of the dust is 117.2.
    """
    book = sell(held().book, sale("1.2"))

    assert (book.realized_pnl, book.realized_gross) == (D("117.2"), D(118))
    assert {book.open_quantity, book.open_cost, book.open_fee} == {D(0)}
    assert book.cash_received == D("239.5")
    assert identity_gap(book, mark_price=D(7)) == 0


def test_a_sale_inside_what_is_open_leaves_the_line_alone() -> None:
    """
    Dust makes no P&L until it is sold.
    """
    book = sell(held().book, sale("0.4"))

    assert (book.line, book.swept) == (LINE, NO_DUST)


def test_more_than_tranches_and_line_hold_is_refused() -> None:
    """
    1.3 are there; 1.4 names both sides and books nothing.
    """
    with pytest.raises(OversoldPosition, match=r"cannot sell 1.4: 1.3 is open"):
        sell(held().book, sale("1.4"))


def test_what_is_left_of_the_line_and_what_was_added_make_the_next_one() -> None:
    """
    0.3 of the line untouched, and 1 booked as dust with its cost and fee.
    """
    position = held()
    line = dust_line(book_dust(position.book, at=sale("1").at))

    assert line == Dust(quantity=D("1.3"), cost=D(133), fee=D("0.4"))


def test_a_full_exit_offers_the_line_with_it() -> None:
    """
    1 and the 0.3 of the line; the position is flat when it has filled.
    """
    position = held()
    assert position.sellable == D("1.3")

    events: list[Event] = [
        BuildingEnded(reason="an exit begins", at=sale("1").at),
        leave("s1", "1.3", full=True),
        filled("s1", "1.3", "200", fee="0.5"),
        order_ended("s1"),
    ]
    done = after(events, start=position)

    assert (done.state.value, done.held, dust_line(done.book)) == ("closed", D(0), NO_DUST)
    assert done.anchor == Anchor(realized=done.book.realized_pnl)


@pytest.mark.parametrize("disposal", BOT_RULES)
@given(
    dust=units(1, 999, 3),
    cost=units(1, 10**6, 4),
    fee=units(-(10**3), 10**3, 4),
    sold=st.integers(1, 100),
)
def test_the_books_balance_whatever_is_swept(
    disposal: Disposal, dust: Decimal, cost: Decimal, fee: Decimal, sold: int
) -> None:
    """
    Cost and fee move from the line into the exit or stay on it, to the last digit; average cost
    realizes the same as the books once all is sold; a fold of the fills says so too.
    """
    line = Dust(quantity=dust, cost=cost, fee=fee)
    position = held(line, disposal=disposal)
    part = dust * sold / 100
    sell_ = leave("s1", str(1 + part), full=True)
    built = BuildingEnded(reason="an exit begins", at=sale("1").at)

    done = after(
        [built, sell_, filled("s1", str(1 + part), "150", fee="0.7"), order_ended("s1")],
        start=position,
    )

    book = done.book
    assert _sum(book.line, book.swept) == line
    assert identity_gap(book, mark_price=D(3)) == 0
    assert done.anchor_realized == book.realized_pnl
    fills = [one.fill for one in done.fills.values()]
    ((_, realized),) = realized_by_fill(fills, BTC, line=line, moved=())
    assert realized == book.realized_pnl


def left_over(disposal: Disposal) -> Position:
    """Return a position that bought 1 @ 100 and 1 @ 200, sold 1.9 @ 150, and left 0.1 as dust."""
    events: list[Event] = [
        *(entry("b1"), filled("b1", "1", "100", fee="1"), order_ended("b1")),
        *(entry("b2"), filled("b2", "1", "200", fee="3"), order_ended("b2")),
        BuildingEnded(reason="an exit begins", at=NOON),
        *(leave("s1", "1.9", full=True), filled("s1", "1.9", "150"), order_ended("s1")),
        DustBooked(at=NOON),
    ]
    return after(events, start=opened(disposal=disposal))


@pytest.mark.parametrize("disposal", BOT_RULES)
def test_the_anchor_gives_dust_a_cost_of_its_own(disposal: Disposal) -> None:
    """
    0.1 of 2 that cost 300 and 4 is 15 and 0.2 by average; the books say 20, 10 or the mean of it.
    """
    cost = {"fifo": "20", "lifo": "10", "hifo": "10", "average": "15"}[disposal]

    over = left_over(disposal)

    assert dust_line(over.book).cost == D(cost)
    assert over.anchor.line == Dust(quantity=D("0.1"), cost=D(15), fee=D("0.2"))


@pytest.mark.parametrize("disposal", BOT_RULES)
def test_what_swept_dust_realizes_by_average_cost_is_the_same_under_every_rule(
    disposal: Disposal,
) -> None:
    """
    1 @ 100 bought, and 1.05 @ 100 sold: half the line comes with it, for 7.5 and 0.1 of fee, so
    average cost has lost 2.6 whatever the books say; the other half stays.
    """
    fresh = opened(disposal=disposal, name="bot-2", before=left_over(disposal))
    events: list[Event] = [
        *(entry(), filled("b1", "1", "100", trade="again"), order_ended("b1")),
        BuildingEnded(reason="an exit begins", at=NOON),
        *(leave("s1", "1.05", full=True), filled("s1", "1.05", "100", trade="all")),
    ]

    done = after(events, start=fresh)

    half = Dust(quantity=D("0.05"), cost=D("7.5"), fee=D("0.1"))
    assert done.anchor == Anchor(realized=D("-2.6"), line=half)


COARSE: Final = replace(
    BTC, quantity_step=D("0.1"), taker_fee=D("0.1"), fee_in=FeeIn.BASE, price_tick=D(1)
)
ROUNDABOUT: Final = Bot(
    name=BOT_NAME,
    instrument=COARSE,
    plan=Plan(
        entries=(EntryRung(label="twice", when=ALWAYS, size=D(50), repeat=2),),
        exits=(StopLoss(loss=D("0.08")), TakeProfit(gain=D("0.08"), share=None)),
        rebuild=False,
    ),
    limits=BotLimits(tranche_cooldown=timedelta(0), max_position_size=None),
    disposal=Disposal.FIFO,
)


def test_what_is_sellable_with_the_line_is_no_dust_after_a_short_exit() -> None:
    """
    0.96 held and 0.06 on the line offered 1.0, of which 0.9 filled: 0.06 and 0.06 make a step.
    """
    before = replace(opened(instrument=COARSE), anchor_line=CRUMB)
    before = replace(before, book=replace(before.book, line=CRUMB))
    short = after(
        [
            *(entry(), filled("b1", "0.96", "100"), order_ended("b1")),
            BuildingEnded(reason="an exit begins", at=NOON),
            *(leave("s1", "1", full=True), filled("s1", "0.9", "100"), order_ended("s1")),
        ],
        start=opened(instrument=COARSE, name="bot-2", before=before),
    )

    assert conclude(ROUNDABOUT, short, price=D(100), at=NOON) == ()
    again = decide_exit(ROUNDABOUT, short, observed("100"))
    assert again is not None
    assert isinstance(again.order, ExitOrder)
    assert (again.order.quantity, again.order.full) == (D("0.1"), True)


paths: Final = st.lists(st.sampled_from([0, 12, -12, 50, -40]), min_size=8, max_size=20)


@one_in(4)
@given(moves=paths, most=st.integers(1, 40))
def test_swept_dust_changes_no_decision_and_no_order(moves: list[int], most: int) -> None:
    """
    Invariant 4 of position, over several positions of a bot: the limit of the day's loss counts
    what dust had cost too, and it had cost the same under every rule.
    """
    limits = PortfolioLimits(max_daily_trades=None, max_daily_loss=D(most))
    path = [Step(move, 4, (), 20, Look.EVERYTHING) for move in moves]
    life = Life(ROUNDABOUT, limits, path)

    told = [walk(life, disposal=rule) for rule in BOT_RULES]

    assert [story.decisions for story in told[1:]] == [told[0].decisions] * 3
    for positions in zip(*(story.positions for story in told), strict=True):
        assert len({position.anchor for position in positions}) == 1


@exact
def _sum(one: Dust, other: Dust) -> Dust:
    return one.plus(other)
