"""Times as whole microseconds since 1970 UTC, which is how columns hold them."""

from datetime import datetime

from trancher.core.day import EPOCH, MICROSECOND


def micros(at: datetime) -> int:
    """Return a time as microseconds since 1970 UTC."""
    return (at - EPOCH) // MICROSECOND
