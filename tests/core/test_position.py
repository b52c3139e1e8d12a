from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, LATER, OPEN, after, bought, ended, entry, filled, leave
from strategies import BTC, NOON, buy_order, fill, opened, order_id
from tape import check
from trancher.core.errors import ContradictoryFill, InvalidFill, OversoldPosition
from trancher.core.events import Event, Filled, Marked
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.order import Side, TradeId, TrancheId
from trancher.core.position import WorkingEntry
from trancher.core.tranches import Disposal, Tranche


def test_nothing_has_happened_to_a_new_position() -> None:
    """
    It is closed, it holds nothing, and its name says whose it is.
    """
    position = opened(disposal=Disposal.HIFO)

    assert (position.id, position.bot, position.instrument) == ("bot-1", "bot", BTC)
    assert position.state is State.CLOSED
    assert {position.held, position.anchor_cost} == {Decimal(0)}
    assert {position.peak_quantity, position.peak_cost} == {Decimal(0)}
    times = {position.entered_at, position.last_entry_at, position.closed_at}
    assert times | {position.closing_reason} == {None}
    assert position.book.disposal is Disposal.HIFO
    assert (position.working, position.orders_placed) == ((), 0)
    assert (position.working_entry, position.working_exits) == (None, ())


def test_an_accepted_entry_opens_the_position_and_uses_its_rung() -> None:
    """
    The intent counts before the order is sent, so a crash cannot use a rung twice.
    """
    position = after([entry(rung=2)])

    assert position.state is State.BUILDING
    assert position.working == (WorkingEntry(order=buy_order(rung=2)),)
    assert position.working_entry == position.working[0]
    assert (position.orders_placed, position.rung_uses) == (1, {2: 1})
    assert position.held == 0


def test_the_first_fill_makes_the_tranche() -> None:
    """
    A tranche exists from its first fill, and knows everything of it.
    """
    position = after([entry(), filled("b1", "2", "100", trade="t9", fee="1")])

    assert position.book.open == (
        Tranche(
            id=TrancheId("tranche_1"),
            number=1,
            order_id=order_id("b1"),
            entry_trade_id=TradeId("t9"),
            rung=0,
            reason="rung 0",
            opened_at=NOON,
            quantity=Decimal(2),
            cost=Decimal(200),
            entry_fee=Decimal(1),
            open_quantity=Decimal(2),
            open_cost=Decimal(200),
            open_fee=Decimal(1),
            highest_mark=Decimal(100),
            lowest_mark=Decimal(100),
        ),
    )
    assert (position.anchor_cost, position.peak_quantity, position.peak_cost) == (
        Decimal(200),
        Decimal(2),
        Decimal(200),
    )
    assert (position.entered_at, position.last_entry_at) == (NOON, NOON)
    assert (position.highest_mark, position.lowest_mark) == (Decimal(100), Decimal(100))
    assert position.working_entry == WorkingEntry(order=buy_order(), filled=Decimal(2))


def test_further_fills_of_an_order_join_its_tranche() -> None:
    """
    A base fee lowers what is received, and the order still counts what was matched.
    """
    position = after(
        [
            entry(),
            filled("b1", "1", "100", trade="first"),
            filled("b1", "1", "90", fee="0.1", asset="BTC", at=LATER),
        ]
    )

    tranche = position.book.open[0]
    assert (tranche.quantity, tranche.cost, tranche.entry_fee) == (
        Decimal("1.9"),
        Decimal(181),
        Decimal(9),
    )
    assert (tranche.entry_trade_id, position.book.tranche_count) == ("first", 1)
    assert position.working_entry == WorkingEntry(order=buy_order(), filled=Decimal(2))
    assert (position.anchor_cost, position.peak_quantity) == (Decimal(181), Decimal("1.9"))
    assert (position.entered_at, position.last_entry_at) == (NOON, LATER)
    assert (position.highest_mark, position.lowest_mark) == (Decimal(100), Decimal(90))


def test_the_peak_that_rules_trail_begins_anew_with_every_entry() -> None:
    """
    120 was before the entry at 90. Of a move that began before an entry only its end counts; what
    rules count beside the highest price is said by the move.
    """
    high = Marked(
        highest=Decimal(120), lowest=Decimal(100), last=Decimal(105), since=NOON, at=LATER
    )
    second = entry("b2", rung=1), filled("b2", "1", "90", at=LATER), ended("b2")
    twice = [*bought("b1", "1", "100"), high, *second]
    later = replace(high, since=LATER, at=LATER)

    assert after(twice[:-3]).trailing_peak == Decimal(120)
    assert after(twice).trailing_peak == Decimal(90)
    assert after([*twice, high]).trailing_peak == Decimal(105)
    assert after([*twice, later]).trailing_peak == Decimal(120)
    assert after([*twice, replace(later, trailed=Decimal(110))]).trailing_peak == Decimal(110)
    assert after([*twice, later]).highest_mark == Decimal(120)


