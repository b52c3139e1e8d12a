"""The reference work: what every tool is asked to do, in numbers, and what must come out.

One year of 1-minute candles, decided on closes, filled at the next open:

1. Flat and RSI below `RSI_BELOW`: buy for `TRANCHE_SIZE`.
2. Held, close at least `DROP` under the average entry price, `COOLDOWN_CANDLES` since the last
   tranche, fewer tranches than allowed: buy for `TRANCHE_SIZE` again.
3. Close at `GAINS[k]` over the average entry price: sell `SHARES[k]` of the peak quantity, the
   last share being all that is left. Each gain pays once, one per candle.
4. Close at `STOP_LOSS` under the average entry price: sell all.

Exits come before entries. Only the standard library is imported, because every peer's environment
reads this file.
"""

from dataclasses import dataclass
from pathlib import Path

SYMBOL = "BTC/USD"
CASH = 10_000.0  # quote, more than is ever spent
FEE = 0.001  # of the notional, entry and exit alike
TRANCHE_SIZE = 25.0  # quote
RSI_PERIOD = 14  # candles, Wilder's smoothing
RSI_BELOW = 30.0
DROP = 0.01
COOLDOWN_CANDLES = 15  # from fill to fill
GAINS = (0.01, 0.02, 0.03)
SHARES = (0.25, 0.50, 1.0)  # of the peak quantity
STOP_LOSS = 0.05

BENCH = Path(__file__).resolve().parent
CACHE = BENCH.parent / ".bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a tool did with the year.

    Attributes:
        entries: buys filled.
        exits: sales filled.
        profit: quote; what is still held counts at the last close, with no exit fee guessed.
    """

    entries: int
    exits: int
    profit: float

    def same_as(self, other: "Outcome") -> bool:
        """Return whether both did the same work: equal counts, and less than a cent apart.

        A cent of tolerance, not equality of rounded cents: floats and decimals may end a
        millionth apart on two sides of a half cent.
        """
        return (
            self.entries == other.entries
            and self.exits == other.exits
            and abs(self.profit - other.profit) < 0.01
        )


# By the number of tranches allowed. Independent tools agree on these.
EXPECTED = {
    3: Outcome(entries=529, exits=585, profit=-11.77),
    10: Outcome(entries=1258, exits=632, profit=-33.11),
}


def candles_file(cache: Path) -> Path:
    """Return where the reference candles lie in `cache`."""
    return cache / "reference.parquet"


def configuration(tranches: int) -> str:
    """Return the reference work as a configuration of ours, with at most `tranches` tranches.

    Raises:
        ValueError: `reference.toml` has no longer, exactly once, a line that must change.
    """
    text = (BENCH / "reference.toml").read_text(encoding="utf-8")
    for of_three, of_many in (
        ("max_position_size = 75", f"max_position_size = {25 * tranches}"),
        ("max_tranches = 3", f"max_tranches = {tranches}"),
        ("repeat = 2", f"repeat = {tranches - 1}"),
    ):
        if text.count(of_three) != 1:
            message = f"reference.toml should say {of_three!r} exactly once"
            raise ValueError(message)
        text = text.replace(of_three, of_many)
    return text
