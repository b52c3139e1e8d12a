"""Tables: how books lie in a database. The journal is the truth; all else can be made from it.

The portfolio's id leads every key, so that books can be told apart by portfolio. Shapes are the
same in every database; checks, triggers and the view are in its own words.

Invariants:
1. journal, loading, fill and posting are insert-only: triggers refuse to change or delete a row.
2. No amount is stored as a binary number, and no price that is a quotient is stored at all.
3. What the migrations make is what stands here.
"""

from enum import StrEnum
from functools import partial
from typing import Final

from sqlalchemy import Index, MetaData
from sqlalchemy.schema import UniqueConstraint

from trancher.core.decision import Kind
from trancher.core.lifecycle import State
from trancher.core.order import BY_HAND, Side
from trancher.core.postings import Account
from trancher.core.signals import Temperature
from trancher.core.tranches import TrancheStatus
from trancher.store.columns import (
    amount,
    fraction,
    instant,
    positive,
    sha256,
    signed,
    text,
    whole,
    word,
)
from trancher.store.entries import Mode, RunKind
from trancher.store.halts import Action, Scope
from trancher.store.tabling import (
    chained,
    left_over,
    of_bot,
    of_bot_usage,
    of_position,
    of_run,
    of_usage,
    refers,
    table,
)


class OrderState(StrEnum):
    """Whether an order may still fill."""

    WORKING = "working"
    ENDED = "ended"


metadata: Final = MetaData()
_table: Final = partial(table, metadata)

identity: Final = _table(
    "identity",
    "id",
    whole("id", least=1),
    word("mode", Mode),
    instant("created_at"),
)

portfolio: Final = _table(
    "portfolio",
    "id",
    whole("id", least=1),
    text("name"),
    text("quote"),
    UniqueConstraint("name"),
)

configuration: Final = _table(
    "configuration",
    "portfolio_id version",
    whole("portfolio_id", least=1),
    whole("version", least=1),
    sha256("hash"),
    text("text"),
    refers("portfolio", "portfolio_id", "id"),
)

loading: Final = _table(
    "loading",
    "portfolio_id number",
    whole("portfolio_id", least=1),
    whole("number", least=1),
    whole("version", least=1),
    instant("at"),
    chained(),
    refers("configuration", "portfolio_id version", "portfolio_id version"),
)

loaded_bot: Final = _table(
    "loaded_bot",
    "portfolio_id load id",
    whole("portfolio_id", least=1),
    whole("load", least=1),
    of_bot(),
    UniqueConstraint("portfolio_id", "load", "name"),
    refers("loading", "portfolio_id load", "portfolio_id number"),
)

run: Final = _table(
    "run",
    "portfolio_id id",
    whole("portfolio_id", least=1),
    whole("id", least=1),
    word("kind", RunKind),
    whole("configuration_version", least=1),
    positive("cash"),
    text("timezone"),
    instant("started_at"),
    instant("finished_at", nullable=True),
    whole("entries", least=1),
    sha256("hash"),
    UniqueConstraint("id"),
    refers("portfolio", "portfolio_id", "id"),
    refers("configuration", "portfolio_id configuration_version", "portfolio_id version"),
)

bot: Final = _table(
    "bot",
    "portfolio_id run_id id",
    of_run(),
    of_bot(),
    text("instrument"),
    positive("mark_price", nullable=True),
    instant("marked_at", nullable=True),
    UniqueConstraint("portfolio_id", "run_id", "name"),
    refers("run", "portfolio_id run_id", "portfolio_id id"),
)

position: Final = _table(
    "position",
    "portfolio_id run_id id",
    of_run(),
    text("id"),
    whole("number", least=1),
    whole("bot_id", least=1),
    word("state", State),
    left_over(),
    signed("realized_gross"),
    signed("realized_pnl"),
    signed("fees_paid"),
    signed("cash_paid"),
    signed("cash_received"),
    amount("anchor_cost"),
    signed("anchor_fee"),
    signed("anchor_realized"),
    amount("peak_quantity"),
    amount("peak_cost"),
    positive("highest_mark", nullable=True),
    positive("lowest_mark", nullable=True),
    whole("orders_placed"),
    text("closing_reason", nullable=True),
    instant("entered_at", nullable=True),
    instant("last_entry_at", nullable=True),
    instant("closed_at", nullable=True),
    text("document"),
    UniqueConstraint("portfolio_id", "run_id", "number"),
    refers("bot", "portfolio_id run_id bot_id", "portfolio_id run_id id"),
    Index("position_by_bot", "portfolio_id", "run_id", "bot_id", "number"),
)

tranche: Final = _table(
    "tranche",
    "portfolio_id run_id position_id id",
    of_position(),
    text("id"),
    whole("number", least=1),
    text("order_id"),
    text("entry_trade_id"),
    whole("rung", least=BY_HAND),
    text("reason"),
    fraction("score", nullable=True),
    word("temperature", Temperature, nullable=True),
    text("contributions", nullable=True),
    word("status", TrancheStatus),
    instant("opened_at"),
    instant("closed_at", nullable=True),
    amount("quantity"),
    amount("cost"),
    signed("entry_fee"),
    left_over(),
    positive("highest_mark"),
    positive("lowest_mark"),
)

