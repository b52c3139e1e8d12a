"""The end of a run in its journal: what an older program wrote there, and what came later."""

from typing import Final

import pytest

from strategies import NOON
from trancher.store.codec import ENTRIES
from trancher.store.entries import RunFinished, Simulation
from trancher.store.errors import UnreadableText

OLD: Final = '{"type":"RunFinished","at":"2025-06-01T12:00:00Z","marks":{}}'


def test_an_end_says_of_its_simulation_only_what_it_has() -> None:
    """
    What was written before anybody asked is the same text for ever; a newer end has whether it
    sold, how many candles were ambiguous, and whose candles they were.
    """
    old = ENTRIES.decode(OLD)
    known = Simulation(close_at_end=True, ambiguous=3, candles={"BTC/USD": "00ff"}, notes=("a",))
    new = RunFinished(at=NOON, marks={}, simulation=known)

    assert isinstance(old, RunFinished)
    assert old.simulation is None
    assert ENTRIES.encode(old) == OLD
    assert ENTRIES.decode(ENTRIES.encode(new)) == new


def test_a_simulation_that_is_none_is_not_written() -> None:
    """
    Two texts of one end would be two hashes of one journal.
    """
    with pytest.raises(UnreadableText, match=r"found .*, expected"):
        ENTRIES.decode(OLD.replace("{}}", '{},"simulation":null}'))
