"""The document of a run: what `backtest --json` prints, and `report --json` from its books.

Invariant: equal runs have equal documents, but for `elapsed`; figures are text, and each is
computed once.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from trancher.app.backtesting import Outcome, Source
from trancher.app.candle_words import dropped_in_words
from trancher.app.output import Json, assumed_in_words, instant, money
from trancher.app.views import position_document
from trancher.backtest.passage import Evaluate
from trancher.backtest.summary import BotSummary, Summary, most_first
from trancher.core.day import span
from trancher.core.limits import RefusalCode
from trancher.core.money import percent


def assumptions(outcome: Outcome) -> tuple[str, ...]:
    """Return, a sentence each, what the figures rest on."""
    settings = outcome.settings
    inside = settings.backtest.evaluate == Evaluate.INTRACANDLE
    said = [
        "Decisions are made on closed candles and fill at the next open, with the taker fee.",
        "Gain, loss and drop levels are watched inside the candles and fill at the level, "
        "or at the open beyond it; gains pay the maker fee."
        if inside
        else "Prices are looked at on closes only.",
        f"Slippage of market orders: {percent(settings.backtest.slippage)}, against us.",
    ]
    share = settings.backtest.participation
    if share is not None:
        said.append(
            f"Orders fill at most {percent(share)} of a candle's volume together; "
            "what is beyond it ends unfilled."
        )
    if outcome.close_at_end:
        allowed = "" if share is None else ", as far as its volume allows"
        said.append(f"What is still held at the last close is sold there{allowed}.")
    if outcome.close_at_end is None:
        said.append("Whether what was still held was sold at the last close is not in the books.")
    if inside:
        touched = "not in the books" if outcome.ambiguous is None else f"{outcome.ambiguous:,}"
        said.append(
            f"Candles that touched levels of several kinds: {touched}; "
            f'such a candle is played as same_candle = "{settings.backtest.same_candle}" says.'
        )
    for symbol, source in outcome.sources.items():
        candles = source.candles
        missing = f"{candles.gaps:,} missing and not filled" if candles.gaps else "none missing"
        said.append(
            f"{symbol}: {len(candles):,} candles of {span(candles.interval)} from "
            f"{candles.time(0):%Y-%m-%d} to {candles.time(len(candles) - 1):%Y-%m-%d}, "
            f"{missing}{dropped_in_words(candles)}."
        )
        assumed = settings.assumptions(symbol, price_tick=candles.tick)
        if assumed:
            said.append(assumed_in_words(symbol, assumed))
    return tuple(said)


def document(
    outcome: Outcome, section: Mapping[str, Json], *, elapsed: timedelta
) -> Mapping[str, Json]:
    """Return the document of a run (SPEC 13).

    Args:
        section: what is counted of it, under the key `report`.
    """
    settings = outcome.settings
    return {
        **_figures(outcome.total),
        "refusals": {code.value: count for code, count in outcome.refusals.items()},
        "cash": money(outcome.cash),
        "books_balance": True,
        "bots": [_bot(outcome, bot) for bot in outcome.bots],
        "positions": [
            position_document(
                position,
                strategy=outcome.settings_of(bot).at(position.place).strategy,
                max_tranches=outcome.settings_of(bot).limits.max_tranches,
                mark_price=bot.mark_price,
                now=outcome.marked_at[position.instrument.symbol],
            )
            for bot in outcome.bots
            for position in bot.positions
        ],
        "report": section,
        "assumptions": {
            "evaluate": settings.backtest.evaluate,
            "same_candle": settings.backtest.same_candle,
            "ambiguous_candles": outcome.ambiguous,
            "slippage": money(settings.backtest.slippage),
            "participation": money(settings.backtest.participation),
            "close_at_end": outcome.close_at_end,
            "config_hash": settings.config_hash,
            "candles": {symbol: _source(source) for symbol, source in outcome.sources.items()},
            "sentences": list(assumptions(outcome)),
        },
        "warnings": list(settings.warnings),
        "notes": list(outcome.notes),
        "elapsed": round(elapsed.total_seconds(), 3),
    }


def _figures(said: Summary) -> dict[str, Json]:
    return {
        "entries": said.entries,
        "exits": said.exits,
        "realized_pnl": money(said.realized_pnl),
        "unrealized_net": money(said.unrealized_net),
        "net_pnl": money(said.net_pnl),
        "realized_gross": money(said.realized_gross),
        "unrealized_pnl": money(said.unrealized_pnl),
        "fees_paid": money(said.fees_paid),
        "open_cost": money(said.open_cost),
        "dust_cost": money(said.dust_cost),
    }


def _bot(outcome: Outcome, bot: BotSummary) -> Json:
    settings = outcome.settings_of(bot)
    return {
        "bot": bot.name,
        "symbol": settings.symbol,
        "strategy": settings.strategy_names,
        "disposal": settings.disposal.value,
        "position_status": bot.state.value,
        "positions": bot.figures.positions,
        **_figures(bot.figures),
        "mark_price": money(bot.mark_price),
        "refusals": _counted(bot.refusals),
    }


def _counted(refusals: Counter[RefusalCode]) -> dict[str, Json]:
    return {code.value: count for code, count in most_first(refusals).items()}


def _source(source: Source) -> Json:
    candles = source.candles
    return {
        "file": source.name,
        "candles": len(candles),
        "interval_seconds": int(candles.interval.total_seconds()),
        "first_at": instant(candles.time(0)),
        "last_at": instant(candles.time(len(candles) - 1)),
        "missing": candles.gaps,
        "dropped": sum(one.count for one in candles.dropped),
    }
