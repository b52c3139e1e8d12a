"""The nearest valid name to one that is not: what the person may have meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from trancher.app.output import BadInput

_ALIKE: Final = 0.6


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the one of `valid` that is most like `name`, or None where nothing is like it."""
    by_lower = {one.lower().replace("-", "_"): one for one in valid}
    wanted = name[:100].lower().replace("-", "_")  # comparing takes the square of the length
    found = get_close_matches(wanted, by_lower, n=1, cutoff=_ALIKE)
    return by_lower[found[0]] if found else None


def no_portfolio(name: str, known: Sequence[str]) -> BadInput:
    """Return the problem of a portfolio that is none of those known."""
    meant = nearest(name, known)
    hint = f"; did you mean {meant}?" if meant else ""
    listed = ", ".join(known) or "none is"
    return BadInput(f"--portfolio: found {name!r}, expected one that has runs: {listed}{hint}")
