"""How a refusal reads in a table: rounded for people; the document keeps every digit."""

from decimal import Decimal
from typing import Final

import pytest

from trancher.app.refusal_words import extent, refusal_document
from trancher.app.tables import share
from trancher.core.limits import Refusal, RefusalCode, Unit
from trancher.core.money import quotient

DRAWDOWN: Final = Refusal(
    code=RefusalCode.MAX_DRAWDOWN,
    measured=quotient(Decimal(10), Decimal(1009)),
    limit=Decimal("0.005"),
    missing=quotient(Decimal("4.955"), Decimal(1009)),
    unit=Unit.RATIO,
    unblocks_when="equity rises above 1003.955",
)


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        ("0.005", "0.5 %"),
        ("0.1000", "10 %"),
        ("0.00125", "0.125 %"),
        ("0.001253", "0.1253 %"),
        ("0.0012534", "0.13 %"),
        ("0.0000123456", "0.00123456 %"),
        ("12", "1200 %"),
        ("0", "0 %"),
    ],
)
def test_a_ratio_is_told_with_the_digits_that_a_person_reads(ratio: str, shown: str) -> None:
    """
    What somebody wrote is shown as it is; a quotient ends after two decimals, unless it is tiny.
    """
    assert share(Decimal(ratio)) == shown


def test_a_quotient_is_rounded_for_people_only() -> None:
    """
    Twenty digits of a drawdown help nobody in a table; a program may want them.
    """
    assert extent(DRAWDOWN, currency="USD") == ("MAX_DRAWDOWN: 0.99 % against 0.5 %, 0.49 % over")
    assert refusal_document(DRAWDOWN)["measured"] == f"{DRAWDOWN.measured:f}"
