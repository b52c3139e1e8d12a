"""`trancher run --follow`: candles are taken as others write them, each once it is whole."""

import signal
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from app.kept_books import CONFIG
from command_line import FIRST_AT, HOUR, candles, config, done, refused
from processes import ended, started
from running.floor import FLAT, QUIET, journal_at
from trancher.app.backtesting import Source
from trancher.app.following import Follower, reading
from trancher.app.output import BadInput
from trancher.core.events import Event
from trancher.market.candles import Candles, read_candles, write_candles
from trancher.market.layout import AS_IT_STANDS
from trancher.store import progress
from trancher.store.database import open_database
from trancher.store.errors import StoreError

BOOKS: Final = "sqlite:///books.db"
BOTS: Final = ("often", "resting", "idle")
UP: Final = "100 111 100 111"
HEAD: Final = (*[FLAT] * 24, UP, "111 111 111 111")
MORE: Final = (*[FLAT] * 20, UP, FLAT, FLAT)


def until_all_stand_at(folder: Path, at: datetime) -> None:
    """Wait until all bots have come to a time of the market."""
    for _ in range(400):
        time.sleep(0.05)
        if (folder / "books.db").exists() and seen_at(folder) == {at}:
            return
    raise AssertionError("nothing follows")


def seen_at(folder: Path) -> set[datetime | None]:
    """Return up to when the bots have seen the market."""
    try:
        database = open_database(f"sqlite:///{folder}/books.db", mode=None)
    except StoreError:
        return set()  # the file is there before its tables are
    with database.reading() as connection:
        reached = progress.load_all(connection, portfolio_id=1)
    database.close()
    return {one.seen_at for one in reached.values()} if len(reached) == len(BOTS) else set()


def before(events: Sequence[Event], at: datetime) -> list[Event]:
    return [event for event in events if event.at < at]


