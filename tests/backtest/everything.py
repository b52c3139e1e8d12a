"""Random configurations that use every kind of entry, exit, signal and limit there is."""

from collections.abc import Mapping, Sequence
from typing import Final

from backtest.replays import SYMBOL
from backtest.scripted import bot, head, strategies
from strategies import Dial

OFF: Final = '"off"'
ENTRIES: Final = (
    """plan = "ladder"
       base_size = 30
       levels = [{drop = "2%", size = 30}, {drop = "5%", size = 40}]""",
    """plan = "dca"
       size = 25
       every = "1h"
       max_tranches = 4""",
    """plan = "graduated"
       steps = [{score = 0.1, size = 20}, {score = 0.4, size = 30}]""",
    """plan = "signals"
       steps = [{signal = "rsi_oversold", size = 30}, {signal = "price_drop", size = 20}]""",
    """plan = "rungs"
       rungs = [{when = {any = [{score = 0.5}, {flat = true}]}, size = 30},
                {when = {all = [{drop = "2%"}, {score = -0.5}]}, size = 20, repeat = 2}]""",
    """plan = "dca"
       size = "5%"
       of = "equity"
       drop = "2%"
       max_tranches = 3
       start = {score = 0}""",
)
ORDERS: Final = (
    "",
    """order = "limit"
       offset = "1%"
       ttl = "95m\"""",
    """order = "limit"
       ttl = "3h\"""",
)
LADDERS: Final = (
    'take_profit = [{gain = "2%", sell = "25%"}, {gain = "4%", sell = "rest"}]',
    """take_profit = [{gain = "1%", sell = "tranche"}, {gain = "3%", sell = "tranche"},
                      {gain = "5%", sell = "rest"}]""",
    """take_profit = [{gain = "2%", sell = "50%", over = "tranche"},
                      {gain = "4%", sell = "rest", over = "tranche"}]""",
    """take_profit = [{gain = "1%", sell = "30%", over = "break_even"},
                      {gain = "3%", sell = "rest"}]
       trailing_take_profit = "2%\"""",
)
STOPS: Final = (
    "",
    'stop_loss = "6%"',
    'stop_loss = {loss = "4%", over = "tranche"}',
    'trailing_stop = {activate = "2%", trail = "2%"}',
    'break_even_after = "3%"\nstop_loss = "9%"',
    'time_stop = "7h"\ntrailing_stop = {activate = "1%", trail = "3%"}',
)
REARMS: Final = ("", "rearm = true\nrearm_max = 2", 'rearm = true\nrearm_cooldown = "2h"')
WINDOWS: Final = ("", 'build_window = "4h"')
EXITS: Final = {
    "reentry_cooldown": ('"0s"', '"3h"'),
    "disposal": ('"fifo"', '"lifo"', '"hifo"', '"average"'),
}
LEAVING: Final = ("", 'signal_exit = {score = -0.5, sell = "40%"}', "signal_exit = {score = -0.5}")
SIGNALS: Final = {
    "rsi": ('{weight = 0.6, period = 2, max_age = "2h"}',),
    "price_drop": ('{weight = 0.4, window = 3, drop = "3%"}',),
    "hysteresis": ("0.1", "0"),
    "confirm": ('"0s"', '"30m"', '"1h"'),
}
PORTFOLIO: Final = {
    "max_exposure": (OFF, "70", "45"),
    "max_daily_loss": (OFF, "1", "3"),
    "max_losing_streak": (OFF, "1", "2"),
    "symbol_caps": (f'{{"{SYMBOL}" = 1000}}', f'{{"{SYMBOL}" = 60}}'),
}
BACKTEST: Final = {
    "evaluate": ('"intracandle"', '"close"'),
    "same_candle": ('"worst"', '"best"', '"path"'),
    "participation": (OFF, "0.3"),
    "slippage": ("0", "0.01"),
}
LIMITS: Final = {
    "max_position_size": (OFF, "75"),
    "min_temperature": (OFF, '"cool"', '"warm"'),
    "reserve_funds": ('"none"', '"ladder"', '"next"'),
}
TERMS: Final = {"taker_fee": ('"0.2%"',), "min_notional": ("0", "12")}
OTHER: Final = "GIZMO/USD"
OTHER_TERMS: Final = f'[instrument."{OTHER}"]\nprice_tick = 1\nquantity_step = 0.01\n'
DRAWDOWN: Final = {"max_drawdown": ("0.02", "0.01")}


