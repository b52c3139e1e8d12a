"""A refusal as words and as a document; how long it lasts is told in sentences.py."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from trancher.app.output import Json, instant, plain
from trancher.app.tables import exactly, quote, share
from trancher.core.day import span
from trancher.core.limits import Refusal, Unit


def extent(refusal: Refusal, *, currency: str) -> str:
    """Return the code of a refusal, and what was measured against what."""
    said = refusal.unit in {Unit.SECONDS, Unit.RATIO}
    unit = currency if refusal.unit is Unit.QUOTE else refusal.unit.value
    missing = amount(refusal.missing, refusal.unit)
    return (
        f"{refusal.code}: {amount(refusal.measured, refusal.unit)} against "
        f"{amount(refusal.limit, refusal.unit)}{'' if said else f' {unit}'}, {missing} "
        f"{'over' if refusal.measured > refusal.limit else 'short'}"
    )


def amount(number: Decimal, unit: Unit) -> str:
    """Return what was measured, as a person writes it."""
    if unit is Unit.QUOTE:
        return quote(number)
    if unit is Unit.RATIO:
        return share(number)
    if unit is Unit.SECONDS:
        return span(timedelta(seconds=int(number)))
    return exactly(number)


def refusal_document(refusal: Refusal) -> Mapping[str, Json]:
    """Return one reason against an order."""
    return {
        "code": refusal.code.value,
        "measured": plain(refusal.measured),
        "limit": plain(refusal.limit),
        "missing": plain(refusal.missing),
        "unit": refusal.unit.value,
        "unblocks_at": instant(refusal.unblocks_at),
        "unblocks_when": refusal.unblocks_when,
    }
