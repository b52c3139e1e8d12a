import re
from decimal import Decimal

import pytest

from trancher.core import errors
from trancher.core.errors import (
    AmbiguousTranche,
    ContradictoryFill,
    InvalidFill,
    InvalidNumber,
    InvalidTransition,
    OversoldPosition,
    TrancheInUse,
    TrancherError,
    UnknownTranche,
)

HEADER = errors.__doc__ or ""
LINE = re.compile(r"^([│├└─ ]*)([A-Z]\w+)(?: {2,}(.+)|$)", re.MULTILINE)
CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, Exception)
}


def drawn_tree() -> dict[str, str]:
    """Return each class that the header draws with the class it hangs from."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for indent, name, _ in LINE.findall(HEADER.partition("\n\n")[2]):
        depth = len(indent) // 4
        above = [*above[:depth], name]
        parents[name] = above[depth - 1] if depth else "Exception"
    return parents


def test_the_header_draws_every_error_where_it_hangs() -> None:
    """
    The tree at the top of the module is read by people, so it has to be true.
    """
    assert drawn_tree() == {name: value.__bases__[0].__name__ for name, value in CLASSES.items()}


def test_every_error_is_a_trancher_error() -> None:
    """
    One except clause at the edge catches all that the core can refuse.
    """
    assert all(issubclass(value, TrancherError) for value in CLASSES.values())


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InvalidNumber(found="1e5", expected="digits"), "found '1e5', expected digits"),
        (
            ContradictoryFill(trade_id="t7"),
            "trade id t7 was booked before with other values",
        ),
        (
            OversoldPosition(asked=Decimal("2.50"), held=Decimal("1e-8")),
            "cannot sell 2.50: 0.00000001 is open",
        ),
        (
            UnknownTranche(tranche_id="x", known=("a", "b")),
            "no open tranche is called 'x': open are a, b",
        ),
        (UnknownTranche(tranche_id="x", known=()), "no open tranche is called 'x': open are none"),
        (
            AmbiguousTranche(known=("a", "b")),
            "the sale names no tranche and several are open: a, b",
        ),
        (TrancheInUse(tranche_id="a"), "tranche 'a' exists already in this position"),
        (
            InvalidTransition(source="open", target="closed"),
            "a position cannot go from open to closed",
        ),
    ],
)
def test_an_error_writes_its_own_message(error: TrancherError, text: str) -> None:
    """
    Both sides are in it, as plain decimals: whoever reads the log needs nothing else.
    """
    assert str(error) == text


def test_errors_carry_both_sides_as_fields() -> None:
    """
    A program reads fields, not messages.
    """
    oversold = OversoldPosition(asked=Decimal(2), held=Decimal(1))
    unknown = UnknownTranche(tranche_id="x", known=("a",))
    wrong = InvalidTransition(source="open", target="closed")

    assert (oversold.asked, oversold.held) == (Decimal(2), Decimal(1))
    assert (unknown.tranche_id, unknown.known) == ("x", ("a",))
    assert (wrong.source, wrong.target) == ("open", "closed")
    assert ContradictoryFill(trade_id="t").trade_id == "t"
    assert AmbiguousTranche(known=("a", "b")).known == ("a", "b")
    assert TrancheInUse(tranche_id="a").tranche_id == "a"
    assert issubclass(OversoldPosition, InvalidFill)
