"""From tables to values of the core, with every check of what keys mean together.

Whatever is impossible is refused here as a Mismatch, which says where below the table it stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trancher.app.configured import (
    BotSettings,
    ExternalSetting,
    InstrumentTerms,
    SignalSetting,
    SignalSettings,
    instrument_of,
)
from trancher.app.entries import AnyEntry
from trancher.app.exit_grammar import expand_exit
from trancher.app.expand_entry import expand_entry
from trancher.app.grammar import BotSection, InstrumentSection, StrategySection
from trancher.app.signal_grammar import Signals, SignalSection
from trancher.app.words import Mismatch
from trancher.core.errors import InvalidInstrument
from trancher.core.instrument import FeeIn
from trancher.core.limits import BotLimits, ReserveFunds
from trancher.core.money import ZERO
from trancher.core.order import BotName
from trancher.core.rungs import OnExcess, Plan
from trancher.core.signals import Thermometer
from trancher.core.tranches import Disposal


def expand_bot(section: BotSection) -> BotSettings:
    """Return the bot of a [[bot]] table.

    Raises:
        Mismatch: its keys contradict each other, or it could never trade.
    """
    _cross_checked(section.signals)
    if section.strategy is None:
        assert section.entry is not None
        return _expanded(section, section.entry, name=section.entry.plan)
    _told_apart(section, section.strategy)
    first, *others = _strategies(section, section.strategy)
    return replace(first, others=tuple(others))


def _told_apart(section: BotSection, strategies: Sequence[StrategySection]) -> None:
    """Refuse strategies of one name, and more positions than there are strategies."""
    names: set[str] = set()
    for index, one in enumerate(strategies):
        if one.name in names:
            at = ("strategy", index, "name")
            raise Mismatch(at=at, expected="a name that no other strategy of the bot has")
        names.add(one.name)
    several = len(strategies) > 1
    if several and section.max_positions is not None and section.max_positions > len(strategies):
        raise Mismatch(
            at=("max_positions",),
            expected=f"at most {len(strategies)}, for each strategy has one position at a time",
        )


def _strategies(
    section: BotSection, strategies: Sequence[StrategySection]
) -> Iterator[BotSettings]:
    """Yield the bot with each of its strategies."""
    alone = zip(section.strategies, strategies, strict=True)
    for index, (of_one, one) in enumerate(alone):
        try:
            yield _expanded(of_one, one.entry, name=one.name)
        except Mismatch as problem:
            if problem.at[:1] not in {("entry",), ("exit",)}:
                raise
            raise Mismatch(
                at=("strategy", index, *problem.at),
                expected=problem.expected,
                found=problem.found,
                hint=problem.hint,
            ) from None


def _expanded(section: BotSection, entry: AnyEntry, *, name: str) -> BotSettings:
    """Return the bot of a table with one entry and one exit.

    Args:
        name: of its strategy.
    """
    heard = section.signals
    limits = expand_limits(section)
    way_in = expand_entry(entry, limits, heard, least=section.limits.min_temperature)
    hears = bool(heard.built_in or heard.external)
    return BotSettings(
        name=BotName(section.name),
        symbol=section.symbol,
        strategy=name,
        timeframe=section.timeframe,
        signals=_signals(heard),
        thermometer=_thermometer(heard),
        plan=Plan(
            entries=way_in.entries,
            exits=expand_exit(section.exit, hears=hears, rearms=way_in.rearm is not None),
            rebuild=way_in.rebuild,
            build_window=entry.build_window,
            on_excess=OnExcess(entry.on_excess),
            rearm=way_in.rearm,
            limit=way_in.limit,
        ),
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


def expand_limits(bot: BotSection) -> BotLimits:
    """Return the limits of a bot: those of [bot.limits], and what other tables say of entries.

    Raises:
        Mismatch: the smallest tranche is above what a tranche or a position may be.
    """
    section = bot.limits
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
        reentry_cooldown=bot.exit.reentry_cooldown,
        confirm=bot.signals.confirm,
        reserve_funds=ReserveFunds(section.reserve_funds),
        max_positions=bot.max_positions or 1,
    )


def _cross_checked(heard: Signals) -> None:
    """Refuse parameters of a signal that contradict each other."""
    for name, section in heard.built_in.items():
        for low, high in (("fast", "slow"), ("oversold", "overbought")):
            smaller, larger = getattr(section, low, None), getattr(section, high, None)
            if smaller is None or larger is None or smaller < larger:
                continue
            written = low in section.model_fields_set
            raise Mismatch(
                at=("signals", name, low if written else high),
                expected=f"less than {high}, which is {larger}"
                if written
                else f"more than {low}, which is {smaller}",
            )


def _thermometer(heard: Signals) -> Thermometer:
    bands = heard.temperature
    if not bands.cool < bands.warm < bands.hot:
        raise Mismatch(
            at=("signals", "temperature"),
            found=f"cool {bands.cool:f}, warm {bands.warm:f}, hot {bands.hot:f}",
            expected="cool below warm below hot",
        )
    return Thermometer(
        cool=bands.cool, warm=bands.warm, hot=bands.hot, hysteresis=heard.hysteresis
    )


def _signals(heard: Signals) -> SignalSettings:
    return SignalSettings(
        built_in={
            name: SignalSetting(
                parameters={
                    key: getattr(section, key)
                    for key in type(section).model_fields
                    if key not in SignalSection.model_fields
                },
                weight=section.weight,
                max_age=section.max_age,
            )
            for name, section in heard.built_in.items()
        },
        external={
            name: ExternalSetting(weight=section.weight, max_age=section.max_age)
            for name, section in heard.external.items()
        },
    )
