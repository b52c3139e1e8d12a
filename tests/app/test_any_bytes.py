"""Any bytes for a file: a command does its work, or refuses in one sentence; it never breaks down.

Bytes are drawn as they come, and as good files with some of their bytes flipped, lost, doubled or
replaced, by what people, editors, exchanges and dying disks put into files. Each example runs the
command itself, in this process; whatever is raised there fails the test.
"""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import FIRST_AT, HOUR, Said, trancher
from sparing import one_in

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
CONFIGS: Final = tuple(path.read_bytes() for path in sorted(EXAMPLES.glob("*.toml")))
LEDGER: Final = (
    b"time,side,price,quantity,fee,fee_asset,trade_id,tranche\n"
    b"2025-01-01T10:00:00Z,buy,50000,0.0005,0.025,quote,t1,first\n"
    b"2025-01-02,buy,49500,0.00070707,0.0000001,base,t2,\n"
    b"1735862400,sell,51000,0.0004,0.01,BNB,t3,first\n"
    b",sell,52000.5,0.0001,-0.001,,t4,\n"
)
ROWS: Final = [
    (int((FIRST_AT + number * HOUR).timestamp()) * 1000, 100.5, 101.0 + number, 99.25, 100.0, 3.5)
    for number in range(12)
]
NAMES: Final = ("timestamp", "open", "high", "low", "close", "volume")
CANDLES: Final = "\n".join([",".join(NAMES), *(",".join(map(str, row)) for row in ROWS)]).encode()
LISTS: Final = str([list(row) for row in ROWS]).encode()


def parquet() -> bytes:
    written = io.BytesIO()
    pl.DataFrame(ROWS, schema=list(NAMES), orient="row").write_parquet(written)
    return written.getvalue()


PARQUET: Final = parquet()

JUNK: Final = (
    b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\n", b"\n\n", b"\x1a",
    b",", b";", b"\t", b" ", b'"', b"'", b'"""', b"=", b"#", b"\\", b"\\u0000", b"[", b"]", b"{",
    b"-", b"+", b"0", b"-0", b"1e5", b"1E-400", b"9" * 14, b"9" * 19, b"9" * 40, b"9" * 5000,
    b"0." + b"0" * 39 + b"1", b"." + b"1" * 400, b"NaN", b"-inf", b"0x10", b"1_000", b"true",
    b"null", b"\xd9\xa3", b"\xe2\x80\xa8", b"\xe2\x88\x92", b"2100-01-01", b"0001-01-01",
    b"9999-12-31T23:59:59Z", b"1969-12-31", b"253402300799", b"buy", b"base", b"rest", b"off",
    b"10%", b"1h", b"99999w", b"[" * 3000, b"{a=" * 500, b"[[bot]]\n", b"[a.b.c.d]\n",
    b"x" * 200_000, b"," * 5000, b"PAR1", b"\x1f\x8b", b"PK\x03\x04", b"ARROW1", b"\xff\xfe",
)  # fmt: skip

places = st.integers(0, 2**20)
"""Where in a file: taken modulo its length, so that it may shrink with the file."""
lengths = st.integers(1, 40)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), places, st.integers(1, 255)),
        st.tuples(st.just("cut"), places, lengths),
        st.tuples(st.just("end"), places, lengths),
        st.tuples(st.just("double"), places, lengths),
        st.tuples(st.just("insert"), places, st.sampled_from(JUNK) | st.binary(max_size=8)),
        st.tuples(st.just("number"), places, st.sampled_from(JUNK)),
        st.tuples(st.just("ends"), places, st.sampled_from((b"\r\n", b"\r", b"\n\n", b""))),
    ),
    max_size=4,
)
Change = tuple[str, int, int | bytes]


def changed(content: bytes, change: Change) -> bytes:
    """Return `content` with one thing done to it."""
    match change, change[1] % (len(content) + 1):
        case ("flip", _, int(mask)), at:
            return (
                content[:at]
                + bytes(octet ^ mask for octet in content[at : at + 1])
                + content[at + 1 :]
            )
        case ("cut", _, int(length)), at:
            return content[:at] + content[at + length :]
        case ("end", _, _), at:
            return content[:at]
        case ("double", _, int(length)), at:
            return content[: at + length] + content[at:]
        case ("insert", _, bytes(junk)), at:
            return content[:at] + junk + content[at:]
        case ("number", _, bytes(junk)), at:
            return with_another_number(content, at, junk)
        case ("ends", _, bytes(end)), _:
            return content.replace(b"\n", end)
    raise AssertionError(change)


