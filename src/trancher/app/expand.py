"""From tables to values of the core, with every check of what keys mean together.

Whatever is impossible is refused here as a Mismatch, which says where below the table it stands.
"""

from decimal import Decimal

from trancher.app.amounts import Share
from trancher.app.configured import BotSettings, InstrumentTerms, instrument_of
from trancher.app.entries import AnyEntry, DcaEntry, LadderEntry, RungsEntry, Start, When
from trancher.app.fitting import fits_alone, indicators, opens
from trancher.app.grammar import BotSection, Exit, InstrumentSection, Limits
from trancher.app.locate import Path
from trancher.app.words import Mismatch
from trancher.core.conditions import (
    ALWAYS,
    All,
    AnyOf,
    Condition,
    Elapsed,
    Flat,
    Move,
    Origin,
)
from trancher.core.errors import InvalidInstrument, InvalidPlan
from trancher.core.instrument import FeeIn
from trancher.core.limits import BotLimits, ReserveFunds
from trancher.core.money import ONE, ZERO, percent
from trancher.core.order import BotName
from trancher.core.plans import SafetyLevel, dca, ladder, safety_levels
from trancher.core.rungs import EntryRung, ExitRule, Plan, StopLoss, TakeProfit, TimeStop
from trancher.core.tranches import Disposal

LADDER_KEYS = ("safety_size", "deviation", "max_safety", "step_scale", "volume_scale")


def expand_bot(section: BotSection) -> BotSettings:
    """Return the bot of a [[bot]] table.

    Raises:
        Mismatch: its keys contradict each other, or it could never trade.
    """
    limits = expand_limits(section.limits)
    entries = _entries(section.entry, limits)
    _signals_are_there(section, entries)
    _some_rung_can_open(section.entry, entries, limits)
    plan = Plan(entries=entries, exits=_exits(section.exit), rebuild=section.entry.rebuild)
    rsi = section.signals.rsi
    return BotSettings(
        name=BotName(section.name),
        symbol=section.symbol,
        strategy=section.entry.plan,
        timeframe=section.timeframe,
        signals={} if rsi is None else {"rsi": rsi.period},
        plan=plan,
        limits=limits,
        disposal=Disposal(section.exit.disposal),
    )


def expand_terms(symbol: str, section: InstrumentSection) -> InstrumentTerms:
    """Return what an [instrument] table says.

    Raises:
        Mismatch: no exchange could have such an instrument.
    """
    terms = InstrumentTerms(
        price_tick=section.price_tick,
        quantity_step=section.quantity_step,
        min_quantity=section.min_quantity,
        min_notional=section.min_notional,
        maker_fee=section.maker_fee,
        taker_fee=section.taker_fee,
        fee_in=None if section.fee_in is None else FeeIn(section.fee_in),
    )
    try:
        instrument_of(symbol, terms, price_tick=None)
    except InvalidInstrument as problem:
        raise Mismatch(expected=f"an instrument that can be: {problem}") from problem
    return terms


def expand_limits(section: Limits) -> BotLimits:
    """Return the limits of a [bot.limits] table.

    Raises:
        Mismatch: the smallest tranche is above what a tranche or a position may be.
    """
    smallest = section.min_tranche_size
    none_allowed = ZERO in {section.max_position_size, section.max_tranche_size}
    if none_allowed and "min_tranche_size" not in section.model_fields_set:
        smallest = None  # where nothing may be bought, the default minimum contradicts nobody
    for name in ("max_tranche_size", "max_position_size"):
        largest = getattr(section, name)
        if smallest is not None and largest is not None and smallest > largest:
            written = "min_tranche_size" in section.model_fields_set
            raise Mismatch(
                at=("limits", "min_tranche_size" if written else name),
                expected=f"at most {name}, which is {largest:f}"
                if written
                else f"at least min_tranche_size, which is {smallest:f}",
            )
    return BotLimits(
        max_position_size=section.max_position_size,
        max_tranches=section.max_tranches,
        min_tranche_size=smallest,
        max_tranche_size=section.max_tranche_size,
        tranche_cooldown=section.tranche_cooldown,
        reserve_funds=ReserveFunds(section.reserve_funds),
    )


def _entries(section: AnyEntry, limits: BotLimits) -> tuple[EntryRung, ...]:
    try:
        match section:
            case DcaEntry():
                return _dca(section, limits)
            case LadderEntry():
                return _ladder(section, limits)
            case RungsEntry():
                return tuple(
                    EntryRung(
                        label=f"rung {number}",
                        when=_condition(rung.when, ("entry", "rungs", number - 1, "when")),
                        size=_size(rung.size, limits, ("entry", "rungs", number - 1, "size")),
                        repeat=rung.repeat,
                    )
                    for number, rung in enumerate(section.rungs, start=1)
                )
    except InvalidPlan as problem:
        raise Mismatch(
            at=("entry",), found="a plan that cannot be", expected=f"another: {problem}"
        ) from problem


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
        size=_size(section.size, limits, ("entry", "size")),
        every=section.every,
        drop=section.drop,
        max_tranches=max(most, 1),
        start=_start(section.start),
    )


def _ladder(section: LadderEntry, limits: BotLimits) -> tuple[EntryRung, ...]:
    base = _size(section.base_size, limits, ("entry", "base_size"))
    levels = _safety_levels(section, limits)
    return ladder(base_size=base, levels=levels, start=_start(section.start))


