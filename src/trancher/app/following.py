"""Candles that are followed: files that somebody else goes on writing, read again as they grow.

A candle counts once it has closed and its line is whole. What cannot be read now may be readable
in a moment, for a file is written while it is read; it is told when that lasts.

Invariant: what was read of a file counts only if nobody has written to it meanwhile, or half a
line would pass for a whole one that was finished just after.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from trancher.app.backtesting import Source
from trancher.app.candle_words import in_words
from trancher.app.configured import Settings
from trancher.app.output import BadInput
from trancher.backtest.feed import Feed
from trancher.market.candles import Candles, OnBad, read_candles
from trancher.market.layout import Layout

_PATIENCE: Final = 3
"""How many looks in a row find the same fault before it is told."""
_WITHOUT_LINES: Final = (b"PAR1", b"\x1f\x8b", b"[", b"{")
"""How files begin that are not text with a candle in each line."""


def reading(
    *, on_bad: OnBad, layout: Layout, clock: Callable[[], datetime]
) -> Callable[[Source], Candles]:
    """Return what reads the file of a source anew.

    Args:
        clock: aware; a candle that opens later is faulty.
    """

    def read(source: Source) -> Candles:
        return in_words(
            lambda: read_candles(
                Path(source.name),
                on_bad=on_bad,
                now=clock(),
                interval=source.candles.interval,
                layout=layout,
            )
        )

    return read


def check_ticks(settings: Settings) -> None:
    """See that the price tick of every symbol is said: that of a file that grows may change.

    Raises:
        BadInput: one is not.
    """
    for bot in settings.bots:
        terms = settings.instruments.get(bot.symbol)
        if terms is None or terms.price_tick is None:
            raise BadInput(
                f'{settings.file}: instrument."{bot.symbol}": found no price_tick, '
                "expected one with --follow, for that of a file may change as it grows"
            )


@dataclass(slots=True)
class _File:
    """A file of candles.

    Attributes:
        source: what was taken of it.
        stamp: its size and time when it was read to its end; None where more was in it.
        fault: what was wrong with it at the last look.
        looks: how often that was seen in a row.
    """

    source: Source
    stamp: tuple[int, int] | None = None
    fault: str = ""
    looks: int = 0


class Follower:
    """Reads files of candles again as they grow."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        *,
        read: Callable[[Source], Candles],
        clock: Callable[[], datetime],
        tell: Callable[[str], None],
    ) -> None:
        """Take the files as they are, without candles that are not whole yet.

        Args:
            read: reads the file of a source anew; raises BadInput.
            clock: aware; a candle that closes later has not come yet.
            tell: told in a sentence of a file that stays unreadable.

        Raises:
            BadInput: no candle of a file has closed, or it cannot be read any more.
        """
        self._read, self._clock, self._tell = read, clock, tell
        self._files: dict[str, _File] = {}
        for symbol, source in sources.items():
            whole = self._first(source)
            if whole is None:
                raise BadInput(f"{source.name}: found no candle that has closed, expected one")
            self._files[symbol] = _File(replace(source, candles=whole))

    def _first(self, source: Source) -> Candles | None:
        """Return what is whole of a file; None without a candle.

        It was read before, but nobody has looked whether it was written to meanwhile.
        """
        for _ in range(_PATIENCE):
            stamp = _stamp(source)
            read = self._read(source)
            whole = self._whole(read, torn=_is_torn(Path(source.name)))
            if _stamp(source) == stamp:
                return whole
        return self._whole(source.candles, torn=True)

    @property
    def sources(self) -> dict[str, Source]:
        """All candles that have come, by symbol."""
        return {symbol: file.source for symbol, file in self._files.items()}

    def more(self) -> dict[str, Feed]:
        """Return all candles of the symbols that have more of them than before."""
        return {
            symbol: Feed(symbol, file.source.candles)
            for symbol, file in self._files.items()
            if self._has_more(file)
        }

    def _has_more(self, file: _File) -> bool:
        stamp = _stamp(file.source)
        if stamp is not None and stamp == file.stamp:
            return False
        try:
            read, found = self._longer(file.source)
        except BadInput as problem:
            self._take_note(file, str(problem))
            return False
        if _stamp(file.source) != stamp:
            return False
        file.fault, file.looks = "", 0
        file.stamp = stamp if len(found) == len(read) else None
        before, file.source = file.source, replace(file.source, candles=found)
        return len(found) > len(before.candles)

    def _longer(self, source: Source) -> tuple[Candles, Candles]:
        """Return all candles that a file has now, and those of them that are whole.

        Raises:
            BadInput: the file cannot be read, or is another one than before.
        """
        read = self._read(source)
        found = self._whole(read, torn=_is_torn(Path(source.name)))
        if found is None or not found.begins_with(source.candles):
            raise BadInput(
                f"{source.name}: found other candles than before, expected those and more"
            )
        return read, found

    def _take_note(self, file: _File, fault: str) -> None:
        file.looks = file.looks + 1 if fault == file.fault else 1
        file.fault = fault
        if file.looks == _PATIENCE:
            self._tell(f"{fault}; its bots wait, and it is read again when it has changed")

    def _whole(self, candles: Candles, *, torn: bool) -> Candles | None:
        """Return the candles that have closed and are whole; None without one.

        Args:
            torn: whether the last of them may not be whole.
        """
        now, count = self._clock(), len(candles)
        while count and candles.closed_at(count - 1) > now:
            count -= 1
        if torn and count == len(candles):
            count -= 1
        return candles.first(count) if count else None


def _stamp(source: Source) -> tuple[int, int] | None:
    try:
        said = Path(source.name).stat()
    except OSError:
        return None  # whoever reads it says why
    return said.st_size, said.st_mtime_ns


def _is_torn(path: Path) -> bool:
    """Say whether somebody may still be writing the last line of a file that has lines."""
    try:
        with path.open("rb") as file:
            if file.read(4).startswith(_WITHOUT_LINES):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:
        return True  # it is gone, or empty, since it was read
