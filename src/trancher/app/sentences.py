"""Sentences: one for each bot, saying what it holds, what it waits for, and what is in its way.

A refusal is told with what was measured, the limit, and the time or the condition that ends it.
To add a code: a line in WORDS, a clause that goes on after "because".
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.app.bot_standing import BotStanding
from trancher.app.outlook import NextEntry, Outlook
from trancher.app.refusal_words import amount, extent
from trancher.app.standing import Standing
from trancher.app.tables import counted, exactly, price, quote
from trancher.core.conditions import Indicator, Wait
from trancher.core.lifecycle import State
from trancher.core.limits import Refusal, RefusalCode
from trancher.core.money import exact, quotient
from trancher.core.order import BY_HAND
from trancher.core.signals import EVENT
from trancher.store.records import Record

_FRACTION: Final = re.compile(r"\.[0-9]+")
_ENDS_IN_AMOUNT: Final = {
    RefusalCode.MAX_POSITION_SIZE,
    RefusalCode.MAX_EXPOSURE,
    RefusalCode.SYMBOL_CAP,
    RefusalCode.MAX_DRAWDOWN,
    RefusalCode.INSUFFICIENT_FUNDS,
}
"""What lifts these may be a condition whose last word is an amount, in quote."""
WORDS: Final = {
    RefusalCode.MAX_POSITION_SIZE: "it would bring the position to {measured} {currency}, "
    "{missing} above the limit of {limit}",
    RefusalCode.MAX_TRANCHES: "it would be tranche {measured} of at most {limit}",
    RefusalCode.MIN_TRANCHE_SIZE: "the smallest tranche allowed is {limit} {currency}",
    RefusalCode.MAX_TRANCHE_SIZE: "the largest tranche allowed is {limit} {currency}",
    RefusalCode.COOLDOWN: "its cooldown of {limit}{after} began {measured} before",
    RefusalCode.MIN_TEMPERATURE: "the score of {measured} is below the {limit} it needs",
    RefusalCode.UNCONFIRMED: "the score has been as low as {measured}, below the {limit} it needs",
    RefusalCode.MAX_DAILY_LOSS: "the day has lost {measured} {currency} of at most {limit}",
    RefusalCode.LOSING_STREAK: "{measured} positions in a row were closed at a loss today, of at "
    "most {limit}",
    RefusalCode.MAX_DRAWDOWN: "equity is {measured} below its peak, of at most {limit}",
    RefusalCode.MAX_EXPOSURE: "it would bring what all bots hold and buy to {measured} "
    "{currency}, {missing} above the limit of {limit}",
    RefusalCode.SYMBOL_CAP: "it would bring what all bots hold and buy of its symbol to "
    "{measured} {currency}, {missing} above the limit of {limit}",
    RefusalCode.MAX_ACTIVE_POSITIONS: "it would be active position {measured} of at most "
    "{limit}{beside}",
    RefusalCode.MAX_POSITIONS: "it would be position {measured} of the bot, of at most {limit}",
    RefusalCode.MAX_DAILY_TRADES: "with it and the exits kept back the day would have {measured} "
    "trades of at most {limit}",
    RefusalCode.INSUFFICIENT_FUNDS: "{limit} {currency} is needed, its fee and the rungs to come "
    "included, and {measured} is free",
    RefusalCode.ENTRY_IN_FLIGHT: "an entry order is still working",
    RefusalCode.NOT_BUILDING: "it is not building",
    RefusalCode.PAUSED: "it is paused",
    RefusalCode.EMERGENCY_STOP: "an emergency stop holds it",
    RefusalCode.RECONCILIATION_BREAK: "its books are not what its journal says",
    RefusalCode.STALE_SIGNAL: "the signal is {measured} old, and what it says counts for {limit}",
    RefusalCode.DUPLICATE_SIGNAL: "another signal had the same key",
    RefusalCode.MIN_NOTIONAL: "{measured} {currency} is below the exchange's minimum of {limit}",
    RefusalCode.MIN_QUANTITY: "{measured} is below the exchange's smallest quantity of {limit}",
}


AFTER: Final = {"tranche_cooldown": " after an entry", "reentry_cooldown": " after a stop"}
"""What a cooldown runs after, by its key."""


def why(standing: Standing, one: BotStanding, seen: Outlook) -> str:
    """Return why a bot is not buying now and when that ends, in one sentence."""
    parts = [f"{one.label} {holds(one)}", _entry(standing, one, seen)]
    leaving = sells(one, seen)
    if leaving:
        parts.append(leaving)
    return "; ".join(parts) + "."


def holds(one: BotStanding) -> str:
    """Return what a bot holds."""
    book = one.position.book
    if not book.open_quantity:
        return "holds nothing"
    instrument = one.position.instrument
    return (
        f"holds {exactly(book.open_quantity)} {instrument.base}, bought for "
        f"{quote(book.open_cost)} {instrument.quote} in {counted(len(book.open), 'tranche')}"
    )


def _entry(standing: Standing, one: BotStanding, seen: Outlook) -> str:
    entry = seen.entry
    if entry is None:
        return _no_entry(one)
    what = f"{quote(entry.rung.size)} {one.position.instrument.quote} ({entry.rung.label})"
    against = "; and ".join(reason(standing, one, refusal) for refusal in entry.refusals)
    if entry.due:
        return (
            f"it does not buy {what} because {against}"
            if against
            else (f"it buys {what} at the next candle")
        )
    said = f"it waits to buy {what} {waiting(entry, one.price, standing.at)}"
    if against:
        said += f"; as things stand it would be refused then because {against}"
    if entry.waits[0].indicators and seen.last_refusal is not None:
        said += f"; {last_refused(seen.last_refusal)}"
    return said


def _no_entry(one: BotStanding) -> str:
    position = one.position
    if position.state is State.CLOSING:
        return (
            "it buys no more until this position is closed, because it is selling all "
            f"({position.closing_reason})"
        )
    used = sum(uses for rung, uses in position.rung_uses.items() if rung != BY_HAND)
    if position.state is State.BUILDING or used == sum(r.repeat for r in one.bot.plan.entries):
        why_not = f"its ladder is used up ({used} of {used})"
    elif not position.rung_uses:
        why_not = "it began with a holding that was adopted"
    else:
        why_not = "a sale has ended its building"
    return f"it buys no more until this position is closed, because {why_not}"


def last_refused(record: Record) -> str:
    """Return when an entry was last refused, and by which codes."""
    codes = ", ".join(refusal.code.value for refusal in record.last.refusals)
    often = "" if record.count == 1 else f" for the {_ordinal(record.count)} time in a row"
    return f"it was last refused at {moment(record.last.at)}{often} ({codes})"


def _ordinal(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number:,}{suffix or 'th'}"


def waiting(entry: NextEntry, now: Decimal | None, at: datetime) -> str:
    """Return what an entry waits for.

    Args:
        now: the last price, quote per base.
        at: now, UTC.
    """
    return ", or ".join(_wait(wait, now, at) for wait in entry.waits)


def _wait(wait: Wait, now: Decimal | None, at: datetime) -> str:
    parts: list[str] = []
    if wait.below is not None:
        parts.append(f"at or below {level(wait.below, now)}")
    if wait.above is not None:
        parts.append(f"at or above {level(wait.above, now)}")
    if wait.at is not None and wait.at > at:
        parts.append(f"from {moment(wait.at)} on")
    if wait.indicators:
        parts.append(f"once {' and '.join(map(_asked, wait.indicators))}")
    return ", ".join(parts) or "at the next candle"


def _asked(one: Indicator) -> str:
    """Return what has to hold of a signal, in words."""
    if one.name.startswith(EVENT):
        return f"the signal {one.name.removeprefix(EVENT)} comes"
    return f"{one.name} {one.comparison} {one.threshold:f}"


def sells(one: BotStanding, seen: Outlook) -> str | None:
    """Return what a position waits for to sell, or None where nothing is held."""
    if not one.position.held or one.position.state is State.CLOSING:
        return None
    exits = seen.exits
    parts = [f"at or above {level(gain, one.price)}" for gain in exits.gains[:1]]
    if exits.stop is not None:
        parts.append(f"at or below {level(exits.stop, one.price)}")
    parts.extend(
        f"on the way down once {level(price, one.price)} was reached" for price in seen.arms[:1]
    )
    if exits.time_stop is not None:
        parts.append(f"from {moment(exits.time_stop)} on")
    asked = (one for wait in exits.exits for one in wait.indicators)
    parts.extend(f"once {_asked(one)}" for one in asked)
    return f"it sells {', or '.join(parts)}" if parts else "no rule would sell"


def reason(standing: Standing, one: BotStanding, refusal: Refusal) -> str:
    """Return why an entry is refused, and until when."""
    currency = one.position.instrument.quote
    return f"{_measured(standing, one, refusal)}, {until(refusal, currency=currency)}"


def outcome(refusal: Refusal, *, currency: str) -> str:
    """Return a refusal for a table: its code, what was measured against what, and until when."""
    return f"{extent(refusal, currency=currency)}, {until(refusal, currency=currency)}"


def until(refusal: Refusal, *, currency: str) -> str:
    """Return the time or the condition that ends a refusal, or both."""
    ends = [] if refusal.unblocks_at is None else [moment(refusal.unblocks_at)]
    if refusal.unblocks_when is not None:
        when = _FRACTION.sub(_without_idle_zeros, refusal.unblocks_when)
        named = refusal.code in _ENDS_IN_AMOUNT and when[-1].isdigit()
        ends.append(f"{when} {currency}" if named else when)
    return "until " + " and until ".join(ends)


def _without_idle_zeros(fraction: re.Match[str]) -> str:
    return fraction[0].rstrip("0").rstrip(".")


def _measured(standing: Standing, one: BotStanding, refusal: Refusal) -> str:
    others = ", ".join(dict.fromkeys(other.settings.name for other in standing.active))
    return WORDS[refusal.code].format(
        measured=amount(refusal.measured, refusal.unit),
        limit=amount(refusal.limit, refusal.unit),
        missing=amount(refusal.missing, refusal.unit),
        currency=one.position.instrument.quote,
        beside=f" beside {others}" if others else "",
        after="" if refusal.key is None else AFTER[refusal.key],
    )


@exact
def level(target: Decimal, now: Decimal | None) -> str:
    """Return a price, and how far away it is."""
    away = None if not now else quotient(target - now, now)
    return price(target) + ("" if away is None else f" ({away * 100:+.1f} %)")


def moment(at: datetime) -> str:
    """Return a time for people, to the minute, or to the second where that says more."""
    utc = at.astimezone(UTC)
    whole = utc.second == 0 and utc.microsecond == 0
    return f"{utc:%Y-%m-%d %H:%M} UTC" if whole else f"{utc:%Y-%m-%d %H:%M:%S} UTC"
