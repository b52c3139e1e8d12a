"""Codec: events, records and positions as canonical JSON text, and back to the last digit.

One value has one text: fields in the order of their class, decimals in plain digits with every
zero, times in RFC 3339 with Z, members of a union tagged by the name of their type. How a class is
written follows from its annotations, so a new field or event needs no line here.

Invariants:
1. decode(encode(value)) == value, and the decimals have the same digits and exponents. A positive
   exponent, which plain digits cannot say, is not written.
2. encode(decode(text)) == text: any other text is refused, whatever it might mean.
3. A field that came after the first journals is left out where it has its default, and must not be
   written there: what was written before the field was known has the same text for ever. _LATER
   names these fields; one that a class in a journal gets from now on belongs there.
"""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import (
    Any,
    Final,
    Generic,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from trancher.core.book import Book
from trancher.core.decision import Decision
from trancher.core.errors import TrancherError
from trancher.core.events import Marked
from trancher.core.instrument import Instrument
from trancher.core.limits import Refusal
from trancher.core.order import EntryOrder, ExitOrder
from trancher.core.position import Position
from trancher.core.tranches import Tranche
from trancher.store.entries import BotFacts, ConfigurationLoaded, Entry, RunFinished
from trancher.store.errors import UnreadableText

T = TypeVar("T")
Encode = Callable[[Any], object]
Decode = Callable[[object], Any]

_TAG: Final = "type"
_PLAIN: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_WRITER: Final = msgspec.json.Encoder()
_READER: Final = msgspec.json.Decoder()
LATER: Final = {"later": True}
"""The metadata of such a field of a class that imports this module."""
_LATER: Final[Mapping[type, frozenset[str]]] = {
    Book: frozenset({"adopted", "corrected"}),
    BotFacts: frozenset({"places"}),
    Decision: frozenset({"place"}),
    EntryOrder: frozenset({"limit_price", "expires_at", "evidence", "place"}),
    ExitOrder: frozenset({"named", "place"}),
    Marked: frozenset({"trailed"}),
    Position: frozenset({"place", "moved", "undoable"}),
    Refusal: frozenset({"key"}),
    RunFinished: frozenset({"peak_equity", "simulation"}),
    Tranche: frozenset({"corrected"}),
}


class Codec(Generic[T]):
    """Writes and reads values of one type, a class or a union of classes."""

    def __init__(self, shape: object, *, name: str) -> None:
        """Learn the type.

        Args:
            name: what a refusal calls it.
        """
        self._name = name
        self._encode, self._decode = _coded(shape, name)

    def encode(self, value: T) -> str:
        """Return the only text of `value`."""
        return _WRITER.encode(self._encode(value)).decode()

    def decode(self, text: str) -> T:
        """Return what `text` says.

        Raises:
            UnreadableText: it is not the text of any value.
        """
        try:
            value: T = self._decode(_READER.decode(text))
            again = self.encode(value)
        except (msgspec.DecodeError, TrancherError) as problem:
            raise _unreadable(self._name, str(problem), "what was written there") from problem
        if again != text:
            raise _unreadable(self._name, "another spelling", "the one that is always written")
        return value


def decimal_text(number: Decimal) -> str:
    """Return `number` in plain digits, all of them."""
    text = str(number)
    if "E" not in text and "N" not in text and "I" not in text:
        return text
    # Ten times 1E+3 is 1E+4 and ten times 1000 is 10000: other digits, so other books.
    assert number.is_finite(), number
    assert "E+" not in text, number
    return f"{number:f}"


def instant_text(at: datetime) -> str:
    """Return an aware time in RFC 3339, in UTC."""
    if at.tzinfo is not UTC:
        assert at.tzinfo is not None, at
        at = at.astimezone(UTC)
    return at.isoformat()[:-6] + "Z"


def parse_instant(text: str) -> datetime:
    """Return the time that `instant_text` wrote."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


# ---- how each type is written and read


def _coded(shape: Any, where: str) -> tuple[Encode, Decode]:
    """Return how a value of type `shape` becomes plain JSON values, and back."""
    while isinstance(shape, NewType):
        shape = shape.__supertype__
    if shape in (str, int, bool):
        return _as_it_is, _exactly(shape, where)
    if shape is Decimal:
        return decimal_text, _parsed(_decimal, where, "a number in plain digits")
    if shape is datetime:
        return instant_text, _parsed(parse_instant, where, "a time")
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return _value_of, _parsed(shape, where, f"one of {', '.join(shape)}")
    if is_dataclass(shape) and isinstance(shape, type):
        return _coded_class(shape, where, tag=None)
    origin, parts = get_origin(shape), get_args(shape)
    if origin in (Union, types.UnionType):
        return _coded_union(parts, where)
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        return _coded_tuple(parts[0], where)
    if origin is Mapping:
        return _coded_mapping(parts[0], parts[1], where)
    raise AssertionError(f"{where}: no way is known to write {shape}")


def _as_it_is(value: object) -> object:
    return value


def _value_of(word: StrEnum) -> str:
    return word.value


def _decimal(text: str) -> Decimal:
    if _PLAIN.fullmatch(text) is None:
        raise ValueError(text)
    return Decimal(text)


def _exactly(kind: type, where: str) -> Decode:
    def decode(value: object) -> object:
        if type(value) is not kind:
            raise _unreadable(where, repr(value), f"a value of type {kind.__name__}")
        return value

    return decode


def _parsed(parse: Callable[[str], object], where: str, expected: str) -> Decode:
    def decode(value: object) -> object:
        try:
            if isinstance(value, str):
                return parse(value)
        except ValueError:
            pass
        raise _unreadable(where, repr(value), expected)

    return decode


def _coded_tuple(part: object, where: str) -> tuple[Encode, Decode]:
    encode_one, decode_one = _coded(part, f"{where}[]")

    def encode(value: tuple[object, ...]) -> object:
        return [encode_one(item) for item in value]

    def decode(value: object) -> object:
        if type(value) is not list:
            raise _unreadable(where, repr(value), "a list")
        return tuple(decode_one(item) for item in value)

    return encode, decode


def _coded_mapping(key: object, part: object, where: str) -> tuple[Encode, Decode]:
    encode_one, decode_one = _coded(part, f"{where}{{}}")
    # JSON has text for keys only; whether the text was the number's is seen by writing it again.
    read_key = _parsed(int if key is int else str, where, "a key of a mapping")

    def encode(value: Mapping[object, object]) -> object:
        return {str(name): encode_one(item) for name, item in value.items()}

    def decode(value: object) -> object:
        if type(value) is not dict:
            raise _unreadable(where, repr(value), "a mapping")
        return {read_key(name): decode_one(item) for name, item in value.items()}

    return encode, decode


def _coded_union(parts: tuple[Any, ...], where: str) -> tuple[Encode, Decode]:
    members = [part for part in parts if part is not types.NoneType]
    inner = _coded(members[0], where) if len(members) == 1 else _coded_members(members, where)
    if len(members) == len(parts):
        return inner
    encode_one, decode_one = inner
    # A class leaves None alone; only what stands in a list or alone could need more than this.
    return encode_one, lambda value: None if value is None else decode_one(value)


def _coded_members(members: list[Any], where: str) -> tuple[Encode, Decode]:
    coded = {kind: _coded_class(kind, where, tag=kind.__name__) for kind in members}
    encoders = {kind: encode for kind, (encode, _) in coded.items()}
    decoders = {kind.__name__: decode for kind, (_, decode) in coded.items()}

    def encode(value: object) -> object:
        return encoders[type(value)](value)

    def decode(value: object) -> object:
        tag = value.get(_TAG) if type(value) is dict else None
        if not isinstance(tag, str) or tag not in decoders:
            raise _unreadable(where, f"the type {tag!r}", f"one of {', '.join(decoders)}")
        return decoders[tag](value)

    return encode, decode


def _coded_class(kind: Any, where: str, *, tag: str | None) -> tuple[Encode, Decode]:
    place = kind.__name__ if tag is not None else where
    hints = get_type_hints(kind)
    coded = {f.name: _coded(hints[f.name], f"{place}.{f.name}") for f in fields(kind)}
    # Text, whole numbers and truth values are written as they are.
    plan = [(name, encode) for name, (encode, _) in coded.items() if encode is not _as_it_is]
    head: dict[str, object] = {} if tag is None else {_TAG: tag}
    readers = [(name, decode) for name, (_, decode) in coded.items()]
    names = {*coded, *(() if tag is None else (_TAG,))}
    assert len(names) == len(coded) + (tag is not None), place
    later = _defaults(kind)

    def encode(value: object) -> object:
        written = {**head, **{name: getattr(value, name) for name in coded}}
        for name, default in later.items():
            if written[name] == default:
                del written[name]
        for name, encode_one in plan:
            item = written.get(name)
            if item is not None:
                written[name] = encode_one(item)
        return written

    def decode(value: object) -> object:
        if type(value) is not dict:
            raise _unreadable(place, repr(value), "an object")
        odd = (value.keys() | later.keys()) ^ names
        if odd:
            named = ", ".join(sorted(odd))
            raise _unreadable(
                place, f"keys that are too many or missing: {named}", "the known ones"
            )
        return kind(
            **{name: decode_one(value[name]) for name, decode_one in readers if name in value}
        )

    return encode, decode


def _defaults(kind: type) -> dict[str, object]:
    """Return the fields of `kind` that its first texts did not know, with their defaults."""
    later = _LATER.get(kind, frozenset()) | {f.name for f in fields(kind) if f.metadata == LATER}
    found = {f.name: f.default for f in fields(kind) if f.name in later}
    assert found.keys() == later, kind
    assert MISSING not in found.values(), kind
    return found


def _unreadable(where: str, found: str, expected: str) -> UnreadableText:
    return UnreadableText(where=where, found=found, expected=expected)


ENTRIES: Final = Codec[Entry](Entry, name="journal entry")
LOADS: Final = Codec[ConfigurationLoaded](ConfigurationLoaded, name="load")
POSITIONS: Final = Codec[Position](Position, name="position")
CONTRIBUTIONS: Final = Codec[Mapping[str, Decimal]](Mapping[str, Decimal], name="contributions")
INSTRUMENTS: Final = Codec[Instrument](Instrument, name="instrument")
