"""The rows of a ledger file: a CSV of fills, read strictly, each cell with its place.

Columns: time, side, price, quantity, fee, fee_asset, trade_id, tranche (SPEC 13). The first cell
that cannot be read is BadInput: file, line, column, what was found, what is expected. To add a
column: its name in COLUMNS, its cell in _row.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from trancher.app.nearest import nearest
from trancher.app.output import BadInput
from trancher.core.day import EPOCH
from trancher.core.errors import InvalidNumber
from trancher.core.ledger import NO_TIME, Row
from trancher.core.money import exact, parse_decimal
from trancher.core.order import Fill, Side, TradeId, TrancheId

COLUMNS: Final = ("time", "side", "price", "quantity", "fee", "fee_asset", "trade_id", "tranche")
REQUIRED: Final = COLUMNS[:4]
MAX_DECIMALS: Final = 18
_END_SECOND: Final = 4_102_444_800  # 2100-01-01
_FIRST_FINE_SECOND: Final = 631_152_000  # 1990-01-01; below, a number is no ms, us or ns
_PER_SECOND: Final = (10**3, 10**6, 10**9)
_NUMBER: Final = re.compile(r"[0-9]{1,19}(\.[0-9]{1,18})?", re.ASCII)
_RUN_TOGETHER: Final = re.compile(r"(19|20)[0-9]{6}", re.ASCII)
_WORDED: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})([Tt ]([0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)"
    r" ?(Z|z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)
_TIME_EXPECTED: Final = (
    "a time such as 2025-09-03T15:30:00Z, a date such as 2025-09-03, or s, ms, us or ns since 1970"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was written, in words; it says what is wrong there."""

    where: str

    def bad(self, *, found: str, expected: str) -> BadInput:
        return BadInput(f"{self.where}: found {found}, expected {expected}")


def cell_at(path: Path, line: int, column: str = "") -> Place:
    """Return the place of a cell, or of a whole line."""
    return Place(where=f"{path}, line {line}" + (f", column {column}" if column else ""))


def shortened(text: str) -> str:
    """Return a text as a sentence can hold it."""
    return text if len(text) <= 60 else text[:57] + "..."


def quoted(cell: str) -> str:
    """Return a cell in quotes, as a sentence can hold it."""
    return repr(shortened(cell)) if cell else "nothing"


def read_rows(path: Path, *, base: str | None, quote: str | None) -> list[Row]:
    """Return the fills of a CSV file in order of arrival, each with its line.

    Empty lines are no rows.

    Args:
        base, quote: names that `fee_asset` may use for the two assets, beside these very words.

    Raises:
        BadInput: the first cell that cannot be read.
    """
    assets = {"": "quote", "quote": "quote", "base": "base"}
    assets |= {name.lower(): word for name, word in ((base, "base"), (quote, "quote")) if name}
    records = _records(path)
    header_line, header = next(records, (1, []))
    _check_header(path, header_line, header)
    rows: list[Row] = []
    at = NO_TIME
    for line, values in records:
        if len(values) != len(header):
            place = min(len(values), len(header))
            column = header[place] if place < len(header) else str(place + 1)
            raise cell_at(path, line, column).bad(
                found=f"{len(values)} values", expected=f"{len(header)} as in the header"
            )
        row = _row(path, line, dict(zip(header, values, strict=True)), assets, at)
        at = row.fill.at
        rows.append(row)
    return rows


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not empty, with the line it begins in."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        reason = (problem.strerror or "an error").lower()
        raise BadInput(f"{path}: found {reason}, expected a CSV file of fills") from problem
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        place = cell_at(path, content.count(b"\n", 0, problem.start) + 1)
        raise place.bad(found="bytes that are not UTF-8", expected="UTF-8 text") from problem
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            place = cell_at(path, line)
            raise place.bad(
                found=f"broken CSV ({problem})", expected="values separated by commas"
            ) from problem
        if values:
            yield line, values


