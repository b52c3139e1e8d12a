"""Every value has one text, and the text gives the value back to the last digit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.walk import Life, lives, walk
from sparing import one_in
from store.kept import in_memory
from strategies import NOON, buy_order, fill, sell_order
from trancher.core.events import (
    BuildingEnded,
    DustBooked,
    EntryAccepted,
    Event,
    ExitAccepted,
    Filled,
    Marked,
    OrderEnded,
)
from trancher.core.order import EntryOrder, ExitOrder, NamedShare, Side, TrancheId, rule_id
from trancher.core.signals import Evidence, Temperature
from trancher.store.codec import ENTRIES, POSITIONS
from trancher.store.entries import Decided, RunFinished, decided
from trancher.store.errors import UnreadableText
from trancher.store.records import recorded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
numbers = st.builds(
    lambda units, places: Decimal(f"{units}e-{places}"),
    st.integers(-(10**30), 10**30),
    st.integers(0, 25),
)
times = st.integers(0, 10**16).map(lambda micros: EPOCH + timedelta(microseconds=micros))


def again(event: Event) -> Event:
    """Return an event that was written and read."""
    read = ENTRIES.decode(ENTRIES.encode(event))
    assert isinstance(read, Event)
    return read


@given(highest=numbers, lowest=numbers, last=numbers, since=times, at=times)
def test_a_number_and_a_time_come_back_as_they_were(
    highest: Decimal, lowest: Decimal, last: Decimal, since: datetime, at: datetime
) -> None:
    """
    Digits and exponents as well: 25.00 is not 25.0, or a replay would write other books.
    """
    event = Marked(highest=highest, lowest=lowest, last=last, since=since, at=at)

    assert repr(again(event)) == repr(event)


@given(reason=st.text(st.characters(codec="utf-8")))
def test_any_text_comes_back(reason: str) -> None:
    """
    Names and reasons are people's own, in any script, with any quotation marks.
    """
    event = BuildingEnded(reason=reason, at=NOON)

    assert again(event) == event


@one_in(4)
@given(life=lives)
def test_a_life_comes_back(life: Life) -> None:
    """
    Every event, decision and position that a bot may have, late and partial fills included.
    """
    story = walk(life)

    for one in story.happened:
        assert repr(again(one.event)) == repr(one.event)
        text = POSITIONS.encode(one.after)
        assert repr(POSITIONS.decode(text)) == repr(one.after)
    for decision in story.decisions:
        entry = decided(recorded(decision))
        text = ENTRIES.encode(entry)
        assert ENTRIES.decode(text) == entry
        assert ENTRIES.encode(ENTRIES.decode(text)) == text


def test_a_replay_comes_back() -> None:
    """
    What is kept is what a backtest makes: fees in base, ladders, refusals by the hundred.
    """
    done = in_memory(hours=1_000)

    for entry in done.replayed.store.journal:
        assert repr(again(entry.event)) == repr(entry.event)
    for record in done.replayed.store.records:
        read = ENTRIES.decode(ENTRIES.encode(decided(record)))
        assert isinstance(read, Decided)
        assert read.record == record


def test_a_quotient_is_written_with_its_zeros() -> None:
    """
    5E+4 is 50000 in plain digits. Only quotients have such exponents, and no book is made of them.
    """
    decision = in_memory(hours=10).replayed.store.records[0].first
    quotient = replace(decision, anchor_price=Decimal("5E+4"))

    entry = decided(recorded(quotient))

    assert repr(entry.first.anchor_price) == "Decimal('50000')"
    assert entry.record.first == quotient
    assert ENTRIES.decode(ENTRIES.encode(entry)) == entry


@pytest.mark.parametrize("number", ["1E+3", "0E+1", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_plain_digits_cannot_say_is_not_written(number: str) -> None:
    """
    It would come back as something else, and nothing that reads it could tell.
    """
    wrong = Decimal(number)

    with pytest.raises(AssertionError):
        ENTRIES.encode(Marked(highest=wrong, lowest=wrong, last=wrong, since=NOON, at=NOON))


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    """
    One instant has one text, wherever the clock hung.
    """
    at = datetime(2025, 1, 1, 14, 30, tzinfo=timezone(timedelta(hours=2, minutes=30)))

    assert ENTRIES.encode(DustBooked(at=at)) == '{"type":"DustBooked","at":"2025-01-01T12:00:00Z"}'
    assert again(DustBooked(at=at)) == DustBooked(at=at)


TRANCHE = TrancheId("tranche_1")
SHARE = NamedShare(rule=2, tranche_id=TRANCHE, quantity=Decimal("0.5"))
HEARD = replace(
    buy_order(size="100.50"),
    limit_price=Decimal("99.50"),
    expires_at=NOON + timedelta(hours=1),
    evidence=Evidence(
        score=Decimal("0.300000000"),
        temperature=Temperature.HOT,
        contributions={"rsi": Decimal("0.3"), "macd": Decimal("0.0")},
    ),
)
ORDER = (
    '"client_order_id":"{id}","position_id":"bot-1","bot":"bot","symbol":"BTC/USD",{own},'
    '"reason":"{reason}","decided_at":"2025-01-01T12:00:00Z"'
)
ENTRY = ORDER.format(id="b1", own='"size":"100.50","rung":0', reason="rung 0")
EXIT = ORDER.format(
    id="s1", own='"quantity":"1","limit_price":null,"full":true,"rungs":[0,2]', reason="test exit"
)

LIMIT = (
    f'{ENTRY},"limit_price":"99.50","expires_at":"2025-01-01T13:00:00Z","evidence":'
    '{"score":"0.300000000","temperature":"hot","contributions":{"rsi":"0.3","macd":"0.0"}}'
)
NAMED = f'{EXIT},"named":[{{"rule":2,"tranche_id":"tranche_1","quantity":"0.5"}}]'

BY_TRANCHE = '"targets":{"2/tranche_1":"0.50"}'
TARGETS = '"targets":{"2":"0.50","0":"0.5"}'
FILL = (
    '"trade_id":"t1","side":"buy","price":"50000","quantity":"0.00000001","fee":"0",'
    '"fee_asset":"USD","fee_rate":null,"at":"2025-01-01T12:00:00Z"'
)
ENDED = '"at":"2025-01-01T12:00:00.000050Z"'


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            EntryAccepted(order=buy_order(size="100.50"), at=NOON),
            f'{{"type":"EntryAccepted","order":{{{ENTRY}}},"at":"2025-01-01T12:00:00Z"}}',
        ),
        (
            ExitAccepted(
                order=sell_order(full=True, rungs=(0, 2)),
                targets={rule_id(2): Decimal("0.50"), rule_id(0): Decimal("0.5")},
                at=NOON,
            ),
            f'{{"type":"ExitAccepted","order":{{{EXIT}}},{TARGETS},"at":"2025-01-01T12:00:00Z"}}',
        ),
        (
            EntryAccepted(order=HEARD, at=NOON),
            f'{{"type":"EntryAccepted","order":{{{LIMIT}}},"at":"2025-01-01T12:00:00Z"}}',
        ),
        (
            ExitAccepted(
                order=replace(sell_order(full=True, rungs=(0, 2)), named=(SHARE,)),
                targets={rule_id(2, TRANCHE): Decimal("0.50")},
                at=NOON,
            ),
            f'{{"type":"ExitAccepted","order":{{{NAMED}}},{BY_TRANCHE},"at":"2025-01-01T12:00:00Z"}}',
        ),
        (
            Filled(order_id=buy_order().client_order_id, fill=fill(Side.BUY, "1e-8", "50000")),
            f'{{"type":"Filled","order_id":"b1","fill":{{{FILL}}}}}',
        ),
        (
            OrderEnded(
                order_id=buy_order().client_order_id,
                reason="filled",
                at=NOON + timedelta(microseconds=50),
            ),
            f'{{"type":"OrderEnded","order_id":"b1","reason":"filled",{ENDED}}}',
        ),
    ],
)
def test_the_text_is_this_and_no_other(event: Event, text: str) -> None:
    """
    Journals are kept for years: whoever changes a letter here breaks their hashes.
    """
    assert ENTRIES.encode(event) == text
    assert ENTRIES.decode(text) == event


evidences = st.builds(
    Evidence,
    score=numbers,
    temperature=st.sampled_from(Temperature),
    contributions=st.dictionaries(st.text(st.characters(codec="utf-8")), numbers),
)
entry_orders = st.builds(
    replace,
    st.just(buy_order()),
    limit_price=st.none() | numbers,
    expires_at=st.none() | times,
    evidence=st.none() | evidences,
)
exit_orders = st.builds(
    replace,
    st.just(sell_order()),
    named=st.lists(
        st.builds(NamedShare, rule=st.integers(), tranche_id=st.just(TRANCHE), quantity=numbers)
    ).map(tuple),
)
LATER = ("limit_price", "expires_at", "evidence")


@one_in(4)
@given(order=entry_orders)
def test_an_entry_says_of_later_fields_only_what_it_has(order: EntryOrder) -> None:
    """
    Invariant 3: whatever of them is there comes back, and what is not there is not mentioned.
    """
    text = ENTRIES.encode(EntryAccepted(order=order, at=NOON))

    written = msgspec.json.decode(text)["order"]
    assert {name for name in LATER if name in written} == {
        name for name in LATER if getattr(order, name) is not None
    }
    assert repr(ENTRIES.decode(text)) == repr(EntryAccepted(order=order, at=NOON))


@one_in(4)
@given(order=exit_orders)
def test_an_exit_names_tranches_only_where_it_has_some(order: ExitOrder) -> None:
    """
    Invariant 3 once more; the limit of an exit is older than that, and always mentioned.
    """
    event = ExitAccepted(order=order, targets={}, at=NOON)
    text = ENTRIES.encode(event)

    written = msgspec.json.decode(text)["order"]
    assert ("named" in written) == bool(order.named)
    assert "limit_price" in written
    assert repr(ENTRIES.decode(text)) == repr(event)


# As a program of schema 0002 wrote them, letter by letter.
OLD_ENTRY = (
    '{"type":"EntryAccepted","order":{"client_order_id":"steps-1-1","position_id":"steps-1",'
    '"bot":"steps","symbol":"BTC/USD","size":"20","rung":0,"reason":"rung 1",'
    '"decided_at":"2024-01-01T01:00:00Z"},"at":"2024-01-01T01:00:00Z"}'
)
OLD_EXIT = (
    '{"type":"ExitAccepted","order":{"client_order_id":"steps-1-3","position_id":"steps-1",'
    '"bot":"steps","symbol":"BTC/USD","quantity":"0.24975000","limit_price":"110.00",'
    '"full":false,"rungs":[0],"reason":"take profit +10 %",'
    '"decided_at":"2024-01-01T05:59:59.999999Z"},"targets":{"0":"0.24975000"},'
    '"at":"2024-01-01T05:59:59.999999Z"}'
)


OLD_END = (
    '{"type":"RunFinished","at":"2026-11-25T23:24:59.346044Z","marks":{"BTC/USD":'
    '{"price":"110","at":"2024-01-01T12:00:00Z"}}}'
)


def test_what_an_older_program_wrote_reads_as_it_did() -> None:
    """
    A journal is never rewritten: its hashes are of these letters.
    """
    entry, sale, end = map(ENTRIES.decode, (OLD_ENTRY, OLD_EXIT, OLD_END))

    assert isinstance(entry, EntryAccepted)
    assert (entry.order.limit_price, entry.order.expires_at, entry.order.evidence) == (None,) * 3
    assert isinstance(sale, ExitAccepted)
    assert (sale.order.named, sale.order.rule_ids) == ((), ("0",))
    assert sale.targets == {"0": Decimal("0.24975000")}
    assert isinstance(end, RunFinished)
    assert end.peak_equity is None
    assert [ENTRIES.encode(one) for one in (entry, sale, end)] == [OLD_ENTRY, OLD_EXIT, OLD_END]


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (OLD_ENTRY, 'Z"},', 'Z","limit_price":null},'),
        (OLD_ENTRY, 'Z"},', 'Z","expires_at":null},'),
        (OLD_ENTRY, 'Z"},', 'Z","evidence":null},'),
        (OLD_ENTRY, 'Z"},', 'Z","named":[]},'),
        (OLD_ENTRY, ',"rung":0', ""),
        (OLD_EXIT, 'Z"},', 'Z","named":[]},'),
        (OLD_EXIT, ',"limit_price":"110.00"', ""),
        (OLD_END, '"}}}', '"}},"peak_equity":null}'),
    ],
)
def test_a_default_that_is_written_out_is_another_text(text: str, old: str, new: str) -> None:
    """
    Two texts of one value would be two hashes of one journal; only what came later may be absent.
    """
    assert old in text

    with pytest.raises(UnreadableText, match=r"found .*, expected"):
        ENTRIES.decode(text.replace(old, new, 1))


MARKED = (
    '{"type":"Marked","highest":"25.00","lowest":"1","last":"2",'
    '"since":"2025-01-01T12:00:00Z","at":"2025-01-01T12:00:00Z"}'
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"25.00"', '"NaN"'),
        ('"25.00"', '"Infinity"'),
        ('"25.00"', '"2.5e1"'),
        ('"25.00"', '"025.00"'),
        ('"25.00"', '"+25.00"'),
        ('"25.00"', '" 25.00"'),
        ('"25.00"', '"2_5.00"'),
        ('"25.00"', '"25."'),
        ('"25.00"', '"٢٥"'),
        ('"25.00"', "25.00"),
        ('"25.00"', "25"),
        ('"25.00"', "null"),
        ('"25.00"', '["25.00"]'),
        ('"Marked"', '"Married"'),
        ('"Marked"', "1"),
        ('"type":"Marked",', ""),
        ('"lowest":"1",', ""),
        ('"lowest":"1",', '"lowest":"1","lowest":"1",'),
        ('"lowest":"1",', '"lowest":"1","more":"1",'),
        ('"lowest":"1","last":"2"', '"last":"2","lowest":"1"'),
        (":00Z", ":00"),
        (":00Z", ":00+00:00"),
        (":00Z", ":00.0Z"),
        ("T12", " 12"),
        ("2025-01-01T12:00:00Z", "soon"),
        (MARKED, "[]"),
        (MARKED, "7"),
        (MARKED, ""),
        (MARKED, MARKED + " "),
        (MARKED, MARKED[:-1]),
        (MARKED, '{"type":"Decided","first":7,"last":null,"count":1}'),
        (MARKED, '{"type":"RunFinished","at":"2025-01-01T12:00:00Z","marks":[]}'),
        (MARKED, '{"type":"RunFinished","at":"2025-01-01T12:00:00Z","marks":{"A/B":{}}}'),
    ],
)
def test_whatever_else_stands_there_is_refused(old: str, new: str) -> None:
    """
    A text that is nearly right is a changed text, and nobody may guess what it meant.
    """
    assert old in MARKED

    with pytest.raises(UnreadableText, match=r"found .*, expected"):
        ENTRIES.decode(MARKED.replace(old, new))


def test_what_cannot_be_true_is_refused() -> None:
    """
    The checks of the classes hold for what is read as for what is made.
    """
    text = ENTRIES.encode(
        Filled(order_id=buy_order().client_order_id, fill=fill(Side.BUY, "1", "50000"))
    )

    with pytest.raises(UnreadableText, match="price is 0"):
        ENTRIES.decode(text.replace('"50000"', '"0"'))
