"""Changes: what one configuration means otherwise than another, key by key.

Compared is what they mean, in the one spelling of settings.py, so layout, the order of keys and
"10%" against 0.10 change nothing. Bots are known by their names, members of lists by their places.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trancher.app.locate import Path, in_words
from trancher.app.output import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A key that has another value than before.

    Attributes:
        bot: whose key it is; None for what all bots share.
        key: where it stands in the bot's table, or in the file: exit.take_profit[2].gain.
        old, new: None where there was, or is, no such key.
    """

    bot: str | None
    key: str
    old: str | None
    new: str | None


def changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> tuple[Change, ...]:
    """Return what differs between two meanings: first what all bots share, then bot by bot."""
    before, after = _tables(old), _tables(new)
    return tuple(
        Change(bot=bot, key=key, old=was.get(key), new=now.get(key))
        for bot in {**before, **after}
        for was, now in [(before.get(bot, {}), after.get(bot, {}))]
        for key in {**was, **now}
        if was.get(key) != now.get(key)
    )


def bot_table(meaning: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """Return the table of a bot, defaults filled in."""
    return next(table for table in _bots(meaning) if table["name"] == name)


def _tables(meaning: Mapping[str, Json]) -> dict[str | None, dict[str, str]]:
    shared = {key: value for key, value in meaning.items() if key != "bot"}
    found: dict[str | None, dict[str, str]] = {None: dict(_values(shared, ()))}
    for table in _bots(meaning):
        found[str(table["name"])] = dict(_values(table, ()))
    return found


def _bots(meaning: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    tables = meaning["bot"]
    assert isinstance(tables, Sequence)
    for table in tables:
        assert isinstance(table, Mapping)
        yield table


def _values(value: Json, path: Path) -> Iterator[tuple[str, str]]:
    """Yield every value under `path`, which is a text, by its key."""
    match value:
        case Mapping():
            for key, item in value.items():
                yield from _values(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from _values(item, (*path, index))
        case _:
            yield in_words(path), str(value)
