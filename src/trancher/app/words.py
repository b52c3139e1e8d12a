"""The words of a configuration: what a kind of value is, and the kinds that are words.

A kind reads what TOML gave and returns a value of the core, or raises Mismatch; it also carries
its piece of the JSON schema. The kinds that are numbers are in amounts.py.

To add a kind of value: a function here or there that returns it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from trancher.app.locate import Path
from trancher.app.nearest import nearest

LATER: Final = "is not available in this version"
OFF: Final = "off"
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
WORD: Final = r"[a-z][a-z0-9_]{0,63}"
ASSET: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}"
SYMBOL: Final = rf"{ASSET}/{ASSET}"


class Mismatch(ValueError):
    """A value that cannot be used.

    Attributes:
        expected: what should stand there.
        at: where below the table or value that was being read.
        found: what stands there, in words; None to quote it as it was written.
        hint: what the person may have meant, a clause.
    """

    def __init__(
        self, *, expected: str, at: Path = (), found: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(expected)
        self.expected = expected
        self.at = at
        self.found = found
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """What an annotated type is read by, and shown as.

    Attributes:
        expected: what should stand there, in words.
        read: returns the value, or raises Mismatch.
        schema: the JSON schema of what may be written.
        none: how None is written; None where that takes leaving the key out.
    """

    expected: str
    read: Callable[[object], object]
    schema: Mapping[str, Any]
    none: str | None = None

    def __get_pydantic_core_schema__(self, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self.schema)


def text(pattern: str, *, expected: str) -> Kind:
    """Return a text that matches `pattern` whole."""

    def read(value: object) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value, re.ASCII) is None:
            raise Mismatch(expected=expected)
        return value

    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return Kind(expected=expected, read=read, schema=schema)


def one_of(*words: str, later: tuple[str, ...] = ()) -> Kind:
    """Return one of `words`; those of `later` are known, and not there yet."""
    listed = " or ".join(f'"{word}"' for word in words)

    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        hint = ""
        if isinstance(value, str):
            meant = nearest(value, words)
            hint = f'did you mean "{meant}"?' if meant else ""
        if value in later:
            hint = f'"{value}" {LATER}'
        raise Mismatch(expected=listed, hint=hint)

    return Kind(expected=listed, read=read, schema={"enum": list(words)})


def or_off(kind: Kind) -> Kind:
    """Return what `kind` reads, or None for "off"."""
    words = f'{kind.expected}, or "off"'

    def read(value: object) -> object:
        if value == OFF:
            return None
        try:
            return kind.read(value)
        except Mismatch as problem:
            raise Mismatch(
                at=problem.at, expected=words, found=problem.found, hint=problem.hint
            ) from None

    schema = {"anyOf": [dict(kind.schema), {"const": OFF}]}
    return Kind(expected=words, read=read, schema=schema, none=OFF)


def yes_or_no() -> Kind:
    """Return true or false."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise Mismatch(expected="true or false")
        return value

    return Kind(expected="true or false", read=read, schema={"type": "boolean"})


def time_zone() -> Kind:
    """Return a time zone by its IANA name."""
    words = 'the IANA name of a time zone such as "UTC" or "Europe/Berlin"'

    def read(value: object) -> ZoneInfo:
        if isinstance(value, str):
            try:
                return ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                pass  # unknown, not a name at all, or a folder of names such as "America"
        meant = nearest(value, sorted(available_timezones())) if isinstance(value, str) else None
        raise Mismatch(expected=words, hint=f'did you mean "{meant}"?' if meant else "")

    return Kind(expected=words, read=read, schema={"type": "string"})


def exchange_name() -> Kind:
    """Return the name of the exchange: the paper one."""

    def read(value: object) -> str:
        if value != "paper":
            hint = f"live trading {LATER}" if isinstance(value, str) else ""
            raise Mismatch(expected='"paper"', hint=hint)
        return "paper"

    return Kind(expected='"paper"', read=read, schema={"const": "paper"})
