"""The chain of hashes over a journal: who changes one entry must change every later one."""

import hashlib
from typing import Final

START: Final = "0" * 64
"""What stands for the hash before a journal's first entry."""


def link(
    previous: str,
    *,
    portfolio_id: int,
    run_id: int | None,
    number: int,
    position_id: str | None,
    type_: str,
    payload: str,
) -> str:
    """Return the hash of an entry: sha256 over the hash before it and all that it says.

    Args:
        run_id: None in the journal of a portfolio's loads.

    No field but the last may hold a line break, so two entries never give the same text.
    """
    run = "" if run_id is None else str(run_id)
    head = (previous, str(portfolio_id), run, str(number), position_id or "", type_)
    return hashlib.sha256("\n".join((*head, payload)).encode()).hexdigest()
