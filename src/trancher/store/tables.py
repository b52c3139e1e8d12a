"""Tables: how books lie in a database. The journal is the truth; all else can be made from it.

The portfolio's id leads every key, so that books can be told apart, and one day kept apart, by
portfolio. Shapes are the same in every database; only checks, triggers and the view are spelled
in the dialect's own words.

Invariants:
1. journal, loading and fill are insert-only: triggers refuse to change or to delete a row.
2. No amount is stored as a binary number, and no price that is a quotient is stored at all.
3. What the migrations make is what stands here.
"""

from enum import StrEnum
from itertools import chain
from typing import Final

from sqlalchemy import Dialect, ForeignKeyConstraint, Index, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import CreateIndex, CreateTable, SchemaItem, UniqueConstraint

from trancher.core.decision import Kind
from trancher.core.lifecycle import State
from trancher.core.order import BY_HAND, Side
from trancher.core.signals import Temperature
from trancher.core.tranches import Disposal, TrancheStatus
from trancher.store import triggers
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
from trancher.store.views import BOT_POSITIONS


class OrderState(StrEnum):
    """Whether an order may still fill."""

    WORKING = "working"
    ENDED = "ended"


metadata: Final = MetaData()


def _table(name: str, key: str, *parts: tuple[SchemaItem, ...] | SchemaItem) -> Table:
    """Return a table with its primary key, columns and what else holds in it."""
    items = chain.from_iterable(part if isinstance(part, tuple) else (part,) for part in parts)
    return Table(name, metadata, *items, PrimaryKeyConstraint(*key.split()))


def _refers(table: str, columns: str, key: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(columns.split(), [f"{table}.{one}" for one in key.split()])


def _of_run() -> tuple[SchemaItem, ...]:
    return (*whole("portfolio_id", least=1), *whole("run_id", least=1))


def _of_position() -> tuple[SchemaItem, ...]:
    key = "portfolio_id run_id"
    return (
        *_of_run(),
        *text("position_id"),
        _refers("position", f"{key} position_id", f"{key} id"),
    )


def _of_usage() -> tuple[SchemaItem, ...]:
    return (
        *whole("portfolio_id", least=1),
        _refers("portfolio_usage", "portfolio_id", "portfolio_id"),
    )


def _of_bot_usage() -> tuple[SchemaItem, ...]:
    return (
        *whole("portfolio_id", least=1),
        *text("bot"),
        _refers("bot_usage", "portfolio_id bot", "portfolio_id bot"),
    )


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
    _refers("portfolio", "portfolio_id", "id"),
)

loading: Final = _table(
    "loading",
    "portfolio_id number",
    whole("portfolio_id", least=1),
    whole("number", least=1),
    whole("version", least=1),
    instant("at"),
    text("payload"),
    sha256("previous_hash"),
    sha256("hash"),
    _refers("configuration", "portfolio_id version", "portfolio_id version"),
)

loaded_bot: Final = _table(
    "loaded_bot",
    "portfolio_id load id",
    whole("portfolio_id", least=1),
    whole("load", least=1),
    whole("id", least=1),
    text("name"),
    text("symbol"),
    text("strategy"),
    word("disposal", Disposal),
    whole("max_tranches", nullable=True),
    UniqueConstraint("portfolio_id", "load", "name"),
    _refers("loading", "portfolio_id load", "portfolio_id number"),
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
    _refers("portfolio", "portfolio_id", "id"),
    _refers("configuration", "portfolio_id configuration_version", "portfolio_id version"),
)

bot: Final = _table(
    "bot",
    "portfolio_id run_id id",
    _of_run(),
    whole("id", least=1),
    text("name"),
    text("symbol"),
    text("strategy"),
    word("disposal", Disposal),
    whole("max_tranches", nullable=True),
    text("instrument"),
    positive("mark_price", nullable=True),
    instant("marked_at", nullable=True),
    UniqueConstraint("portfolio_id", "run_id", "name"),
    _refers("run", "portfolio_id run_id", "portfolio_id id"),
)

position: Final = _table(
    "position",
    "portfolio_id run_id id",
    _of_run(),
    text("id"),
    whole("number", least=1),
    whole("bot_id", least=1),
    word("state", State),
    amount("open_quantity"),
    amount("open_cost"),
    signed("open_fee"),
    amount("dust_quantity"),
    amount("dust_cost"),
    signed("dust_fee"),
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
    _refers("bot", "portfolio_id run_id bot_id", "portfolio_id run_id id"),
    Index("position_by_bot", "portfolio_id", "run_id", "bot_id", "number"),
)

