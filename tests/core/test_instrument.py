from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given

from strategies import BTC, units
from trancher.core.errors import InvalidInstrument
from trancher.core.instrument import FeeIn, Instrument

COARSE = replace(
    BTC,
    quantity_step=Decimal("0.001"),
    min_quantity=Decimal("0.01"),
    min_notional=Decimal(5),
    taker_fee=Decimal("0.001"),
)


def test_an_instrument_names_its_assets() -> None:
    """
    The symbol is the one place where base and quote are written.
    """
    assert (BTC.base, BTC.quote) == ("BTC", "USD")


def test_what_is_not_said_is_nothing() -> None:
    """
    Minimums and fees that nobody gave bind nothing here; the settings have their own defaults.
    """
    assert {BTC.min_quantity, BTC.min_notional, BTC.maker_fee, BTC.taker_fee} == {Decimal(0)}
    assert BTC.fee_in is FeeIn.QUOTE


@pytest.mark.parametrize("symbol", ["BTC", "BTCUSD", "/USD", "BTC/", "/", "", "A/B/C"])
def test_a_symbol_is_a_pair(symbol: str) -> None:
    """
    Without both assets a fee cannot be told apart.
    """
    with pytest.raises(InvalidInstrument, match="is not of the form BASE/QUOTE"):
        replace(BTC, symbol=symbol)


WIDE = Decimal("1e15")


@pytest.mark.parametrize("value", [Decimal(0), Decimal(-1), WIDE])
@pytest.mark.parametrize("field", ["price_tick", "quantity_step"])
def test_a_step_lies_between_zero_and_the_bound(field: str, value: Decimal) -> None:
    """
    A step of zero divides by zero; the bound keeps products exact.
    """
    with pytest.raises(InvalidInstrument, match=f"{field} of BTC/USD must lie between 0 and 1e15"):
        built(field, value)


@pytest.mark.parametrize("value", [Decimal("-1e-8"), WIDE])
@pytest.mark.parametrize("field", ["min_quantity", "min_notional"])
def test_a_minimum_is_not_negative(field: str, value: Decimal) -> None:
    """
    Zero means that there is none.
    """
    with pytest.raises(InvalidInstrument, match=f"{field} of BTC/USD must be 0 or more"):
        built(field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("maker_fee", Decimal("-0.1")),
        ("maker_fee", Decimal(1)),
        ("taker_fee", Decimal("-0.0001")),
        ("taker_fee", Decimal(1)),
    ],
)
def test_a_fee_is_a_ratio_below_one(field: str, value: Decimal) -> None:
    """
    At a fee of 1 there is no break-even price; a maker may have a rebate, within reason.
    """
    with pytest.raises(InvalidInstrument, match=f"{field} of BTC/USD must be a ratio"):
        built(field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price_tick", Decimal("1e-12")),
        ("quantity_step", WIDE - 1),
        ("min_quantity", Decimal(0)),
        ("min_notional", WIDE - 1),
        ("maker_fee", Decimal("-0.0999")),
        ("maker_fee", Decimal("0.9999")),
        ("taker_fee", Decimal(0)),
        ("taker_fee", Decimal("0.9999")),
    ],
)
def test_the_last_allowed_value_is_allowed(field: str, value: Decimal) -> None:
    """
    The other side of each bound.
    """
    assert getattr(built(field, value), field) == value


def built(field: str, value: Decimal) -> Instrument:
    """Return BTC/USD with one field changed."""
    match field:
        case "price_tick":
            return replace(BTC, price_tick=value)
        case "quantity_step":
            return replace(BTC, quantity_step=value)
        case "min_quantity":
            return replace(BTC, min_quantity=value)
        case "min_notional":
            return replace(BTC, min_notional=value)
        case "maker_fee":
            return replace(BTC, maker_fee=value)
        case _:
            return replace(BTC, taker_fee=value)


@given(size=units(0, 10**12, 4), price=units(1, 10**9, 4))
def test_a_quantity_never_costs_more_than_was_asked(size: Decimal, price: Decimal) -> None:
    """
    Invariant 1: floored to the step, and one step more would be too dear.
    """
    quantity = COARSE.quantity_for(size, price)

    assert quantity * price <= size < (quantity + COARSE.quantity_step) * price
    assert quantity % COARSE.quantity_step == 0


@pytest.mark.parametrize(
    ("held", "sellable"), [("0.0009999", "0"), ("0.001", "0.001"), ("1.0019", "1.001")]
)
def test_what_can_be_sold_is_floored_to_the_step(held: str, sellable: str) -> None:
    """
    What lies below the step is dust.
    """
    assert COARSE.sellable(Decimal(held)) == Decimal(sellable)


@pytest.mark.parametrize(
    ("quantity", "price", "accepted"),
    [
        ("0.010", "500", True),
        ("0.009", "10000", False),
        ("0.010", "499.99", False),
        ("0", "500", False),
    ],
)
def test_an_order_must_reach_both_minimums(quantity: str, price: str, accepted: bool) -> None:  # noqa: FBT001 - a table
    """
    Reaching is enough; each side alone is not.
    """
    assert COARSE.accepts(Decimal(quantity), Decimal(price)) is accepted


def test_nothing_is_never_an_order() -> None:
    """
    Where an exchange has no minimums, an order still has to move something.
    """
    assert not BTC.accepts(Decimal(0), Decimal(1))
    assert BTC.accepts(Decimal("1e-8"), Decimal(1))


def test_a_purchase_may_cost_its_size_and_the_fee() -> None:
    """
    The funds are checked with the fee on top.
    """
    assert COARSE.with_taker_fee(Decimal(50)) == Decimal("50.05")