def test_what_comes_later_is_traded_like_what_was_there(tmp_path: Path) -> None:
    """
    Event for event what a backtest of the whole file does, but for its last close; in between the
    bots wait, status says up to where they have seen the market, and Ctrl-C is their end.
    """
    config(tmp_path / "c.toml", QUIET)
    candles(tmp_path / "whole.csv", *HEAD, *MORE)
    lines = (tmp_path / "whole.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    now, later = lines[: len(HEAD) + 1], lines[len(HEAD) + 1 :]
    (tmp_path / "growing.csv").write_text("".join(now), encoding="utf-8")
    end = FIRST_AT + HOUR * (len(HEAD) + len(MORE))
    follow = ("run", "c.toml", "--replay", "growing.csv", "--follow", "--db", BOOKS)
    process = started(*follow, folder=tmp_path)
    until_all_stand_at(tmp_path, FIRST_AT + HOUR * len(HEAD))

    with (tmp_path / "growing.csv").open("a", encoding="utf-8") as file:
        file.write("".join(later))
    until_all_stand_at(tmp_path, end)
    as_of = done("status", "--json", "--db", BOOKS, folder=tmp_path).document["as_of"]
    process.send_signal(signal.SIGINT)
    said = ended(process)

    assert said.code == 0, said.err
    assert datetime.fromisoformat(as_of) == end
    waits = "has come to its last candle so far, and waits for more"
    assert sorted(said.err.splitlines()) == sorted(
        f"{bot} {news}" for bot in BOTS for news in ("runs", waits)
    )
    assert " often    BTC/USD" in said.out
    tested = "sqlite:///tested.db"
    done("backtest", "c.toml", "--data", "whole.csv", "--db", tested, folder=tmp_path)
    found = journal_at(f"sqlite:///{tmp_path}/books.db")
    expected = journal_at(f"sqlite:///{tmp_path}/tested.db")
    assert {bot: before(events, end) for bot, events in found.items()} == {
        bot: before(events, end) for bot, events in expected.items()
    }
    assert len(found["often"]) > 20
    done("verify", "--db", BOOKS, folder=tmp_path)


def test_a_tick_that_may_change_is_refused(tmp_path: Path) -> None:
    """
    Read off a file, it would be another one as soon as a finer price comes.
    """
    config(tmp_path / "c.toml", CONFIG.replace("price_tick = 0.01", "quantity_step = 0.0001"))
    candles(tmp_path / "c.csv", FLAT, FLAT)

    said = refused("run", "c.toml", "--replay", "c.csv", "--follow", folder=tmp_path)

    assert said.err == (
        'c.toml: instrument."BTC/USD": found no price_tick, expected one with --follow, for that '
        "of a file may change as it grows\n"
    )
    assert not (tmp_path / "trancher.db").exists()


class Writer:
    """A file that grows, and whoever follows it; the clock stands where a test puts it."""

    def __init__(self, file: Path, *rows: str) -> None:
        self.file, self.said = file, list[str]()
        self.now = FIRST_AT + timedelta(days=300)
        candles(file, *rows)
        source = Source(name=str(file), candles=read_candles(file, on_bad="fail", now=self.now))
        self.follower = Follower(
            {"BTC/USD": source},
            read=reading(on_bad="fail", layout=AS_IT_STANDS, clock=lambda: self.now),
            clock=lambda: self.now,
            tell=self.said.append,
        )

    def write(self, text: str) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(text)

    def look(self) -> int | None:
        """How many candles there are now; None where none has come."""
        found = self.follower.more()
        return len(found["BTC/USD"]) if found else None

    @property
    def known(self) -> int:
        return len(self.follower.sources["BTC/USD"].candles)


THIRD: Final = "2024-01-01T02:00:00Z,100,100,100,100,1\n"


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    """Return a file of two candles."""
    return Writer(tmp_path / "c.csv", FLAT, FLAT)


def test_a_candle_comes_once(writer: Writer) -> None:
    """
    What was looked at and had not changed is nothing new.
    """
    assert writer.look() is None
    writer.write(THIRD)

    assert (writer.look(), writer.look(), writer.known) == (3, None, 3)


@pytest.mark.parametrize("written", range(1, len(THIRD)))
def test_half_a_line_is_no_candle(writer: Writer, written: int) -> None:
    """
    Cut off anywhere it may read as a line with another price; and it is no fault yet.
    """
    writer.write(THIRD[:written])
    assert writer.look() is None

    writer.write(THIRD[written:])

    assert (writer.look(), writer.said) == (3, [])


def test_a_candle_comes_when_it_has_closed(writer: Writer) -> None:
    """
    Exchanges give the one that goes on as well; the file need not change once it is over.
    """
    writer.now = FIRST_AT + timedelta(hours=2, minutes=59)
    writer.write(THIRD)
    assert writer.look() is None

    writer.now += timedelta(minutes=1)

    assert writer.look() == 3


def test_a_file_that_stays_unreadable_is_told_once(writer: Writer) -> None:
    """
    For a moment any file is, while it is replaced; whoever waits for it for long is told why.
    """
    text = writer.file.read_text(encoding="utf-8")
    writer.file.unlink()
    assert [writer.look() for _ in range(5)] == [None] * 5
    (said,) = writer.said
    assert said.startswith(f"{writer.file}: found no readable file")
    assert said.endswith("; its bots wait, and it is read again when it has changed")

    writer.file.write_text(text + THIRD, encoding="utf-8")

    assert writer.look() == 3


@pytest.mark.parametrize(
    ("old", "new"), [("100,1\n", "101,1\n"), ("2024-01-01T00", "2023-12-31T23"), (THIRD, "")]
)
def test_other_candles_than_before_are_not_taken(writer: Writer, old: str, new: str) -> None:
    """
    What was decided by them cannot be decided anew: a price, a time, a candle that is gone.
    """
    writer.write(THIRD)
    assert writer.look() == 3
    text = writer.file.read_text(encoding="utf-8").replace(old, new, 1)
    high = text.replace("100,100,100,101", "100,101,100,101", 1)
    writer.file.write_text(high + ("" if old == THIRD else THIRD.replace("T02", "T03")))

    assert [writer.look() for _ in range(3)] == [None] * 3

    (said,) = writer.said
    assert said == (
        f"{writer.file}: found other candles than before, expected those and more; its bots wait, "
        "and it is read again when it has changed"
    )
    assert writer.known == 3


def test_finer_prices_are_no_other_ones(writer: Writer) -> None:
    """
    The same prices are counted in smaller ticks then.
    """
    writer.write("2024-01-01T02:00:00Z,100.25,100.25,100.25,100.25,1\n")

    assert writer.look() == 3


def test_what_is_written_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """
    Half a line is a candle with another price; finished just after, it looks as if it were whole.
    """
    file = candles(tmp_path / "c.csv", FLAT, FLAT)
    now = FIRST_AT + timedelta(days=300)
    whole = reading(on_bad="fail", layout=AS_IT_STANDS, clock=lambda: now)
    half, rest = "2024-01-01T02:00:00Z,100,100,100,100,1", "5\n"
    later = [half, rest]

    def read(source: Source) -> Candles:
        found = whole(source)
        if later:
            with file.open("a", encoding="utf-8") as writer:
                writer.write(later.pop(0))
        return found

    source = Source(name=str(file), candles=read_candles(file, on_bad="fail", now=now))
    follower = Follower({"BTC/USD": source}, read=read, clock=lambda: now, tell=lambda _: None)
    known = follower.sources["BTC/USD"].candles
    later += [half.replace("T02", "T03"), rest]

    assert [follower.more(), follower.more()] == [{}, {}]
    (feed,) = follower.more().values()

    assert (len(known), known.volume(2)) == (3, Decimal(15))
    assert (len(feed), feed.volume(3)) == (4, Decimal(15))


def test_a_file_that_is_gone_once_it_was_read_comes_later(tmp_path: Path) -> None:
    """
    Whoever replaces a file takes it away for a moment; that is no reason to end.
    """
    file = candles(tmp_path / "c.csv", FLAT, FLAT)
    now = FIRST_AT + timedelta(days=300)
    whole = reading(on_bad="fail", layout=AS_IT_STANDS, clock=lambda: now)
    source = Source(name=str(file), candles=read_candles(file, on_bad="fail", now=now))
    text, leaves = file.read_text(encoding="utf-8"), False

    def read(source: Source) -> Candles:
        found = whole(source)
        if leaves:
            file.unlink()
        return found

    follower = Follower({"BTC/USD": source}, read=read, clock=lambda: now, tell=lambda _: None)

    file.write_text(text + THIRD, encoding="utf-8")
    leaves = True
    assert follower.more() == {}

    file.write_text(text + THIRD, encoding="utf-8")
    leaves = False

    assert len(follower.more()["BTC/USD"]) == 3


def test_parquet_has_no_lines_to_be_torn(tmp_path: Path) -> None:
    """
    It is written whole or cannot be read.
    """
    candles(tmp_path / "c.csv", FLAT, FLAT, FLAT)
    known = read_candles(tmp_path / "c.csv", on_bad="fail", now=FIRST_AT + timedelta(days=3))
    write_candles(tmp_path / "c.parquet", known)
    source = Source(name=str(tmp_path / "c.parquet"), candles=known)

    follower = Follower(
        {"BTC/USD": source},
        read=lambda _: known,
        clock=lambda: FIRST_AT + timedelta(days=3),
        tell=lambda _: None,
    )

    assert len(follower.sources["BTC/USD"].candles) == 3


def test_a_file_without_a_closed_candle_is_bad_input(tmp_path: Path) -> None:
    """
    There is no price to begin with.
    """
    source = Source(
        name=str(candles(tmp_path / "c.csv", FLAT, FLAT)),
        candles=read_candles(tmp_path / "c.csv", on_bad="fail", now=FIRST_AT + HOUR),
    )

    with pytest.raises(BadInput, match="found no candle that has closed, expected one"):
        Follower(
            {"BTC/USD": source},
            read=lambda one: one.candles,
            clock=lambda: FIRST_AT,
            tell=lambda _: None,
        )
