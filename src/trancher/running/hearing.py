"""Hearing: the signals that were handed to a bot, beside those that it reads by itself.

What a bot has heard stands in its journal, so whoever goes on with it has heard the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trancher.backtest.readings import BotSignals
from trancher.core.bot import Bot
from trancher.core.conditions import Signal, parts, score_wanted
from trancher.core.decision import Decision, Kind
from trancher.core.limits import Refusal
from trancher.core.order import BotName
from trancher.core.unheard import duplicate_signal, stale_signal
from trancher.market.outside import OutsideSignal
from trancher.seat import Seat
from trancher.store.commands import Said
from trancher.store.entries import SignalHeard
from trancher.store.progress import Memory


class Hearing:
    """What a bot listens to, and all that it has heard.

    Attributes:
        signals: with what was handed in among what came from a file, in order of time; of one
            time that of the file comes first.
    """

    def __init__(self, signals: BotSignals, heard: Sequence[SignalHeard]) -> None:
        self.signals = signals
        self._file: Final = tuple(signals.outside)
        self._heard: list[OutsideSignal] = []
        self.add(*heard)

    def refused(self, said: Said, *, age: timedelta) -> Refusal | str | None:
        """Return why a signal is not heard: a refusal, or in words; None where it is.

        Args:
            age: for how long it has waited to be heard.
        """
        terms = self.signals.external.get(said.name)
        if terms is None:
            listed = ", ".join(self.signals.external) or "none"
            return (
                f"found no signal {said.name} from outside that it listens to, "
                f"expected one of: {listed}"
            )
        return duplicate_signal() if said.duplicate else stale_signal(age, terms.max_age)

    def add(self, *heard: SignalHeard) -> None:
        """Hear more."""
        self._heard += [
            OutsideSignal(at=one.at, name=one.name, score=one.score, event=one.event, bot=one.bot)
            for one in heard
        ]
        if heard:
            rows = sorted((*self._file, *self._heard), key=lambda one: one.at)
            self.signals = replace(self.signals, outside=tuple(rows))


def heard_by(bot: BotName, said: Said, *, at: datetime) -> SignalHeard:
    """Return the entry of a signal that a bot hears, by the market's time."""
    return SignalHeard(
        bot=bot, at=at, name=said.name, score=said.score, event=said.event, key=said.key
    )


def peak_price(seat: Seat, memory: Memory) -> Decimal | None:
    """Return the highest price since the last entry, as far as somebody has looked.

    None where nothing is held, or where no rule asks for it.

    Args:
        memory: what the place of the seat has in mind.
    """
    position = seat.position
    if position.held == 0 or not seat.bot.plan.trails:
        return None
    since = (memory.peak_position, memory.peak_entered)
    known = since == (position.id, position.last_entry_at)
    return memory.peak if known else position.trailing_peak


def concerns(said: Said, decision: Decision, bot: Bot) -> bool:
    """Say whether what a bot decided may have to do with a signal.

    An exit may; an entry, if its rung waits for the event, or by the score or a temperature.
    """
    if decision.kind is Kind.EXIT:
        return True
    rungs = [rung for rung in bot.plan.entries if rung.label == decision.reason]
    if said.event is not None:
        return any(Signal(name=said.event) in parts(rung.when) for rung in rungs)
    return any(
        rung.min_temperature is not None or score_wanted(rung.when) is not None for rung in rungs
    )
