"""The search for the next candle, against looking at every candle."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparing import one_in
from trancher.backtest.columns import BLOCK, AtLeast, AtMost, Column, Way, first_met

SUPERBLOCK = BLOCK * BLOCK
NEVER = 1_000
# Around every place where a search changes from candles to blocks, or back.
BORDERS = [
    border + aside
    for border in (0, BLOCK, 2 * BLOCK, SUPERBLOCK, SUPERBLOCK + BLOCK, 2 * SUPERBLOCK)
    for aside in (-1, 0, 1)
    if border + aside >= 0
]
places = st.sampled_from(BORDERS) | st.integers(0, 2 * SUPERBLOCK + 70)


def holds(way: Way, index: int) -> bool:
    """Return whether one candle meets all bounds of a way, by itself."""
    return all(
        bound.column.values[index] <= bound.limit
        if isinstance(bound, AtMost)
        else bound.column.values[index] >= bound.limit
        for bound in way
    )


def first_by_looking(ways: Sequence[Way], start: int, count: int) -> int:
    """Return what `first_met` should, by visiting every candle."""
    visited = range(start, count)
    return next((one for one in visited if any(holds(way, one) for way in ways)), count)


def quiet(count: int, dips: Sequence[int], *, of: float) -> Column:
    """Return a column that is `NEVER` but at some places."""
    values = np.full(count, NEVER, dtype=np.float64)
    values[[dip for dip in dips if dip < count]] = of
    return Column(values)


@pytest.mark.parametrize("start", BORDERS)
@pytest.mark.parametrize("place", BORDERS)
def test_the_one_candle_that_matters_is_found_wherever_blocks_meet(start: int, place: int) -> None:
    """
    One dip in a quiet column, looked for from before it, from itself and from behind it.
    """
    count = 2 * SUPERBLOCK + 70
    way = (AtMost(quiet(count, [place], of=3), 5),)

    found = first_met([way], start, count)

    assert found == (place if start <= place else count)


@one_in(4)
@given(data=st.data())
def test_a_search_finds_what_visiting_every_candle_finds(data: st.DataObject) -> None:
    """
    Whatever bounds come together, and where: rare ones, that lie in one block but never on one
    candle, values that are missing, columns that end inside a block.
    """
    count = data.draw(places.filter(bool))
    dips, missing, lasting = (
        data.draw(st.lists(places, max_size=12), label=name)
        for name in ("dips", "missing", "lasting")
    )
    rare, other = quiet(count, dips, of=-3), quiet(count, [*dips[:2], *lasting], of=-3)
    rare.values[[one for one in missing if one < count]] = np.nan
    time = Column(np.arange(count, dtype=np.int64))
    late = AtLeast(time, data.draw(places))
    ways: list[Way] = [
        (AtMost(rare, -3), AtMost(other, -3)),
        (AtMost(rare, 0), late),
        (AtLeast(other, NEVER), AtMost(rare, -1), late),
    ]
    chosen = data.draw(st.lists(st.sampled_from(ways), max_size=3))
    start = data.draw(places)

    found = first_met(chosen, start, count)

    assert found == (first_by_looking(chosen, start, count) if start < count else count)


def test_bounds_that_never_meet_on_one_candle_are_not_found() -> None:
    """
    Every block promises both, because each holds both somewhere: no candle keeps the promise.
    """
    count = 3 * SUPERBLOCK
    odd = Column(np.arange(count, dtype=np.int64) % 2)

    assert first_met([(AtMost(odd, 0), AtLeast(odd, 1))], 5, count) == count


def test_a_way_without_bounds_is_met_at_once() -> None:
    """
    Something that tries again at the next close needs no price for it.
    """
    assert first_met([(), (AtMost(quiet(9, [8], of=0), 0),)], 4, 9) == 4


def test_where_nothing_is_waited_for_nothing_is_found() -> None:
    """
    A position that has used up its ladder and has no exit left waits for ever.
    """
    assert first_met([], 0, 9) == 9
