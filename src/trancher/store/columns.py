"""Columns: how a decimal, a time or a word stands in a table, and what the database refuses there.

A decimal is NUMERIC without precision where the database has exact numbers, and text on SQLite,
which has none. The checks refuse what no decimal of ours can be: NaN, Infinity, exponents, and
whatever lies out of range.

Invariant: what is read back has the digits that were written.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Integer,
    Numeric,
    Text,
)
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeDecorator, TypeEngine

from trancher.store.codec import decimal_text, instant_text, parse_instant

# Digits before the point: of one number that comes in, and of sums or products of such numbers.
_INPUT: Final = 15
_AMOUNT: Final = 40
_DATE: Final = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"
_CLOCK: Final = "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
# Those that a datetime can be; a server has infinite times besides.
_TIMES: Final = "'0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z'"
_WHOLE: Final = Integer().with_variant(BigInteger(), "postgresql")


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with every digit."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        own: TypeEngine[Any] = Text() if dialect.name == "sqlite" else Numeric()
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> object:
        if value is None:
            return None
        written = decimal_text(value)
        # An exact number of the database's own has no -0.
        signed_zero = dialect.name != "sqlite" and value.is_zero() and value.is_signed()
        return written.removeprefix("-") if signed_zero else written

    def process_result_value(self, value: object, _: Dialect) -> Decimal | None:
        return Decimal(value) if isinstance(value, str) else _decimal_or_none(value)


def _decimal_or_none(value: object) -> Decimal | None:
    assert value is None or isinstance(value, Decimal)
    return value


class Instant(TypeDecorator[datetime]):
    """An aware time, UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        own: TypeEngine[Any] = Text() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: datetime | None, _: Dialect) -> object:
        return None if value is None else instant_text(value)

    def process_result_value(self, value: object, _: Dialect) -> datetime | None:
        if isinstance(value, str):
            return parse_instant(value)
        assert value is None or isinstance(value, datetime)
        return None if value is None else value.astimezone(UTC)


def as_written(value: object) -> object:
    """Return a stored value, as it lies in the database, in the text that wrote it."""
    match value:
        case Decimal() if value.is_finite():
            return decimal_text(value)
        case datetime():
            return instant_text(value)
        case _:
            return value


def positive(name: str, *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column of a number that comes in: a price, a size, a quantity; > 0."""
    text = f"{_unsigned(name, _INPUT)} AND {name} GLOB '*[1-9]*'"
    return _decimal(name, text, f"{name} > 0 AND {name} < 1e{_INPUT}", nullable=nullable)


def amount(name: str, *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column of base or quote that is never negative."""
    text = _unsigned(name, _AMOUNT)
    return _decimal(name, text, f"{name} >= 0 AND {name} < 1e{_AMOUNT}", nullable=nullable)


def signed(name: str, *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column of base or quote of either sign."""
    text = _unsigned(f"iif({name} GLOB '-*', substr({name}, 2), {name})", _AMOUNT)
    exact = f"{name} > -1e{_AMOUNT} AND {name} < 1e{_AMOUNT}"
    return _decimal(name, text, exact, nullable=nullable)


def fraction(name: str, *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column of a fraction of either sign, -1 to 1."""
    value = f"iif({name} GLOB '-*', substr({name}, 2), {name})"
    text = f"{_unsigned(value, 1)} AND ({value} GLOB '0*' OR rtrim({value}, '.0') = '1')"
    return _decimal(name, text, f"{name} >= -1 AND {name} <= 1", nullable=nullable)


def _unsigned(value: str, digits: int) -> str:
    """Return what holds of text in plain digits, at most `digits` of them before the point."""
    return (
        f"{value} NOT GLOB '*[^0-9.]*' AND {value} GLOB '[0-9]*' AND {value} GLOB '*[0-9]' "
        f"AND {value} NOT GLOB '*.*.*' AND instr({value} || '.', '.') <= {digits + 1}"
    )


def _decimal(name: str, text: str, exact: str, *, nullable: bool) -> tuple[SchemaItem, ...]:
    typed = f"typeof({name}) = 'text' AND {text}"
    return (
        Column(name, ExactDecimal, nullable=nullable),
        _check(name, typed, nullable=nullable).ddl_if(dialect="sqlite"),
        _check(name, exact, nullable=nullable).ddl_if(dialect="postgresql"),
    )


def instant(name: str, *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column of a time."""
    spelled = f"typeof({name}) = 'text' AND {name} GLOB '{_DATE}T{_CLOCK}*Z'"
    return (
        Column(name, Instant, nullable=nullable),
        _check(name, spelled, nullable=nullable).ddl_if(dialect="sqlite"),
        _check(name, f"{name} BETWEEN {_TIMES}", nullable=nullable).ddl_if(dialect="postgresql"),
    )


def word(name: str, words: type[StrEnum], *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column that holds one of `words`."""
    listed = ", ".join(f"'{one.value}'" for one in words)
    return (
        Column(name, Text, nullable=nullable),
        _check(name, f"{name} IN ({listed})", nullable=nullable),
    )


def text(name: str, *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column of text."""
    return (Column(name, Text, nullable=nullable),)


def whole(name: str, *, least: int = 0, nullable: bool = False) -> tuple[SchemaItem, ...]:
    """Return a column of a whole number, at least `least`."""
    return (
        Column(name, _WHOLE, nullable=nullable, autoincrement=False),
        _check(name, f"{name} >= {least}", nullable=nullable),
    )


def sha256(name: str) -> tuple[SchemaItem, ...]:
    """Return a column of a hash in hexadecimal."""
    return (
        Column(name, Text, nullable=False),
        _check(name, f"length({name}) = 64", nullable=False),
    )


def _check(name: str, condition: str, *, nullable: bool) -> CheckConstraint:
    whole = f"{name} IS NULL OR ({condition})" if nullable else condition
    return CheckConstraint(whole)
