"""Every error the core can raise, in one tree.

TrancherError
├── InvalidNumber             a text is no finite decimal inside the bounds
├── InvalidInstrument         steps, minimums or fees that no exchange could have
├── InvalidPlan               an entry or exit plan that contradicts itself
├── InvalidLimits             limits that contradict each other
├── InvalidRequest            what somebody asks for by hand cannot be meant
├── InvalidFill               a fill that cannot be true
│   ├── ContradictoryFill     a trade id came back with other values
│   ├── OversoldPosition      more base was sold than is open
│   ├── UnknownTranche        a sale names a tranche that is not open
│   ├── AmbiguousTranche      a sale has to name its tranche, and names none
│   └── TrancheInUse          a purchase takes the name of another tranche
└── InvalidTransition         a step that the lifecycle table does not have
"""

from decimal import Decimal


class TrancherError(Exception):
    """Base of every error the core raises."""


class InvalidNumber(TrancherError):
    """A text is no finite decimal inside the bounds."""

    def __init__(self, *, found: str, expected: str) -> None:
        super().__init__(f"found {found!r}, expected {expected}")
        self.found = found
        self.expected = expected


class InvalidInstrument(TrancherError):
    """Steps, minimums or fees that no exchange could have."""


class InvalidPlan(TrancherError):
    """An entry or exit plan that contradicts itself."""


class InvalidLimits(TrancherError):
    """Limits that contradict each other."""


class InvalidRequest(TrancherError):
    """What somebody asks for by hand cannot be meant."""


class InvalidFill(TrancherError):
    """A fill that cannot be true."""


class ContradictoryFill(InvalidFill):
    """A trade id came back with other values: one of the two reports is wrong."""

    def __init__(self, *, trade_id: str) -> None:
        super().__init__(f"trade id {trade_id} was booked before with other values")
        self.trade_id = trade_id


class OversoldPosition(InvalidFill):
    """More base was sold than is open."""

    def __init__(self, *, asked: Decimal, held: Decimal) -> None:
        super().__init__(f"cannot sell {asked:f}: {held:f} is open")
        self.asked = asked
        self.held = held


class UnknownTranche(InvalidFill):
    """A sale names a tranche that is not open."""

    def __init__(self, *, tranche_id: str, known: tuple[str, ...]) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(f"no open tranche is called {tranche_id!r}: open are {listed}")
        self.tranche_id = tranche_id
        self.known = known


class AmbiguousTranche(InvalidFill):
    """A sale has to name its tranche, and names none while several are open."""

    def __init__(self, *, known: tuple[str, ...]) -> None:
        super().__init__(f"the sale names no tranche and several are open: {', '.join(known)}")
        self.known = known


class TrancheInUse(InvalidFill):
    """A purchase takes the name of another tranche of the same position."""

    def __init__(self, *, tranche_id: str) -> None:
        super().__init__(f"tranche {tranche_id!r} exists already in this position")
        self.tranche_id = tranche_id


class InvalidTransition(TrancherError):
    """A step that the lifecycle table does not have."""

    def __init__(self, *, source: str, target: str) -> None:
        super().__init__(f"a position cannot go from {source} to {target}")
        self.source = source
        self.target = target