def test_a_rung_counts_each_of_its_uses() -> None:
    """
    A rung with repeat is used up by its count.
    """
    position = after([*HELD, entry("b2"), ended("b2"), entry("b3"), filled("b3", "1", "90")])

    assert position.rung_uses == {0: 2}


def test_an_exit_is_written_down_as_it_was_reported() -> None:
    """
    Who sold, by which order and match, when, and what was matched before the fee taken in base.
    """
    position = after(
        [
            *OPEN,
            leave("s1", "0.5"),
            filled("s1", "0.5", "110", trade="t9", fee="0.1", asset="BTC", at=LATER),
        ]
    )

    done = position.book.exits[0]
    assert (done.trade_id, done.order_id, done.reason) == ("t9", "s1", "test exit")
    assert (done.at, done.quantity, done.price) == (LATER, Decimal("0.5"), Decimal(110))
    assert done.matches[0].quantity == Decimal("0.6")


def test_a_fill_is_a_price_that_every_open_tranche_has_seen() -> None:
    """
    A match is the market's own word; one reported late as well, as far as it is a price.
    """
    lower = [*HELD, entry("b2"), filled("b2", "1", "90", at=LATER)]
    late = filled("b1", "1", "80", trade="late", at=NOON - timedelta(minutes=1))

    first, second = after(lower).book.open
    assert (first.highest_mark, first.lowest_mark) == (Decimal(100), Decimal(90))
    assert (second.highest_mark, second.lowest_mark) == (Decimal(90), Decimal(90))

    first = after([*HELD[:2], late]).book.open[0]
    assert (first.highest_mark, first.lowest_mark) == (Decimal(100), Decimal(80))


def test_the_same_fill_twice_is_one_fill() -> None:
    """
    Invariant 2: exchanges repeat themselves; the second report changes nothing at all.
    """
    position = after(HELD[:2])

    assert evolve(position, HELD[1]) is position


@pytest.mark.parametrize(
    "other",
    [
        filled("b1", "2", "100", trade="t"),
        filled("b1", "1", "101", trade="t"),
        filled("b1", "1", "100", trade="t", fee="1"),
        filled("b1", "1", "100", trade="t", at=LATER),
        filled("b2", "1", "100", trade="t"),
    ],
)
def test_the_same_trade_id_with_other_values_is_an_error(other: Filled) -> None:
    """
    Invariant 2: one of the two reports is wrong, and nobody here can know which.
    """
    position = after([entry(), filled("b1", "1", "100", trade="t")])

    with pytest.raises(ContradictoryFill) as raised:
        evolve(position, other)

    assert raised.value.trade_id == "t"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (filled("b7", "1", "100"), "position bot-1 has no working order b7"),
        (filled("b2", "1", "100", side=Side.SELL), "order b2 cannot fill as a sell"),
        (filled("s1", "1", "100", side=Side.BUY), "order s1 cannot fill as a buy"),
    ],
)
def test_a_fill_that_cannot_be_true_is_refused(event: Filled, text: str) -> None:
    """
    An order of ours, on its own side; anything else is for reconciliation to explain.
    """
    position = after([*HELD, entry("b2"), BUILT, leave("s1", "0.5")])

    with pytest.raises(InvalidFill, match=text):
        evolve(position, event)


def test_an_overfilled_exit_is_refused() -> None:
    """
    More than is held cannot have been sold.
    """
    position = after([*OPEN, leave("s1", "1", full=True)])

    with pytest.raises(OversoldPosition):
        evolve(position, filled("s1", "1.00000001", "100"))


def test_a_third_asset_is_kept_per_asset() -> None:
    """
    Without a conversion it stands beside the P&L, and adds up; with one it is in the fees.
    """
    priced = Filled(
        order_id=order_id("b1"),
        fill=fill(
            Side.BUY,
            "1",
            "100",
            trade_id="t4",
            fee="0.5",
            fee_asset="BNB",
            fee_rate=Decimal(600),
        ),
    )
    position = after(
        [
            entry(),
            filled("b1", "1", "100", trade="t1", fee="0.5", asset="BNB"),
            filled("b1", "1", "100", trade="t2", fee="0.25", asset="BNB"),
            filled("b1", "1", "100", trade="t3", fee="7", asset="KCS"),
            priced,
        ]
    )

    assert position.unpriced_fees == {"BNB": Decimal("0.75"), "KCS": Decimal(7)}
    assert after([filled("b1", "1", "100", fee="1")], start=position).unpriced_fees == {
        "BNB": Decimal("0.75"),
        "KCS": Decimal(7),
    }
    assert position.book.fees_paid == 300
    assert set(position.fills) == {"t1", "t2", "t3", "t4"}


