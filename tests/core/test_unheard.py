"""Why a signal from outside is not heard."""

from datetime import timedelta
from decimal import Decimal

from core.facts import LATER
from core.test_decide_exit import held
from strategies import observed
from trancher.core.decision import Kind
from trancher.core.limits import Refusal, RefusalCode, Unit
from trancher.core.unheard import decide_unheard, duplicate_signal, stale_signal

HOUR = timedelta(hours=1)


def test_a_signal_counts_for_its_time_inclusive() -> None:
    """
    At an hour it is heard, a microsecond later it is stale, and both lengths are told exactly.
    """
    assert stale_signal(HOUR, HOUR) is None
    assert stale_signal(HOUR + timedelta(microseconds=1), HOUR) == Refusal(
        code=RefusalCode.STALE_SIGNAL,
        measured=Decimal("3600.000001"),
        limit=Decimal(3600),
        missing=Decimal("0.000001"),
        unit=Unit.SECONDS,
        unblocks_when="it is sent anew",
    )


def test_a_second_signal_of_one_key_carries_its_numbers_too() -> None:
    """
    The closed set has one shape, so that every interface shows every reason alike.
    """
    assert duplicate_signal() == Refusal(
        code=RefusalCode.DUPLICATE_SIGNAL,
        measured=Decimal(2),
        limit=Decimal(1),
        missing=Decimal(1),
        unit=Unit.SIGNALS,
        unblocks_when="it has a key of its own",
    )


def test_an_unheard_signal_leaves_a_decision_and_nothing_else() -> None:
    """
    On record as an entry that was refused, under the name of the signal; nothing is ordered.
    """
    position = held()

    refused = decide_unheard(position, observed("100", at=LATER), duplicate_signal(), name="desk")

    assert (refused.kind, refused.reason, refused.at) == (Kind.ENTRY, "signal desk", LATER)
    assert [one.code for one in refused.refusals] == [RefusalCode.DUPLICATE_SIGNAL]
    assert (refused.order, refused.events, refused.cancels) == (None, (), ())
