"""What bots that run have come to so far, from their books, as the tables of a run tell it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trancher.app.backtesting import Outcome, Source
from trancher.app.configured import Settings
from trancher.app.run_books import state_of, traded
from trancher.app.versions import goes_by
from trancher.backtest.summary import BotSummary, bot_summary, cash_of, total
from trancher.core.limits import RefusalCode
from trancher.core.money import exact
from trancher.core.order import BotName
from trancher.store.database import Database
from trancher.store.entries import RunKind
from trancher.store.reading import Books, BotBooks
from trancher.store.records import Record

_ALL: Final = 2**31 - 1


@exact
def outcome_so_far(
    database: Database,
    settings: Settings,
    sources: Mapping[str, Source],
    *,
    names: Sequence[BotName],
) -> Outcome:
    """Return what bots have come to that have run; a refusal that still repeats is not counted.

    Raises:
        StoreError: it cannot be read.
    """
    books = Books(database)
    run = books.latest_run(portfolio=settings.portfolio.name, kind=RunKind.RUN)
    assert run is not None, settings.portfolio.name
    of_all = books.bots(run)
    kept = goes_by(books, run, of_all).settings
    of_bots = [one for one in of_all if one.facts.name in names]
    bots = tuple(
        _summary(one, books.decisions(run, one.facts.name, limit=_ALL)) for one in of_bots
    )
    return Outcome(
        settings=settings,
        sources=sources,
        traded=traded(kept, of_bots),
        bots=bots,
        total=total(bots),
        marked_at={one.facts.instrument.symbol: one.mark.at for one in of_bots if one.mark},
        cash=cash_of(bots, before=run.cash),
        outside_notes=(),
        close_at_end=False,
        ambiguous=None,
    )


def _summary(bot: BotBooks, records: Iterable[Record]) -> BotSummary:
    assert bot.mark is not None, bot.facts.name
    refused = Counter[RefusalCode]()
    for record in records:
        for refusal in record.last.refusals:
            refused[refusal.code] += record.count
    return bot_summary(
        bot.facts.name,
        state=state_of(bot),
        positions=[one for one in bot.positions if one.book.tranche_count],
        mark_price=bot.mark.price,
        refusals=refused,
    )
