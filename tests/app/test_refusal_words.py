"""How a refusal reads in a table: rounded for people; the document keeps every digit."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from trancher.app.refusal_words import extent, lasting, refusal_document
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


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        ({"seconds": 115199}, "1d 7h 59m 59s"),
        ({"minutes": 1439}, "23h 59m"),
        ({"seconds": 3601}, "1h 1s"),
        ({"minutes": 90}, "90m"),
        ({"hours": 36}, "36h"),
        ({"hours": 125}, "5d 5h"),
        ({"days": 365}, "365d"),
        ({"seconds": 0}, "0s"),
    ],
)
def test_a_length_of_time_needs_no_counting(length: dict[str, int], shown: str) -> None:
    """
    115199s is a number that a person has to divide twice.
    """
    assert lasting(timedelta(**length)) == shown


@pytest.mark.parametrize("key", ["tranche_cooldown", "reentry_cooldown"])
def test_a_cooldown_says_which_one_it_is(key: str) -> None:
    """
    After an entry or after a stop: two limits, one code.
    """
    refusal = Refusal(
        code=RefusalCode.COOLDOWN,
        measured=Decimal(3600),
        limit=Decimal(86400),
        missing=Decimal(82800),
        unit=Unit.SECONDS,
        key=key,
    )

    assert extent(refusal, currency="USD") == f"COOLDOWN ({key}): 1h against 1d, 23h short"
    assert refusal_document(refusal)["key"] == key


@pytest.mark.parametrize(
    ("measured", "missing", "shown"),
    [
        ("3599", "1", "59m 59s against 1h, 1s short"),
        ("3599.000001", "0.999999", "59m 59s against 1h, under 1s short"),
        ("3598.999999", "1.000001", "59m 58s against 1h, 2s short"),
        ("3540", "60", "59m against 1h, 1m short"),
        ("0", "3600", "0s against 1h, 1h short"),
    ],
)
def test_what_is_missing_of_a_cooldown_is_never_nothing(
    measured: str, missing: str, shown: str
) -> None:
    """
    It is rounded up, so that it and what has passed make the whole; 0s would say that it is over.
    """
    refusal = Refusal(
        code=RefusalCode.COOLDOWN,
        measured=Decimal(measured),
        limit=Decimal(3600),
        missing=Decimal(missing),
        unit=Unit.SECONDS,
        key="tranche_cooldown",
    )

    assert extent(refusal, currency="USD") == f"COOLDOWN (tranche_cooldown): {shown}"
