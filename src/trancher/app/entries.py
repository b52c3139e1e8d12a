"""The grammar of entries: plans, rungs and the conditions they wait for.

To add a plan: a model with its keys, its word in PLANS, and what it means in expand.py.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from trancher.app import amounts, words
from trancher.app.amounts import Share
from trancher.app.section import Section, listed
from trancher.app.words import Mismatch
from trancher.core.conditions import Indicator, Origin

PLANS: Final = ("dca", "ladder", "rungs")
COMING_PLANS: Final = ("graduated", "signals")


class IndicatorTest(Section):
    """A comparison of an indicator's value on the last closed candle."""

    PLACE = "a comparison"

    rsi: Annotated[Indicator, amounts.comparison("rsi", least=0, most=100)] = Field(
        description='Such as "<30"; holds at every candle where it is true.'
    )


class Start(Section):
    """When the first entry may come."""

    PLACE = "start"

    indicator: IndicatorTest = Field(description='A table such as {rsi = "<30"}.')


class When(Section):
    """A condition: one of the keys, `from` beside drop or rise only."""

    PLACE = "a condition"

    flat: Annotated[bool | None, words.yes_or_no()] = Field(
        default=None, description="Whether there is no position."
    )
    indicator: IndicatorTest | None = Field(default=None, description='Such as {rsi = "<30"}.')
    drop: Annotated[Decimal | None, amounts.ratio(above=0, below=100)] = Field(
        default=None, description="The price is this much or more below `from`."
    )
    rise: Annotated[Decimal | None, amounts.ratio(above=0)] = Field(
        default=None, description="The price is this much or more above `from`."
    )
    origin: Annotated[str | None, words.one_of(*Origin)] = Field(
        default=None, alias="from", description="The price that drop and rise are measured from."
    )
    elapsed: Annotated[timedelta | None, amounts.duration()] = Field(
        default=None, description="This much time has passed since the last entry fill."
    )
    every_one: Annotated[list[Self] | None, listed("a list of conditions")] = Field(
        default=None, alias="all", description="Every one of these holds."
    )
    at_least_one: Annotated[list[Self] | None, listed("a list of conditions")] = Field(
        default=None, alias="any", description="At least one of these holds."
    )


class Level(Section):
    """One safety order."""

    PLACE = "a level"

    drop: Annotated[Decimal, amounts.ratio(above=-100_000, below=100, nonzero=True)] = Field(
        description="Below the base order's fill; negative lies above it."
    )
    size: Annotated[Decimal | Share, amounts.size()] = Field(description="Quote to spend.")


class Rung(Section):
    """One planned step in."""

    PLACE = "a rung"

    when: When = Field(description="A table with one condition.")
    size: Annotated[Decimal | Share, amounts.size()] = Field(description="Quote to spend.")
    repeat: Annotated[int, amounts.count(least=1, most=10_000)] = Field(
        default=1, description="How often it may be used in one position."
    )


class Entry(Section):
    """What every entry plan has."""

    PLACE = "[bot.entry]"

    rebuild: Annotated[bool, words.yes_or_no()] = Field(
        default=False, description="Whether entries may follow after an exit has begun."
    )


class DcaEntry(Entry):
    """Equal entries, one per interval or per drop of the price."""

    plan: Literal["dca"]
    size: Annotated[Decimal | Share, amounts.size()] = Field(description="Quote of each entry.")
    every: Annotated[timedelta | None, amounts.duration()] = Field(
        default=None, description="Time since the last entry fill."
    )
    drop: Annotated[Decimal | None, amounts.ratio(above=0, below=100)] = Field(
        default=None, description="How far the price is below the last entry."
    )
    max_tranches: Annotated[int | None, amounts.count(least=1, most=10_000)] = Field(
        default=None, description="Entries of one position; absent: limits.max_tranches."
    )
    start: Start | None = Field(
        default=None, description="When the first entry may come; absent: at once."
    )


class LadderEntry(Entry):
    """A base order and safety orders below it."""

    plan: Literal["ladder"]
    base_size: Annotated[Decimal | Share, amounts.size()] = Field(
        description="Quote of the first."
    )
    safety_size: Annotated[Decimal | Share | None, amounts.size()] = Field(
        default=None, description="Quote of the first safety order."
    )
    deviation: Annotated[Decimal | None, amounts.ratio(above=0, below=100)] = Field(
        default=None, description="From the base order's fill down to the first safety order."
    )
    step_scale: Annotated[Decimal | None, amounts.number(above=0, most=100)] = Field(
        default=None, description="Each step is this many times the one before; absent: 1."
    )
    volume_scale: Annotated[Decimal | None, amounts.number(above=0, most=100)] = Field(
        default=None, description="Each size is this many times the one before; absent: 1."
    )
    max_safety: Annotated[int | None, amounts.count(least=1, most=100)] = Field(
        default=None, description="How many safety orders."
    )
    levels: Annotated[list[Level] | None, listed("a list of {drop, size}")] = Field(
        default=None, description="The safety orders one by one, instead of the five keys above."
    )
    start: Start | None = Field(
        default=None, description="When the base order may come; absent: at once."
    )


class RungsEntry(Entry):
    """Any list of rungs."""

    plan: Literal["rungs"]
    rungs: Annotated[list[Rung], listed("a list of {when, size, repeat}")] = Field(
        description="Asked in this order; the first that is due decides."
    )


def known_plan(value: object) -> object:
    if not isinstance(value, dict):
        raise Mismatch(expected="a table")
    kinds = words.one_of(*PLANS, later=COMING_PLANS)
    if "plan" not in value:
        raise Mismatch(at=("plan",), expected=kinds.expected)
    try:
        kinds.read(value["plan"])
    except Mismatch as problem:
        raise Mismatch(at=("plan",), expected=problem.expected, hint=problem.hint) from None
    return value


AnyEntry = DcaEntry | LadderEntry | RungsEntry
