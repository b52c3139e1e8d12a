"""From the table [bot.entry] to a plan's rungs, with every check of what its keys mean together.

Whatever is impossible is refused here as a Mismatch, which says where below the bot it stands.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, assert_never

from trancher.app.amounts import Share
from trancher.app.entries import (
    AnyEntry,
    DcaEntry,
    GraduatedEntry,
    LadderEntry,
    RungsEntry,
    SignalsEntry,
)
from trancher.app.expand_condition import check_heard, condition, start_condition
from trancher.app.fitting import fits_alone, opens
from trancher.app.locate import Path
from trancher.app.signal_grammar import Signals
from trancher.app.words import OFF, Mismatch
from trancher.core.conditions import score_wanted
from trancher.core.errors import InvalidPlan
from trancher.core.limits import BotLimits
from trancher.core.money import percent
from trancher.core.plans import SafetyLevel, dca, graduated, ladder, safety_levels, signals
from trancher.core.rungs import EntryRung, LimitTerms, Of, OnExcess, Rearm
from trancher.core.signals import Temperature

LADDER_KEYS: Final = ("safety_size", "deviation", "max_safety", "step_scale", "volume_scale")


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """What a plan says of the way in; the attributes are those of rungs.Plan."""

    entries: tuple[EntryRung, ...]
    rebuild: bool
    rearm: Rearm | None
    limit: LimitTerms | None


def expand_entry(
    section: AnyEntry, limits: BotLimits, heard: Signals, *, least: str | None
) -> WayIn:
    """Return the way in that an [entry] table describes.

    Args:
        heard: the signals that the bot listens to.
        least: the lowest temperature at which a rung may buy, or "off"; None where nobody wrote
            it: then rungs that ask for a score need WARM.

    Raises:
        Mismatch: its keys contradict each other, or it could never trade.
    """
    try:
        entries = _rungs(section, limits)
    except InvalidPlan as problem:
        raise Mismatch(
            at=("entry",), found="a plan that cannot be", expected=f"another: {problem}"
        ) from problem
    for index, rung in enumerate(entries):
        check_heard(rung.when, _place_of_condition(section, index), heard)
    of = Of.EQUITY if section.of == "equity" else Of.QUOTE
    rungs = tuple(
        replace(rung, of=of, min_temperature=_least_temperature(rung, least)) for rung in entries
    )
    _some_rung_can_open(section, rungs, limits)
    return WayIn(
        entries=rungs,
        rebuild=_rebuilds(section),
        rearm=_rearm(section, limits),
        limit=_limit(section),
    )


def _least_temperature(rung: EntryRung, least: str | None) -> Temperature | None:
    if least is None:
        return None if score_wanted(rung.when) is None else Temperature.WARM
    return None if least == OFF else Temperature(least)


def _rebuilds(section: AnyEntry) -> bool:
    if section.rearm and not section.rebuild:
        raise Mismatch(at=("entry", "rebuild"), expected="true, which rearm = true implies")
    if section.rebuild and section.build_window is not None:
        because = "rearm" if section.rearm else "rebuild"
        raise Mismatch(
            at=("entry", "build_window"),
            expected=f"no such key beside {because} = true: it ends the building for good",
        )
    return section.rebuild


def _rearm(section: AnyEntry, limits: BotLimits) -> Rearm | None:
    if not section.rearm:
        for key in ("rearm_max", "rearm_cooldown"):
            if key in section.model_fields_set:
                raise Mismatch(at=("entry", key), expected="rearm = true beside it")
        return None
    cooldown = section.rearm_cooldown
    return Rearm(
        times=section.rearm_max,
        cooldown=limits.tranche_cooldown if cooldown is None else cooldown,
    )


def _limit(section: AnyEntry) -> LimitTerms | None:
    if section.order == "market":
        for key in ("offset", "ttl"):
            if key in section.model_fields_set:
                raise Mismatch(at=("entry", key), expected='order = "limit" beside it')
        return None
    if section.ttl is None:
        raise Mismatch(
            at=("entry", "ttl"), expected='how long a limit order may rest, such as "4h"'
        )
    return LimitTerms(offset=section.offset, ttl=section.ttl)


# ---- the plans


def _rungs(section: AnyEntry, limits: BotLimits) -> tuple[EntryRung, ...]:
    match section:
        case DcaEntry():
            return _dca(section, limits)
        case GraduatedEntry():
            return _graduated(section, limits)
        case SignalsEntry():
            return signals(
                [
                    (step.signal, _size(section, step.size, limits, _step(number, "size")))
                    for number, step in enumerate(section.steps)
                ]
            )
        case LadderEntry():
            return _ladder(section, limits)
        case RungsEntry():
            return tuple(
                EntryRung(
                    label=f"rung {number + 1}",
                    when=condition(rung.when, _rung(number, "when")),
                    size=_size(section, rung.size, limits, _rung(number, "size")),
                    repeat=rung.repeat,
                )
                for number, rung in enumerate(section.rungs)
            )
        case _:
            assert_never(section)


def _step(number: int, key: str) -> Path:
    return ("entry", "steps", number, key)


def _rung(number: int, key: str) -> Path:
    return ("entry", "rungs", number, key)


def _dca(section: DcaEntry, limits: BotLimits) -> tuple[EntryRung, ...]:
    most = limits.max_tranches if section.max_tranches is None else section.max_tranches
    if most is None:
        raise Mismatch(
            at=("entry", "max_tranches"),
            expected='a whole number, because limits.max_tranches is "off"',
        )
    if most != 1 and section.every is None and section.drop is None:
        raise Mismatch(
            at=("entry",), found="neither every nor drop", expected="every, drop, or both"
        )
    return dca(
        size=_size(section, section.size, limits, ("entry", "size")),
        every=section.every,
        drop=section.drop,
        max_tranches=max(most, 1),
        start=start_condition(section.start),
    )


def _graduated(section: GraduatedEntry, limits: BotLimits) -> tuple[EntryRung, ...]:
    before: Decimal | None = None
    for number, step in enumerate(section.steps):
        if before is not None and step.score <= before:
            raise Mismatch(
                at=_step(number, "score"),
                expected=f"a score above the {before:f} of the step before it",
            )
        before = step.score
    return graduated(
        [
            (step.score, _size(section, step.size, limits, _step(number, "size")))
            for number, step in enumerate(section.steps)
        ]
    )


def _ladder(section: LadderEntry, limits: BotLimits) -> tuple[EntryRung, ...]:
    base = _size(section, section.base_size, limits, ("entry", "base_size"))
    levels = _safety_levels(section, limits)
    return ladder(base_size=base, levels=levels, start=start_condition(section.start))


def _safety_levels(section: LadderEntry, limits: BotLimits) -> tuple[SafetyLevel, ...]:
    written = [key for key in LADDER_KEYS if key in section.model_fields_set]
    if section.levels is not None:
        if written:
            raise Mismatch(at=("entry", written[0]), expected="no such key beside levels")
        _deepening(section)
        return tuple(
            SafetyLevel(
                drop=level.drop,
                size=_size(section, level.size, limits, ("entry", "levels", index, "size")),
            )
            for index, level in enumerate(section.levels)
        )
    for key in ("safety_size", "deviation", "max_safety"):
        if getattr(section, key) is None:
            raise Mismatch(
                at=("entry", key), expected="safety_size, deviation and max_safety, or levels"
            )
    assert section.safety_size is not None
    assert section.deviation is not None
    assert section.max_safety is not None
    try:
        return safety_levels(
            safety_size=_size(section, section.safety_size, limits, ("entry", "safety_size")),
            deviation=section.deviation,
            step_scale=section.step_scale,
            volume_scale=section.volume_scale,
            max_safety=section.max_safety,
        )
    except InvalidPlan as problem:
        raise Mismatch(
            at=("entry", "max_safety"), expected=f"a ladder that can be: {problem}"
        ) from problem


def _deepening(section: LadderEntry) -> None:
    """Refuse levels that do not lie farther from the base order, each side for itself."""
    reached: dict[bool, Decimal] = {}
    for index, level in enumerate(section.levels or ()):
        below = level.drop > 0
        before = reached.get(below)
        if before is not None and abs(level.drop) <= abs(before):
            raise Mismatch(
                at=("entry", "levels", index, "drop"),
                expected=f"a level farther out than the {percent(before)} before it",
            )
        reached[below] = level.drop


def _size(section: AnyEntry, size: Decimal | Share, limits: BotLimits, at: Path) -> Decimal:
    """Return quote, or where the plan's sizes are shares of equity that ratio."""
    if section.of == "equity":
        if isinstance(size, Decimal):
            raise Mismatch(at=at, expected='a share such as "2%", because of = "equity"')
        return size.ratio
    if isinstance(size, Decimal):
        return size
    if limits.max_position_size is None:
        raise Mismatch(at=at, expected='quote, because limits.max_position_size is "off"')
    if limits.max_position_size == 0:
        raise Mismatch(at=at, expected="quote, because limits.max_position_size is 0")
    return size.ratio * limits.max_position_size


