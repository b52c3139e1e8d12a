"""Facts that grow: a frozen dataclass copied with some fields changed.

dataclasses.replace reads every field and runs the whole constructor again, which costs several
times the arithmetic of a booking. A copy of the instance's dict does the same for a class without
slots and without checks of its own. Type checkers see dataclasses.replace, and check every name.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:

    def changed(fact, /, **changes):
        """Return a copy of `fact` in which the fields named have the values given."""
        copy = object.__new__(type(fact))
        object.__setattr__(copy, "__dict__", fact.__dict__ | changes)
        return copy


__all__ = ["changed"]
