"""The grammar of entries: plans, rungs and the conditions they wait for.

To add a plan: a model with its keys, its word in PLANS, and what it means in
expand_entry.py.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from trancher.app import amounts, words
from trancher.app.amounts import Share
from trancher.app.section import Listed, Section
from trancher.app.signal_grammar import IndicatorTest
from trancher.app.words import Mismatch
from trancher.core.conditions import Origin
from trancher.core.rungs import OnExcess

PLANS: Final = ("dca", "graduated", "signals", "ladder", "rungs")
EVENT: Final = words.text(words.WORD, expected='the name of an event such as "rsi_oversold"')


class Start(Section):
    """A condition on signals alone: one of the keys."""

    PLACE = "start"

    score: Annotated[Decimal | None, amounts.score()] = Field(
        default=None, description="The score of all signals is this or more."
    )
    signal: Annotated[str | None, EVENT] = Field(
        default=None, description="The named event has come and is still valid."
    )
    indicator: IndicatorTest | None = Field(default=None, description='Such as {rsi = "<30"}.')


class When(Start):
    """A condition: one of the keys, `from` beside drop or rise only."""

    PLACE = "a condition"

    flat: Annotated[bool | None, words.yes_or_no()] = Field(
        default=None, description="Whether there is no position."
    )
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
    every_one: Annotated[list[Self] | None, Listed("a list of conditions")] = Field(
        default=None, alias="all", description="Every one of these holds."
    )
    at_least_one: Annotated[list[Self] | None, Listed("a list of conditions")] = Field(
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

    when: When = Field(description="a table with one condition")
    size: Annotated[Decimal | Share, amounts.size()] = Field(description="Quote to spend.")
    repeat: Annotated[int, amounts.count(least=1, most=10_000)] = Field(
        default=1, description="How often it may be used in one position."
    )


class ScoreStep(Section):
    """One step of conviction."""

    PLACE = "a step"

    score: Annotated[Decimal, amounts.score()] = Field(description="The score to reach.")
    size: Annotated[Decimal | Share, amounts.size()] = Field(description="Quote to spend.")


class SignalStep(Section):
    """One event that adds once."""

    PLACE = "a step"

    signal: Annotated[str, EVENT] = Field(description="The name of the event.")
    size: Annotated[Decimal | Share, amounts.size()] = Field(description="Quote to spend.")


class Entry(Section):
    """What every entry plan has."""

    PLACE = "[bot.entry]"

    of: Annotated[str, words.one_of("max_position_size", "equity")] = Field(
        default="max_position_size", description='What a size such as "25%" is a share of.'
    )
    rebuild: Annotated[bool, words.yes_or_no()] = Field(
        default=False, description="Whether entries may follow after an exit has begun."
    )
    build_window: Annotated[timedelta | None, amounts.duration()] = Field(
        default=None, description="Building ends this long after the first entry fill."
    )
    on_excess: Annotated[str, words.one_of(*OnExcess)] = Field(
        default=OnExcess.REFUSE.value,
        description="Refuse a rung that is larger than the room left, or clip it to the room.",
    )
    rearm: Annotated[bool, words.yes_or_no()] = Field(
        default=False,
        description="Whether a rung is used again once the tranche it bought was sold by name.",
    )
    rearm_max: Annotated[int | None, amounts.count_or_off()] = Field(
        default=None, description="How often a rung is re-armed in one position."
    )
    rearm_cooldown: Annotated[timedelta | None, amounts.duration(zero=True)] = Field(
        default=None, description="From that sale on; absent: limits.tranche_cooldown."
    )
    order: Annotated[str, words.one_of("market", "limit")] = Field(
        default="market", description="Take what is there, or rest at a limit."
    )
    offset: Annotated[Decimal, amounts.ratio(least=0, below=100)] = Field(
        default=Decimal(0), description="How far below the price a limit order rests."
    )
    ttl: Annotated[timedelta | None, amounts.duration()] = Field(
        default=None, description="How long a limit order may rest."
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
    step_scale: Annotated[Decimal, amounts.number(above=0, most=100)] = Field(
        default=Decimal(1), description="Each step is this many times the one before."
    )
    volume_scale: Annotated[Decimal, amounts.number(above=0, most=100)] = Field(
        default=Decimal(1), description="Each size is this many times the one before."
    )
    max_safety: Annotated[int | None, amounts.count(least=1, most=100)] = Field(
        default=None, description="How many safety orders."
    )
    levels: Annotated[list[Level] | None, Listed("a list of {drop, size}")] = Field(
        default=None, description="The safety orders one by one, instead of the five keys above."
    )
    start: Start | None = Field(
        default=None, description="When the base order may come; absent: at once."
    )


class GraduatedEntry(Entry):
    """Adds with conviction: the lowest unused step that the score reaches, one at a time."""

    plan: Literal["graduated"]
    steps: Annotated[list[ScoreStep], Listed("a list of {score, size}")] = Field(
        description="The steps, in order of score."
    )


class SignalsEntry(Entry):
    """Each named event adds once."""

    plan: Literal["signals"]
    steps: Annotated[list[SignalStep], Listed("a list of {signal, size}")] = Field(
        description="The events, each once."
    )


class RungsEntry(Entry):
    """Any list of rungs."""

    plan: Literal["rungs"]
    rungs: Annotated[list[Rung], Listed("a list of {when, size, repeat}")] = Field(
        description="Asked in this order; the first that is due decides."
    )


def known_plan(value: object) -> object:
    """Refuse an entry without a plan, and let `rearm` say what it implies."""
    if not isinstance(value, dict):
        raise Mismatch(expected="a table")
    kinds = words.one_of(*PLANS)
    if "plan" not in value:
        raise Mismatch(at=("plan",), expected=kinds.expected)
    try:
        kinds.read(value["plan"])
    except Mismatch as problem:
        raise Mismatch(at=("plan",), expected=problem.expected, hint=problem.hint) from None
    return {"rebuild": True, **value} if value.get("rearm") is True else value


AnyEntry = DcaEntry | GraduatedEntry | SignalsEntry | LadderEntry | RungsEntry
