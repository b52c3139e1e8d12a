"""The judge of limits: what every one of them allows, worked out anew from what was done before.

It knows the text of the limits (SPEC: an entry is let through if and only if it stays within each)
and nothing of the code that decides.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal

from store.booth import Fair
from store.crowd import Did
from trancher.core.limits import ExitReserve, RefusalCode

SIZE = Decimal(50)
FEE = Decimal("0.01")


@dataclass(kw_only=True)
class Judge:
    """What stands, by what was done.

    Attributes:
        costs: what each active position has cost, without and with its fees.
        entries: how many were let through, by day.
        wrong: what was decided wrongly, in words.
    """

    fair: Fair
    version: int = 0
    cash: Decimal = field(init=False)
    costs: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    symbols: dict[str, str] = field(default_factory=dict)
    trades: Counter[date] = field(default_factory=Counter)
    entries: Counter[date] = field(default_factory=Counter)
    realized: defaultdict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cash = self.fair.cash

    def see(self, did: Did) -> None:
        """Take note of what was done next, and of what is wrong with it."""
        self.version += 1
        if did.version != self.version:
            self.wrong.append(f"version {did.version} after {self.version - 1}")
            self.version = did.version
        day = _day(did, self.fair.zone)
        if did.buys:
            expected = self.reasons(did, day)
            if set(did.codes) != expected:
                self.wrong.append(f"{did.bot} at {did.version}: {did.codes}, expected {expected}")
        elif did.codes:
            self.wrong.append(f"{did.bot} at {did.version}: a sale was refused, {did.codes}")
        if did.codes:
            self.refused += 1
            return
        self.symbols[did.bot] = did.symbol
        self.trades[day] += 1
        self.cash -= did.paid
        cost, with_fees = self.costs.get(did.bot, (Decimal(0), Decimal(0)))
        if did.buys:
            self.entries[day] += 1
            self.costs[did.bot] = cost + did.notional, with_fees + did.paid
        else:
            self.realized[day] -= did.paid + with_fees
            del self.costs[did.bot]

    def reasons(self, did: Did, day: date) -> set[RefusalCode]:
        """Return every limit that the entry would exceed."""
        limits = self.fair.limits
        opens = did.bot not in self.costs
        active = len(self.costs) + opens
        kept = {
            ExitReserve.NONE: 0,
            ExitReserve.ONE: active,
            ExitReserve.LADDER: active * self.fair.exits,
        }[limits.exit_reserve]
        exposed = sum((cost for cost, _ in self.costs.values()), Decimal(0))
        of_symbol = sum(
            (cost for bot, (cost, _) in self.costs.items() if self.symbols[bot] == did.symbol),
            Decimal(0),
        )
        lost, cap = -self.realized[day], limits.symbol_caps.get(did.symbol)
        found = {
            RefusalCode.MAX_ACTIVE_POSITIONS: opens
            and _above(active, limits.max_active_positions),
            RefusalCode.MAX_DAILY_TRADES: _above(
                self.trades[day] + 1 + kept, limits.max_daily_trades
            ),
            RefusalCode.MAX_EXPOSURE: _above(exposed + SIZE, limits.max_exposure),
            RefusalCode.SYMBOL_CAP: _above(of_symbol + SIZE, cap),
            RefusalCode.INSUFFICIENT_FUNDS: _above(SIZE * (1 + FEE), self.cash),
            RefusalCode.MAX_DAILY_LOSS: limits.max_daily_loss is not None
            and lost > 0
            and lost >= limits.max_daily_loss,
        }
        return {code for code, reached in found.items() if reached}


def _above(value: Decimal | int, limit: Decimal | int | None) -> bool:
    return limit is not None and value > limit


def _day(did: Did, zone: tzinfo) -> date:
    return did.at.astimezone(zone).date()
