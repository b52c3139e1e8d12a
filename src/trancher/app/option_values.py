"""Numbers and words that a person gives on the command line."""

from decimal import Decimal

from trancher.app.output import BadInput
from trancher.core.errors import InvalidNumber
from trancher.core.money import parse_decimal


def above_zero(option: str, text: str, *, what: str) -> Decimal:
    """Return a number above 0.

    Args:
        what: the number is, in words.

    Raises:
        BadInput: it is none.
    """
    try:
        number = parse_decimal(text)
    except InvalidNumber as problem:
        raise BadInput(f"{option}: {problem}") from problem
    if number <= 0:
        raise BadInput(f"{option}: found {text}, expected {what} above 0")
    return number


def zero_or_more(option: str, text: str, *, what: str) -> Decimal:
    """Return a number of 0 or more; otherwise as `above_zero`."""
    try:
        number = parse_decimal(text)
    except InvalidNumber as problem:
        raise BadInput(f"{option}: {problem}") from problem
    if number < 0:
        raise BadInput(f"{option}: found {text}, expected {what} of 0 or more")
    return number


def share_of_held(option: str, text: str) -> Decimal:
    """Return a share, 0 < share <= 1.

    Raises:
        BadInput: it is none.
    """
    from trancher.app import amounts
    from trancher.app.words import Mismatch

    try:
        value = text if text.endswith("%") else parse_decimal(text)
        share = amounts.ratio(above=0, most=100).read(value)
    except InvalidNumber as problem:
        raise BadInput(f"{option}: {problem}") from problem
    except Mismatch as problem:
        raise BadInput(
            f"{option}: found {text!r}, expected a share of what is held, above 0 % and at most "
            '100 %, written "25%" or 0.25'
        ) from problem
    assert isinstance(share, Decimal)
    return share


def reason_of(text: str) -> str:
    """Return why somebody does something: it is kept, and shown wherever what he did is.

    Raises:
        BadInput: it is empty, or no line that can be shown as it stands.
    """
    if not text.strip() or not text.isprintable():
        raise BadInput(f"--reason: found {text!r}, expected words on one line")
    return text