def with_another_number(content: bytes, at: int, junk: bytes) -> bytes:
    """Return `content` with the run of digits that follows `at` replaced."""
    while at < len(content) and not content[at : at + 1].isdigit():
        at += 1
    end = at
    while end < len(content) and content[end : end + 1] in b"0123456789.":
        end += 1
    return content[:at] + junk + content[end:]


@st.composite
def like(draw: st.DrawFn, *good: bytes) -> bytes:
    """Draw any bytes, or those of a good file after some changes, perhaps gzipped."""
    begins = st.sampled_from(
        (b"", b"PAR1", b"\x1f\x8b\x08", b"[", b"[[", b"\xef\xbb\xbf", good[0][:60])
    )
    if draw(st.integers(0, 5)) == 0:
        return draw(begins) + draw(st.binary(max_size=300))
    content = draw(st.sampled_from(good))
    for change in draw(changes):
        content = changed(content, change)
    if draw(st.integers(0, 3)) == 0:
        content = gzip.compress(content, mtime=0)
        for change in draw(changes.filter(lambda some: len(some) < 2)):
            content = changed(content, change)
    return content


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a good file of each kind."""
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "good.toml").write_bytes(CONFIGS[0])
    (folder / "good.csv").write_bytes(CANDLES)
    (folder / "fills.csv").write_bytes(LEDGER)
    return folder


# An example runs up to five commands; so there are fewer than of a property of arithmetic.
few = one_in(8)


def check(said: Said, *, reports: bool = False) -> None:
    """Demand work done in peace, or one sentence; a command that reports may exit 2 with it."""
    if said.code == 0 or (reports and said.out):
        assert all(line.startswith("note: ") for line in said.err.splitlines())
        return
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith("\n")
    assert len(said.err.splitlines()) == 1
    assert len(said.err) < 1000
    assert ": found " in said.err
    assert ", expected " in said.err


def given_to(place: Path, content: bytes, *commands: str) -> Sequence[Said]:
    """Run commands on a file `it` of that content."""
    (place / "it").write_bytes(content)
    return [trancher(*command.split(), folder=place) for command in commands]


@few
@given(content=like(*CONFIGS))
def test_any_bytes_for_a_configuration(place: Path, content: bytes) -> None:
    """
    It is checked, its ladder is shown and it is run over candles, or it is refused by all three.
    """
    for said in given_to(
        place, content, "check it", "plan it --price 100", "backtest it --data good.csv --json"
    ):
        check(said)


@few
@given(content=like(LEDGER))
def test_any_bytes_for_a_ledger(place: Path, content: bytes) -> None:
    """
    It is booked, shown and printed, or refused.
    """
    for said in given_to(
        place, content, "ledger it --mark 50000", "ledger it --method specific --json"
    ):
        check(said)


@few
@given(content=like(CANDLES, PARQUET, LISTS))
def test_any_bytes_for_candles(place: Path, content: bytes) -> None:
    """
    They are checked, converted and run over, as they are or with the columns named, or refused.
    """
    named = f"--columns {','.join(NAMES)}"
    first, second, *others = given_to(
        place,
        content,
        "data check it",
        f"data check it {named} --newest-first --json",
        f"data convert it new.csv --force --on-bad drop {named}",
        "data convert it new.parquet --force",
        f"backtest good.toml --data it --on-bad drop {named} --json",
    )
    check(first, reports=True)
    check(second, reports=True)
    for said in others:
        check(said)


OPTIONS: Final = (
    "data check good.csv --columns",
    "data check good.csv --interval",
    "data convert good.csv new.csv --force --on-bad",
    "backtest good.toml --data",
    "plan good.toml --price",
    "plan good.toml --price 1 --bot",
    "ledger fills.csv --mark",
    "ledger fills.csv --taker-fee",
    "ledger fills.csv --method",
    "ledger fills.csv --base",
    "journal --db",
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
parts = st.sampled_from(
    ("sqlite:", "//", "///", "/", ":", "@", "?", "=", "[", "]", "%", ",", "-", ".", "..", "9" * 30,
     "0", "1", "1e5", "h", "timestamp", "open", "BTC/USD=", "good.csv", "x" * 300, "\udcff")
)  # fmt: skip


@few
@given(command=st.sampled_from(OPTIONS), word=words | st.lists(parts, max_size=6).map("".join))
def test_any_words_for_an_option(place: Path, command: str, word: str) -> None:
    """
    They mean something, or one sentence says that they do not; the bytes of a name may be any.
    """
    *head, option = command.split()

    check(trancher(*head, f"{option}={word}", folder=place), reports=True)