def _check_header(path: Path, line: int, header: Sequence[str]) -> None:
    for index, name in enumerate(header):
        here = cell_at(path, line, shortened(name) if name.isidentifier() else str(index + 1))
        if name not in COLUMNS:
            near = nearest(name.strip(), COLUMNS)
            hint = f"the nearest is {near}" if near else f"one of {', '.join(COLUMNS)}"
            raise here.bad(found=f"the unknown name {quoted(name)}", expected=f"a column; {hint}")
        if name in header[:index]:
            raise here.bad(found=f"{quoted(name)} twice", expected="each column once")
    for name in REQUIRED:
        if name not in header:
            raise cell_at(path, line, name).bad(
                found="no such column", expected=f"a header with {', '.join(REQUIRED)}"
            )


def _row(
    path: Path, line: int, cells: Mapping[str, str], assets: Mapping[str, str], before: datetime
) -> Row:
    def place(column: str) -> Place:
        return cell_at(path, line, column)

    at = _instant(cells["time"], place("time")) if cells["time"] else before
    side = cells["side"].lower()
    if side not in set(Side):
        raise place("side").bad(found=quoted(cells["side"]), expected="buy or sell")
    price = read_number(cells["price"], place("price"), positive=True)
    quantity = read_number(cells["quantity"], place("quantity"), positive=True)
    fee = read_number(cells.get("fee", "") or "0", place("fee"))
    asset = cells.get("fee_asset", "")
    for column in ("fee_asset", "trade_id", "tranche"):
        cell = cells.get(column, "")
        if not cell.isprintable() or cell != cell.strip():
            raise place(column).bad(
                found=quoted(cell), expected="a plain name, without blanks around it"
            )
    label = cells.get("tranche", "")
    if side == Side.BUY and "+" in label:
        raise place("tranche").bad(
            found=quoted(label), expected="one label on a buy; + joins the labels of a sale"
        )
    return Row(
        number=line,
        fill=Fill(
            trade_id=TradeId(cells.get("trade_id", "")),
            side=Side(side),
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=assets.get(asset.lower(), asset),
            at=at,
        ),
        labels=tuple(TrancheId(part) for part in label.split("+")) if label else (),
        dated=bool(cells["time"]),
    )


def read_number(cell: str, place: Place, *, positive: bool = False) -> Decimal:
    """Return the number a cell writes: plain digits, at most 18 decimals; above 0 if so asked."""
    try:
        number = parse_decimal(cell)
    except InvalidNumber as problem:
        raise place.bad(found=quoted(cell), expected=problem.expected) from problem
    if len(cell.partition(".")[2]) > MAX_DECIMALS:
        raise place.bad(found=quoted(cell), expected=f"at most {MAX_DECIMALS} decimals")
    if positive and number <= 0:
        raise place.bad(found=quoted(cell), expected="a number above 0")
    return number


def _instant(cell: str, place: Place) -> datetime:
    """Return a time in UTC; digits finer than a microsecond are cut off."""
    worded = _WORDED.fullmatch(cell)
    try:
        if worded is not None:
            day, _, clock, _, _, offset = worded.groups()
            offset = "+00:00" if offset in {None, "Z", "z", "UTC"} else offset
            at = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset}").astimezone(UTC)
            if at >= EPOCH:
                return at
        elif _NUMBER.fullmatch(cell) and not _RUN_TOGETHER.fullmatch(cell):
            return EPOCH + timedelta(microseconds=_micros(Decimal(cell)))
    except (OverflowError, ValueError) as problem:
        raise place.bad(found=quoted(cell), expected=_TIME_EXPECTED) from problem
    raise place.bad(found=quoted(cell), expected=_TIME_EXPECTED)


@exact
def _micros(number: Decimal) -> int:
    """Return microseconds since 1970; the size of the number tells its unit."""
    if number < _END_SECOND:
        return int(number * 10**6)
    for per_second in _PER_SECOND:
        if _FIRST_FINE_SECOND * per_second <= number < _END_SECOND * per_second:
            return int(number * 10**6) // per_second
    raise ValueError
