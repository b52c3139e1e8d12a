from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strategies import NOON, order_id, units
from trancher.core.disposal import takings
from trancher.core.errors import AmbiguousTranche, OversoldPosition, UnknownTranche
from trancher.core.money import EXACT, exact
from trancher.core.order import TradeId, TrancheId
from trancher.core.tranches import Disposal, Sale, Tranche, TrancheStatus


def tranche(number: int, quantity: Decimal | str, price: Decimal | str) -> Tranche:
    """Return an open tranche bought at `price`, opened `number` minutes after noon."""
    quantity, price = Decimal(quantity), Decimal(price)
    cost = EXACT.multiply(quantity, price)
    return Tranche(
        id=TrancheId(f"tranche_{number}"),
        number=number,
        order_id=order_id(f"o{number}"),
        entry_trade_id=TradeId(f"t{number}"),
        rung=number - 1,
        reason="rung",
        opened_at=NOON + timedelta(minutes=number),
        quantity=quantity,
        cost=cost,
        entry_fee=Decimal(0),
        open_quantity=quantity,
        open_cost=cost,
        open_fee=Decimal(0),
        highest_mark=price,
        lowest_mark=price,
    )


def sale(consumed: Decimal | str, *names: str) -> Sale:
    """Return a sale of `consumed` base at 100."""
    return Sale(
        trade_id=TradeId("s"),
        order_id=order_id("s"),
        reason="test",
        at=NOON,
        quantity=Decimal(consumed),
        consumed=Decimal(consumed),
        price=Decimal(100),
        fee=Decimal(0),
        tranche_ids=tuple(TrancheId(name) for name in names),
    )


THREE = (tranche(1, "1", "100"), tranche(2, "2", "300"), tranche(3, "1", "200"))


def taken(rule: Disposal, quantity: str, *names: str) -> dict[str, Decimal]:
    """Return what `rule` takes of THREE, in the order in which it takes it."""
    return {t.id: q for t, q in exact(takings)(rule, THREE, sale(quantity, *names))}


@pytest.mark.parametrize(
    ("rule", "quantity", "expected"),
    [
        (Disposal.FIFO, "1", {1: "1"}),
        (Disposal.FIFO, "1.5", {1: "1", 2: "0.5"}),
        (Disposal.FIFO, "4", {1: "1", 2: "2", 3: "1"}),
        (Disposal.LIFO, "1", {3: "1"}),
        (Disposal.LIFO, "1.5", {3: "1", 2: "0.5"}),
        (Disposal.LIFO, "4", {3: "1", 2: "2", 1: "1"}),
        (Disposal.HIFO, "2", {2: "2"}),
        (Disposal.HIFO, "2.5", {2: "2", 3: "0.5"}),
        (Disposal.HIFO, "4", {2: "2", 3: "1", 1: "1"}),
        (Disposal.AVERAGE, "1", {1: "0.25", 2: "0.5", 3: "0.25"}),
        (Disposal.AVERAGE, "4", {1: "1", 2: "2", 3: "1"}),
    ],
)
def test_a_rule_takes_in_its_order(
    rule: Disposal, quantity: str, expected: dict[int, str]
) -> None:
    """
    1 at 100, 2 at 300, 1 at 200: oldest, newest, dearest first, or all alike.
    """
    took = taken(rule, quantity)

    assert list(took.items()) == [
        (f"tranche_{number}", Decimal(amount)) for number, amount in expected.items()
    ]


def test_of_equally_dear_tranches_the_oldest_goes_first() -> None:
    """
    The price is a ratio: 3 for 30 and 1 for 10 are equally dear, and 1/3 has no digits to lose.
    """
    tied = (tranche(1, "1", "10"), tranche(2, "3", "10"), tranche(3, "1", "9.99"))

    took = takings(Disposal.HIFO, tied, sale("2"))

    assert [(t.number, q) for t, q in took] == [(1, Decimal(1)), (2, Decimal(1))]


