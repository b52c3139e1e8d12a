"""Which column of a file is what, and which way its rows stand: its header or a person says it.

A name that columns may also have is one word in `TIME_NAMES`.

Invariants:
1. No column is chosen by its place or its values: a header names it, or a person does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trancher.files import FileError, UnnamedColumns

PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = (*PRICES, "volume")
TIME_NAMES: Final = ("timestamp", "time", "date", "open_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file stands, as far as a person has to say it.

    Attributes:
        columns: what the columns are called, in the file's order, under the names that `examined`
            looks for; others are not read. None where the file's header says it.
        newest_first: the rows stand from the newest to the oldest; they are read from the end.
    """

    columns: tuple[str, ...] | None = None
    newest_first: bool = False


AS_IT_STANDS: Final = Layout()
"""The header names the columns, and the oldest row stands first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChoice:
    """Finds the six columns of candles in a header, by name alone."""

    file: str

    def __call__(self, names: Sequence[str]) -> Mapping[str, int]:
        plain = [name.strip().lower().replace(" ", "_") for name in names]
        chosen = {"timestamp": self._index(TIME_NAMES, plain, names)}
        for name in COLUMNS:
            chosen[name] = self._index((name,), plain, names)
        return chosen

    def _index(self, wanted: Sequence[str], plain: Sequence[str], names: Sequence[str]) -> int:
        for name in wanted:
            if plain.count(name) == 1:
                return plain.index(name)
            if name in plain:
                raise UnnamedColumns(
                    file=self.file,
                    place="header",
                    column=name,
                    found=f"{plain.count(name)} columns of that name",
                    expected="one",
                )
        divider = next((one for one in ";\t|" if len(names) == 1 and one in names[0]), None)
        if divider is not None:
            raise FileError(
                file=self.file,
                place="header",
                found=f"columns divided by {divider!r}",
                expected="columns divided by commas",
            )
        # A file without a header, or of another kind, may have anything in its first line.
        shown = [repr(name[:24]) for name in names[:8]] + ["..."] * (len(names) > 8)
        raise UnnamedColumns(
            file=self.file,
            place="header",
            found=f"the columns {', '.join(shown)}" if shown else "no columns",
            expected=f"a column named {' or '.join(wanted)}",
        )
