"""The options that commands reading candle files share: what a person says about the file."""

from typing import Annotated

import typer

Columns = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="What the columns are, in the file's order, such as "
        "timestamp,open,high,low,close,-,volume (- is not read); else the header tells.",
    ),
]
Interval = Annotated[
    str | None, typer.Option(help="Length of a candle, such as 1m; else the file tells.")
]
NewestFirst = Annotated[
    bool, typer.Option("--newest-first", help="The file stands from the newest row to the oldest.")
]
OnBad = Annotated[str, typer.Option(help="fail on the first faulty row, or drop faulty rows.")]
