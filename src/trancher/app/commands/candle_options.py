"""The options that commands reading candle files share: what a person says about the file."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trancher.app.backtesting import Source
    from trancher.app.configured import Settings

Columns = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="What the columns are, in the file's order, such as "
        "timestamp,open,high,low,close,-,volume (- is not read); else the header tells.",
    ),
]
Interval = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Length of a candle, such as 1m; else the file tells."),
]
NewestFirst = Annotated[
    bool, typer.Option("--newest-first", help="The file stands from the newest row to the oldest.")
]
OnBad = Annotated[
    str,
    typer.Option(metavar="fail|drop", help="fail on the first faulty row, or drop faulty rows."),
]


def sources_of(
    files: "Sequence[str]",
    settings: "Settings",
    *,
    option: str,
    on_bad: str,
    columns: str | None,
    newest_first: bool,
) -> "dict[str, Source]":
    """Return the candles of `[SYMBOL=]FILE` texts that came with `option`, read as they say."""
    from trancher.app.backtesting import read_sources
    from trancher.app.candle_words import parse_layout, parse_on_bad

    return read_sources(
        files,
        settings,
        option=option,
        on_bad=parse_on_bad(on_bad),
        now=datetime.now(UTC),
        layout=parse_layout(columns, newest_first=newest_first),
    )
