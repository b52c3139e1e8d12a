"""Jumping over quiet candles against visiting each, from a fill in 3 candles to one in 10,000.

Both runs are the exact replay in one process, in turn. A ratio is printed only where they left the
same journal, the same decision records and the same cash.

    python bench/frequencies.py [--rounds N] [--candles N] [--no-reference] [--markdown]
                                [--cache FOLDER]

Exit code 0 if both always did the same, otherwise 1.
"""

import argparse
import gc
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from measure import timed
from reference import write_candles
from tables import as_lines, machine_in_words
from trancher.app.backtesting import engine_portfolio, signals_of
from trancher.app.settings import Settings, parse
from trancher.backtest.exact import Replay, Replayed
from trancher.backtest.inside import SameCandle
from trancher.backtest.passage import Evaluate
from trancher.backtest.runner import Strategy
from trancher.core.events import Filled
from trancher.market.candles import Candles, read_candles
from work import CACHE, SYMBOL, candles_file, configuration

# A price moves some 0.08 % in one of these candles; twice as far takes four times as long.
WIDTHS = ("0.08%", "0.15%", "0.3%", "0.6%", "1.2%", "2.5%", "5%", "9%")
HEAD = ("levels", "evaluate", "candles", "fills", "one in", "visiting", "jumping", "faster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One configuration, both ways. Times in user CPU seconds, a pair for each round.

    Attributes:
        same: whether journal, records and cash were equal.
    """

    name: str
    evaluate: str
    candles: int
    fills: int
    times: tuple[tuple[float, float], ...]
    same: bool

    @property
    def ratio(self) -> float:
        """How many times as long visiting takes: the median of the rounds' ratios."""
        return statistics.median(visiting / jumping for visiting, jumping in self.times)


def laddered(width: str, evaluate: str) -> str:
    """Return a configuration that buys at once, and trades at levels `width` apart."""
    ladder = f"""
[bot.entry]
plan = "rungs"
rebuild = true
rungs = [
  {{when = {{flat = true}}, size = 25}},
  {{when = {{drop = "{width}", from = "last_entry"}}, size = 25, repeat = 2}},
]

[bot.exit]
take_profit = [{{gain = "{width}", sell = "50%"}}, {{gain = "{_times(2, width)}", sell = "rest"}}]
stop_loss = "{_times(3, width)}"
"""
    whole = configuration(3)
    beginning = whole[: whole.index("[bot.signals]")]
    return (
        beginning.replace('tranche_cooldown = "15m"', 'tranche_cooldown = "0s"').replace(
            'evaluate = "close"', f'evaluate = "{evaluate}"'
        )
        + ladder
    )


def _times(factor: int, width: str) -> str:
    return f"{factor * float(width.rstrip('%')):g}%"


def compare(name: str, settings: Settings, candles: Candles, *, rounds: int) -> Compared:
    """Replay both ways and compare what they did; then again in turn, and measure."""
    visited = replayed(settings, candles, jump=False)
    jumped = replayed(settings, candles, jump=True)
    same = story(visited) == story(jumped)
    fills = sum(isinstance(entry.event, Filled) for entry in jumped.store.journal)
    # What is alive while something is measured is looked through by Python's garbage collector.
    del visited, jumped
    return Compared(
        name=name,
        evaluate=settings.backtest.evaluate,
        candles=len(candles),
        fills=fills,
        times=tuple(
            (cpu_of(settings, candles, jump=False), cpu_of(settings, candles, jump=True))
            for _ in range(rounds)
        ),
        same=same,
    )


def cpu_of(settings: Settings, candles: Candles, *, jump: bool) -> float:
    """Return the user CPU seconds of one replay."""
    gc.collect()
    return timed(lambda: replayed(settings, candles, jump=jump))[1]


def replayed(settings: Settings, candles: Candles, *, jump: bool) -> Replayed:
    """Take the candles through the engine, books in memory."""
    return Replay(
        portfolio=engine_portfolio(settings),
        strategies=[
            Strategy(
                bot=bot.bot(settings.instrument(bot.symbol, price_tick=candles.tick)),
                signals=signals_of(bot, ()),
            )
            for bot in settings.bots
        ],
        candles={SYMBOL: candles},
        evaluate=Evaluate(settings.backtest.evaluate),
        same_candle=SameCandle(settings.backtest.same_candle),
        slippage=settings.backtest.slippage,
        participation=settings.backtest.participation,
        close_at_end=False,
        jump=jump,
    ).run()


def story(found: Replayed) -> tuple[object, ...]:
    """Return all that a replay leaves behind."""
    return found.store.journal, found.store.records, found.engine.treasury.cash, found.ambiguous


def first(candles: Candles, count: int) -> Candles:
    """Return the first candles, at most `count`."""
    part = slice(0, count)
    return replace(
        candles,
        opened_at=candles.opened_at[part],
        open=candles.open[part],
        high=candles.high[part],
        low=candles.low[part],
        close=candles.close[part],
        volumes=replace(candles.volumes, units=candles.volumes.units[part]),
    )


def comparisons(given: argparse.Namespace) -> Iterator[Compared]:
    """Yield one comparison after the other."""
    file = candles_file(given.cache)
    if not file.exists():
        write_candles(given.cache)
    year = read_candles(file, on_bad="fail", now=datetime.now(UTC))
    some = first(year, given.candles)
    for evaluate in ("close", "intracandle"):
        for width in WIDTHS:
            settings = parse(laddered(width, evaluate), file=f"{width}.toml")
            yield compare(width, settings, some, rounds=given.rounds)
    if given.reference:
        settings = parse(configuration(3), file="reference.toml")
        yield compare("reference", settings, year, rounds=given.rounds)


def rows(compared: list[Compared]) -> Iterator[tuple[str, ...]]:
    """Yield the table's cells."""
    for one in compared:
        visiting, jumping = (statistics.median(column) for column in zip(*one.times, strict=True))
        yield (
            one.name,
            one.evaluate,
            f"{one.candles:,}",
            f"{one.fills:,}",
            f"{one.candles / one.fills:,.0f}" if one.fills else "-",
            f"{visiting:.3f}",
            f"{jumping:.3f}",
            f"{one.ratio:.2f} x" if one.same else "other work",
        )


def main() -> int:
    """Compare, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Jumping against visiting every candle.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--candles", type=int, default=50_000, help="of the ladders")
    parser.add_argument("--no-reference", dest="reference", action="store_false")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the candles")
    given = parser.parse_args()
    compared: list[Compared] = []
    for one in comparisons(given):
        print(f"{one.name}, {one.evaluate}: {one.fills:,} fills", file=sys.stderr, flush=True)
        compared.append(one)
    print(f"{machine_in_words()}; rounds: {given.rounds}.")
    print("User CPU s, medians of the rounds; ratios are medians within rounds.\n")
    print("\n".join(as_lines([HEAD, *rows(compared)], words=2, markdown=given.markdown)))
    return int(not all(one.same for one in compared))


if __name__ == "__main__":
    sys.exit(main())
