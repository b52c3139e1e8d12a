"""Unheard: why a signal from outside is not heard, before anything is decided by it.

Pure, as all decisions are. What is heard becomes a reading, and is decided like every other.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from trancher.core.conditions import Observation
from trancher.core.day import MICROSECOND
from trancher.core.decision import Decision, Kind, decided
from trancher.core.limits import Refusal, RefusalCode, Unit
from trancher.core.money import exact
from trancher.core.position import Position

_SECOND: Final = timedelta(seconds=1) // MICROSECOND


@exact
def decide_unheard(
    position: Position, seen: Observation, refusal: Refusal, *, name: str
) -> Decision:
    """Return the refusal of a signal of this name, on record as that of an entry.

    Args:
        position: that the signal came for; the first one of a bot with several.
    """
    return decided(Kind.ENTRY, position, seen, reason=f"signal {name}", refusals=(refusal,))


@exact
def stale_signal(age: timedelta, max_age: timedelta) -> Refusal | None:
    """Refuse a signal that waited longer than what it says counts, which is `max_age`."""
    if age <= max_age:
        return None
    measured, limit = _seconds(age), _seconds(max_age)
    return Refusal(
        code=RefusalCode.STALE_SIGNAL,
        measured=measured,
        limit=limit,
        missing=measured - limit,
        unit=Unit.SECONDS,
        unblocks_when="it is sent anew",
    )


def duplicate_signal() -> Refusal:
    """Refuse a signal that has the key of another one, which says something else."""
    return Refusal(
        code=RefusalCode.DUPLICATE_SIGNAL,
        measured=Decimal(2),
        limit=Decimal(1),
        missing=Decimal(1),
        unit=Unit.SIGNALS,
        unblocks_when="it has a key of its own",
    )


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // MICROSECOND) / _SECOND
