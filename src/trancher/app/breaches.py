"""What verify stops where books differ from their journal, and how that is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from trancher.app.halt_words import halt_document, halt_in_words
from trancher.app.output import Json
from trancher.store import breaches
from trancher.store.database import Database
from trancher.store.errors import StoreError
from trancher.store.halts import Halt
from trancher.store.verify import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What came of it.

    Attributes:
        halts: what holds back entries for what was found, now or since an earlier look.
        problem: why nothing could be written; None where it could, or nothing had to be.
    """

    halts: tuple[Halt, ...] = ()
    problem: str | None = None


def freeze(
    database: Database, differences: Sequence[Difference], *, clock: Callable[[], datetime]
) -> Frozen:
    """Stop the entries of running bots whose books differ.

    Books that cannot be written are told of and end nothing: what was found is still to be said.
    """
    if not differences:
        return Frozen()
    try:
        halts = database.transact(
            lambda connection: breaches.freeze(
                connection, differences, at=database.now(connection, clock)
            )
        )
    except StoreError as problem:
        return Frozen(problem=str(problem))
    return Frozen(halts=halts)


def frozen_document(frozen: Frozen) -> dict[str, Json]:
    """Return it as a part of the document of `verify`."""
    return {
        "frozen": [halt_document(one) for one in frozen.halts],
        "not_frozen": frozen.problem,
    }


def frozen_in_words(frozen: Frozen) -> list[str]:
    """Return it in sentences, none where no bot that runs is concerned."""
    if frozen.problem is not None:
        return [f"No entries were stopped for it: {frozen.problem}."]
    return [
        f"{halt_in_words(one)}: no entries until `{one.lifted_by}`; exits go on."
        for one in frozen.halts
    ]
