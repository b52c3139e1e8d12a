"""What is said of a plan: its document, its tables as rows of text, and a line for each figure.

The same rows and lines stand in the terminal and on the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trancher.app.configured import BotSettings
from trancher.app.output import Json, assumed_in_words, money, plain
from trancher.app.refusal_words import extent, refusal_document
from trancher.app.tables import exactly, quote
from trancher.app.tables import price as shown_price
from trancher.backtest.rehearsal import Rehearsal, Step
from trancher.core.bot import Bot
from trancher.core.limits import ReserveFunds
from trancher.core.money import exact, quotient

LADDER: Final = (
    *("rung", "fits", "drop", "price", "size", "so far", "average", "break-even", "rise"),
)
SALES: Final = ("after", "target", "away", "stop", "away", "net at stop")
NOTES: Final = (
    "Drop: below the first price. Rise: from the rung to its break-even. Away: from the rung.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan walked through, with the bot whose it is.

    Attributes:
        assumed: what was taken for granted of the instrument.
    """

    settings: BotSettings
    bot: Bot
    told: Rehearsal
    assumed: tuple[str, ...]

    @property
    def currency(self) -> str:
        return self.bot.instrument.quote


def document(plan: Planned) -> dict[str, Json]:
    """Return a plan as JSON."""
    told, instrument = plan.told, plan.bot.instrument
    binding, small = told.binding, told.too_small
    return {
        "bot": plan.settings.name,
        "symbol": plan.settings.symbol,
        "strategy": plan.settings.strategy,
        "rungs": [_step(step) for step in told.steps],
        "worst_case": {
            "cash": plain(told.admitted_cash),
            "fees": plain(told.admitted_fees),
            "cash_of_all_rungs": plain(told.planned_cash),
            "covered_drop": plain(told.covered_drop),
            "reserve_funds": plan.bot.limits.reserve_funds.value,
            "set_aside_after_first_entry": plain(told.set_aside),
        },
        "binds_first": None
        if binding is None
        else {
            "rung": binding.label,
            "codes": [refusal.code.value for refusal in binding.refusals],
            "refusals": [refusal_document(refusal) for refusal in binding.refusals],
        },
        "minimum": {
            "min_notional": plain(instrument.min_notional),
            "min_quantity": plain(max(instrument.min_quantity, instrument.quantity_step)),
            "breaks_at": None if small is None else small.label,
        },
        "assumptions": list(plan.assumed),
    }


def _step(step: Step) -> Json:
    return {
        "label": step.label,
        "price": plain(step.price),
        "deviation": plain(step.deviation),
        "size": plain(step.size),
        "quantity": money(step.quantity),
        "cumulated_cost": money(step.cumulated_cost),
        "cumulated_cash": money(step.cumulated_cash),
        "average_entry_price": plain(step.average_entry_price),
        "break_even_price": plain(step.break_even_price),
        "needed_rise": plain(step.needed_rise),
        "target_price": plain(step.target_price),
        "stop_price": plain(step.stop_price),
        "stopped_pnl": money(step.stopped_pnl),
        "fits": not step.refusals,
        "refused_by": [refusal.code.value for refusal in step.refusals],
        "sold_at": plain(step.sold_at),
    }


def ladder_rows(told: Rehearsal) -> Iterator[tuple[str, ...]]:
    """Yield the rows below LADDER."""
    for step in told.steps:
        yield (
            step.label,
            "no" if step.refusals else "yes" if step.sold_at is None else "sold",
            percents(step.deviation),
            shown_price(step.price),
            quote(step.size),
            quote(step.cumulated_cost),
            shown_price(step.average_entry_price),
            shown_price(step.break_even_price),
            percents(step.needed_rise),
        )


def sale_rows(told: Rehearsal) -> Iterator[tuple[str, ...]]:
    """Yield the rows below SALES; none where no price sells anything."""
    if all(step.target_price is None and step.stop_price is None for step in told.steps):
        return
    for step in told.steps:
        yield (
            step.label,
            shown_price(step.target_price),
            _away(step.target_price, step.price),
            shown_price(step.stop_price),
            _away(step.stop_price, step.price),
            quote(step.stopped_pnl),
        )


@exact
def percents(ratio: Decimal | None) -> str:
    """Return a ratio for a table, with two decimals."""
    return "-" if ratio is None else f"{ratio * 100:.2f} %"


@exact
def _away(level: Decimal | None, start: Decimal) -> str:
    return "-" if level is None else f"{quotient(level - start, start) * 100:+.2f} %"


def lines(plan: Planned) -> Iterator[str]:
    """Yield what the whole plan comes to, a line for each figure."""
    told, currency = plan.told, plan.currency
    taken = sum(step.taken for step in told.steps)
    yield (
        f"At most {quote(told.admitted_cash)} {currency} is spent, {quote(told.admitted_fees)} of "
        f"it fees, by {taken} of {len(told.steps)} rungs, down to {percents(told.covered_drop)} "
        "below the start."
    )
    yield _set_aside(plan)
    binding = told.binding
    if binding is None:
        yield "No limit binds: every rung fits."
    else:
        against = "; ".join(extent(one, currency=currency) for one in binding.refusals)
        yield (
            f"The first rung that does not fit is {binding.label}, {quote(binding.size)} "
            f"{currency}. {against}."
        )
    yield _minimum(plan)
    sold = told.sold_before
    if sold is not None:
        yield (
            f"Never reached: {sold.label} at {shown_price(sold.price)}, because an exit sells at "
            f"{shown_price(sold.sold_at)} before."
        )


def _set_aside(plan: Planned) -> str:
    mode, currency = plan.bot.limits.reserve_funds, plan.currency
    if mode is ReserveFunds.NONE:
        return 'Nothing is set aside for the rungs to come (reserve_funds = "none").'
    rungs = "the next rung" if mode is ReserveFunds.NEXT else "the rungs to come"
    return (
        f"After the first entry {quote(plan.told.set_aside)} {currency} is set aside for {rungs}, "
        f'fees included (reserve_funds = "{mode.value}").'
    )


def _minimum(plan: Planned) -> str:
    instrument, small = plan.bot.instrument, plan.told.too_small
    smallest = max(instrument.min_quantity, instrument.quantity_step)
    least = [
        *(
            [f"{quote(instrument.min_notional)} {instrument.quote}"]
            * (instrument.min_notional > 0)
        ),
        f"{exactly(smallest)} {instrument.base}",
    ]
    what = f"the exchange's least order of {' and '.join(least)}"
    if small is None:
        return f"No rung is below {what}."
    return f"The first rung below {what} is {small.label}, {quote(small.size)} {instrument.quote}."


def notes(plan: Planned) -> Iterator[str]:
    """Yield what has to be known to read the tables."""
    yield from NOTES
    if plan.assumed:
        yield assumed_in_words(plan.settings.symbol, plan.assumed)
