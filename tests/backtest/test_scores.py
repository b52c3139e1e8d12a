from decimal import Decimal
from typing import Final

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sparing import one_in
from trancher.backtest.scores import combined_scores, lowest_over, ranks_of
from trancher.core.money import exact
from trancher.core.signals import Temperature, Thermometer, combined
from trancher.market.signal_series import score_of

UNIT: Final = 10**9
BOUNDS: Final = sorted(
    bound * UNIT // 100 + beside
    for bound in (-100, -10, -8, -7, 3, 5, 13, 15, 28, 30, 100)
    for beside in (-1, 0, 1)
)
"""Scores on the bounds of a thermometer, on where hysteresis ends, and one step beside."""

units = st.sampled_from([unit for unit in BOUNDS if abs(unit) <= UNIT]) | st.integers(-UNIT, UNIT)


@st.composite
def thermometers(draw: st.DrawFn) -> Thermometer:
    return Thermometer(
        cool=draw(st.sampled_from([Decimal("0.05"), Decimal("-0.08")])),
        warm=Decimal("0.15"),
        hot=draw(st.sampled_from([Decimal("0.3"), Decimal(1), Decimal("0.2999999999999")])),
        hysteresis=draw(
            st.sampled_from(
                [Decimal("0.02"), Decimal(0), Decimal(1), Decimal("0.020000000000001")]
            )
        ),
    )


@one_in(4)
@given(scores=st.lists(units, min_size=1, max_size=40), thermometer=thermometers())
def test_ranks_are_the_fold_of_the_thermometer(
    scores: list[int], thermometer: Thermometer
) -> None:
    """
    Three switches over whole columns, on the bounds and one step beside, are the core's one step
    after the other.
    """
    temperature, fold = Temperature.FROZEN, []
    for score in scores:
        temperature = thermometer.next(temperature, score_of(score))
        fold.append(temperature.rank)

    assert ranks_of(np.array(scores), thermometer).tolist() == fold


@one_in(4)
@given(
    times=st.lists(st.integers(1, 60), min_size=1, max_size=60, unique=True).map(sorted),
    scores=st.lists(units, min_size=60, max_size=60),
    length=st.integers(0, 70),
)
def test_the_lowest_over_a_time_is_found_in_runs(
    times: list[int], scores: list[int], length: int
) -> None:
    """
    Over gaps and any length: the lowest from the score in force when the time began, to now.
    """
    plain = []
    for now in times:
        begun = [index for index, at in enumerate(times) if at <= now - length]
        within = scores[begun[-1] if begun else 0 : times.index(now) + 1]
        plain.append(min(within) if begun else -UNIT)

    found = lowest_over(np.array(scores[: len(times)]), np.array(times), length)

    assert found.tolist() == plain


@exact
@one_in(4)
@given(
    scores=st.lists(st.tuples(units, units, units), min_size=1, max_size=20),
    weights=st.lists(
        st.integers(1, 12).map(lambda places: Decimal(3).scaleb(-places)), min_size=3, max_size=3
    ),
)
def test_scores_combine_as_in_the_core(
    scores: list[tuple[int, int, int]], weights: list[Decimal]
) -> None:
    """
    Weights from 0.3 down to 3e-12: with the finest, whole numbers outgrow the machine's.
    """
    named = dict(zip("abc", weights, strict=True))
    plain = [
        combined({name: score_of(unit) for name, unit in zip("abc", row, strict=True)}, named)
        for row in scores
    ]
    columns = dict(zip("abc", np.array(scores, dtype=np.int64).T, strict=True))

    found = combined_scores(columns, named, len(scores))

    assert [score_of(unit) for unit in found.tolist()] == plain


def test_without_signals_there_is_no_score() -> None:
    """
    Nothing is divided by the sum of no weights.
    """
    assert combined_scores({}, {}, 2).tolist() == [0, 0]
