"""A table of a configuration: what all models of the grammar have in common.

It refuses unknown and missing keys before any value is looked at, so a misspelt key is told as
what it is, and not as the key that it leaves missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from trancher.app.nearest import nearest
from trancher.app.words import LATER, Kind, Mismatch

COMING: Final = frozenset({"adverse", "price_collar", "protect"})
"""Keys that the grammar knows and this version does not."""
_ELSEWHERE: Final = {
    "base_order": "base_size",
    "base_order_size": "base_size",
    "base_order_volume": "base_size",
    "safety_order": "safety_size",
    "safety_order_size": "safety_size",
    "safety_order_volume": "safety_size",
    "max_safety_orders": "max_safety",
    "price_deviation": "deviation",
}
"""What hosted bots call a key of ours."""
_FEW: Final = 4  # keys that a sentence may name all


class Section(BaseModel):
    """A table: it refuses unknown and missing keys before it looks at any value."""

    PLACE: ClassVar[str] = ""
    """Where the table stands, in words."""
    HOME: ClassVar[bool] = True
    """Whether a key that stands elsewhere may be meant for here."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )

    @model_validator(mode="before")
    @classmethod
    def _known_and_complete(cls, value: Any) -> Any:
        keys = {name_of(cls, field): field for field in cls.model_fields}
        if not isinstance(value, dict):
            doubled = isinstance(value, list) and any(isinstance(one, dict) for one in value)
            hint = "[[ ]] makes a list, [ ] a table" if doubled else ""
            few = f" {{{', '.join(keys)}}}" if len(keys) <= _FEW else ""
            raise Mismatch(expected=f"a table{few}", hint=hint)
        for key in value:
            if key not in keys:
                raise _unknown(key, tuple(keys), place=cls.PLACE)
        for key, field in keys.items():
            if key not in value and cls.model_fields[field].is_required():
                raise Mismatch(at=(key,), expected=_expected(cls, field))
        cls._check_keys(value)
        return value

    @classmethod
    def _check_keys(cls, value: Mapping[str, Any]) -> None:
        """Refuse keys that do not go together, all of which are known."""


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
    kinds = (one.expected for one in said.metadata if isinstance(one, Kind | Listed))
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
    known_as = _ELSEWHERE.get(key.lower())
    meant = known_as if known_as in valid else nearest(key, valid)
    hint = f"did you mean {meant}?" if meant is not None and len(valid) > 1 else ""
    return UnknownKey(at=(key,), found="an unknown key", expected=choice, hint=hint)


@dataclass(frozen=True, slots=True)
class Listed:
    """The check that a value is a list with something in it."""

    expected: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def _read(self, value: object) -> object:
        if not isinstance(value, list) or not value:
            found = "an empty list" if value == [] else None
            raise Mismatch(expected=self.expected, found=found)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Shorthand:
    """What a table may be written as instead: the value of one of its keys, alone.

    Attributes:
        kind: of that value.
    """

    key: str
    kind: Kind

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [dict(self.kind.schema), handler(schema)]}

    def _read(self, value: object) -> object:
        return value if isinstance(value, dict) else {self.key: self.kind.read(value)}


def sections() -> list[type[Section]]:
    """Return every table of the grammar."""
    return [
        section for base in Section.__subclasses__() for section in (base, *base.__subclasses__())
    ]


@cache
def _homes() -> Mapping[str, str]:
    """Return the one table that a key may stand in, for the keys that have but one."""
    places: dict[str, set[str]] = {}
    for section in (one for one in sections() if one.HOME):
        for field in section.model_fields:
            places.setdefault(name_of(section, field), set()).add(section.PLACE)
    return {key: place for key, (place, *more) in places.items() if place and not more}
