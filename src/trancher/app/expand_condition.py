"""From condition tables to conditions of the core, and whether somebody listens to what they ask.

Whatever is impossible is refused here as a Mismatch, which says where below the bot it stands.
"""

from typing import Final

from trancher.app.entries import Start, When
from trancher.app.fitting import asked_of_signals
from trancher.app.locate import Path
from trancher.app.nearest import nearest
from trancher.app.signal_grammar import EVENTS, IndicatorTest, Signals
from trancher.app.words import Mismatch
from trancher.core.conditions import (
    ALWAYS,
    All,
    AnyOf,
    Condition,
    Elapsed,
    Flat,
    Indicator,
    Move,
    Origin,
    Score,
    Signal,
)

_CONDITIONS: Final = (
    *("flat", "score", "signal", "indicator", "drop", "rise", "elapsed"),
    *("every_one", "at_least_one"),
)


def start_condition(section: Start | None) -> Condition:
    """Return what a first entry waits for; nothing where no table says so.

    Raises:
        Mismatch: the table holds no condition, or several.
    """
    if section is None:
        return ALWAYS
    found = _signal_condition(section, ("entry", "start"), kinds="score, signal, indicator")
    if found is None:
        raise Mismatch(
            at=("entry", "start"),
            found="no condition",
            expected="one of score, signal, indicator",
        )
    return found


def _signal_condition(section: Start, at: Path, *, kinds: str) -> Condition | None:
    """Return the condition on signals that a table holds; None where it holds none."""
    held = [key for key in ("score", "signal", "indicator") if getattr(section, key) is not None]
    if len(held) > 1:
        raise Mismatch(at=at, found="several conditions in one table", expected=f"one of {kinds}")
    if section.score is not None:
        return Score(least=section.score)
    if section.signal is not None:
        return Signal(name=section.signal)
    if section.indicator is not None:
        return _indicator(section.indicator, (*at, "indicator"))
    return None


def _indicator(section: IndicatorTest, at: Path) -> Indicator:
    tests = [getattr(section, name) for name in IndicatorTest.model_fields]
    given: list[Indicator] = [one for one in tests if one is not None]
    if len(given) != 1:
        raise Mismatch(
            at=at,
            found="several comparisons in one table" if given else "no comparison",
            expected="one of " + ", ".join(IndicatorTest.model_fields),
        )
    return given[0]


def condition(when: When, at: Path) -> Condition:
    """Return the one condition of a table.

    Args:
        at: where the table stands, below the bot.

    Raises:
        Mismatch: it holds none, or several.
    """
    held = [key for key in _CONDITIONS if getattr(when, key) is not None]
    kinds = "flat, score, signal, indicator, drop, rise, elapsed, all, any"
    if len(held) != 1:
        raise Mismatch(
            at=at,
            found="several conditions in one table" if held else "no condition",
            expected=f"one of {kinds}",
            hint="write all = [{...}, {...}]" if held else "",
        )
    if when.origin is not None and held[0] not in {"drop", "rise"}:
        raise Mismatch(at=(*at, "from"), expected="it beside drop or rise only")
    origin = Origin.LAST_ENTRY if when.origin is None else Origin(when.origin)
    of_signals = _signal_condition(when, at, kinds=kinds)
    if of_signals is not None:
        return of_signals
    if when.flat is not None:
        return Flat(flat=when.flat)
    if when.drop is not None:
        return Move(by=-when.drop, origin=origin)
    if when.rise is not None:
        return Move(by=when.rise, origin=origin)
    if when.elapsed is not None:
        return Elapsed(after=when.elapsed)
    if when.every_one is not None:
        return All(conditions=_conditions(when.every_one, (*at, "all")))
    return AnyOf(conditions=_conditions(when.at_least_one or [], (*at, "any")))


def _conditions(whens: list[When], at: Path) -> tuple[Condition, ...]:
    return tuple(condition(when, (*at, index)) for index, when in enumerate(whens))


def check_heard(waits_for: Condition, at: Path, heard: Signals) -> None:
    """Refuse a condition that asks for a signal to which nobody listens.

    Args:
        at: where the condition stands, below the bot.
        heard: the signals that the bot listens to.

    Raises:
        Mismatch: one that no signal of the bot can give.
    """
    events = [event for name in heard.built_in for event in EVENTS[name]]
    for one in asked_of_signals(waits_for):
        match one:
            case Indicator() if one.name not in heard.built_in:
                raise Mismatch(
                    at=at,
                    found=f"the indicator {one.name}",
                    expected=f"it as a signal too, such as {one.name} = {{}} in [bot.signals]",
                )
            case Signal() if one.name not in events and not heard.external:
                raise _unheard(one.name, at, events)
            case Score() if not heard.built_in and not heard.external:
                raise scoreless(at)
            case _:
                pass


def scoreless(at: Path) -> Mismatch:
    """Return what is wrong with a score that no signal makes."""
    return Mismatch(
        at=at,
        found="a score without any signal",
        expected="at least one in [bot.signals], such as rsi = {}",
    )


def _unheard(name: str, at: Path, events: list[str]) -> Mismatch:
    source = next((source for source, named in EVENTS.items() if name in named), None)
    if source is not None:
        expected = f"its signal too, such as {source} = {{}} in [bot.signals]"
        return Mismatch(at=at, found=f"the event {name}", expected=expected)
    known = events or [event for named in EVENTS.values() for event in named]
    meant = nearest(name, known)
    return Mismatch(
        at=at,
        found=f"the event {name}",
        expected=f"one of {', '.join(known)}, or a signal in [bot.signals.external]",
        hint=f"did you mean {meant}?" if meant else "",
    )