# ---- the anchor


def test_the_anchor_is_moved_by_entries_only() -> None:
    """
    Invariant 3: 1 @ 100 and 1 @ 200 anchor at 150; whatever is sold, under every rule.
    """
    for rule in list(Disposal)[:4]:
        events: list[Event] = [
            *HELD,
            entry("b2"),
            filled("b2", "1", "200"),
            ended("b2"),
            BUILT,
            leave("s1", "0.5"),
            filled("s1", "0.5", "250"),
        ]
        position = after(events, start=opened(disposal=rule))

        assert (position.anchor_cost, position.held) == (Decimal(225), Decimal("1.5"))
        assert (position.peak_quantity, position.peak_cost) == (Decimal(2), Decimal(300))


def test_the_anchor_share_is_rounded_toward_zero() -> None:
    """
    An exit takes its third less what is cut off, so that the rest keeps the crumb.
    """
    position = after(
        [
            entry(),
            filled("b1", "3", "33.3333333334"),
            BUILT,
            leave("s1", "1"),
            filled("s1", "1", "50", fee="0.0000001", asset="BTC"),
        ]
    )

    # 100.0000000002 x 1.0000001 / 3 = 33.33333666673999..., cut after ten decimals.
    assert position.anchor_cost == Decimal("100.0000000002") - Decimal("33.3333366667")


@pytest.mark.parametrize(("quantity", "price"), [("1", "100"), ("0.00000001", "0.00123")])
def test_the_anchor_of_nothing_is_nothing(quantity: str, price: str) -> None:
    """
    A crumb of cost without quantity would be an infinite price; 1.23e-11 is a crumb of a quantum.
    """
    bought = after([entry(), filled("b1", quantity, price), ended("b1"), BUILT])

    position = after([leave("s1", quantity, full=True), filled("s1", quantity, "9")], start=bought)

    assert {position.held, position.anchor_cost} == {Decimal(0)}


def test_an_entry_after_an_exit_moves_the_anchor_and_the_peak() -> None:
    """
    Half sold of 1 @ 100, then 1 @ 50: 50 + 50 over 1.5, a new peak.
    """
    position = check("""
        buy   1    @ 100  ->  held 1    cost 100  fees 0  realized 0
        sell  0.5  @ 120  ->  held 0.5  cost 50   fees 0  realized 10
        buy   1    @ 50   ->  held 1.5  cost 100  fees 0  realized 10
    """)

    assert (position.anchor_cost, position.peak_quantity) == (Decimal(100), Decimal("1.5"))
    assert position.peak_cost == 100


# ---- the marks


def marked(high: str, low: str, last: str, *, whole: bool) -> Marked:
    """Return a mark over a span that began at noon, or before it."""
    return Marked(
        highest=Decimal(high),
        lowest=Decimal(low),
        last=Decimal(last),
        since=NOON if whole else NOON - timedelta(minutes=1),
        at=LATER,
    )


@pytest.mark.parametrize(
    ("mark", "extremes"),
    [
        (marked("120", "80", "110", whole=True), ("120", "80")),
        (marked("120", "80", "110", whole=False), ("110", "100")),
        (marked("120", "80", "90", whole=False), ("100", "90")),
        (marked("100", "100", "100", whole=True), ("100", "100")),
    ],
)
def test_the_marks_are_those_since_the_entry(mark: Marked, extremes: tuple[str, str]) -> None:
    """
    Bought at noon @ 100: of a span that began before only its end was surely seen.
    """
    position = evolve(after(HELD), mark)

    expected = tuple(map(Decimal, extremes))
    assert (position.highest_mark, position.lowest_mark) == expected
    tranche = position.book.open[0]
    assert (tranche.highest_mark, tranche.lowest_mark) == expected


def test_nothing_is_marked_before_the_entry() -> None:
    """
    While the first order waits the market moves for others.
    """
    position = evolve(after([entry()]), marked("120", "80", "110", whole=False))

    assert (position.highest_mark, position.lowest_mark) == (None, None)


def test_folding_leaves_what_was_there_untouched() -> None:
    """
    A position is a value: the one before an event is still what it was.
    """
    before = after(OPEN)
    copy = replace(before)

    after([leave("s1", "1", full=True), filled("s1", "1", "90"), ended("s1")], start=before)

    assert before == copy