# ---- what has to come together


def _place_of_condition(section: AnyEntry, index: int) -> Path:
    match section:
        case RungsEntry():
            return _rung(index, "when")
        case GraduatedEntry():
            return _step(index, "score")
        case SignalsEntry():
            return _step(index, "signal")
        case DcaEntry() | LadderEntry():
            return ("entry", "start")
        case _:
            assert_never(section)


def _some_rung_can_open(
    section: AnyEntry, entries: tuple[EntryRung, ...], limits: BotLimits
) -> None:
    """Refuse a plan that can never begin, unless a limit of 0 says that it must not."""
    openers = [(index, rung) for index, rung in enumerate(entries) if opens(rung.when)]
    if not openers:
        raise Mismatch(
            at=("entry", "rungs"),
            found="only rungs that wait for an earlier entry",
            expected="one that can begin a position, such as {when = {flat = true}, ...}",
        )
    if none_allowed(limits) or section.of == "equity":
        return
    bounds = [fits_alone(rung, limits, OnExcess(section.on_excess)) for _, rung in openers]
    if None not in bounds:
        index, rung = openers[0]
        raise Mismatch(
            at=_place_of_size(section, index),
            found=f"{rung.label} of {rung.size:f}, with which the plan can never fill",
            expected=f"a size inside {bounds[0]}",
        )


def _place_of_size(section: AnyEntry, index: int) -> Path:
    match section:
        case DcaEntry():
            return ("entry", "size")
        case LadderEntry():
            return ("entry", "base_size")
        case RungsEntry():
            return _rung(index, "size")
        case GraduatedEntry() | SignalsEntry():
            return _step(index, "size")
        case _:
            assert_never(section)


def none_allowed(limits: BotLimits) -> bool:
    """Say whether a limit of 0 allows no entry at all."""
    return 0 in {limits.max_position_size, limits.max_tranches, limits.max_tranche_size}
