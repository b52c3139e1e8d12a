"""Times as whole microseconds since 1970 UTC, which is how columns hold them."""

from datetime import datetime, timedelta
from typing import Final

EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a time as microseconds since 1970 UTC."""
    return (at - EPOCH) // _MICROSECOND
