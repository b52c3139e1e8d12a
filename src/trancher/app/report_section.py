"""The section `report` of a run's document: what it earned by tranche, exit, month and rule.

The page of a report, `backtest --json` and `report --json` all take these figures from here.

Invariants:
1. Nothing is counted twice: what stands elsewhere in the document is not repeated.
2. What only candles can tell (equity over time) is null where there are none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from trancher.app.backtesting import Outcome
from trancher.app.configured import BotSettings, Settings
from trancher.app.meaning import fits_of, lines_of, lines_of_all, rung_in_words
from trancher.app.output import Json, instant, money
from trancher.app.refusal_words import refusal_document
from trancher.app.sentences import outcome as reason_in_words
from trancher.backtest.feed import Feed
from trancher.backtest.passage import Evaluate
from trancher.backtest.report_bots import by_bot
from trancher.backtest.report_course import Course, Entries, course
from trancher.backtest.report_equity import Equity, Performance, performance
from trancher.backtest.report_groups import (
    Group,
    by_hour,
    by_number,
    by_reason,
    by_signal,
    by_temperature,
    exits_by_rung,
    grouped,
)
from trancher.backtest.report_months import Month, months
from trancher.backtest.report_refused import Refused, refused
from trancher.backtest.report_rules import RULES, by_disposal, by_tranche, ruled
from trancher.core.day import day_of
from trancher.core.events import Event
from trancher.core.instrument import Instrument
from trancher.core.money import ZERO, exact
from trancher.core.order import PositionId
from trancher.market.candles import Candles
from trancher.store.records import Record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Entry: TypeAlias = tuple[PositionId, Event]
Progress: TypeAlias = Callable[[int, int], None]
_INSTANT: Final = timedelta(microseconds=1)
_PROGRESS_STEP: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a run has written down, in order.

    Attributes:
        events: each with its position.
        records: every decision, those that repeat as one.
    """

    events: Sequence[Entry]
    records: Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What is counted of a run.

    Attributes:
        groups: tranches by kind of group.
        section: all of it, as it stands in the document.
        course, equity: what held at each time; None without candles.
    """

    groups: Mapping[str, tuple[Group, ...]]
    months: tuple[Month, ...]
    section: Mapping[str, Json]
    course: Course | None
    equity: Equity | None


class _Watched:
    """A journal that says how much of it was read, over all the times that it is read."""

    def __init__(self, journal: Sequence[Entry], *, times: int, progress: Progress | None) -> None:
        self._journal, self._progress = journal, progress
        self._whole, self._done = times * len(journal), 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._journal:
            if self._progress is not None and self._done % _PROGRESS_STEP == 0:
                self._progress(self._done, self._whole)
            self._done += 1
            yield entry
        if self._progress is not None:
            self._progress(self._done, self._whole)


def counted(
    outcome: Outcome,
    history: History,
    *,
    drawn: bool = False,
    progress: Progress | None = None,
) -> Counted:
    """Count what a run earned, by all that a report shows.

    Args:
        drawn: whether the lines of its positions are wanted, too.
        progress: called now and then with the events done and the events in all.
    """
    # Each disposal rule reads the journal once, and what held at each time once more.
    times = len(RULES) + bool(outcome.sources)
    watched = _Watched(history.events, times=times, progress=progress)
    feeds = {symbol: Feed(symbol, one) for symbol, one in _candles(outcome).items()}
    followed = _followed(outcome, watched, feeds, drawn=drawn) if feeds else None
    said = outcome.settings.portfolio
    equity = None if followed is None else Equity(followed, feeds, said.cash)
    mark_prices = {bot.name: bot.mark_price for bot in outcome.bots}
    under = ruled(watched, outcome.traded)
    groups, daily = _groups(outcome), () if equity is None else tuple(equity.daily(said.timezone))
    by_month = _months(outcome, daily)
    return Counted(
        groups=groups,
        months=by_month,
        section={
            "portfolio": said.name,
            "quote": said.quote,
            "timezone": said.timezone.key,
            "cash_at_start": money(said.cash),
            "equity_at_end": money(_worth(outcome)),
            "bots": _texts(by_bot(outcome.bots, outcome.traded, _candles(outcome))),
            "groups": {kind: _texts(rows) for kind, rows in groups.items()},
            "exits_by_rung": _texts(exits_by_rung(outcome.bots)),
            "months": _texts(by_month),
            "disposal_rules": _texts(by_disposal(under, mark_prices)),
            "tranches_by_rule": _texts(by_tranche(under)),
            "refused": [_refused(one, said.quote) for one in refused(history.records)],
            "performance": None
            if equity is None
            else _performance(performance(said.cash, daily, equity), equity),
            "plans": [
                _plan(outcome.settings, one, of_bot=bot)
                for bot in outcome.settings.bots
                for one in bot.strategies
            ],
            "instruments": _instruments({bot.instrument for bot in outcome.traded.values()}),
        },
        course=followed,
        equity=equity,
    )


def _candles(outcome: Outcome) -> dict[str, Candles]:
    return {symbol: source.candles for symbol, source in outcome.sources.items()}


def _followed(
    outcome: Outcome, journal: Entries, feeds: Mapping[str, Feed], *, drawn: bool
) -> Course:
    settings = outcome.settings
    return course(
        journal,
        bots=outcome.traded,
        feeds=feeds,
        cash=settings.portfolio.cash,
        intracandle=settings.backtest.evaluate == Evaluate.INTRACANDLE,
        drawn=drawn,
    )


@exact
def _worth(outcome: Outcome) -> Decimal:
    """Return the equity at the end, in quote: cash, and what is held at the last prices."""
    return outcome.cash + sum(
        (
            position.held * bot.mark_price
            for bot in outcome.bots
            for position in bot.positions
            if position.held > 0
        ),
        ZERO,
    )


def _groups(outcome: Outcome) -> dict[str, tuple[Group, ...]]:
    kinds = {
        "number": by_number,
        "signal": by_signal,
        "temperature": by_temperature,
        "reason": by_reason,
        "hour": by_hour(outcome.settings.portfolio.timezone),
    }
    return {name: grouped(outcome.bots, key) for name, key in kinds.items()}


def _months(outcome: Outcome, daily: Sequence[tuple[date, Decimal]]) -> tuple[Month, ...]:
    said = outcome.settings.portfolio
    # A candle that ends at midnight belongs to the day before.
    ended = max(outcome.marked_at.values()) - _INSTANT
    return months(
        outcome.bots,
        start=said.cash,
        daily=daily,
        last=day_of(ended, said.timezone).date,
        zone=said.timezone,
    )


def _plan(settings: Settings, bot: BotSettings, *, of_bot: BotSettings) -> Json:
    """Return what a bot was told to do: when each rung buys and how much, and the rest in words.

    Of a bot that may have several positions the strategy is named, and what holds of all.

    What is assumed of its instrument is not among them: the run knows better.
    """
    lines = (*lines_of(settings, bot), *lines_of_all(settings, of_bot))
    return {
        "bot": bot.name,
        **({"strategy": bot.strategy} if of_bot.has_several else {}),
        "rungs": [
            {
                "reason": one.rung.label,
                "when": rung_in_words(one.rung),
                "size": money(one.size),
                "bound": one.bound,
            }
            for one in fits_of(settings, bot)
        ],
        "lines": [line for line in lines if not line.startswith("assumed: ")],
    }


def _instruments(traded: Iterable[Instrument]) -> list[Json]:
    return [
        {
            "symbol": one.symbol,
            "maker_fee": money(one.maker_fee),
            "taker_fee": money(one.taker_fee),
            "fee_in": one.fee_in.value,
            "price_tick": money(one.price_tick),
            "quantity_step": money(one.quantity_step),
            "min_quantity": money(one.min_quantity),
            "min_notional": money(one.min_notional),
        }
        for one in sorted(traded, key=lambda one: one.symbol)
    ]


def _refused(one: Refused, currency: str) -> Json:
    return {
        "bot": one.bot,
        "position_id": one.position_id,
        "kind": one.kind.value,
        "reason": one.reason,
        "price": money(one.price),
        "first_at": instant(one.first_at),
        "last_at": instant(one.last_at),
        "count": one.count,
        "refusals": [refusal_document(reason) for reason in one.refusals],
        "sentence": "; ".join(
            reason_in_words(reason, currency=currency) for reason in one.refusals
        ),
    }


def _texts(rows: "Iterable[DataclassInstance]") -> list[Json]:
    """Return rows of figures with every number of money as text."""
    return [{key: _text(value) for key, value in asdict(row).items()} for row in rows]


def _text(value: object) -> Json:
    if isinstance(value, Decimal):
        return money(value)
    assert value is None or isinstance(value, int | str)
    return value


def _performance(said: Performance, equity: Equity) -> Json:
    fall = equity.deepest_fall()
    return {
        "days": said.days,
        "sharpe": said.sharpe,
        "sortino": said.sortino,
        "yearly_return": said.yearly_return,
        "calmar": said.calmar,
        "longest_under_water_seconds": int(said.longest_under_water.total_seconds()),
        "recovered": said.recovered,
        "max_drawdown": money(fall.ratio),
        "peak_at": instant(fall.peak_at),
        "lowest_at": instant(fall.lowest_at),
    }
