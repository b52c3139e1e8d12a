"""Tabling: how a table is put together, and what many of them begin with."""

from itertools import chain

from sqlalchemy import ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import SchemaItem

from trancher.core.tranches import Disposal
from trancher.store.columns import amount, sha256, signed, text, whole, word


def table(
    metadata: MetaData, name: str, key: str, *parts: tuple[SchemaItem, ...] | SchemaItem
) -> Table:
    """Return a table with its primary key, columns and what else holds in it."""
    items = chain.from_iterable(part if isinstance(part, tuple) else (part,) for part in parts)
    return Table(name, metadata, *items, PrimaryKeyConstraint(*key.split()))


def refers(table: str, columns: str, key: str) -> ForeignKeyConstraint:
    """Return what makes `columns` name a row of another table by its `key`."""
    return ForeignKeyConstraint(columns.split(), [f"{table}.{one}" for one in key.split()])


def of_run() -> tuple[SchemaItem, ...]:
    """Return what every table of a run begins with."""
    return (*whole("portfolio_id", least=1), *whole("run_id", least=1))


def of_position() -> tuple[SchemaItem, ...]:
    """Return what every table of a position begins with."""
    key = "portfolio_id run_id"
    return (
        *of_run(),
        *text("position_id"),
        refers("position", f"{key} position_id", f"{key} id"),
    )


def of_bot() -> tuple[SchemaItem, ...]:
    """Return what a table says first of a bot as it is configured."""
    return (
        *whole("id", least=1),
        *text("name"),
        *text("symbol"),
        *text("strategy"),
        *word("disposal", Disposal),
        *whole("max_tranches", nullable=True),
    )


def left_over() -> tuple[SchemaItem, ...]:
    """Return what is still open, and what was booked as dust, with their cost and entry fee."""
    return (
        *amount("open_quantity"),
        *amount("open_cost"),
        *signed("open_fee"),
        *amount("dust_quantity"),
        *amount("dust_cost"),
        *signed("dust_fee"),
    )


def chained() -> tuple[SchemaItem, ...]:
    """Return what a journal says in the end: an entry, linked to the one before it."""
    return (*text("payload"), *sha256("previous_hash"), *sha256("hash"))


def of_usage() -> tuple[SchemaItem, ...]:
    """Return what every table begins with that the bots of a portfolio share."""
    return (
        *whole("portfolio_id", least=1),
        refers("portfolio_usage", "portfolio_id", "portfolio_id"),
    )


def of_bot_usage() -> tuple[SchemaItem, ...]:
    """Return what such a table begins with where a row is one bot's."""
    return (
        *whole("portfolio_id", least=1),
        *text("bot"),
        refers("bot_usage", "portfolio_id bot", "portfolio_id bot"),
    )
