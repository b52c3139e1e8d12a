"""Which run a look is about, and how it goes on, for people and for programs."""

from datetime import UTC, datetime
from typing import Final

from trancher.app.output import Json
from trancher.store.entries import RunKind
from trancher.store.reading import Run
from trancher.store.under_way import Going

_GOES_ON: Final = ", the same command goes on"
_WORDS: Final = {
    Going.OVER: "over",
    Going.GOING_ON: "going on in {owners}",
    Going.STOPPED: f"stopped before its end{_GOES_ON}",
    Going.LEFT: f"left by a process that died{_GOES_ON}",
    Going.UNFINISHED: "not over: it is being done, or was killed",
}
_SHORT: Final = {
    Going.LEFT: "left by a process that died",
    Going.STOPPED: "stopped before its end",
}


def going(run: Run) -> Going:
    """Return how a run goes on now."""
    if run.finished_at is not None:
        return Going.OVER
    return Going.UNFINISHED if run.under_way is None else run.under_way.going(_now())


def owners(run: Run) -> tuple[str, ...]:
    """Return the processes that run bots of a run now."""
    return () if run.under_way is None else run.under_way.owners(_now())


def going_in_words(run: Run) -> str:
    """Return how a run goes on now, as a clause."""
    return _WORDS[going(run)].format(owners=", ".join(owners(run)))


def going_document(run: Run) -> dict[str, Json]:
    """Return how a run goes on now, as a part of a document."""
    return {
        "state": going(run).value,
        "runs": list(run.together or (run.id,)),
        "processes": list(owners(run)),
    }


def so_far(run: Run) -> str:
    """Return up to where a look at a run reaches."""
    state = going(run)
    if state is Going.OVER:
        return f"the end of {numbers(run)}"
    return f"as far as {numbers(run)} came, {_SHORT.get(state, state.value)}"


def numbers(run: Run) -> str:
    """Return a run by its number, with those of the other bots that it is shown with."""
    ids = sorted(run.together or (run.id,))
    if len(ids) == 1:
        return f"run {ids[0]}"
    if ids[-1] - ids[0] == len(ids) - 1 > 1:
        return f"runs {ids[0]} to {ids[-1]}"
    return f"runs {', '.join(map(str, ids))}"


def title_of(run: Run) -> str:
    """Return what the report of a run is called."""
    state = going(run)
    so_far = "" if state is Going.OVER else f", so far ({state.value})"
    what = "Bots" if run.kind is RunKind.RUN else "Backtest"
    return f"{what} of {run.portfolio}{so_far}"


def _now() -> datetime:
    return datetime.now(UTC)
