"""Book documents: a run as JSON: how it stands, what was decided, what was written down.

A refusal looks the same wherever it stands: code, measured, limit, missing, and what ends it.
"""

import json
from collections.abc import Mapping, Sequence

from trancher.app.bot_standing import BotStanding, latest_of, shown_of
from trancher.app.halt_words import halt_document
from trancher.app.outlook import NextEntry, Outlook, outlook
from trancher.app.output import Json, instant, money, plain
from trancher.app.refusal_words import refusal_document
from trancher.app.run_words import going_document
from trancher.app.sentences import why
from trancher.app.standing import Standing
from trancher.app.views import position_document
from trancher.core.conditions import Wait
from trancher.core.decision import Decision
from trancher.core.lifecycle import State
from trancher.core.money import ONE, ZERO, exact, quotient
from trancher.core.order import EntryOrder
from trancher.core.pnl import figures
from trancher.core.position import Position
from trancher.store.codec import ENTRIES
from trancher.store.latest import happened_at
from trancher.store.reading import JournalLine, Run
from trancher.store.records import Record


def run_document(run: Run) -> Mapping[str, Json]:
    """Return which run it is, when it was, and from which configuration."""
    return {
        "id": run.id,
        "kind": run.kind.value,
        **going_document(run),
        "portfolio": run.portfolio,
        "started_at": instant(run.started_at),
        "finished_at": instant(run.finished_at),
        "configuration_version": run.configuration_version,
        "configuration_hash": run.configuration_hash,
    }


def status_document(standing: Standing) -> Mapping[str, Json]:
    """Return how a run stands: its limits, its money, its bots."""
    limits = standing.settings.portfolio.limits
    return {
        "run": run_document(standing.run),
        "configuration_version": standing.version,
        "as_of": instant(standing.at),
        "active_positions": len(standing.active),
        "max_active_positions": limits.max_active_positions,
        "trades_today": standing.trades[standing.day],
        "max_daily_trades": limits.max_daily_trades,
        "day": standing.day.isoformat(),
        "quote": standing.run.quote,
        "cash": money(standing.cash),
        "free_cash": money(standing.free_cash),
        "halts": [halt_document(one) for one in standing.halts],
        "bots": [_bot(standing, places) for places in standing.by_bot],
    }


def _bot(standing: Standing, places: tuple[BotStanding, ...]) -> Json:
    one = latest_of(places)
    if not one.settings.has_several:
        return _place(standing, one)
    shown = shown_of(places)
    return {
        **_place(standing, one),
        **_sums(places),
        "max_positions": one.settings.limits.max_positions,
        "positions": [_place(standing, each) for each in shown],
    }


@exact
def _sums(places: tuple[BotStanding, ...]) -> dict[str, Json]:
    """Return what the positions of a bot come to together."""
    books, mark = [one.position.book for one in places], places[0].price
    said = [figures(book, taker_fee=ZERO, mark_price=mark) for book in books]
    quantity = sum((one.open_quantity for one in said), ZERO)
    cost = sum((one.open_cost for one in said), ZERO)
    basis = sum((one.cost_basis for one in said), ZERO)
    left = ONE - places[0].position.instrument.taker_fee
    return {
        "open_tranches": sum(len(book.open) for book in books),
        "open_quantity": money(quantity),
        "open_cost": money(cost),
        "average_entry_price": money(quotient(cost, quantity) if quantity else None),
        "break_even_price": money(quotient(basis, quantity * left) if quantity else None),
        "unrealized_net": money(
            None if mark is None else sum((one.unrealized_net or ZERO for one in said), ZERO)
        ),
        "realized_pnl": money(sum((one.realized_pnl for one in said), ZERO)),
    }


def _place(standing: Standing, one: BotStanding) -> dict[str, Json]:
    seen = outlook(standing, one)
    book = one.position.book
    taker_fee = one.position.instrument.taker_fee
    said = figures(book, taker_fee=taker_fee, mark_price=one.price)
    return {
        "bot": one.settings.name,
        "symbol": one.settings.symbol,
        "strategy": one.settings.strategy,
        "configuration_version": one.books.version,
        "position_id": one.position.id,
        "position_status": one.position.state.value,
        "open_tranches": len(book.open),
        "open_quantity": money(said.open_quantity),
        "open_cost": money(said.open_cost),
        "average_entry_price": money(said.average_entry_price),
        "break_even_price": money(said.break_even_price),
        "mark_price": money(one.price),
        "unrealized_net": money(said.unrealized_net),
        "realized_pnl": money(said.realized_pnl),
        **_outlook(seen),
        "sentence": why(standing, one, seen),
    }


