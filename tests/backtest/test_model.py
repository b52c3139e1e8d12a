from hypothesis import given, note, settings

from backtest.cases import Case, cases, played
from backtest.replays import (
    candles_of,
    fills_of,
    model_fills,
    model_records,
    number,
    records_of,
    replayed,
)


@settings(max_examples=250)  # Each is a whole run.
@given(case=cases())
def test_the_replay_does_what_the_specification_says(case: Case) -> None:
    """
    Two programs that share no line agree on every fill, every decision and the last cent.
    """
    note(f"{case.text}\n{case.rows}")
    expected = played(case)

    found = replayed(case.text, candles_of(case.rows))

    assert fills_of(found) == model_fills(expected)
    assert records_of(found) == model_records(expected)
    seat = found.engine.seats[next(iter(found.engine.seats))]
    assert found.engine.treasury.cash.normalize() == number(expected.cash)
    assert seat.position.held.normalize() == number(expected.one.held)
    assert seat.position.anchor_cost.normalize() == number(expected.one.anchor_cost)