def test_the_dearest_is_told_by_its_entry_not_by_what_is_left() -> None:
    """
    Rounded shares leave a remainder whose cost per unit is a little off; the entry price is not.
    """
    crumb = replace(tranche(2, "3", "10"), open_quantity=Decimal("1e-8"), open_cost=Decimal(9))

    took = takings(Disposal.HIFO, (tranche(1, "1", "11"), crumb), sale("0.5"))

    assert [(t.number, q) for t, q in took] == [(1, Decimal("0.5"))]


def test_the_average_gives_what_is_over_to_the_largest() -> None:
    """
    A third has no last digit: each is floored to 1e-18, and the largest makes up for it.
    """
    even = (tranche(1, "1", "10"), tranche(2, "1.000000001", "10"), tranche(3, "1", "10"))

    took = [q for _, q in exact(takings)(Disposal.AVERAGE, even, sale("1"))]

    assert took[0] == took[2] == Decimal("0.333333333222222222")
    assert EXACT.add(EXACT.add(took[0], took[1]), took[2]) == 1


def test_of_equally_large_tranches_the_oldest_takes_what_is_over() -> None:
    """
    The tie has to fall the same way on every machine.
    """
    even = (tranche(1, "1", "10"), tranche(2, "1", "10"), tranche(3, "1", "10"))

    took = [q for _, q in exact(takings)(Disposal.AVERAGE, even, sale("1"))]

    assert took == [
        Decimal("0.333333333333333334"),
        Decimal("0.333333333333333333"),
        Decimal("0.333333333333333333"),
    ]


def test_the_average_leaves_out_a_tranche_too_small_to_give() -> None:
    """
    A match of nothing would be a line in the books without a meaning.
    """
    uneven = (tranche(1, "1e-18", "10"), tranche(2, "1", "10"))

    took = exact(takings)(Disposal.AVERAGE, uneven, sale("0.5"))

    assert [(t.number, q) for t, q in took] == [(2, Decimal("0.5"))]


@given(
    quantities=st.lists(units(1, 10**12, 8) | units(1, 50, 18), min_size=1, max_size=9),
    parts=st.integers(1, 10**6),
    one_short=st.booleans(),
)
@example(quantities=[Decimal(1)] * 9, parts=10**6, one_short=True)
@example(quantities=[Decimal("1e-18")] * 9, parts=10**6, one_short=True)
def test_the_average_never_takes_more_than_a_tranche_has(
    quantities: list[Decimal],
    parts: int,
    one_short: bool,  # noqa: FBT001 - drawn
) -> None:
    """
    Even where all but 1e-18 is sold and the largest has no room for what the floors left over.
    """
    open_ = tuple(tranche(n, quantity, "1") for n, quantity in enumerate(quantities, start=1))
    held = exact(sum)(quantities)
    quantum = Decimal("1e-18")
    wanted = EXACT.subtract(held, quantum) if one_short else EXACT.multiply(held, parts) / 10**6
    if wanted <= 0:
        return

    took = exact(takings)(Disposal.AVERAGE, open_, sale(wanted))

    assert exact(sum)(q for _, q in took) == wanted
    assert all(0 < q <= t.open_quantity for t, q in took)
    assert [t.number for t, _ in took] == sorted(t.number for t, _ in took)
    if len(took) == len(open_):
        # All alike: but for the one or two that make up for the floors, to within 1e-18.
        fraction = Fraction(wanted) / Fraction(held)
        less = [fraction * Fraction(t.open_quantity) - Fraction(q) for t, q in took]
        assert all(short < Fraction(quantum) for short in less)


def test_named_tranches_are_taken_in_the_order_named() -> None:
    """
    The person said which first.
    """
    assert taken(Disposal.SPECIFIC, "1.5", "tranche_3", "tranche_1") == {
        "tranche_3": Decimal(1),
        "tranche_1": Decimal("0.5"),
    }


def test_a_tranche_named_twice_counts_once() -> None:
    """
    Otherwise it would give more than it has.
    """
    with pytest.raises(OversoldPosition) as raised:
        taken(Disposal.SPECIFIC, "2", "tranche_1", "tranche_1")

    assert (raised.value.asked, raised.value.held) == (Decimal(2), Decimal(1))