def why_document(
    standing: Standing, one: BotStanding, places: Sequence[BotStanding]
) -> Mapping[str, Json]:
    """Return why a bot is not buying now and when that ends.

    Args:
        one: the place of the position that is meant.
        places: all that are asked for.
    """
    whole = {
        "run": run_document(standing.run),
        "as_of": instant(standing.at),
        **_why(standing, one),
    }
    if not one.settings.has_several:
        return whole
    return {**whole, "positions": [_why(standing, each) for each in places]}


def _why(standing: Standing, one: BotStanding) -> dict[str, Json]:
    seen = outlook(standing, one)
    return {
        "bot": one.settings.name,
        "position_id": one.position.id,
        "position_status": one.position.state.value,
        **_outlook(seen),
        "sentence": why(standing, one, seen),
    }


def _outlook(seen: Outlook) -> dict[str, Json]:
    exits, entry = seen.exits, seen.entry
    return {
        "next_entry": None if entry is None else _next_entry(entry),
        "next_exits": {
            "stop": money(exits.stop),
            "gains": [money(gain) for gain in exits.gains],
            "time_stop": instant(exits.time_stop),
            "arms": [money(price) for price in seen.arms],
        },
        "blocked_by": [] if entry is None else [refusal_document(one) for one in entry.refusals],
        "last_refusal": None if seen.last_refusal is None else record_document(seen.last_refusal),
    }


def _next_entry(entry: NextEntry) -> Json:
    return {
        "rung": entry.rung.label,
        "size": plain(entry.rung.size),
        "due": entry.due,
        "waits": [_wait(wait) for wait in entry.waits],
    }


def _wait(wait: Wait) -> Json:
    return {
        "below": money(wait.below),
        "above": money(wait.above),
        "at": instant(wait.at),
        "indicators": [
            {
                "name": one.name,
                "comparison": one.comparison.value,
                "threshold": plain(one.threshold),
            }
            for one in wait.indicators
        ],
    }


def bot_position_document(
    standing: Standing, one: BotStanding, position: Position
) -> Mapping[str, Json]:
    """Return the document of a position of a bot, and of which run it is.

    Of a bot that may have several, those that are open stand beside it.

    Args:
        one: the place where the position stood.
    """
    whole = {
        **_position(standing, one, position),
        "as_of": instant(standing.at),
        "run": run_document(standing.run),
        # One that is closed had it when it opened, and the bot may have taken another since.
        "configuration_version": None if position.state is State.CLOSED else one.books.version,
    }
    if not one.settings.has_several:
        return whole
    places = shown_of(standing.places(one.settings.name))
    active = [each for each in places if each.seat.active]
    return {**whole, "positions": [_position(standing, each, each.position) for each in active]}


def _position(standing: Standing, one: BotStanding, position: Position) -> Mapping[str, Json]:
    assert one.price is not None
    return position_document(
        position,
        strategy=one.settings.strategy,
        max_tranches=one.settings.limits.max_tranches,
        mark_price=one.price,
        now=standing.at,
    )


def decisions_document(standing: Standing, bot: str, records: Sequence[Record]) -> Json:
    """Return decisions of a bot, newest first."""
    return {
        "run": run_document(standing.run),
        "as_of": instant(standing.at),
        "bot": bot,
        "decisions": [record_document(record) for record in records],
    }


def record_document(record: Record) -> Mapping[str, Json]:
    """Return a decision, or a run of refusals that repeat; the figures are those of the last."""
    last = record.last
    return {
        "first_at": instant(record.first.at),
        "last_at": instant(last.at),
        "count": record.count,
        "kind": last.kind.value,
        "position_id": last.position_id,
        "reason": last.reason,
        "accepted": last.accepted,
        "price": money(last.price),
        "anchor_price": money(last.anchor_price),
        "order": _order(last),
        "refusals": [refusal_document(one) for one in last.refusals],
    }


def _order(decision: Decision) -> Json:
    order = decision.order
    if order is None:
        return None
    wanted: dict[str, Json] = {"id": order.client_order_id}
    if isinstance(order, EntryOrder):
        return {**wanted, "size": plain(order.size)}
    return {**wanted, "quantity": money(order.quantity), "limit_price": money(order.limit_price)}


def journal_document(run: Run, entries: int, lines: Sequence[tuple[int, JournalLine]]) -> Json:
    """Return entries of journals, newest last.

    Args:
        entries: how many there are in all.
        lines: each with the number of its run.
    """
    return {
        "run": run_document(run),
        "entries": entries,
        "journal": [
            {
                "run": run_id,
                "number": line.number,
                "at": instant(happened_at(line)),
                "position_id": line.position_id,
                "entry": json.loads(ENTRIES.encode(line.entry)),
                "hash": line.hash,
            }
            for run_id, line in lines
        ],
    }
