"""A table of a configuration: what all models of the grammar have in common.

It refuses unknown and missing keys before any value is looked at, so a misspelt key is told as
what it is, and not as the key that it leaves missing.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from trancher.app.nearest import nearest
from trancher.app.words import LATER, Kind, Mismatch

COMING: Final = frozenset({
    "activate", "adverse", "bollinger", "break_even_after", "build_window", "confirm", "fast",
    "hysteresis", "ma_cross", "ma_support", "macd", "max_age", "max_daily_loss", "max_drawdown",
    "max_exposure", "max_losing_streak", "max_positions", "min_temperature", "of", "offset",
    "on_excess", "order", "overbought", "oversold", "price_collar", "price_drop",
    "protect", "rearm", "rearm_max", "reentry_cooldown", "score", "signal", "signal_exit", "slow",
    "steps", "strategy", "trail", "trailing_stop", "trailing_take_profit", "ttl",
})  # fmt: skip
"""Keys that the grammar knows and this version does not."""


class Section(BaseModel):
    """A table: it refuses unknown and missing keys before it looks at any value."""

    PLACE: ClassVar[str] = ""
    """Where the table stands, in words."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )

    @model_validator(mode="before")
    @classmethod
    def _known_and_complete(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            doubled = isinstance(value, list) and any(isinstance(one, dict) for one in value)
            hint = "[[ ]] makes a list, [ ] a table" if doubled else ""
            raise Mismatch(expected="a table", hint=hint)
        keys = {name_of(cls, field): field for field in cls.model_fields}
        for key in value:
            if key not in keys:
                raise _unknown(key, tuple(keys), place=cls.PLACE)
        for key, field in keys.items():
            if key not in value and cls.model_fields[field].is_required():
                raise Mismatch(at=(key,), expected=_expected(cls, field))
        return value


class UnknownKey(Mismatch):
    """A key that its table does not have."""


def name_of(section: type[Section], field: str) -> str:
    """Return the key that a field is written as."""
    return section.model_fields[field].alias or field


def none_of(section: type[Section], field: str) -> str | None:
    """Return how None is written in a field; None where that takes leaving the key out."""
    kinds = (one.none for one in section.model_fields[field].metadata if isinstance(one, Kind))
    return next(kinds, None)


def _expected(section: type[Section], field: str) -> str:
    said = section.model_fields[field]
    kinds = (one.expected for one in said.metadata if isinstance(one, Kind))
    described = (said.description or "A table").removesuffix(".")
    return next(kinds, described[0].lower() + described[1:])


def _unknown(key: str, valid: tuple[str, ...], *, place: str) -> UnknownKey:
    choice = f"one of {', '.join(valid)}" if len(valid) > 1 else valid[0]
    home = _homes().get(key)
    if home is not None and home == place:
        return UnknownKey(at=(key,), found="a key of another plan", expected=choice)
    if home is not None:
        found = "a key that stands elsewhere"
        return UnknownKey(at=(key,), found=found, expected=f"it in {home}")
    if key in COMING:
        return UnknownKey(at=(key,), found=f"a key that {LATER}", expected=choice)
    meant = nearest(key, valid)
    hint = f"did you mean {meant}?" if meant is not None and len(valid) > 1 else ""
    return UnknownKey(at=(key,), found="an unknown key", expected=choice, hint=hint)


def listed(expected: str) -> BeforeValidator:
    """Return the check that a value is a list with something in it."""

    def check(value: object) -> object:
        if not isinstance(value, list) or not value:
            found = "an empty list" if value == [] else None
            raise Mismatch(expected=expected, found=found)
        return value

    return BeforeValidator(check)


def sections() -> list[type[Section]]:
    """Return every table of the grammar."""
    return [
        section for base in Section.__subclasses__() for section in (base, *base.__subclasses__())
    ]


@cache
def _homes() -> Mapping[str, str]:
    """Return the one table that a key may stand in, for the keys that have but one."""
    places: dict[str, set[str]] = {}
    for section in sections():
        for field in section.model_fields:
            places.setdefault(name_of(section, field), set()).add(section.PLACE)
    return {key: place for key, (place, *more) in places.items() if place and not more}