def test_named_tranches_must_hold_what_is_asked() -> None:
    """
    What the others hold does not help; exactly as much is enough.
    """
    assert taken(Disposal.SPECIFIC, "3", "tranche_2", "tranche_1") == {
        "tranche_2": Decimal(2),
        "tranche_1": Decimal(1),
    }
    with pytest.raises(OversoldPosition) as raised:
        taken(Disposal.SPECIFIC, "3.00000001", "tranche_2", "tranche_1")

    assert (raised.value.asked, raised.value.held) == (Decimal("3.00000001"), Decimal(3))


def test_where_nothing_is_open_nothing_can_be_named() -> None:
    """
    The refusal says 0, an amount like any other.
    """
    with pytest.raises(OversoldPosition, match=r"^cannot sell 1: 0 is open$"):
        takings(Disposal.SPECIFIC, (), sale("1"))


def test_an_unknown_tranche_is_refused_with_those_that_are_open() -> None:
    """
    The person sees what could have been meant.
    """
    with pytest.raises(UnknownTranche) as raised:
        taken(Disposal.SPECIFIC, "1", "tranche_1", "tranche_9")

    assert raised.value.tranche_id == "tranche_9"
    assert raised.value.known == ("tranche_1", "tranche_2", "tranche_3")


def test_naming_none_of_several_is_ambiguous() -> None:
    """
    Two are several already; with one open tranche there is nothing to name.
    """
    with pytest.raises(AmbiguousTranche) as raised:
        takings(Disposal.SPECIFIC, THREE[:2], sale("1"))
    assert raised.value.known == ("tranche_1", "tranche_2")

    alone = takings(Disposal.SPECIFIC, THREE[:1], sale("0.25"))
    assert [(t.number, q) for t, q in alone] == [(1, Decimal("0.25"))]


def shared(quantity: str, *shares: tuple[int, str], rule: Disposal) -> dict[int, Decimal]:
    """Return what a sale takes of THREE that names shares of tranches."""
    named = tuple((TrancheId(f"tranche_{n}"), Decimal(amount)) for n, amount in shares)
    return {
        t.number: q for t, q in exact(takings)(rule, THREE, replace(sale(quantity), shares=named))
    }


@pytest.mark.parametrize("rule", list(Disposal))
@pytest.mark.parametrize(
    ("quantity", "shares", "expected"),
    [
        ("0.5", [(3, "0.5")], {3: "0.5"}),
        ("0.5", [(2, "0.5"), (1, "1")], {2: "0.5"}),
        ("1.2", [(2, "0.5"), (1, "1")], {1: "0.7", 2: "0.5"}),
        ("1.5", [(2, "0.5"), (1, "1")], {1: "1", 2: "0.5"}),
        ("1", [(2, "0.5"), (2, "0.5")], {2: "1"}),
        ("1.6", [(2, "0.5"), (1, "1")], {1: "1", 2: "0.6"}),
        ("2.5", [(3, "1"), (9, "1")], {1: "1", 2: "0.5", 3: "1"}),
        ("4", [(3, "0.1")], {1: "1", 2: "2", 3: "1"}),
    ],
)
def test_shares_are_taken_as_they_are_named_under_every_rule(
    quantity: str, shares: list[tuple[int, str]], expected: dict[int, str], rule: Disposal
) -> None:
    """
    1, 2 and 1 are open. In the order named; what is needed beyond comes from the same tranches,
    then from the oldest, also where one that was named is gone: what was sold has been sold.
    """
    assert shared(quantity, *shares, rule=rule) == {
        number: Decimal(amount) for number, amount in expected.items()
    }


def test_a_tranche_is_open_then_partly_sold_then_closed() -> None:
    """
    The status is read off what is left, and closing is said by a time.
    """
    whole = tranche(1, "1", "100")
    partly = replace(whole, open_quantity=Decimal("0.99999999"))

    assert whole.status is TrancheStatus.OPEN
    assert partly.status is TrancheStatus.PARTLY_SOLD
    assert replace(partly, closed_at=NOON).status is TrancheStatus.CLOSED
