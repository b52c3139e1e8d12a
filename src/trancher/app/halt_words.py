"""Halts as people and programs read them."""

from trancher.app.output import Json, instant, money
from trancher.store.halts import Halt


def halt_document(one: Halt) -> dict[str, Json]:
    """Return a halt as a document."""
    return {
        "number": one.number,
        "scope": one.scope.value,
        "bot": one.bot,
        "target": one.target,
        "action": one.action.value,
        "share": money(one.share),
        "reason": one.reason,
        "at": instant(one.at),
    }


def halt_in_words(one: Halt) -> str:
    """Return what was stopped, and why."""
    what = one.bot or "all bots"
    target = "" if one.target is None else f", {one.scope.value} {one.target}"
    return f"halt {one.number}: {one.action.value} of {what}{target}, because of {one.reason}"
