from itertools import product

import pytest

from trancher.core.errors import InvalidTransition
from trancher.core.lifecycle import TRANSITIONS, State, step

# Word for word from the specification, so that a line lost from the table is seen.
ALLOWED = {
    "closed -> building",
    "open -> closed",
    "building -> building",
    "building -> open",
    "building -> closed",
    "open -> reducing",
    "reducing -> reducing",
    "reducing -> open",
    "open -> closing",
    "open -> building",
    "closing -> closing",
    "closing -> closed",
}


@pytest.mark.parametrize(("source", "target"), list(product(State, State)))
def test_a_step_is_allowed_or_refused_as_the_specification_says(
    source: State, target: State
) -> None:
    """
    Every pair is asked: what is not in the table is an error that names both states.
    """
    if f"{source} -> {target}" in ALLOWED:
        assert step(source, target) is target
        return

    with pytest.raises(InvalidTransition) as raised:
        step(source, target)
    assert (raised.value.source, raised.value.target) == (source, target)


def test_the_table_has_one_line_per_transition_and_says_when() -> None:
    """
    The diagram is made from it: a second line would draw a second arrow.
    """
    pairs = [(line.source, line.target) for line in TRANSITIONS]

    assert len(set(pairs)) == len(pairs)
    assert {f"{source} -> {target}" for source, target in pairs} == ALLOWED
    assert all(line.when for line in TRANSITIONS)