tranche: Final = _table(
    "tranche",
    "portfolio_id run_id position_id id",
    _of_position(),
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
    amount("open_quantity"),
    amount("open_cost"),
    signed("open_fee"),
    amount("dust_quantity"),
    amount("dust_cost"),
    signed("dust_fee"),
    positive("highest_mark"),
    positive("lowest_mark"),
)

orders: Final = _table(
    "orders",
    "portfolio_id run_id id",
    _of_position(),
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
    _of_position(),
    text("trade_id"),
    text("order_id"),
    word("side", Side),
    positive("price"),
    positive("quantity"),
    signed("fee"),
    text("fee_asset"),
    positive("fee_rate", nullable=True),
    instant("at"),
    _refers("orders", "portfolio_id run_id order_id", "portfolio_id run_id id"),
)

decision: Final = _table(
    "decision",
    "portfolio_id run_id number",
    _of_run(),
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
    _refers("bot", "portfolio_id run_id bot_id", "portfolio_id run_id id"),
    Index("decision_by_bot", "portfolio_id", "run_id", "bot_id", "number"),
)

journal: Final = _table(
    "journal",
    "portfolio_id run_id number",
    _of_run(),
    whole("number", least=1),
    text("position_id", nullable=True),
    text("type"),
    text("payload"),
    sha256("previous_hash"),
    sha256("hash"),
    _refers("run", "portfolio_id run_id", "portfolio_id id"),
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
    _refers("portfolio", "portfolio_id", "id"),
)

symbol_usage: Final = _table(
    "symbol_usage",
    "portfolio_id symbol",
    _of_usage(),
    text("symbol"),
    amount("exposure"),
)

trading_day: Final = _table(
    "trading_day",
    "portfolio_id day",
    _of_usage(),
    text("day"),
    whole("trades"),
    signed("realized"),
    whole("streak"),
)

bot_usage: Final = _table(
    "bot_usage",
    "portfolio_id bot",
    _of_usage(),
    text("bot"),
    whole("run_id", least=1),
    text("symbol"),
    whole("active"),
    whole("exits_reserved"),
    amount("ordered"),
    amount("set_aside", nullable=True),
    amount("worth"),
    amount("exposure"),
    _refers("run", "portfolio_id run_id", "portfolio_id id"),
)

reservation: Final = _table(
    "reservation",
    "portfolio_id bot order_id",
    _of_bot_usage(),
    text("order_id"),
    amount("cost"),
    text("day"),
)

paper_room: Final = _table(
    "paper_room",
    "portfolio_id symbol",
    _of_usage(),
    text("symbol"),
    instant("at"),
    amount("left_over"),
)

lease: Final = _table(
    "lease",
    "portfolio_id bot",
    _of_usage(),
    text("bot"),
    text("owner", nullable=True),
    whole("epoch"),
    instant("until"),
)

progress: Final = _table(
    "progress",
    "portfolio_id bot",
    _of_bot_usage(),
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
    _of_usage(),
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
    _of_usage(),
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

INSERT_ONLY: Final = (journal, loading, fill)
SHARED: Final = (
    *(portfolio_usage, symbol_usage, trading_day, bot_usage, reservation, paper_room),
    *(lease, progress, halt, command),
)
"""What processes that run bots share: as it stands now, and not as it came to be."""
OF_A_RUN: Final = (run, bot, position, tranche, orders, fill, decision, journal)


def statements(dialect: Dialect) -> tuple[str, ...]:
    """Return all that makes the tables, their guards and the view, in order."""
    parts: list[CreateTable | CreateIndex] = []
    for table in metadata.sorted_tables:
        parts.append(CreateTable(table))
        parts += [CreateIndex(index) for index in sorted(table.indexes, key=str)]
    compiled = (str(part.compile(dialect=dialect)).strip() for part in parts)
    spelled = ("\n".join(line.rstrip() for line in one.splitlines()) for one in compiled)
    making = triggers.making(dialect.name, _insert_only())
    return (*spelled, *making, BOT_POSITIONS[dialect.name])


def guards(dialect: str) -> dict[str, str]:
    """Return what makes each trigger of the insert-only tables, by its name."""
    return triggers.triggers_of(dialect, _insert_only())


def _insert_only() -> tuple[str, ...]:
    return tuple(table.name for table in INSERT_ONLY)
