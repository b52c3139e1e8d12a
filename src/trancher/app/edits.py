"""Edits: keys of several bots changed at once; the rest of the text stays as it was written."""

import re
import tomllib
from collections.abc import Iterable, MutableMapping, Sequence
from itertools import pairwise
from typing import Any, Final

import tomlkit

from trancher.app.configured import Settings
from trancher.app.nearest import nearest
from trancher.app.output import BadInput
from trancher.app.settings import parse
from trancher.app.versions import understood
from trancher.store.entries import ConfigurationLoaded

_ALL: Final = "all"
_PART: Final = re.compile(r"([A-Za-z0-9_-]+)((?:\[[1-9][0-9]*\])*)")
_INDEX: Final = re.compile(r"\[([1-9][0-9]*)\]")
_SHAPE: Final = "KEY=VALUE such as entry.size=30 or exit.take_profit[1].gain=8%"


def edited(loaded: ConfigurationLoaded, names: str, pairs: Sequence[str]) -> Settings:
    """Return a configuration with keys of some of its bots changed.

    Args:
        names: of bots, with commas between them; or all.
        pairs: of a key in the table of a bot and its value, as TOML has it; what is no value there
            is a text.

    Raises:
        BadInput: there is no such bot or key, or the configuration would not hold together.
    """
    understood(loaded)
    document = tomlkit.parse(loaded.configuration_text)
    tables = {str(table["name"]): table for table in document["bot"]}
    for name in _chosen(names, tables):
        for pair in pairs:
            path, value = _read(pair)
            _set(tables[name], path, value, pair=pair, bot=name)
    version, portfolio = loaded.configuration_version, loaded.portfolio
    return parse(
        tomlkit.dumps(document), file=f"configuration {version} of portfolio {portfolio}, changed"
    )


def _chosen(names: str, known: Iterable[str]) -> list[str]:
    known = list(known)
    if names == _ALL and _ALL not in known:
        return known
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in known:
            meant = nearest(name, known)
            hint = f"; did you mean {meant}?" if meant else ""
            raise BadInput(
                f"bots set {names}: found {name!r}, expected all, or names of "
                f"{', '.join(known)}{hint}"
            )
    return chosen


def _read(pair: str) -> tuple[list[str | int], Any]:
    """Return the path that a pair names, from the table of a bot on, and the value."""
    key, equals, text = pair.partition("=")
    path: list[str | int] = []
    for part in key.strip().split("."):
        found = _PART.fullmatch(part)
        if not equals or found is None:
            raise BadInput(f"bots set {pair}: found no key and value, expected {_SHAPE}")
        path.append(found[1])
        path += [int(index) - 1 for index in _INDEX.findall(found[2])]
    return path, _value(text.strip())


def _value(text: str) -> Any:
    try:
        tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        # A shell takes quotes away: 15m and 20% are texts.
        return tomlkit.item(text)
    return tomlkit.value(text)


def _set(table: Any, path: Sequence[str | int], value: Any, *, pair: str, bot: str) -> None:
    """Put a value where a path leads to; a table that is missing on the way is made."""
    for part, then in pairwise(path):
        if isinstance(table, MutableMapping) and part not in table and isinstance(then, str):
            table[part] = tomlkit.table()
        table = _at(table, part, pair=pair, bot=bot)
    if not isinstance(table, MutableMapping):
        _at(table, path[-1], pair=pair, bot=bot)
    table[path[-1]] = value


def _at(table: Any, part: str | int, *, pair: str, bot: str) -> Any:
    try:
        return table[part]
    except (KeyError, IndexError, TypeError):
        shown = f"number {part + 1} of it" if isinstance(part, int) else part
        raise BadInput(
            f"bots set {pair}: found no {shown} in bot {bot}, expected a key that leads somewhere"
        ) from None
