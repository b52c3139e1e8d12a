"""The run in which everything happens, folded once more from the documents of its positions.

Nothing of the engine is asked: what was bought and sold, and what it cost, is read from `--json`;
the rest is arithmetic.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from command_line import done
from report_pages import WALK_DATA, page_in, walk

HOUR_MS: Final = 3_600_000
FEE: Final = Decimal("0.002")
FILES: Final = {"BTC/USD": "b.csv", "ETH/USD": "e.csv"}
SIZES: Final = (Decimal(30), Decimal(30), Decimal(40))
TRANCHES_MAX: Final = {"one": 3, "two": 2, "three": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """A run in which everything happens.

    Attributes:
        page: the value that its page shows.
        said: what --json says.
        candles: the rows of its files by symbol, times in milliseconds.
    """

    page: Any
    said: Any
    candles: Mapping[str, list[dict[str, Decimal]]]


def walked(folder: Path) -> Walked:
    """Run it in `folder`."""
    walk(folder)
    kept = ("--db", "sqlite:///w.db")
    done("backtest", "c.toml", *WALK_DATA, "--report", "out.html", *kept, folder=folder)
    return Walked(
        page=page_in(folder / "out.html").data,
        said=done("backtest", "c.toml", *WALK_DATA, "--json", folder=folder).document,
        candles={symbol: list(rows_of(folder / file)) for symbol, file in FILES.items()},
    )


def rows_of(file: Path) -> Iterator[dict[str, Decimal]]:
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            prices = {key: Decimal(row[key]) for key in ("open", "high", "low", "close")}
            yield {"at": Decimal(millis(row["timestamp"])), **prices}


def millis(text: str) -> int:
    """Return a time as whole milliseconds since 1970."""
    return int(instant(text) // Decimal(1000))


def instant(text: str) -> Decimal:
    """Return a time as microseconds since 1970."""
    moment = datetime.fromisoformat(text)
    return Decimal(int(moment.timestamp()) * 1_000_000 + moment.microsecond)


def total(rows: Any, key: str) -> Decimal:
    return sum((Decimal(row[key]) for row in rows), Decimal(0))


# ---- what held at each time, from the documents of positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A buy or a sale; `cost`, `fee` and `quantity` come in where it bought, else they go."""

    at: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    cash: Decimal
    reason: str
    price: Decimal


def steps_of(position: Any) -> list[Step]:
    """Return what happened to a position, in order of time."""
    steps = [
        Step(
            at=instant(one["entry_timestamp"]),
            quantity=Decimal(one["quantity"]),
            cost=Decimal(one["size_quote"]),
            fee=Decimal(one["entry_fee"]),
            cash=-Decimal(one["size_quote"]) - Decimal(one["entry_fee"]),
            reason="bought",
            price=Decimal(one["entry_price"]),
        )
        for one in position["position_tranches"]
    ]
    steps += [
        Step(
            at=instant(one["timestamp"]),
            quantity=-Decimal(one["quantity"]),
            cost=-Decimal(one["cost_consumed"]),
            fee=-total(one["matches"], "entry_fee"),
            cash=Decimal(one["price"]) * Decimal(one["quantity"]) - Decimal(one["fee"]),
            reason=one["reason"],
            price=Decimal(one["price"]),
        )
        for one in position["exits"]
    ]
    return sorted(steps, key=lambda one: one.at)


@dataclass(slots=True)
class Held:
    """A position at a time."""

    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    anchor: Decimal = Decimal(0)
    bought: int = 0
    sold: tuple[str, ...] = ()
    base: Decimal = Decimal(0)

    def take(self, step: Step) -> None:
        if step.quantity > 0:
            self.base = step.price if self.bought == 0 else self.base
            self.anchor += step.cost
            self.bought += 1
        else:
            share = self.anchor * -step.quantity / self.quantity
            whole = step.quantity + self.quantity == 0
            self.anchor -= self.anchor if whole else share.quantize(Decimal("1e-10"), ROUND_DOWN)
            self.sold = (*self.sold, step.reason)
        self.quantity += step.quantity
        self.cost += step.cost
        self.fee += step.fee

    def reserved(self, most: int) -> Decimal:
        """Return what is set aside for the rungs to come, until something is sold."""
        if not self.bought or self.sold:
            return Decimal(0)
        return sum(SIZES[self.bought : most], Decimal(0)) * (1 + FEE)


def held_at(position: Any, holds: Callable[[Decimal], bool]) -> Held:
    """Return a position after the steps whose time `holds`."""
    held = Held()
    for step in steps_of(position):
        if holds(step.at):
            held.take(step)
    return held


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The portfolio after the steps before a time."""

    cash: Decimal
    used: Decimal
    reserved: Decimal
    held: Mapping[str, Decimal]


def portfolio(said: Any, holds: Callable[[Decimal], bool]) -> Moment:
    held = defaultdict[str, Decimal](Decimal)
    cash, used, reserved = Decimal(said["report"]["cash_at_start"]), Decimal(0), Decimal(0)
    for position in said["positions"]:
        one = held_at(position, holds)
        held[position["symbol"]] += one.quantity
        cash += sum((step.cash for step in steps_of(position) if holds(step.at)), Decimal(0))
        used += one.cost
        reserved += one.reserved(TRANCHES_MAX[position["bot"]])
    return Moment(cash=cash, used=used, reserved=reserved, held=held)


def moments(said: Any, first: Decimal, last: Decimal) -> Iterator[Moment]:
    """Yield the portfolio at all that happened from `first` on and before `last`."""
    times = sorted({step.at for position in said["positions"] for step in steps_of(position)})
    yield portfolio(said, lambda at: at < first)
    for time in times:
        if first <= time < last:
            yield portfolio(said, partial(Decimal.__ge__, time))


def equities(said: Any, candles: Any) -> list[Decimal]:
    """Return equity at every close: a fill dated there belongs to the candle after it."""
    worth = list[Decimal]()
    for place, row in enumerate(candles["BTC/USD"]):
        close = (row["at"] + HOUR_MS) * 1000
        moment = portfolio(said, partial(Decimal.__gt__, close))
        prices = {symbol: rows[place]["close"] for symbol, rows in candles.items()}
        worth.append(moment.cash + sum(moment.held[one] * prices[one] for one in prices))
    return worth