def _safety_levels(section: LadderEntry, limits: BotLimits) -> tuple[SafetyLevel, ...]:
    written = [key for key in LADDER_KEYS if getattr(section, key) is not None]
    if section.levels is not None:
        if written:
            raise Mismatch(at=("entry", written[0]), expected="no such key beside levels")
        _deepening(section)
        return tuple(
            SafetyLevel(
                drop=level.drop,
                size=_size(level.size, limits, ("entry", "levels", index, "size")),
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
            safety_size=_size(section.safety_size, limits, ("entry", "safety_size")),
            deviation=section.deviation,
            step_scale=ONE if section.step_scale is None else section.step_scale,
            volume_scale=ONE if section.volume_scale is None else section.volume_scale,
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


def _start(section: Start | None) -> Condition:
    return ALWAYS if section is None else section.indicator.rsi


def _size(size: Decimal | Share, limits: BotLimits, at: Path) -> Decimal:
    if isinstance(size, Decimal):
        return size
    if limits.max_position_size is None:
        raise Mismatch(at=at, expected='quote, because limits.max_position_size is "off"')
    if limits.max_position_size == 0:
        raise Mismatch(at=at, expected="quote, because limits.max_position_size is 0")
    return size.ratio * limits.max_position_size


def _condition(when: When, at: Path) -> Condition:
    held = [key for key in _CONDITIONS if getattr(when, key) is not None]
    if len(held) != 1:
        raise Mismatch(
            at=at,
            found="several conditions in one table" if held else "no condition",
            expected="one of flat, indicator, drop, rise, elapsed, all, any",
            hint="write all = [{...}, {...}]" if held else "",
        )
    if when.origin is not None and held[0] not in {"drop", "rise"}:
        raise Mismatch(at=(*at, "from"), expected="it beside drop or rise only")
    origin = Origin.LAST_ENTRY if when.origin is None else Origin(when.origin)
    if when.flat is not None:
        return Flat(flat=when.flat)
    if when.indicator is not None:
        return when.indicator.rsi
    if when.drop is not None:
        return Move(by=-when.drop, origin=origin)
    if when.rise is not None:
        return Move(by=when.rise, origin=origin)
    if when.elapsed is not None:
        return Elapsed(after=when.elapsed)
    if when.every_one is not None:
        return All(conditions=_conditions(when.every_one, (*at, "all")))
    return AnyOf(conditions=_conditions(when.at_least_one or [], (*at, "any")))


_CONDITIONS = ("flat", "indicator", "drop", "rise", "elapsed", "every_one", "at_least_one")


def _conditions(whens: list[When], at: Path) -> tuple[Condition, ...]:
    return tuple(_condition(when, (*at, index)) for index, when in enumerate(whens))


def _signals_are_there(section: BotSection, entries: tuple[EntryRung, ...]) -> None:
    for index, rung in enumerate(entries):
        if "rsi" in indicators(rung.when) and section.signals.rsi is None:
            in_list = isinstance(section.entry, RungsEntry)
            raise Mismatch(
                at=("entry", "rungs", index, "when") if in_list else ("entry", "start"),
                found="the indicator rsi",
                expected="it as a signal too, such as rsi = {period = 14} in [bot.signals]",
            )


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
    if none_allowed(limits):
        return
    bounds = [fits_alone(rung, limits) for _, rung in openers]
    if None not in bounds:
        index, rung = openers[0]
        places: dict[type[AnyEntry], Path] = {
            DcaEntry: ("size",),
            LadderEntry: ("base_size",),
            RungsEntry: ("rungs", index, "size"),
        }
        raise Mismatch(
            at=("entry", *places[type(section)]),
            found=f"{rung.label} of {rung.size:f}, with which the plan can never fill",
            expected=f"a size inside {bounds[0]}",
        )


def none_allowed(limits: BotLimits) -> bool:
    """Say whether a limit of 0 allows no entry at all."""
    return 0 in {limits.max_position_size, limits.max_tranches, limits.max_tranche_size}


def _exits(section: Exit) -> tuple[ExitRule, ...]:
    """Return the full exits in order of priority, then the ladder in order of gain."""
    full: list[ExitRule] = []
    if section.stop_loss is not None:
        full.append(StopLoss(loss=section.stop_loss))
    if section.time_stop is not None:
        full.append(TimeStop(after=section.time_stop))
    return (*full, *_gains(section))


def _gains(section: Exit) -> tuple[TakeProfit, ...]:
    rungs = section.take_profit or []
    gain, sold = ZERO, ZERO
    for index, rung in enumerate(rungs):
        at: Path = ("exit", "take_profit", index)
        if rung.gain <= gain:
            before = f"the {percent(gain)} of the rung before it"
            raise Mismatch(at=(*at, "gain"), expected=f"a gain above {before}")
        if rung.sell is None and index + 1 < len(rungs):
            raise Mismatch(at=(*at, "sell"), expected='a share: "rest" is for the last rung')
        sold += ZERO if rung.sell is None else rung.sell
        if sold > ONE:
            expected = f"shares of at most 100 % in sum, which are {percent(sold)} here"
            raise Mismatch(at=(*at, "sell"), expected=expected)
        gain = rung.gain
    return tuple(TakeProfit(gain=rung.gain, share=rung.sell) for rung in rungs)
