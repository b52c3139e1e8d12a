from decimal import (
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    getcontext,
    localcontext,
)
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strategies import units
from trancher.core import money
from trancher.core.errors import InvalidNumber
from trancher.core.money import (
    EXACT,
    ceil_ratio,
    ceil_to,
    exact,
    floor_ratio,
    floor_to,
    parse_decimal,
    percent,
    quotient,
    share_of,
)

QUANTUM = Decimal("1e-10")
# The corners: nothing, the smallest, one below a power of ten, the largest that is read.
WIDEST = Decimal("999999999999999.9999999999999999999999999999999999999999")
amounts = st.one_of(
    units(0, 10**15, 10), units(0, 10**30, 30), st.sampled_from([Decimal(0), QUANTUM, WIDEST])
)
positive = amounts.filter(bool)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("-0.5", "-0.5"),
        ("007.10", "7.10"),
        ("0.00000001", "1e-8"),
        ("999999999999999.9999", "999999999999999.9999"),
        ("-999999999999999", "-999999999999999"),
        ("0." + "0" * 39 + "1", "1e-40"),
        ("0" * 39 + "1", "1"),
    ],
)
def test_plain_digits_are_read_with_every_digit(text: str, number: str) -> None:
    """
    What a person or an exchange wrote is the number, down to its trailing zeros.
    """
    assert parse_decimal(text) == Decimal(number)


def test_trailing_zeros_survive() -> None:
    """
    A document shows an amount as it was written: 25.00 stays 25.00.
    """
    assert str(parse_decimal("25.00")) == "25.00"


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", " 1", "1 ", "1\n", "1 000", "\t1"),
        *("1e5", "1E-8", "1_000", "1,5", "+1", "--1", "-", ".", ".5", "1.", "-.5", "1.2.3"),
        *("NaN", "nan", "sNaN", "Infinity", "-inf", "0x10", "1f", "٣", "1٣", "\uff11", "½"),
        *("1" * 41, "0." + "1" * 41),
    ],
)
def test_anything_but_plain_digits_is_refused(text: str) -> None:
    """
    Decimal itself takes exponents, underscores, blanks, NaN and the digits of every script.
    """
    with pytest.raises(InvalidNumber) as raised:
        parse_decimal(text)

    assert (raised.value.found, raised.value.expected) == (
        text,
        "a plain decimal number such as 0.25",
    )


@pytest.mark.parametrize("text", ["1000000000000000", "-1000000000000000", "9" * 40])
def test_a_number_of_1e15_or_more_is_refused(text: str) -> None:
    """
    The bound leaves room for exact products, and the database holds the same.
    """
    with pytest.raises(InvalidNumber) as raised:
        parse_decimal(text)

    assert (raised.value.found, raised.value.expected) == (text, "a number below 1e15")


@given(text=st.text(alphabet="0123456789.-+eE_ Nna٣", max_size=8))
@example(text="1e1")
def test_what_is_read_is_what_plain_arithmetic_reads(text: str) -> None:
    """
    Invariant 4: a text that passes is finite, bounded, and means what its digits say.
    """
    try:
        number = parse_decimal(text)
    except InvalidNumber:
        return

    assert number.is_finite()
    assert abs(number) < Decimal("1e15")
    whole, _, decimals = text.lstrip("-").partition(".")
    value = Fraction(int(whole + decimals), 10 ** len(decimals))
    assert Fraction(number) == (-value if text.startswith("-") else value)


def test_the_exact_context_refuses_to_round() -> None:
    """
    Invariant 1: a result that does not fit raises, at 250 digits; nothing is lost in silence.
    """
    assert EXACT.prec == 250
    with localcontext(EXACT):
        assert Decimal(10) ** 249 + 1 == Decimal("1" + "0" * 248 + "1")
        with pytest.raises(Inexact):
            Decimal(10) ** 250 + 1
        with pytest.raises(Inexact):
            Decimal(1) / 3


