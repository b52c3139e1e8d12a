"""Where a key stands: a scanner that maps every key path of a TOML text to its line.

It reads text that tomllib has already accepted, so it checks nothing.

Invariants:
1. Every path of the parsed document has a spot, and a spot's line is the key's own, or that of an
   element of a list.
2. A bare value (a number, a date, true or false) keeps its text as it was written.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Path = tuple[str | int, ...]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE: Final = re.compile(r"[^,\]}#\n]*")
_STRINGS: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:\\.|[^\\])*?"{3,5}',
        r"'''.*?'{3,5}",
        r'"(?:\\.|[^"\\\n])*"',
        r"'[^'\n]*'",
    )
)
_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANKS: Final = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where something stands.

    Attributes:
        line: counted from 1.
        text: a value as it was written, where it is bare or a string; None for tables and lists.
    """

    line: int
    text: str | None = None


def locate(text: str) -> Mapping[Path, Spot]:
    """Return the spot of every key and every list element of `text`, which is valid TOML."""
    scanner = _Scanner(text=text.replace("\r\n", "\n"))
    scanner.document()
    return scanner.spots


def line_of(spots: Mapping[Path, Spot], path: Path) -> int:
    """Return the line of `path`, or of the nearest parent that is written down; else 1."""
    for length in range(len(path), 0, -1):
        spot = spots.get(path[:length])
        if spot is not None:
            return spot.line
    return 1


def in_words(path: Path) -> str:
    """Return `path` as a person reads it: bot.entry.rungs[2].size, counted from 1."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f"[{part + 1}]"
        else:
            word = part if _BARE_KEY.fullmatch(part) else f'"{part}"'
            words += f".{word}" if words else word
    return words


@dataclass(slots=True, kw_only=True)
class _Scanner:
    text: str
    at: int = 0
    line: int = 1
    spots: dict[Path, Spot] = field(default_factory=dict)
    tables: dict[Path, int] = field(default_factory=dict)
    """How many tables each array of tables has so far."""

    def document(self) -> None:
        table: Path = ()
        while self._gap():
            if self.text.startswith("[[", self.at):
                table = self._header(opening="[[", closing="]]")
            elif self.text.startswith("[", self.at):
                table = self._header(opening="[", closing="]")
            else:
                self._pair(table)

    def _header(self, *, opening: str, closing: str) -> Path:
        line = self.line
        self._skip(opening)
        keys = self._keys()
        self._skip(closing)
        path: Path = ()
        for key in keys[:-1]:
            path = self._into((*path, key), line)
        path = (*path, keys[-1])
        self._note(path, line)
        if opening == "[[":
            index = self.tables.get(path, 0)
            self.tables[path] = index + 1
            path = (*path, index)
            self._note(path, line)
        return path

    def _into(self, path: Path, line: int) -> Path:
        """Return `path`, or its latest table where it is an array of tables."""
        self._note(path, line)
        return (*path, self.tables[path] - 1) if path in self.tables else path

    def _pair(self, table: Path) -> None:
        line, path = self.line, table
        for key in self._keys():
            path = (*path, key)
            self._note(path, line)
        self._skip("=")
        self._value(path, line)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self.text.startswith(".", self.at):
            self._skip(".")
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._take(_BLANKS)
        if self.text[self.at : self.at + 1] in {'"', "'"}:
            key = str(tomllib.loads(f"key = {self._string()}")["key"])
        else:
            key = self._take(_BARE_KEY)
            assert key
        self._take(_BLANKS)
        return key

    def _value(self, path: Path, line: int) -> None:
        self._take(_BLANKS)
        match self.text[self.at : self.at + 1]:
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self.spots[path] = Spot(line=line, text=self._string())
            case _:
                self.spots[path] = Spot(line=line, text=self._take(_BARE_VALUE).strip())

    def _list(self, path: Path) -> None:
        self._skip("[")
        index = 0
        while self._gap() and not self.text.startswith("]", self.at):
            self._note((*path, index), self.line)
            self._value((*path, index), self.line)
            index += 1
            self._gap()
            self._skip(",")
        self._skip("]")

    def _inline_table(self, path: Path) -> None:
        self._skip("{")
        while self._gap() and not self.text.startswith("}", self.at):
            self._pair(path)
            self._gap()
            self._skip(",")
        self._skip("}")

    def _string(self) -> str:
        for pattern in _STRINGS:
            if text := self._take(pattern):
                return text
        raise AssertionError(self.at)  # tomllib would not have accepted it

    def _gap(self) -> bool:
        """Step over blanks, line ends and comments; say whether anything follows."""
        self._take(_GAP)
        return self.at < len(self.text)

    def _skip(self, mark: str) -> None:
        """Step over `mark` where it stands here, and the blanks after it."""
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            self._take(_BLANKS)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        text = found[0] if found else ""
        self.at += len(text)
        self.line += text.count("\n")
        return text

    def _note(self, path: Path, line: int) -> None:
        self.spots.setdefault(path, Spot(line=line))
