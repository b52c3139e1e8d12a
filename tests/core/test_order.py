from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import fill, units
from trancher.core.errors import InvalidFill
from trancher.core.order import Settled, Side, settle

BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize("value", ["0", "-1"])
@pytest.mark.parametrize("field", ["price", "quantity"])
def test_a_fill_moves_something_at_a_price(field: str, value: str) -> None:
    """
    An exchange that says otherwise is wrong, and the books must not follow.
    """
    price, quantity = (value, "1") if field == "price" else ("1", value)

    with pytest.raises(InvalidFill, match=f"{field} is {value}, expected more than 0"):
        fill(BUY, quantity, price)


@pytest.mark.parametrize(
    ("side", "fee", "asset", "rate", "settled"),
    [
        (BUY, "0.25", "USD", None, ("2", "200", "0.25", "0")),
        (SELL, "0.25", "USD", None, ("2", "200", "0.25", "0")),
        (BUY, "0.002", "BTC", None, ("1.998", "199.8", "0.2", "0")),
        (BUY, "-0.002", "BTC", None, ("2.002", "200.2", "-0.2", "0")),
        (SELL, "0.002", "BTC", None, ("2.002", "200.2", "0.2", "0")),
        (SELL, "-0.002", "BTC", None, ("1.998", "199.8", "-0.2", "0")),
        (BUY, "0.01", "BNB", None, ("2", "200", "0", "0.01")),
        (SELL, "0.01", "BNB", "600", ("2", "200", "6", "0")),
        (BUY, "0.01", "BNB", "600", ("2", "200", "6", "0")),
    ],
)
def test_a_fill_is_settled_by_the_asset_of_its_fee(
    side: Side, fee: str, asset: str, rate: str | None, settled: tuple[str, str, str, str]
) -> None:
    """
    2 at 100: a base fee changes the quantity, a third asset counts where its rate is known.
    """
    quantity, notional, quote_fee, unpriced = map(Decimal, settled)
    fee_rate = None if rate is None else Decimal(rate)

    assert settle(
        fill(side, "2", "100", fee=fee, fee_asset=asset, fee_rate=fee_rate),
        base="BTC",
        quote="USD",
    ) == Settled(quantity=quantity, notional=notional, fee=quote_fee, unpriced_fee=unpriced)


@pytest.mark.parametrize(("side", "fee"), [(BUY, "2"), (BUY, "2.1"), (SELL, "-2"), (SELL, "-3")])
def test_a_base_fee_that_leaves_nothing_is_refused(side: Side, fee: str) -> None:
    """
    A tranche without quantity has no price.
    """
    with pytest.raises(InvalidFill, match=f"a fee of {fee} BTC leaves nothing of 2"):
        settle(fill(side, "2", "100", fee=fee, fee_asset="BTC"), base="BTC", quote="USD")


def test_a_base_fee_may_leave_the_last_quantum() -> None:
    """
    The other side of the bound.
    """
    settled = settle(
        fill(BUY, "2", "100", fee="1.99999999", fee_asset="BTC"), base="BTC", quote="USD"
    )

    assert settled.quantity == Decimal("0.00000001")


@given(
    quantity=units(1, 10**12, 8),
    price=units(1, 10**10, 4),
    per_mille=st.integers(-100, 999),
    side=st.sampled_from(Side),
    in_base=st.booleans(),
)
def test_whatever_the_fee_is_taken_in_the_quote_moved_is_the_same(
    quantity: Decimal,
    price: Decimal,
    per_mille: int,
    side: Side,
    in_base: bool,  # noqa: FBT001 - drawn
) -> None:
    """
    Conservation at the edge: cost + entry fee is the quote paid, proceeds - exit fee is the
    quote received, and neither knows of the fee where that was taken in base.
    """
    fee = (quantity if in_base else quantity * price) * per_mille / 1000

    settled = settle(
        fill(side, quantity, price, fee=fee, fee_asset="BTC" if in_base else "USD"),
        base="BTC",
        quote="USD",
    )

    sign = 1 if side is BUY else -1
    moved = settled.notional + sign * settled.fee
    assert moved == quantity * price + (0 if in_base else sign * fee)
    assert settled.quantity == quantity - (sign * fee if in_base else 0)