@pytest.mark.parametrize(
    ("left", "right", "error"),
    [
        ("1", "0", DivisionByZero),
        ("Infinity", "0", InvalidOperation),
        ("sNaN", "1", InvalidOperation),
    ],
)
def test_the_exact_context_raises_where_there_is_no_number(
    left: str, right: str, error: type[Exception]
) -> None:
    """
    A NaN that slipped in would compare false with every limit.
    """
    with localcontext(EXACT), pytest.raises(error):
        Decimal(left) / Decimal(right) * 0


def test_the_exact_context_raises_on_overflow() -> None:
    """
    An infinity would pass every check that asks for more.
    """
    with localcontext(EXACT), pytest.raises(Overflow):
        Decimal("1e999999") * 10


def test_a_float_cannot_get_in() -> None:
    """
    Invariant 2: neither made into a Decimal nor ordered against one.
    """
    with localcontext(EXACT):
        with pytest.raises(FloatOperation):
            Decimal(0.1)  # noqa: RUF032 - the float is the point
        with pytest.raises(FloatOperation):
            Decimal(1) < 0.5  # noqa: B015 - comparing is the point


@given(first=positive, second=positive, third=positive, fourth=positive)
def test_products_and_sums_of_what_is_read_fit(
    first: Decimal, second: Decimal, third: Decimal, fourth: Decimal
) -> None:
    """
    The widest numbers that parse_decimal lets in, multiplied as the books do, raise nothing.
    """
    with localcontext(EXACT):
        product = first * second * third + fourth

    exactly = Fraction(first) * Fraction(second) * Fraction(third) + Fraction(fourth)
    assert Fraction(product) == exactly


def test_exact_brings_its_context_and_takes_it_away() -> None:
    """
    Decimal settings belong to a thread: whatever thread calls, the function computes exactly.
    """
    before = getcontext().prec

    @exact
    def precision(*, extra: int) -> int:
        """Say how many digits there are."""
        return getcontext().prec + extra

    assert precision(extra=1) == 251
    assert precision.__name__ == "precision"
    assert getcontext().prec == before


def test_exact_takes_its_context_away_however_it_ends() -> None:
    """
    One exact function inside another leaves the outer one its context; an error leaves neither.
    """
    before = getcontext().prec

    @exact
    def share() -> Decimal:
        """Compute what has no end."""
        return Decimal(1) / Decimal(3)

    @exact
    def attempt() -> int:
        """Fail, and say how many digits there are afterwards."""
        with pytest.raises(Inexact):
            share()
        return getcontext().prec

    assert attempt() == EXACT.prec
    with pytest.raises(Inexact):
        share()
    assert getcontext().prec == before


@given(whole=amounts, total=positive, percentage=st.integers(0, 100), rebate=st.booleans())
def test_a_share_is_never_more_than_the_whole(
    whole: Decimal,
    total: Decimal,
    percentage: int,
    rebate: bool,  # noqa: FBT001 - drawn
) -> None:
    """
    Invariant 3: rounded toward zero, by less than one quantum, also where the whole is negative.
    """
    with localcontext(EXACT):
        signed = -whole if rebate else whole
        part = total * percentage / 100

    share = share_of(signed, part, total, quantum=QUANTUM)

    true = Fraction(signed) * Fraction(part) / Fraction(total)
    assert 0 <= abs(true) - abs(Fraction(share)) < Fraction(QUANTUM)
    assert abs(share) <= abs(signed)
    assert share * signed >= 0
    assert Fraction(share) % Fraction(QUANTUM) == 0


def test_a_share_is_rounded_toward_zero_on_both_sides() -> None:
    """
    A rebate must not grow by being shared out.
    """
    third = share_of(Decimal(2), Decimal(1), Decimal(3), quantum=Decimal("0.01"))
    rebate = share_of(Decimal(-2), Decimal(1), Decimal(3), quantum=Decimal("0.01"))

    assert (third, rebate) == (Decimal("0.66"), Decimal("-0.66"))


@pytest.mark.parametrize(("part", "total"), [("2", "1"), ("-1", "1"), ("0", "0"), ("0", "-1")])
def test_a_share_outside_the_whole_is_a_broken_program(part: str, total: str) -> None:
    """
    No caller may ask for more than there is: the books would create cost.
    """
    with pytest.raises(AssertionError):
        share_of(Decimal(1), Decimal(part), Decimal(total), quantum=QUANTUM)


