"""Meaning: which position of a bot a person means, and whether it is still meant.

Most bots have one. Where there are several that could be meant, the person is asked, and nothing
is done.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from trancher.seat import Seat
from trancher.store.commands import LASTS, Command, Deed

_SECOND: Final = timedelta(seconds=1)
_OPENS: Final = frozenset({Deed.ADD, Deed.ADOPT})
"""What may begin a position."""


def too_late(command: Command, *, age: timedelta) -> str | None:
    """Return, in words, why a command is not carried out any more; None where it is.

    Args:
        age: how long ago it was asked.
    """
    if command.deed is not Deed.ADD or age <= LASTS:
        return None
    asked, lasts = age // _SECOND, LASTS // _SECOND
    return f"found an entry asked for {asked} s ago, expected {lasts} s at most; nothing is bought"


def meant_by(command: Command, seats: Sequence[Seat]) -> Sequence[Seat] | str:
    """Return the places whose positions are meant; or, in words, why nobody can tell.

    A purchase, or a holding, that names no position is for the one that is open. Where none is, or
    where it names the one that would open next, it opens in the first place that is free.

    Args:
        seats: all of the bot.
    """
    active = [seat for seat in seats if seat.active]
    if command.position is not None:
        return _named(command, seats)
    if len(seats) == 1 or command.deed in {Deed.CANCEL, Deed.FLATTEN, Deed.REDUCE}:
        return seats
    choice = active
    if command.deed in {Deed.SELL, Deed.CORRECT}:
        choice = [seat for seat in active if seat.position.held > 0]
    if command.deed is Deed.UNDO:
        choice = [seat for seat in active if seat.position.undoable is not None]
    if len(choice) > 1:
        return f"found several positions, expected one of them by --position: {_ids(choice)}"
    if not choice and command.deed in _OPENS:
        return _free(seats)
    return choice


def _named(command: Command, seats: Sequence[Seat]) -> Sequence[Seat] | str:
    found = [seat for seat in seats if seat.active and seat.position.id == command.position]
    if found or command.deed not in _OPENS:
        # What is to be sold may have been sold meanwhile.
        return found
    free = _free(seats)
    if free and free[0].position.id == command.position:
        return free
    choice = [*(seat for seat in seats if seat.active), *free]
    return f"found no position {command.position}, expected one of {_ids(choice)}"


def _free(seats: Sequence[Seat]) -> Sequence[Seat]:
    """Return the first place where a position may open."""
    return [seat for seat in seats if not seat.active][:1]


def _ids(seats: Sequence[Seat]) -> str:
    return ", ".join(seat.position.id for seat in seats)
