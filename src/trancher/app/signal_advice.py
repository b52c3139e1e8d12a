"""What is allowed of signals, scores and temperatures, and may surprise.

A warning is given only where it follows from the configuration alone, whatever the market does.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from trancher.app.configured import BotSettings
from trancher.app.fitting import asked_of_signals, needed
from trancher.app.grammar import BotSection
from trancher.app.nearest import nearest
from trancher.app.output import plain
from trancher.app.signal_grammar import EVENTS, NEVER_SELL
from trancher.app.words import OFF
from trancher.core.conditions import Condition, Score, Signal, score_wanted
from trancher.core.exits import SignalExit
from trancher.core.money import ONE, ZERO
from trancher.core.signals import Temperature, combined


def signals_unread(bot: BotSettings) -> Iterator[str]:
    """Yield what a bot listens to, and none of its strategies asks."""
    rungs = [rung for one in bot.strategies for rung in one.plan.entries]
    asked = [one for rung in rungs for one in asked_of_signals(rung.when)]
    if bot.limits.confirm > timedelta(0) and all(score_wanted(one.when) is None for one in rungs):
        yield "signals.confirm has no effect: no rung asks for a score"
    exits = [rule for one in bot.strategies for rule in one.plan.exits]
    scored = any(isinstance(one, Score) for one in asked) or any(
        isinstance(rule, SignalExit) for rule in exits
    )
    if scored or any(rung.min_temperature is not None for rung in rungs):
        return
    names = {one.name for one in asked if not isinstance(one, Score)}
    for name in bot.signals.built_in:
        if name not in names and not names & set(EVENTS[name]):
            yield f"no rung reads the signal {name}"


def signal_advice(section: BotSection, bot: BotSettings) -> Iterator[str]:
    """Yield what may surprise about what one strategy of a bot does with what it hears."""
    yield from _unheard(bot)
    yield from _temperature(section, bot)
    yield from _score_exit(bot)
    yield from _score_at_rest(bot)


def _unheard(bot: BotSettings) -> Iterator[str]:
    """Name an event that no signal of the bot has, and that looks like a slip of the pen."""
    heard = {event for name in bot.signals.built_in for event in EVENTS[name]}
    known = [event for events in EVENTS.values() for event in events]
    for rung in bot.plan.entries:
        for one in asked_of_signals(rung.when):
            if isinstance(one, Signal) and one.name not in heard:
                meant = nearest(one.name, known)
                if meant is not None:
                    hint = "" if meant == one.name else f"; did you mean {meant}?"
                    yield f"the event {one.name} can only come from outside{hint}"


def _temperature(section: BotSection, bot: BotSettings) -> Iterator[str]:
    """Say where a minimum that somebody wrote never refuses anything, or always does."""
    written = section.limits.min_temperature
    if written is None or written == OFF:
        return
    least, named = Temperature(written), f"min_temperature {written}"
    bound = bot.thermometer.bound(least)
    if least is Temperature.FROZEN:
        yield f"{named} never refuses: it is the lowest there is"
    elif not bot.signals.names:
        yield f"{named} always refuses: without a signal the bot stays FROZEN"
    elif bound <= _lowest_score(bot):
        yield f"{named} never refuses: the score is never below {plain(_lowest_score(bot))}"
    elif all(_asks_for(rung.when, bound) for rung in bot.plan.entries):
        yield f"{named} never refuses: every rung asks for a score of {bound:f} or more"


def _asks_for(condition: Condition, bound: Decimal) -> bool:
    """Say whether `condition` never holds at a score below `bound`."""
    return any(isinstance(one, Score) and one.least >= bound for one in needed(condition))


def _score_exit(bot: BotSettings) -> Iterator[str]:
    """Say where an exit by the score never sells, or sells although no signal says anything."""
    lowest = _lowest_score(bot)
    for rule in bot.plan.exits:
        if isinstance(rule, SignalExit) and rule.score < lowest:
            yield f"{rule.text} never sells: the score is never below {plain(lowest)}"
        elif isinstance(rule, SignalExit) and rule.score >= 0:
            yield f"{rule.text} sells while no signal says anything: the score is 0 then"


def _score_at_rest(bot: BotSettings) -> Iterator[str]:
    """Name the first rung whose score is reached although no signal says anything."""
    for rung in bot.plan.entries:
        wanted = [one.least for one in needed(rung.when) if isinstance(one, Score)]
        if wanted and max(wanted) <= 0:
            score = f"the score of {max(wanted):f} that {rung.label} asks for"
            yield f"{score} is reached while no signal says anything: the score is 0 then"
            return


def _lowest_score(bot: BotSettings) -> Decimal:
    """Return the score of all signals together where each says sell as loud as it can."""
    signals = bot.signals
    weights = {name: one.weight for name, one in signals.built_in.items()}
    weights |= {name: one.weight for name, one in signals.external.items()}
    lowest = {name: ZERO if name in NEVER_SELL else -ONE for name in weights}
    return combined(lowest, weights) if weights else ZERO
