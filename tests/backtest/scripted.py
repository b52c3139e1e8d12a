"""Hand-worked backtests: one bot, hourly candles, whole prices, and a tape of what filled.

Candle k opens at k o'clock. Unless a test says otherwise there are no fees, no limits, no slippage
and no minimums, a price tick of 1 and a quantity step of 0.01, and the bot enters at once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from backtest.replays import Row, replay_of
from backtest.replays import candles_of as candles_on
from trancher.app.settings import parse
from trancher.backtest.exact import Replayed
from trancher.core.events import Filled
from trancher.market.candles import Candles
from trancher.seat import Seat

MIDNIGHT: Final = datetime(2025, 1, 1, tzinfo=UTC)
SYMBOL: Final = "ACME/USD"
BOUGHT_AT_100: Final = ((100, 100, 100, 100), (100, 100, 100, 100))
"""Two candles in which the bot decides and buys at 100."""

Prices = tuple[int, int, int, int]


def candles_of(prices: Sequence[Prices], *, interval: timedelta = timedelta(hours=1)) -> Candles:
    """Return candles (open, high, low, close) one after another from midnight on."""
    rows = tuple((place, *row) for place, row in enumerate(prices))
    return candles_on(rows, interval=interval, first=MIDNIGHT)


def configuration(
    entry: str,
    leave: str = "",
    *,
    terms: str = "",
    backtest: str = "",
    limits: str = "",
    portfolio: str = "",
) -> str:
    """Return a configuration of one bot."""
    return head(portfolio=portfolio, terms=terms, backtest=backtest) + bot(
        "bot", entry, leave, limits=limits
    )


def head(*, portfolio: str = "", terms: str = "", backtest: str = "") -> str:
    """Return everything of a configuration but its bots."""
    sections = {
        "portfolio": _with(
            portfolio,
            quote='"USD"',
            cash="1000",
            max_active_positions='"off"',
            max_daily_trades='"off"',
        ),
        f'instrument."{SYMBOL}"': _with(
            terms, price_tick="1", quantity_step="0.01", maker_fee="0", taker_fee="0"
        ),
        "backtest": backtest,
    }
    return "".join(f"[{name}]\n{text}\n" for name, text in sections.items())


def strategies(name: str, *plans: tuple[str, str], limits: str = "", most: int = 2) -> str:
    """Return a bot of a configuration with several strategies, each an entry and an exit."""
    told = "".join(
        f'[[bot.strategy]]\nname = "s{number}"\n[bot.strategy.entry]\n{entry}\n'
        f"[bot.strategy.exit]\n{leave}\n"
        for number, (entry, leave) in enumerate(plans, start=1)
    )
    return (
        f'[[bot]]\nname = "{name}"\nsymbol = "{SYMBOL}"\nmax_positions = {most}\n'
        f"[bot.limits]\n{_limited(limits)}\n{told}"
    )


def bot(name: str, entry: str, leave: str = "", *, limits: str = "", symbol: str = SYMBOL) -> str:
    """Return a bot of a configuration."""
    return (
        f'[[bot]]\nname = "{name}"\nsymbol = "{symbol}"\n[bot.limits]\n{_limited(limits)}\n'
        f"[bot.entry]\n{entry}\n[bot.exit]\n{leave}\n"
    )


def _limited(limits: str) -> str:
    return _with(
        limits,
        max_position_size='"off"',
        max_tranches="10",
        min_tranche_size='"off"',
        max_tranche_size='"off"',
        tranche_cooldown='"0s"',
        reserve_funds='"none"',
    )


def _with(text: str, **otherwise: str) -> str:
    """Return `text` and, of the other keys, those that it leaves out."""
    said = {line.partition("=")[0].strip() for line in text.splitlines()}
    return "\n".join(
        [text, *(f"{key} = {value}" for key, value in otherwise.items() if key not in said)]
    )


def run(text: str, prices: Sequence[Prices]) -> Replayed:
    """Replay a configuration of one symbol."""
    return replay_of(parse(text, file="test.toml"), {SYMBOL: candles_of(prices)}).run()


def replayed_rows(text: str, rows: Sequence[Row]) -> Replayed:
    """Replay a configuration of one symbol on candles that have their places in time."""
    candles = candles_on(rows, interval=timedelta(hours=1), first=MIDNIGHT)
    return replay_of(parse(text, file="test.toml"), {SYMBOL: candles}).run()


def only_seat(replayed: Replayed) -> Seat:
    """Return what the engine keeps of the only bot."""
    (seat,) = replayed.engine.seats.values()
    return seat


def tape(replayed: Replayed) -> list[str]:
    """Return every fill of the journal in order, a line each."""
    fills = [e.event.fill for e in replayed.store.journal if isinstance(e.event, Filled)]
    return [
        f"{fill.at:%H:%M:%S.%f} {fill.side} {fill.quantity.normalize():f}"
        f" @ {fill.price.normalize():f} fee {fill.fee.normalize():f}"
        for fill in fills
    ]


def refused(replayed: Replayed) -> list[str]:
    """Return every refusal, a line each: when first, what, and why."""
    return [
        f"{record.first.at:%H:%M} {record.first.reason}: "
        + " ".join(refusal.code.value for refusal in record.first.refusals)
        for record in replayed.store.records
        if not record.first.accepted
    ]


LADDER: Final = """plan = "ladder"
base_size = 100
levels = [{drop = "5%", size = 95}, {drop = "10%", size = 90}]"""
ONCE: Final = 'plan = "dca"\nsize = 100\nmax_tranches = 1'
STOP: Final = 'stop_loss = "10%"'
GAINS: Final = """take_profit = [
    {gain = "10%", sell = "25%"}, {gain = "20%", sell = "50%"}, {gain = "30%", sell = "rest"},
]"""