def everything(dial: Dial, *, drawdown: bool = False) -> str:
    """Return a configuration of one bot; the plainest is a ladder without anything new."""
    entry, leave = _plan(dial, ORDERS)
    return _head(dial, drawdown=drawdown) + bot("bot", entry, leave, limits=_chosen(dial, LIMITS))


def several(dials: Sequence[Dial]) -> str:
    """Return a configuration of a bot for each dial, whose entries all rest at a limit.

    The first and the last trade one symbol; one between them may trade another.
    """
    text = _head(dials[0], drawdown=False) + OTHER_TERMS
    for place, dial in enumerate(dials):
        entry, leave = _plan(dial, ORDERS[1:])
        between = 0 < place < len(dials) - 1
        symbol = dial.pick((OTHER, SYMBOL)) if between else SYMBOL
        limits = _chosen(dial, LIMITS)
        text += bot(f"bot{place}", entry, leave, limits=limits, symbol=symbol)
    return text


def many(dial: Dial) -> str:
    """Return a configuration of one bot that may have several positions of one strategy."""
    text = everything(dial)
    most = f"max_positions = {dial.pick((2, 3))}"
    return text.replace("[bot.limits]", f"{most}\n[bot.limits]")


def with_places(dials: Sequence[Dial]) -> str:
    """Return bots that may have several positions: of one strategy each, but for the last two
    dials, which are the strategies of one bot.
    """
    text = several(dials[:-2] or dials[:1])
    text = text.replace("[bot.limits]", f"max_positions = {dials[0].pick((2, 3))}\n[bot.limits]")
    if len(dials) < 2:
        return text
    whole, _ = both(dials[-2:])
    return text + whole[whole.index("[[bot]]") :]


def both(dials: Sequence[Dial]) -> tuple[str, str]:
    """Return a bot with a strategy for each dial, and the same strategies as a bot each.

    No limit that the positions of a bot share, and those of bots do not, ever binds.
    """
    signals, limits = _chosen(dials[0], SIGNALS), _chosen(dials[0], LIMITS)
    plans = [_apart(_plan(dial, ORDERS)) for dial in dials]
    start = _head(dials[0], drawdown=False)
    whole = strategies("one", *plans, limits=limits, most=len(plans))
    whole = whole.replace("[[bot.strategy]]", f"[bot.signals]\n{signals}\n[[bot.strategy]]", 1)
    apart = [
        bot(f"s{number}", f"{entry}\n[bot.signals]\n{signals}", leave, limits=limits)
        for number, (entry, leave) in enumerate(plans, start=1)
    ]
    return start + whole, start + "".join(apart)


def _apart(plan: tuple[str, str]) -> tuple[str, str]:
    """Return a plan without its signals, which are the bot's."""
    entry, leave = plan
    return entry.partition("[bot.signals]")[0], leave


def _plan(dial: Dial, orders: Sequence[str]) -> tuple[str, str]:
    """Return how a bot enters, with its signals, and how it leaves."""
    ladder, stop = dial.pick(LADDERS), dial.pick(STOPS)
    by_tranche = 'over = "tranche"' in ladder + stop
    entry = [
        dial.pick(ENTRIES),
        dial.pick(orders),
        dial.pick(REARMS if by_tranche else WINDOWS),
        f'on_excess = "{dial.pick(("refuse", "clip"))}"',
        "[bot.signals]",
        _chosen(dial, SIGNALS),
    ]
    leave = [ladder, stop, dial.pick(LEAVING), _chosen(dial, EXITS)]
    return "\n".join(entry), "\n".join(leave)


def _head(dial: Dial, *, drawdown: bool) -> str:
    limits = {**PORTFOLIO, **(DRAWDOWN if drawdown else {})}
    portfolio, terms = _chosen(dial, limits), _chosen(dial, TERMS)
    return head(portfolio=portfolio, terms=terms, backtest=_chosen(dial, BACKTEST))


def _chosen(dial: Dial, table: Mapping[str, Sequence[str]]) -> str:
    """Return a line for each key, with one of its values."""
    return "\n".join(f"{key} = {dial.pick(values)}" for key, values in table.items())
