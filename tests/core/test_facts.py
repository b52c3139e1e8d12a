from dataclasses import FrozenInstanceError, dataclass, fields, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import BTC, opened
from trancher.core.book import Book
from trancher.core.facts import changed
from trancher.core.position import Position, WorkingEntry, WorkingExit
from trancher.core.tranches import Disposal, Tranche


@dataclass(frozen=True, kw_only=True)
class Held:
    """A fact like those of the core: what is held and what it cost."""

    quantity: Decimal
    cost: Decimal = Decimal(0)
    names: tuple[str, ...] = ()


ONE = Held(quantity=Decimal(1), cost=Decimal(100), names=("a",))
amounts = st.decimals(allow_nan=False, allow_infinity=False)


def test_what_is_named_changes_and_the_rest_stays() -> None:
    """
    The fact itself is history, and is left as it was.
    """
    after = changed(ONE, quantity=Decimal(2), names=())

    assert after == Held(quantity=Decimal(2), cost=Decimal(100), names=())
    assert ONE.quantity == 1
    assert ONE.names == ("a",)
    assert type(after) is Held


def test_nothing_named_is_an_equal_copy() -> None:
    """
    A copy of its own: whoever compares by identity sees that something may have happened.
    """
    assert changed(ONE) == ONE
    assert changed(ONE) is not ONE
    assert changed(ONE).names is ONE.names


def test_the_copy_is_as_frozen_as_the_fact() -> None:
    """
    A fact that could be written to afterwards would be no fact.
    """
    after = changed(ONE, cost=Decimal(7))

    with pytest.raises(FrozenInstanceError):
        after.cost = Decimal(8)  # type: ignore[misc]


@given(quantity=amounts, cost=amounts)
def test_it_does_what_the_standard_library_does(quantity: Decimal, cost: Decimal) -> None:
    """
    Type checkers see dataclasses.replace in its place, so it has to be that, only faster.
    """
    assert changed(ONE, quantity=quantity, cost=cost) == replace(ONE, quantity=quantity, cost=cost)


def test_a_field_named_fact_can_be_changed_too() -> None:
    """
    The first argument has no name that a field could clash with.
    """

    @dataclass(frozen=True, kw_only=True)
    class Named:
        fact: str

    assert changed(Named(fact="a"), fact="b") == Named(fact="b")


@pytest.mark.parametrize("kind", [Position, Book, Tranche, WorkingEntry, WorkingExit])
def test_the_facts_that_grow_can_be_copied_so(kind: type) -> None:
    """
    Slots would leave nothing to copy, and a check of its own would be passed by.
    """
    assert fields(kind)
    assert not hasattr(kind, "__slots__")
    assert not hasattr(kind, "__post_init__")


def test_a_position_is_copied_whole() -> None:
    """
    The largest of them, with every field where it was.
    """
    before = opened(disposal=Disposal.HIFO, instrument=BTC)

    after = changed(before, orders_placed=3)

    assert after == replace(before, orders_placed=3)
    assert (before.orders_placed, after.book) == (0, before.book)
