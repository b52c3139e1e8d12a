"""How bots that run go on, as people are told: over, going on, stopped, or left."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import done, trancher
from processes import ended, started
from running.asking import BOOKS, keep_a_day
from running.floor import copied, lay_out_quiet, quiet
from store.kept import NOW
from trancher.core.order import BotName
from trancher.store.under_way import BotUnderWay, Going, UnderWay

SOON: Final = timedelta(seconds=1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of a day."""
    folder = tmp_path_factory.mktemp("kept")
    keep_a_day(folder)
    return folder


def run_of(folder: Path) -> Any:
    """Return which run `status` is about."""
    return done("status", "--json", "--db", BOOKS, folder=folder).document["run"]


def under_way(*bots: tuple[bool, str | None, timedelta], at: datetime | None = None) -> UnderWay:
    """Return bots that run: over or not, by whom, and how long their leases are from NOW on."""
    return UnderWay(
        bots=tuple(
            BotUnderWay(bot=BotName(f"b{number}"), over=over, owner=owner, until=NOW + lease)
            for number, (over, owner, lease) in enumerate(bots)
        ),
        at=at,
    )


@pytest.mark.parametrize(
    ("bots", "expected"),
    [
        ([(True, None, -SOON), (True, "a", SOON)], Going.OVER),
        ([(True, "a", SOON), (False, "a", SOON)], Going.GOING_ON),
        ([(False, None, -SOON), (False, "b", SOON)], Going.GOING_ON),
        ([(False, None, SOON), (True, "a", -SOON)], Going.STOPPED),
        ([(False, None, SOON), (False, "a", timedelta(0))], Going.LEFT),
    ],
)
def test_how_bots_go_on_is_known_from_their_leases(
    bots: list[tuple[bool, str | None, timedelta]], expected: Going
) -> None:
    """
    A lease that was given up and one that ran out are two things: somebody stopped, or died.
    """
    assert under_way(*bots).going(NOW) is expected


def test_a_lease_runs_out_by_the_clock_of_the_database() -> None:
    """
    The host that looks may be hours wrong; the server that gave the lease is not asked to agree.
    """
    found = under_way((False, "a", SOON), at=NOW)

    assert found.going(NOW + timedelta(hours=5)) is Going.GOING_ON
    assert found.owners(NOW + timedelta(hours=5)) == ("a",)


def test_bots_at_the_end_of_their_candles_are_over(kept: Path) -> None:
    """
    Nobody is told that something died where all has come to its end.
    """
    said = done("status", "--db", BOOKS, folder=kept)

    assert said.words.startswith("Runs 1 to 3 (run), one for each bot, of ")
    assert "; over. As of" in said.words
    assert run_of(kept)["state"] == "over"
    assert run_of(kept)["runs"] == [1, 2, 3]
    assert run_of(kept)["processes"] == []
    assert "Without an end" not in done("verify", "--db", BOOKS, folder=kept).out
    assert "the end of runs 1 to 3:" in done("why", "idle", "--db", BOOKS, folder=kept).out


def test_bots_that_wait_are_going_on_and_stopped_after_a_signal(tmp_path: Path) -> None:
    """
    With the process that runs them, by which a person finds it; afterwards there is none.
    """
    lay_out_quiet(tmp_path)
    process = started(*quiet("--bot", "often"), folder=tmp_path)
    assert process.stderr is not None
    assert [process.stderr.readline() for _ in range(2)] == [
        "often runs\n",
        "often waits for resting, idle\n",
    ]
    going = run_of(tmp_path)

    process.terminate()
    ended(process)

    assert going["state"] == "going on"
    assert f":{process.pid}:" in going["processes"][0]
    assert run_of(tmp_path)["state"] == "stopped"
    said = done("status", "--db", BOOKS, folder=tmp_path)
    assert "stopped before its end, the same command goes on." in said.words
    assert "Without an end so far: run 1 (stopped)." in done(
        "verify", "--db", BOOKS, folder=tmp_path
    ).words  # fmt: skip


def test_bots_of_a_process_that_died_are_left(tmp_path: Path) -> None:
    """
    From when their lease has run out; until then nobody can know.
    """
    lay_out_quiet(tmp_path)
    process = started(*quiet("--bot", "often", "--lease", "1s"), folder=tmp_path)
    assert process.stderr is not None
    process.stderr.readline()
    process.kill()
    ended(process)
    while run_of(tmp_path)["state"] == "going on":
        time.sleep(0.1)

    assert run_of(tmp_path)["state"] == "left"
    said = done("status", "--db", BOOKS, folder=tmp_path)
    assert "left by a process that died, the same command goes on." in said.words
    why = done("why", "often", "--db", BOOKS, folder=tmp_path).words
    assert "as far as run 1 came, left by a process that died: often holds nothing" in why


def test_the_journal_of_bots_that_run_is_told_as_one(kept: Path, tmp_path: Path) -> None:
    """
    Each bot has one of its own; told apart, the last decision of another bot would look lost.
    """
    folder = copied(kept, tmp_path)
    said = done("journal", "--limit", "99", "--json", "--db", BOOKS, folder=folder).document

    lines = said["journal"]
    assert said["entries"] == len(lines)
    assert {line["run"] for line in lines} == {1, 2, 3}
    for run in (1, 2, 3):
        numbers = [line["number"] for line in lines if line["run"] == run]
        assert numbers == list(range(1, len(numbers) + 1))
    market = [line["at"] for line in lines if line["entry"]["type"] != "RunStarted"]
    assert market == sorted(market)
    newest = done("journal", "--limit", "4", "--json", "--db", BOOKS, folder=folder).document
    assert newest["journal"] == lines[-4:]
    shown = done("journal", "--limit", "4", "--db", BOOKS, folder=folder)
    assert "run no. at position what" in shown.words


def test_on_a_server_they_go_on_by_its_clock(kept: Path, tmp_path: Path, server_url: str) -> None:
    """
    The same words, read from leases that the server dates.
    """
    folder = copied(kept, tmp_path)
    assert trancher(*quiet(db=server_url), folder=folder).code == 0

    said = done("status", "--db", server_url, folder=folder)

    assert "; over. As of" in said.words
