"""Outlook: what a bot does next, what it waits for, and what would refuse its next entry.

The answer is the core's own: the watch of the position, and the entry decision asked as if the
next rung were due. A limit that is added there is known here without another word.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trancher.app.bot_standing import BotStanding
from trancher.app.standing import Standing
from trancher.core.conditions import Look, Observation, Wait
from trancher.core.decide_entry import decide_entry
from trancher.core.decision import Kind
from trancher.core.limits import Refusal
from trancher.core.rungs import EntryRung
from trancher.core.signals import WILLING
from trancher.core.watch import Watch, watch
from trancher.store.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class NextEntry:
    """The entry that comes next.

    Attributes:
        waits: the ways in which its rung may become due; at least one.
        due: whether it is due now, so that only a refusal keeps it back.
        asked_at: the earliest time at which it may come, UTC.
        refusals: every limit that would refuse it then, as things stand.
    """

    rung: EntryRung
    waits: tuple[Wait, ...]
    due: bool
    asked_at: datetime
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a bot does next.

    Attributes:
        entry: None where the position takes no more.
        exits: what its position waits for to sell.
        arms: the prices, rising, from which on a rule that does not trail yet would.
        last_refusal: the latest entry of the bot that was refused, of those that are at hand.
    """

    entry: NextEntry | None
    exits: Watch
    arms: tuple[Decimal, ...]
    last_refusal: Record | None


def outlook(standing: Standing, one: BotStanding) -> Outlook:
    """Return what a bot does next."""
    refused = (
        record
        for record in one.records
        if record.last.kind is Kind.ENTRY and not record.last.accepted
    )
    peak_price = one.position.trailing_peak
    held = one.position.held > 0
    return Outlook(
        entry=_next_entry(standing, one),
        exits=watch(one.bot, one.position, peak_price),
        arms=tuple(sorted(one.bot.plan.arming(one.position, peak_price))) if held else (),
        last_refusal=next(refused, None),
    )


def _next_entry(standing: Standing, one: BotStanding) -> NextEntry | None:
    found = [
        (index, rung, waits)
        for index, rung in one.bot.plan.unused(one.position)
        if (waits := one.bot.plan.waits_of(one.position, index))
    ]
    if not found:
        return None
    due = [(*item, True) for item in found if any(_is_met(w, standing, one) for w in item[2])]
    index, rung, waits, is_due = (due or [(*found[0], False)])[0]
    first = waits[0]
    asked_at = standing.at if is_due else max(standing.at, first.at or standing.at)
    return NextEntry(
        rung=rung,
        waits=waits,
        due=is_due,
        asked_at=asked_at,
        refusals=_refusals(standing, one, index, wait=None if is_due else first, at=asked_at),
    )


def _is_met(wait: Wait, standing: Standing, one: BotStanding) -> bool:
    """Say whether a wait is over for certain; what indicators say now is not kept."""
    if wait.indicators or (wait.at is not None and wait.at > standing.at):
        return False
    if not wait.on_price:
        return True
    if one.price is None:
        return False
    low_enough = wait.below is None or one.price <= wait.below
    return low_enough and (wait.above is None or one.price >= wait.above)


def _refusals(
    standing: Standing, one: BotStanding, index: int, *, wait: Wait | None, at: datetime
) -> tuple[Refusal, ...]:
    """Return what the limits would say to rung `index`, were it due at `at`."""
    levels = () if wait is None else (wait.below, wait.above)
    price = next((level for level in (*levels, one.price) if level is not None), None)
    if price is None or price <= 0:
        return ()
    decision = decide_entry(
        replace(one.bot, plan=one.bot.plan.asking(index)),
        one.position,
        Observation(price=price, at=at, look=Look.EVERYTHING, readings=WILLING),
        past=one.past,
        usage=standing.usage(one, at),
        limits=standing.settings.portfolio.limits,
    )
    assert decision is not None
    return decision.refusals
