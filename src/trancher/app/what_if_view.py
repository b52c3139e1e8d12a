"""What is said of one more trade: the position before and after, and what refuses it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trancher.app.output import Json, money, plain
from trancher.app.refusal_words import extent, refusal_document
from trancher.app.sentences import outcome
from trancher.app.tables import exactly, quote
from trancher.app.tables import price as shown_price
from trancher.app.views import anchor_price
from trancher.backtest.trial import Trial
from trancher.backtest.what_if import Added, Sold
from trancher.core.bot import Bot
from trancher.core.limits import Refusal
from trancher.core.money import exact
from trancher.core.pnl import figures
from trancher.core.position import Position
from trancher.core.watch import watch

FIGURES: Final = ("", "before", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One more trade that was asked about.

    Attributes:
        source: where the position was found, in words.
        bot: whose plan and limits are asked.
    """

    source: str
    trial: Trial
    before: Position
    added: Added | None
    sold: Sold | None

    @property
    def bot(self) -> Bot:
        return self.trial.bot

    @property
    def after(self) -> Position:
        """The position after both."""
        if self.sold is not None:
            return self.sold.after
        return self.before if self.added is None else self.added.after


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """The figures of a position; prices in quote per base."""

    quantity: Decimal
    open_cost: Decimal
    average_entry_price: Decimal | None
    break_even_price: Decimal | None
    position_break_even_price: Decimal | None
    anchor_price: Decimal | None
    next_entry_price: Decimal | None
    target_price: Decimal | None
    stop_price: Decimal | None
    realized_pnl: Decimal


@exact
def _standing(bot: Bot, position: Position) -> _Standing:
    said = figures(position.book, taker_fee=bot.instrument.taker_fee, mark_price=None)
    seen = watch(bot, position, position.trailing_peak)
    below = [wait.below for wait in seen.entries if wait.below is not None]
    above = [wait.above for wait in seen.entries if wait.above is not None]
    return _Standing(
        quantity=said.open_quantity,
        open_cost=said.open_cost,
        average_entry_price=said.average_entry_price,
        break_even_price=said.break_even_price,
        position_break_even_price=said.position_break_even_price,
        anchor_price=anchor_price(position),
        next_entry_price=max(below, default=min(above, default=None)),
        target_price=seen.gains[0] if seen.gains else None,
        stop_price=seen.stop,
        realized_pnl=said.realized_pnl,
    )


def document(asked: Asked) -> Mapping[str, Json]:
    """Return one more trade as JSON."""
    added, sold = asked.added, asked.sold
    return {
        "position": asked.source,
        "add": None
        if added is None
        else {
            "size": plain(added.size),
            "fits": not added.refusals,
            "refusals": [refusal_document(refusal) for refusal in added.refusals],
        },
        "sell": None
        if sold is None
        else {
            "quantity": plain(sold.quantity),
            "refusals": [refusal_document(refusal) for refusal in sold.refusals],
            "disposal": asked.before.book.disposal.value,
            "realized_pnl": {rule.value: money(pnl) for rule, pnl in sold.realized.items()},
        },
        "before": _figures(_standing(asked.bot, asked.before)),
        "after": _figures(_standing(asked.bot, asked.after)),
    }


def _figures(said: _Standing) -> Json:
    return {
        "quantity": money(said.quantity),
        "open_cost": money(said.open_cost),
        "average_entry_price": plain(said.average_entry_price),
        "break_even_price": plain(said.break_even_price),
        "position_break_even_price": plain(said.position_break_even_price),
        "anchor_price": plain(said.anchor_price),
        "next_entry_price": plain(said.next_entry_price),
        "target_price": plain(said.target_price),
        "stop_price": plain(said.stop_price),
        "realized_pnl": money(said.realized_pnl),
    }


def rows(asked: Asked) -> Iterator[tuple[str, str, str]]:
    """Yield the rows below FIGURES."""
    pair = [_standing(asked.bot, one) for one in (asked.before, asked.after)]
    instrument = asked.bot.instrument
    yield (f"held, {instrument.base}", *_both(exactly(one.quantity) for one in pair))
    yield (f"open cost, {instrument.quote}", *_both(quote(one.open_cost) for one in pair))
    yield ("average", *_both(shown_price(one.average_entry_price) for one in pair))
    yield ("break-even", *_both(shown_price(one.break_even_price) for one in pair))
    yield (
        "break-even of the whole position",
        *_both(shown_price(one.position_break_even_price) for one in pair),
    )
    yield ("anchor", *_both(shown_price(one.anchor_price) for one in pair))
    yield ("next entry at", *_both(shown_price(one.next_entry_price) for one in pair))
    yield ("first target", *_both(shown_price(one.target_price) for one in pair))
    yield ("stop", *_both(shown_price(one.stop_price) for one in pair))
    yield (f"realized, {instrument.quote}", *_both(quote(one.realized_pnl) for one in pair))


def _both(pair: Iterator[str]) -> tuple[str, str]:
    before, after = pair
    return before, after


@exact
def lines(asked: Asked) -> Iterator[str]:
    """Yield what each trade comes to, a line for each."""
    currency, base = asked.bot.instrument.quote, asked.bot.instrument.base
    if asked.added is not None:
        what = f"{quote(asked.added.size)} {currency} at {shown_price(asked.trial.price)}"
        if asked.added.refusals:
            yield f"Refused: {what}, shown as if it were let through."
        else:
            yield f"No limit refuses {what}."
        for refusal in asked.added.refusals:
            yield f"{_against(refusal, currency)}."
    if asked.sold is None:
        return
    what = f"{exactly(asked.sold.quantity)} {base} at {shown_price(asked.trial.price)}"
    for refusal in asked.sold.refusals:
        yield f"The exchange takes no sale of {what}. {_against(refusal, currency)}."
    if asked.sold.realized:
        chosen = asked.before.book.disposal.value
        told = ", ".join(f"{rule.value} {quote(pnl)}" for rule, pnl in asked.sold.realized.items())
        yield f"The sale of {what} realizes, net in {currency}: {told}; the books keep {chosen}."


def _against(refusal: Refusal, currency: str) -> str:
    known = refusal.unblocks_at is not None or refusal.unblocks_when is not None
    return (outcome if known else extent)(refusal, currency=currency)


def title(asked: Asked) -> str:
    """Return what the table is of."""
    return f"{asked.before.id}: {asked.source}, at {shown_price(asked.trial.price)}"
