"""Book documents: a run as JSON: how it stands, what was decided, what was written down.

A refusal looks the same wherever it stands: code, measured, limit, missing, and what ends it.
"""

import json
from collections.abc import Mapping, Sequence

from trancher.app.halt_words import halt_document
from trancher.app.outlook import NextEntry, Outlook, outlook
from trancher.app.output import Json, instant, money, plain
from trancher.app.refusal_words import refusal_document
from trancher.app.sentences import why
from trancher.app.standing import BotStanding, Standing, happened_at
from trancher.app.views import position_document
from trancher.core.conditions import Wait
from trancher.core.decision import Decision
from trancher.core.order import EntryOrder
from trancher.core.pnl import figures
from trancher.store.codec import ENTRIES
from trancher.store.reading import JournalLine, Run
from trancher.store.records import Record


def run_document(run: Run) -> Mapping[str, Json]:
    """Return which run it is, when it was, and from which configuration."""
    return {
        "id": run.id,
        "kind": run.kind.value,
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
        "bots": [_bot(standing, one) for one in standing.bots],
    }


def _bot(standing: Standing, one: BotStanding) -> Json:
    seen = outlook(standing, one)
    book = one.position.book
    taker_fee = one.position.instrument.taker_fee
    said = figures(book, taker_fee=taker_fee, mark_price=one.price)
    return {
        "bot": one.settings.name,
        "symbol": one.settings.symbol,
        "strategy": one.settings.strategy,
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


def why_document(standing: Standing, one: BotStanding) -> Mapping[str, Json]:
    """Return why a bot is not buying now and when that ends."""
    seen = outlook(standing, one)
    return {
        "run": run_document(standing.run),
        "as_of": instant(standing.at),
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


def bot_position_document(standing: Standing, one: BotStanding) -> Mapping[str, Json]:
    """Return the document of the position that a person means, and of which run it is."""
    assert one.price is not None
    document = position_document(
        one.shown,
        strategy=one.settings.strategy,
        max_tranches=one.settings.limits.max_tranches,
        mark_price=one.price,
        now=standing.at,
    )
    return {**document, "as_of": instant(standing.at), "run": run_document(standing.run)}


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


def journal_document(run: Run, lines: Sequence[JournalLine]) -> Json:
    """Return entries of a run's journal, newest last."""
    return {
        "run": run_document(run),
        "entries": run.entries,
        "journal": [
            {
                "number": line.number,
                "at": instant(happened_at(line)),
                "position_id": line.position_id,
                "entry": json.loads(ENTRIES.encode(line.entry)),
                "hash": line.hash,
            }
            for line in lines
        ],
    }
