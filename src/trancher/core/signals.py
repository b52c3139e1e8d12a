"""Signals: the score that all of them give together, and the temperature it stands at.

Scores are fractions of [-1, 1] in steps of 1e-9; positive means buy, everywhere. How a signal
comes to its score is statistics and lives with the indicators; what is made of scores is exact.

Invariants:
1. A signal that is missing, warming up or stale counts as 0 with its weight kept, so missing data
   makes a bot calmer, never bolder.
2. The temperature rises as soon as the score reaches a bound, inclusive, and falls only once the
   score has fallen below that bound by more than the hysteresis.
3. All readings are of closed candles, so nothing changes inside one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trancher.core.errors import InvalidPlan
from trancher.core.money import ONE, ZERO, exact, floor_ratio, share_of

SCORE_QUANTUM: Final = Decimal("1e-9")
"""Smallest step of a score."""
SCORE: Final = "score"
"""What the combined score is called where values have names."""
EVENT: Final = "event:"
"""What stands before an event's name there: `price_drop` is a level, and an event as well."""


class Temperature(StrEnum):
    """A band of the score in the buy direction, from the calmest to the boldest."""

    FROZEN = "frozen"
    COOL = "cool"
    WARM = "warm"
    HOT = "hot"

    @property
    def rank(self) -> int:
        """Its place, 0 for FROZEN."""
        return RISING.index(self)


RISING: Final = tuple(Temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermometer:
    """Where the bands begin.

    Attributes:
        cool, warm, hot: the lowest score of each band, rising, inside [-1, 1].
        hysteresis: how far below a bound the score may fall without leaving the band, 0 to 1.
    """

    cool: Decimal = Decimal("0.05")
    warm: Decimal = Decimal("0.15")
    hot: Decimal = Decimal("0.30")
    hysteresis: Decimal = Decimal("0.02")

    def __post_init__(self) -> None:
        if not -1 <= self.cool < self.warm < self.hot <= 1:
            raise InvalidPlan("temperatures must rise inside [-1, 1]: cool < warm < hot")
        if not 0 <= self.hysteresis <= 1:
            raise InvalidPlan(f"hysteresis is {self.hysteresis:f}, expected 0 to 1")

    def bound(self, temperature: Temperature) -> Decimal:
        """Return the lowest score of a band; the lowest there is for FROZEN."""
        return (-ONE, self.cool, self.warm, self.hot)[temperature.rank]

    def band(self, score: Decimal) -> Temperature:
        """Return the band that `score` lies in, whatever came before."""
        return RISING[sum(score >= bound for bound in (self.cool, self.warm, self.hot))]

    @exact
    def next(self, before: Temperature, score: Decimal) -> Temperature:
        """Return the temperature after `before`, once a candle has closed with `score`."""
        at_least, at_most = self.band(score), self.band(score + self.hysteresis)
        return RISING[min(max(before.rank, at_least.rank), at_most.rank)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the signals said when an entry was decided.

    Attributes:
        contributions: what each enabled signal added to `score`.
    """

    score: Decimal
    temperature: Temperature
    contributions: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the signals of a bot say at one evaluation.

    Attributes:
        indicators: the latest level of each, by signal; one that is warming up is absent.
        events: the named events that are still valid, with the time each last came, UTC.
        score: of all enabled signals together, -1 to 1.
        confirmed_score: the lowest that `score` was over the time of confirmation; `score` itself
            where nothing has to be confirmed, -1 while that time is not over yet.
        temperature: with its hysteresis.
        contributions: what each enabled signal adds to `score`.
    """

    indicators: Mapping[str, Decimal] = field(default_factory=dict)
    events: Mapping[str, datetime] = field(default_factory=dict)
    score: Decimal = ZERO
    confirmed_score: Decimal = ZERO
    temperature: Temperature = Temperature.FROZEN
    contributions: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence | None:
        """What a tranche keeps of them; None for a bot without signals."""
        if not self.contributions:
            return None
        return Evidence(
            score=self.score, temperature=self.temperature, contributions=self.contributions
        )

    def after(self, at: datetime) -> "Readings":
        """Return them without the events that came at `at` or before."""
        fresh = {name: came_at for name, came_at in self.events.items() if came_at > at}
        return self if len(fresh) == len(self.events) else replace(self, events=fresh)


SILENT: Final = Readings()
"""What a bot without signals reads."""
WILLING: Final = Readings(score=ONE, confirmed_score=ONE, temperature=Temperature.HOT)
"""Readings that keep no entry back: for asking what else would."""


@exact
def combined(scores: Mapping[str, Decimal], weights: Mapping[str, Decimal]) -> Decimal:
    """Return the score of all signals together: sum(score x weight) / sum(weight).

    Rounded toward zero to 1e-9.

    Args:
        scores: -1 to 1, by signal; one without a score counts as 0.
        weights: of all enabled signals, each 0 < weight <= 1; at least one.
    """
    weighed = sum((scores.get(name, ZERO) * weight for name, weight in weights.items()), ZERO)
    whole = sum(weights.values(), ZERO)
    return floor_ratio(abs(weighed), whole, SCORE_QUANTUM).copy_sign(weighed)


@exact
def contributions(
    scores: Mapping[str, Decimal], weights: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Return what each enabled signal adds to the score: score x weight / sum of the weights.

    Each is rounded toward zero to 1e-9, so their sum may lie that much beside the score.

    Args:
        scores, weights: as in `combined`.
    """
    whole = sum(weights.values(), ZERO)
    return {
        name: share_of(scores.get(name, ZERO), weight, whole, quantum=SCORE_QUANTUM)
        for name, weight in weights.items()
    }
