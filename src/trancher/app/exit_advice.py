"""What is allowed of exits, and may surprise: each follows from the configuration alone."""

from collections.abc import Iterator
from decimal import Decimal

from trancher.app.fitting import fit
from trancher.app.output import plain
from trancher.app.tables import share
from trancher.core.bot import Bot
from trancher.core.claims import Over
from trancher.core.exits import BreakEvenStop, SignalExit, StopLoss, TakeProfit, TimeStop
from trancher.core.instrument import FeeIn
from trancher.core.money import ONE, ZERO, percent, quotient


def exit_advice(bot: Bot, cash: Decimal) -> Iterator[str]:
    """Yield what may surprise about how a bot sells."""
    gains = [rule for rule in bot.plan.exits if isinstance(rule, TakeProfit)]
    if not bot.plan.exits:
        yield "it has no exit: what it buys is held until a command sells it"
    elif len(gains) == len(bot.plan.exits) and all(rule.share is not None for rule in gains):
        sold = sum((rule.share or ZERO for rule in gains), ZERO)
        if sold < ONE:
            yield f"take_profit sells {percent(sold)}, and no other rule sells the rest"
    yield from _unsellable_steps(bot, gains, cash)
    yield from _unsellable_rungs(bot, cash)
    yield from _wide_trails(gains)
    for rule in bot.plan.exits:
        if isinstance(rule, BreakEvenStop):
            yield from _break_even(bot, rule, gains)


def exit_notes(bot: Bot) -> Iterator[str]:
    """Yield what is a choice, and worth knowing."""
    exits = bot.plan.exits
    if exits and not any(isinstance(rule, StopLoss | TimeStop | SignalExit) for rule in exits):
        yield "no exit sells while the price only falls: it holds what it bought until it rises"


def loss_of(bot: Bot) -> Decimal | None:
    """Return how far below the anchor the stop loss sells all, or None where there is none."""
    return next(
        (
            rule.loss
            for rule in bot.plan.exits
            if isinstance(rule, StopLoss) and rule.over is Over.ANCHOR
        ),
        None,
    )


def _unsellable_rungs(bot: Bot, cash: Decimal) -> Iterator[str]:
    """Name the first rung that is too small to be bought, or to be sold at the stop."""
    smallest, loss = bot.instrument.min_notional, loss_of(bot) or ZERO
    for rung in bot.plan.entries:
        size = rung.quote(cash)
        worth = size * (ONE - loss)
        if size < smallest:
            below = f"below min_notional {plain(smallest)}: never bought"
            yield f"{rung.label} of {plain(size)} is {below}"
            return
        if worth < smallest:
            yield (
                f"{rung.label} of {plain(size)} is worth {plain(worth)} at the stop, below "
                f"min_notional {plain(smallest)}: it could become unsellable"
            )
            return


def _unsellable_steps(bot: Bot, gains: list[TakeProfit], cash: Decimal) -> Iterator[str]:
    """Name the first step out that even the whole position is too small for."""
    most = fit(bot.plan, bot.limits, equity=cash)[-1].total
    for rule in gains:
        if rule.share is None or rule.over is Over.TRANCHE:
            continue
        worth = most * rule.share * (ONE + rule.gain)
        if worth < bot.instrument.min_notional:
            yield (
                f"{rule.text} sells at most {plain(worth)}, below min_notional "
                f"{plain(bot.instrument.min_notional)}: it waits for the next rung"
            )
            return


def _wide_trails(gains: list[TakeProfit]) -> Iterator[str]:
    """Name a gain that gives back more than it is."""
    for rule in gains:
        kept = (ONE + rule.gain) * (ONE - (rule.trail or ZERO))
        if kept < ONE:
            yield f"{rule.text} may sell {share(ONE - kept)} below the anchor: it trails too wide"


def _break_even(bot: Bot, rule: BreakEvenStop, gains: list[TakeProfit]) -> Iterator[str]:
    """Say where a break-even stop sells at a loss, or where nothing is left for it to sell."""
    least = _break_even_gain(bot)
    if rule.after < least:
        yield (
            f"break_even_after {percent(rule.after)} lies below the break-even price, "
            f"{share(least)} above the anchor with fees: once armed it sells at a loss"
        )
    sold = ZERO
    for gain in gains:
        if gain.over is Over.ANCHOR and gain.trail is None and gain.gain <= rule.after:
            whole = gain.share is None and not gain.one_tranche
            sold += ONE if whole else gain.share or ZERO
    if sold >= ONE:
        yield (
            f"break_even_after {percent(rule.after)} has no effect: take_profit has sold all "
            "by then"
        )


def _break_even_gain(bot: Bot) -> Decimal:
    """Return the smallest gain over the anchor, a ratio, at which selling all nets zero."""
    instrument = bot.instrument
    out = entry = instrument.taker_fee
    if bot.plan.limit is not None:
        entry = min(entry, instrument.maker_fee)
    if instrument.fee_in is FeeIn.BASE:
        return quotient(ONE, (ONE - entry) * (ONE - out)) - ONE
    return quotient(ONE + entry, ONE - out) - ONE
