"""Fewer examples for properties whose every example costs milliseconds.

A profile of tests/conftest.py says how many a property of arithmetic is asked for. Where hundreds
show as much as thousands, a share of them is enough; a campaign still asks for thousands.
"""

from hypothesis import settings


def one_in(share: int) -> settings:
    """Return settings for one example in `share`, 20 at least."""
    return settings(max_examples=max(settings().max_examples // share, 20))
