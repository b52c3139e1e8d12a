"""The grammar of exits, and what it means: from the table [bot.exit] to exit rules.

Whatever is impossible is refused as a Mismatch, which says where below the bot it stands.

To add an exit rule: its class in core/exits.py, and here its key in Exit, with a table of its own
where one value is not enough, and the rule that it makes in _rules or _gains.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from trancher.app import amounts, words
from trancher.app.amounts import Part
from trancher.app.expand_condition import scoreless
from trancher.app.locate import Path
from trancher.app.section import Listed, Section, Shorthand
from trancher.app.words import Mismatch
from trancher.core.claims import Over
from trancher.core.exits import (
    BreakEvenStop,
    ExitRule,
    SignalExit,
    StopLoss,
    TakeProfit,
    TimeStop,
    TrailingStop,
)
from trancher.core.money import ONE, ZERO, percent

_LOSS: Final = amounts.ratio(above=0, below=100)


class TakeProfitRung(Section):
    """One planned step out."""

    PLACE = "a take_profit rung"

    gain: Annotated[Decimal, amounts.ratio(above=0)] = Field(description="Above `over`.")
    sell: Annotated[Decimal | Part, amounts.sell_share()] = Field(
        description='A share of the peak quantity, "rest", or "tranche": the next one in turn.'
    )
    over: Annotated[str, words.one_of(*Over)] = Field(
        default=Over.ANCHOR.value, description="The price that the gain is measured from."
    )


class StopLossTable(Section):
    """A stop loss that says what it is measured from."""

    PLACE = "stop_loss"

    loss: Annotated[Decimal, _LOSS] = Field(description="Below `over`.")
    over: Annotated[str, words.one_of("anchor", "tranche")] = Field(
        default=Over.ANCHOR.value, description="The anchor, or each tranche's own entry price."
    )


class TrailingStopTable(Section):
    """A stop that follows the peak."""

    PLACE = "trailing_stop"

    activate: Annotated[Decimal, amounts.ratio(above=0)] = Field(
        description="The gain over the anchor from which on it follows."
    )
    trail: Annotated[Decimal, amounts.ratio(above=0, below=100)] = Field(
        description="How far below the peak it sells."
    )


class SignalExitTable(Section):
    """An exit by the score."""

    PLACE = "signal_exit"

    score: Annotated[Decimal, amounts.score()] = Field(description="Sell at this score or less.")
    sell: Annotated[Decimal | Part, amounts.sell_share()] = Field(
        default=Part.REST, description='A share of the peak quantity, or "rest".'
    )


class Exit(Section):
    """When to sell, and from which tranches."""

    PLACE = "[bot.exit]"

    take_profit: Annotated[list[TakeProfitRung] | None, Listed("a list of {gain, sell}")] = Field(
        default=None, description="The ladder out, in order of gain."
    )
    trailing_take_profit: Annotated[Decimal | None, amounts.ratio(above=0, below=100)] = Field(
        default=None,
        description="The last rung waits at its gain, and sells this far below the peak.",
    )
    stop_loss: Annotated[StopLossTable, Shorthand(key="loss", kind=_LOSS)] | None = Field(
        default=None, description="Sell this far below the anchor, or a table {loss, over}."
    )
    trailing_stop: TrailingStopTable | None = Field(
        default=None, description="A table {activate, trail}."
    )
    break_even_after: Annotated[Decimal | None, amounts.ratio(above=0)] = Field(
        default=None,
        description="After this gain over the anchor, sell all where the position breaks even.",
    )
    time_stop: Annotated[timedelta | None, amounts.duration()] = Field(
        default=None, description="Sell all this long after the first entry fill."
    )
    signal_exit: SignalExitTable | None = Field(default=None, description="A table {score, sell}.")
    reentry_cooldown: Annotated[timedelta, amounts.duration(zero=True)] = Field(
        default=timedelta(0), description="No entry for this long after a stop has sold."
    )
    disposal: Annotated[
        str, words.one_of("fifo", "lifo", "hifo", "average", later=("specific",))
    ] = Field(default="fifo", description="Which tranches a sale consumes in the books.")


def expand_exit(section: Exit, *, hears: bool, rearms: bool) -> tuple[ExitRule, ...]:
    """Return the exit rules of an [exit] table: in order of priority, then the ladder by gain.

    Args:
        hears: whether the bot listens to any signal.
        rearms: whether its entry rungs are re-armed.

    Raises:
        Mismatch: rungs contradict each other, or wait for what never comes.
    """
    rules = (*_rules(section, hears=hears), *_gains(section))
    if rearms and not any(_names_tranches(rule) for rule in rules):
        raise Mismatch(
            at=("entry", "rearm"),
            expected='an exit with over = "tranche" in [bot.exit], whose sale re-arms the rung',
        )
    return rules


def _names_tranches(rule: ExitRule) -> bool:
    return isinstance(rule, StopLoss | TakeProfit) and rule.over is Over.TRANCHE


def _rules(section: Exit, *, hears: bool) -> Iterator[ExitRule]:
    if section.stop_loss is not None:
        yield StopLoss(loss=section.stop_loss.loss, over=Over(section.stop_loss.over))
    if section.trailing_stop is not None:
        trailing = section.trailing_stop
        yield TrailingStop(activate=trailing.activate, trail=trailing.trail)
    if section.break_even_after is not None:
        yield BreakEvenStop(after=section.break_even_after)
    if section.time_stop is not None:
        yield TimeStop(after=section.time_stop)
    leaving = section.signal_exit
    if leaving is None:
        return
    if not hears:
        raise scoreless(("exit", "signal_exit", "score"))
    if leaving.sell is Part.TRANCHE:
        raise Mismatch(at=("exit", "signal_exit", "sell"), expected='a share, or "rest"')
    share = None if isinstance(leaving.sell, Part) else leaving.sell
    yield SignalExit(score=leaving.score, share=share)


def _gains(section: Exit) -> tuple[TakeProfit, ...]:
    rungs = section.take_profit or []
    _one_measure(rungs)
    gain, sold = ZERO, ZERO
    for index, rung in enumerate(rungs):
        if rung.gain <= gain:
            before = f"the {percent(gain)} of the rung before it"
            raise Mismatch(at=_at(index, "gain"), expected=f"a gain above {before}")
        if rung.sell is Part.REST and index + 1 < len(rungs):
            raise Mismatch(at=_at(index, "sell"), expected='a share: "rest" is for the last rung')
        sold += rung.sell if isinstance(rung.sell, Decimal) else ZERO
        if sold > ONE:
            expected = f"shares of at most 100 % in sum, which are {percent(sold)} here"
            raise Mismatch(at=_at(index, "sell"), expected=expected)
        gain = rung.gain
    rules = tuple(
        TakeProfit(
            gain=rung.gain,
            share=None if isinstance(rung.sell, Part) else rung.sell,
            over=Over(rung.over),
            one_tranche=rung.sell is Part.TRANCHE,
        )
        for rung in rungs
    )
    return _trailed(section, rules)


def _one_measure(rungs: list[TakeProfitRung]) -> None:
    """Refuse rungs that name tranches beside rungs that do not: one order cannot do both."""
    for index, rung in enumerate(rungs):
        over_tranche = rung.over == Over.TRANCHE
        if over_tranche is not (rungs[0].over == Over.TRANCHE):
            raise Mismatch(
                at=_at(index, "over"),
                expected='over = "tranche" in every rung of the ladder, or in none',
            )
        if over_tranche and rung.sell is Part.TRANCHE:
            raise Mismatch(
                at=_at(index, "sell"),
                expected='a share of the tranche, or "rest", because over = "tranche"',
            )


def _trailed(section: Exit, rules: tuple[TakeProfit, ...]) -> tuple[TakeProfit, ...]:
    trail = section.trailing_take_profit
    if trail is None:
        return rules
    at: Path = ("exit", "trailing_take_profit")
    if not rules:
        raise Mismatch(at=at, expected="take_profit beside it, whose last rung it trails")
    if rules[-1].over is not Over.ANCHOR:
        raise Mismatch(at=at, expected="a last rung of take_profit over the anchor")
    if rules[-1].one_tranche:
        raise Mismatch(at=at, expected='a last rung of take_profit that sells a share or "rest"')
    return (*rules[:-1], replace(rules[-1], trail=trail))


def _at(index: int, key: str) -> Path:
    return ("exit", "take_profit", index, key)
