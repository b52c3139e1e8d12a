"""Another configuration than the one that bots run with: the sentence that names what differs."""

from typing import Final

from trancher.app.changes import Change, changes
from trancher.app.configured import Settings
from trancher.app.output import BadInput
from trancher.app.settings import parse
from trancher.store.enrolling import OtherConfiguration

_NAMED: Final = 3
"""Keys that are named; a person who changed more knows that it is another configuration."""


def another_configuration(settings: Settings, other: OtherConfiguration) -> BadInput:
    """Return the problem of a configuration that is not the one its portfolio's bots run with."""
    try:
        before = parse(other.text, file=f"version {other.version}").meaning
    except BadInput:
        # Of another version of this program: what differs cannot be told, and it is another.
        return BadInput(str(other))
    found = changes(before, settings.meaning)
    named = [_in_words(one) for one in found[:_NAMED]]
    left = len(found) - len(named)
    more = [f"and {left} more"] if left else []
    return BadInput(
        f"{other.where}: found {other.found} (there and in {settings.file}: "
        f"{', '.join([*named, *more])}), expected {other.expected}"
    )


def _in_words(one: Change) -> str:
    whose = "" if one.bot is None else f"{one.bot} "
    return f"{whose}{one.key} {one.old or 'absent'} and {one.new or 'absent'}"