def test_the_ends_of_a_share_are_nothing_and_all() -> None:
    """
    The bounds themselves are allowed.
    """
    assert share_of(Decimal("0.3"), Decimal(0), Decimal(7), quantum=QUANTUM) == 0
    assert share_of(Decimal("0.3"), Decimal(7), Decimal(7), quantum=QUANTUM) == Decimal("0.3")


@given(numerator=amounts, denominator=positive, step=units(1, 1000, 8))
def test_floor_and_ceil_stand_one_step_apart_around_the_ratio(
    numerator: Decimal, denominator: Decimal, step: Decimal
) -> None:
    """
    Decided on the exact ratio: a rounded quotient may fall on the wrong side of a tick.
    """
    below = Fraction(floor_ratio(numerator, denominator, step))
    above = Fraction(ceil_ratio(numerator, denominator, step))

    ratio = Fraction(numerator) / Fraction(denominator)
    assert below <= ratio <= above
    assert below % Fraction(step) == above % Fraction(step) == 0
    assert above - below == (0 if ratio % Fraction(step) == 0 else Fraction(step))


@pytest.mark.parametrize(
    ("value", "step", "floor", "ceil"),
    [
        ("1.05", "0.1", "1.0", "1.1"),
        ("1.1", "0.1", "1.1", "1.1"),
        ("0", "0.1", "0", "0"),
        ("0.00049950", "0.00001", "0.00049", "0.00050"),
        ("7", "3", "6", "9"),
    ],
)
def test_a_value_is_floored_and_ceiled_to_its_step(
    value: str, step: str, floor: str, ceil: str
) -> None:
    """
    On the step both are the value itself.
    """
    assert floor_to(Decimal(value), Decimal(step)) == Decimal(floor)
    assert ceil_to(Decimal(value), Decimal(step)) == Decimal(ceil)


def test_a_negative_amount_has_no_floor_here() -> None:
    """
    Flooring toward zero would round a negative amount up; nobody may ask.
    """
    with pytest.raises(AssertionError):
        floor_ratio(Decimal("-0.1"), Decimal(1), Decimal(1))


@given(numerator=amounts, denominator=positive)
def test_a_quotient_has_twenty_digits(numerator: Decimal, denominator: Decimal) -> None:
    """
    For showing only: within half a unit of the twentieth digit of the exact ratio.
    """
    shown = Fraction(quotient(numerator, denominator))

    true = Fraction(numerator) / Fraction(denominator)
    assert abs(shown - true) <= true / 10**19 / 2


def test_a_quotient_rounds_half_to_even() -> None:
    """
    Twenty digits, and ties to the even one.
    """
    assert quotient(Decimal(2), Decimal(3)) == Decimal("0.66666666666666666667")
    assert quotient(Decimal(100000000000000000005), Decimal(10)) == Decimal(10**19)
    assert quotient(Decimal(100000000000000000015), Decimal(10)) == Decimal(10**19 + 2)


def test_a_quotient_asks_nobody_for_its_digits() -> None:
    """
    A caller's narrow context is the caller's own: there are twenty digits on every thread.
    """
    with localcontext(prec=5):
        shown = quotient(Decimal(2), Decimal(3))

    assert shown == Decimal("0.66666666666666666667")


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ("0.105", "10.5 %"),
        ("0.1", "10 %"),
        ("1", "100 %"),
        ("0", "0 %"),
        ("-0.08", "-8 %"),
        ("10", "1000 %"),
        ("0.00010", "0.01 %"),
    ],
)
def test_a_ratio_is_written_as_people_write_it(ratio: str, text: str) -> None:
    """
    No trailing zeros, no lost ones.
    """
    assert percent(Decimal(ratio)) == text


def test_the_quanta_are_those_of_the_specification() -> None:
    """
    Another quantum is another set of books.
    """
    assert Decimal("0.0000000001") == money.QUOTE_QUANTUM
    assert Decimal("0.000000000001") == money.BASE_FEE_QUANTUM
    assert Decimal("0.000000000000000001") == money.SHARE_QUANTUM
    assert Decimal(10) ** 15 == money.BOUND
