"""`trancher run` and what is loaded: bots go on with another configuration as they may."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from command_line import Said, candles, config, done, trancher
from processes import ended, started
from running.asking import BOOKS, asked, bots, keep_a_day, run_on
from running.floor import FLAT, QUIET, copied, quiet
from trancher.app.running_bots import ask, now, running
from trancher.store.commands import Command, Deed

LARGER = QUIET.replace("size = 20", "size = 30").replace(
    'take_profit = [{gain = "10%", sell = "rest"}]', 'stop_loss = "50%"'
)
NEW = """
[[bot]]
name = "new"
symbol = "ETH/USD"
[bot.entry]
plan = "dca"
size = 20
every = "1d"
[bot.exit]
stop_loss = "5%"
[instrument."ETH/USD"]
price_tick = 0.01
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose bots have come to the end of a day, with more that came into force."""
    folder = tmp_path_factory.mktemp("kept")
    keep_a_day(folder)
    config(folder / "c.toml", LARGER)
    assert load(folder).code == 0
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder."""
    return copied(kept, tmp_path)


def load(folder: Path) -> Said:
    """Bring the configuration of a folder into force."""
    return asked(folder, "bots load c.toml --yes")


def test_who_holds_something_keeps_what_it_has_and_it_is_said(folder: Path) -> None:
    """
    By `status` and `position`, also before any process runs with what came into force.
    """
    said = done("status", "--db", BOOKS, folder=folder).out
    position = asked(folder, "position often --json").document

    assert "often keeps version 1 until it holds nothing; version 2 is in force." in said
    assert "idle keeps version 1 until somebody runs it; version 2 is in force." in said
    assert position["configuration_version"] == 1
    assert bots(folder)["often"]["configuration_version"] == 1


def test_who_goes_on_is_sold_by_the_one_and_buys_by_the_other(folder: Path) -> None:
    """
    The gain of 10 % is no rule any more of what is in force: who had it takes it all the same.
    """
    run_on(folder)

    status = bots(folder)["often"]
    journal = asked(folder, "journal --limit 999 --json").document
    told = [one["entry"]["type"] for one in journal["journal"]]
    assert told.count("VersionTaken") == 2
    assert status["configuration_version"] == 2
    assert (status["position_id"], status["open_quantity"]) == ("often-2", "0.30000000")
    assert "often went on with version 2" in asked(folder, "journal --limit 999").words
    assert (
        asked(folder, "position often --position often-1 --json").document["configuration_version"]
        is None
    )
    assert asked(folder, "verify").code == 0


def test_what_came_before_is_reported_after_it(folder: Path) -> None:
    """
    By rules that the plan of today does not have.
    """
    run_on(folder)

    report = trancher("report", "--json", "--db", BOOKS, folder=folder)

    assert (report.code, report.err) == (0, "")
    exits = json.dumps(report.document["report"]["exits_by_rung"])
    assert "10%" in exits or "10 %" in exits, exits


def test_another_file_than_what_is_in_force_is_refused(folder: Path) -> None:
    """
    With the keys that differ, and what would bring it into force.
    """
    config(folder / "c.toml", QUIET)

    said = trancher(*quiet(file="longer.csv"), folder=folder)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(
        "portfolio floor: found version 2 in force (there and in c.toml: often entry.size 30"
    )
    assert "brought into force by `trancher bots load`" in said.err
    assert said.err.count("\n") == 1


def test_what_a_person_asks_goes_by_the_limits_in_force(folder: Path) -> None:
    """
    Also where nobody has run a bot with them yet.
    """
    config(folder / "c.toml", LARGER.replace("max_daily_trades = 30", "max_daily_trades = 1"))
    assert load(folder).code == 0

    said = asked(folder, "add often --size 20 --json")

    assert said.code == 1
    (refusal,) = said.document["decisions"][0]["refusals"]
    assert (refusal["code"], refusal["limit"]) == ("MAX_DAILY_TRADES", "1")


def test_what_comes_into_force_meanwhile_is_gone_by(folder: Path) -> None:
    """
    Whoever asks has read the limits before, and reads them again.
    """
    config(folder / "c.toml", LARGER.replace("max_daily_trades = 30", "max_daily_trades = 1"))
    add = Command(deed=Deed.ADD, reason="a test", size=Decimal(20), price=Decimal(100))
    with running(f"sqlite:///{folder}/books.db") as found:
        assert load(folder).code == 0

        said, _ = ask(found, found.named("often"), add, key=None, clock=now)

    (decision,) = said.decisions
    assert [refusal.limit for refusal in decision.refusals] == [Decimal(1)]


def test_a_process_goes_on_with_what_comes_into_force(tmp_path: Path) -> None:
    """
    As if it had begun with it; nobody has to do anything to it.
    """
    config(tmp_path / "c.toml", QUIET)
    candles(tmp_path / "day.csv", *[FLAT] * 12)
    process = started(*quiet("--follow"), folder=tmp_path)
    assert process.stderr is not None
    while "waits for more" not in (line := process.stderr.readline()):
        assert line
    config(tmp_path / "c.toml", LARGER)
    assert load(tmp_path).code == 0

    candles(tmp_path / "day.csv", *[FLAT] * 24)

    while "in force now" not in (line := process.stderr.readline()):
        assert line
    assert line == (
        "configuration 2 of portfolio floor is in force now, and the bots go on with it\n"
    )
    while "waits for more" not in (line := process.stderr.readline()):
        assert line
    process.terminate()
    assert ended(process).code == 0
    assert asked(tmp_path, "verify").code == 0
    assert bots(tmp_path)["often"]["configuration_version"] == 1
    assert bots(tmp_path)["idle"]["configuration_version"] == 2


def test_a_process_without_candles_for_it_says_so(tmp_path: Path) -> None:
    """
    And ends: what it holds is safe in the books for one that has them.
    """
    config(tmp_path / "c.toml", QUIET)
    candles(tmp_path / "day.csv", *[FLAT] * 12)
    process = started(*quiet("--follow"), folder=tmp_path)
    assert process.stderr is not None
    while "waits for more" not in (line := process.stderr.readline()):
        assert line
    config(tmp_path / "c.toml", QUIET + NEW)
    assert load(tmp_path).code == 0
    candles(tmp_path / "day.csv", *[FLAT] * 24)

    said = ended(process)

    assert said.code == 2
    assert (
        "--replay: found no candles of ETH/USD, expected some, for configuration 2 of portfolio "
        "floor came into force, and its bot new trades it\n"
    ) in said.err
