"""Prices for people: as many decimals as a trader of that coin reads, and no idle zeros."""

from decimal import Decimal

import pytest

from trancher.app.tables import price


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("46740.8", "46,740.80"),
        ("10", "10.00"),
        ("9.99996", "10.00"),
        ("1.7723", "1.7723"),
        ("1.5", "1.50"),
        ("0.5276", "0.5276"),
        ("0.65350955123", "0.65350955"),
        ("0.5", "0.50"),
        ("0.00001234", "0.00001234"),
    ],
)
def test_a_price_has_the_decimals_that_say_something(amount: str, shown: str) -> None:
    """
    Two would hide a fifth of a percent of a coin of 1.77, and eight fill a row with zeros.
    """
    assert price(Decimal(amount)) == shown


def test_a_price_that_is_not_there_is_a_dash() -> None:
    """
    A zero would be a price.
    """
    assert price(None) == "-"
