"""What came without a trade, as text: letter by letter, and absent where nothing came."""

from decimal import Decimal

import pytest

from core.facts import HELD, adopted, after, corrected
from strategies import NOON
from trancher.core.events import Event, Undone
from trancher.core.outside import way_back
from trancher.store.codec import ENTRIES, POSITIONS

ADOPTED = (
    '{"type":"Adopted","quantity":"0.50","cost":"40","price":"90.00","reason":"mine",'
    '"bot":"bot","place":1,"at":"2025-01-01T12:00:00Z"}'
)
CORRECTED = (
    '{"type":"Corrected","held":"0.50","left":"0.2","tranche_id":"tranche_1",'
    '"reason":"lost","at":"2025-01-01T13:00:00Z"}'
)
UNDONE = '{"type":"Undone","held":"1","left":"0.0","reason":"no","at":"2025-01-01T12:00:00Z"}'


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (adopted("0.50", cost="40", price="90.00"), ADOPTED),
        (corrected("0.50", "0.2", tranche="tranche_1"), CORRECTED),
        (Undone(held=Decimal(1), left=Decimal("0.0"), reason="no", at=NOON), UNDONE),
    ],
)
def test_the_text_is_this_and_no_other(event: Event, text: str) -> None:
    """
    Journals are kept for years: whoever changes a letter here breaks their hashes.
    """
    assert ENTRIES.encode(event) == text
    assert ENTRIES.decode(text) == event


def test_a_position_says_of_what_came_without_a_trade_only_what_came() -> None:
    """
    What was kept before there was such a thing reads as it did; and what was undone to the last
    digit is as if it had never been, or a process that goes on would count in other digits.
    """
    position = after([*HELD, adopted("0.50", cost="40"), corrected("1.50", "1.2")])
    back = after(way_back(position, reason="no", at=NOON), start=position)

    texts = [POSITIONS.encode(one) for one in (after(HELD), position, back)]

    assert [POSITIONS.decode(text) for text in texts] == [after(HELD), position, back]
    names = ("moved", "undoable", "adopted", "corrected")
    assert [[name for name in names if f'"{name}":' in text] for text in texts] == [
        [],
        ["moved", "undoable", "adopted", "corrected"],
        ["moved", "adopted"],
    ]
