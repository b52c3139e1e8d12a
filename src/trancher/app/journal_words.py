"""Journal entries in words, one line each; the whole entry is in the JSON."""

from typing import assert_never

from trancher.app.tables import exactly, price, quote
from trancher.core.events import (
    Adopted,
    BuildingEnded,
    Corrected,
    DustBooked,
    EntryAccepted,
    Event,
    ExitAccepted,
    Filled,
    Marked,
    OrderEnded,
    Undone,
)
from trancher.store.entries import (
    Decided,
    Entry,
    RunFinished,
    RunStarted,
    SignalHeard,
    VersionTaken,
)


def in_words(entry: Entry) -> str:
    """Return what an entry says, on one line."""
    match entry:
        case RunStarted():
            return f"the run began ({entry.kind}), with {quote(entry.cash)} {entry.quote}"
        case RunFinished():
            return "the run came to its end"
        case Decided():
            return _decided(entry)
        case SignalHeard():
            said = f"event {entry.event}" if entry.score is None else f"score {entry.score:f}"
            return f"{entry.bot} heard the signal {entry.name}: {said}"
        case VersionTaken():
            names = ", ".join(bot.name for bot in entry.bots)
            return f"{names} went on with version {entry.configuration_version}"
        case _:
            return _happened(entry)


def _happened(event: Event) -> str:
    match event:
        case EntryAccepted():
            return f"to buy for {quote(event.order.size)}: {event.order.reason}"
        case ExitAccepted():
            part = "all" if event.order.full else "a part"
            return f"to sell {exactly(event.order.quantity)}, {part}: {event.order.reason}"
        case Filled():
            return _filled(event)
        case OrderEnded():
            return f"order {event.order_id} ended: {event.reason}"
        case BuildingEnded():
            return f"building ended: {event.reason}"
        case DustBooked():
            return "what is left cannot be sold: booked as dust"
        case Marked():
            return f"the market was between {price(event.lowest)} and {price(event.highest)}"
        case Adopted() | Corrected() | Undone():
            return _without_trade(event)
        case _:
            assert_never(event)


def _without_trade(event: Adopted | Corrected | Undone) -> str:
    if isinstance(event, Adopted):
        return (
            f"adopted {exactly(event.quantity)} that had cost {quote(event.cost)}: {event.reason}"
        )
    moved = f"from {exactly(event.held)} to {exactly(event.left)}"
    if isinstance(event, Undone):
        return f"undone, {moved}: {event.reason}"
    named = "" if event.tranche_id is None else f", of {event.tranche_id}"
    return f"corrected {moved}{named}: {event.reason}"


def _decided(entry: Decided) -> str:
    record = entry.record
    last = record.last
    codes = ", ".join(refusal.code.value for refusal in last.refusals)
    often = f", {record.count:,} times" if record.count > 1 else ""
    outcome = f"refused{often}: {codes}" if codes else "accepted"
    return f"{last.bot}: {last.kind} ({last.reason}) {outcome}"


def _filled(entry: Filled) -> str:
    fill = entry.fill
    done = "bought" if fill.side == "buy" else "sold"
    return (
        f"{done} {exactly(fill.quantity)} at {price(fill.price)}, "
        f"fee {exactly(fill.fee)} {fill.fee_asset}"
    )
