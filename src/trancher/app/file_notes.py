"""Outside signals of a configuration, and what of the files given to a run may surprise.

A note is no fault: a run goes on, and what is noted explains why little happens in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from trancher.app.candle_words import in_words
from trancher.app.configured import BotSettings, Settings
from trancher.app.fitting import asked_of_signals
from trancher.app.output import one_line
from trancher.core.conditions import Signal
from trancher.market.outside import OutsideSignal, read_outside, spoken_to

_QUOTES: Final = ("USDT", "USDC", "FDUSD", "BUSD", "USD", "EUR", "GBP", "JPY")
_BASE: Final = re.compile(r"[A-Z][A-Z0-9]{1,9}")


def read_signals(file: Path | None, settings: Settings) -> tuple[OutsideSignal, ...]:
    """Read a file of outside signals; None is no file.

    Raises:
        BadInput: it is faulty, or names a signal or a bot that the configuration does not have.
    """
    if file is None:
        return ()
    heard = sorted({name for bot in settings.bots for name in bot.signals.external})
    bots = sorted(bot.name for bot in settings.bots)
    return in_words(lambda: read_outside(file, heard=heard, bots=bots))


def outside_notes(settings: Settings, rows: Sequence[OutsideSignal]) -> Iterator[str]:
    """Yield what a bot listens to and nobody says, and what is said and nobody waits for.

    Args:
        rows: all that came from outside; a file is never empty, so none is no file.
    """
    for bot in settings.bots:
        said = [row for row in spoken_to(bot.name, rows) if row.name in bot.signals.external]
        silent = [name for name in bot.signals.external if name not in {row.name for row in said}]
        if silent:
            why = "has no row for it" if rows else "is missing"
            yield f"bot {bot.name} listens to {', '.join(silent)}: the file of --signals {why}"
        known = _awaited(bot)
        for event in sorted({row.event for row in said if row.event is not None} - known):
            yield f"bot {bot.name}: no rung waits for the event {event} that --signals brings"


def _awaited(bot: BotSettings) -> set[str]:
    asked = (one for rung in bot.plan.entries for one in asked_of_signals(rung.when))
    return {one.name for one in asked if isinstance(one, Signal)}


def file_notes(files: Mapping[str, str]) -> Iterator[str]:
    """Yield the files of candles whose names speak of another symbol.

    Args:
        files: by the symbol that they were given for.
    """
    for symbol, file in files.items():
        base = symbol.partition("/")[0].upper()
        named = _named_for(Path(file).stem.upper())
        if named is not None and base not in Path(file).stem.upper():
            yield (
                f"{one_line(file)} is named for {named}, and was read as the candles of {symbol}"
            )


def _named_for(stem: str) -> str | None:
    """Return the base that a file name such as BTCUSDT-1h or eth_usd speaks of, or None."""
    words: list[str] = re.findall(r"[A-Z0-9]+", stem)
    for word in words:
        for quote in _QUOTES:
            base = word.removesuffix(quote)
            if base != word and _BASE.fullmatch(base):
                return base
    pairs = (base for base, quote in pairwise(words) if quote in _QUOTES)
    return next((base for base in pairs if _BASE.fullmatch(base)), None)