orders: Final = _table(
    "orders",
    "portfolio_id run_id id",
    of_position(),
    text("id"),
    word("kind", Kind),
    positive("size", nullable=True),
    positive("quantity", nullable=True),
    positive("limit_price", nullable=True),
    text("rungs"),
    text("reason"),
    instant("decided_at"),
    instant("expires_at", nullable=True),
    amount("filled"),
    word("state", OrderState),
    instant("ended_at", nullable=True),
    text("end_reason", nullable=True),
)

fill: Final = _table(
    "fill",
    "portfolio_id run_id position_id trade_id",
    of_position(),
    text("trade_id"),
    text("order_id"),
    word("side", Side),
    positive("price"),
    positive("quantity"),
    signed("fee"),
    text("fee_asset"),
    positive("fee_rate", nullable=True),
    instant("at"),
    refers("orders", "portfolio_id run_id order_id", "portfolio_id run_id id"),
)

posting: Final = _table(
    "posting",
    "portfolio_id run_id number line",
    of_run(),
    whole("number", least=1),
    whole("line", least=1),
    text("position_id", nullable=True),
    text("trade_id", nullable=True),
    word("account", Account),
    text("asset"),
    signed("amount"),
    refers("run", "portfolio_id run_id", "portfolio_id id"),
    refers("position", "portfolio_id run_id position_id", "portfolio_id run_id id"),
)

decision: Final = _table(
    "decision",
    "portfolio_id run_id number",
    of_run(),
    whole("number", least=1),
    whole("bot_id", least=1),
    text("position_id"),
    word("kind", Kind),
    text("reason"),
    positive("price"),
    text("codes"),
    instant("first_at"),
    instant("last_at"),
    whole("count", least=1),
    refers("bot", "portfolio_id run_id bot_id", "portfolio_id run_id id"),
    Index("decision_by_bot", "portfolio_id", "run_id", "bot_id", "number"),
)

journal: Final = _table(
    "journal",
    "portfolio_id run_id number",
    of_run(),
    whole("number", least=1),
    text("position_id", nullable=True),
    text("type"),
    chained(),
    refers("run", "portfolio_id run_id", "portfolio_id id"),
    Index("journal_by_position", "portfolio_id", "run_id", "position_id", "number"),
)

portfolio_usage: Final = _table(
    "portfolio_usage",
    "portfolio_id",
    whole("portfolio_id", least=1),
    signed("cash"),
    signed("peak_equity"),
    whole("active"),
    whole("exits_reserved"),
    amount("ordered"),
    amount("set_aside"),
    amount("worth"),
    whole("version"),
    refers("portfolio", "portfolio_id", "id"),
)

symbol_usage: Final = _table(
    "symbol_usage",
    "portfolio_id symbol",
    of_usage(),
    text("symbol"),
    amount("exposure"),
)

trading_day: Final = _table(
    "trading_day",
    "portfolio_id day",
    of_usage(),
    text("day"),
    whole("trades"),
    signed("realized"),
    whole("streak"),
)

bot_usage: Final = _table(
    "bot_usage",
    "portfolio_id bot",
    of_usage(),
    text("bot"),
    whole("run_id", least=1),
    text("symbol"),
    whole("active"),
    whole("exits_reserved"),
    amount("ordered"),
    amount("set_aside", nullable=True),
    amount("worth"),
    amount("exposure"),
    refers("run", "portfolio_id run_id", "portfolio_id id"),
)

reservation: Final = _table(
    "reservation",
    "portfolio_id bot order_id",
    of_bot_usage(),
    text("order_id"),
    amount("cost"),
    text("day"),
)

paper_room: Final = _table(
    "paper_room",
    "portfolio_id symbol",
    of_usage(),
    text("symbol"),
    instant("at"),
    amount("left_over"),
)

lease: Final = _table(
    "lease",
    "portfolio_id bot",
    of_usage(),
    text("bot"),
    text("owner", nullable=True),
    whole("epoch"),
    instant("until"),
)

progress: Final = _table(
    "progress",
    "portfolio_id bot",
    of_bot_usage(),
    instant("next_at", nullable=True),
    whole("phase"),
    instant("candle_at", nullable=True),
    instant("seen_at", nullable=True),
    positive("price", nullable=True),
    text("memory"),
)

halt: Final = _table(
    "halt",
    "portfolio_id number",
    of_usage(),
    whole("number", least=1),
    word("scope", Scope),
    text("bot", nullable=True),
    text("target", nullable=True),
    word("action", Action),
    fraction("share", nullable=True),
    text("reason"),
    instant("at"),
    instant("lifted_at", nullable=True),
)

command: Final = _table(
    "command",
    "portfolio_id number",
    of_usage(),
    whole("number", least=1),
    text("bot"),
    text("payload"),
    text("key", nullable=True),
    instant("asked_at"),
    instant("answered_at", nullable=True),
    text("answer", nullable=True),
    UniqueConstraint("portfolio_id", "bot", "key"),
    Index("command_by_bot", "portfolio_id", "bot", "answered_at"),
)

INSERT_ONLY: Final = (journal, loading, fill, posting)
SHARED: Final = (
    *(portfolio_usage, symbol_usage, trading_day, bot_usage, reservation, paper_room),
    *(lease, progress, halt, command),
)
"""What processes that run bots share: as it stands now, and not as it came to be."""
OF_A_RUN: Final = (run, bot, position, tranche, orders, fill, posting, decision, journal)
