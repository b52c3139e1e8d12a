"""Two processes share one portfolio for a month, and are killed again and again.

The file is called after what runs; a month of hourly candles takes a minute or two.
"""

from pathlib import Path
from random import Random

import pytest

from command_line import done, trancher
from running.crowd import candles_by, lay_out_demo, run_while_killed, share
from running.floor import journal_at

pytestmark = pytest.mark.slow
MONTH = 31 * 24
SHARES = {"one": ("dca", "profit-ladder"), "other": ("graduated", "signals")}


@pytest.mark.parametrize("seed", [1, 2])
def test_two_processes_that_are_killed_do_what_the_backtest_did(
    empty_url: str, tmp_path: Path, seed: int
) -> None:
    """
    A dozen times, anywhere in the month: event for event, and as one process that nobody disturbs.
    """
    lay_out_demo(tmp_path, hours=MONTH)
    tested, quiet = f"sqlite:///{tmp_path}/tested.db", f"sqlite:///{tmp_path}/quiet.db"
    backtest = ("backtest", "c.toml", *candles_by("--data"), "--db", tested)
    assert trancher(*backtest, folder=tmp_path).code == 0
    expected = journal_at(tested)
    lines = sum(map(len, expected.values()))
    assert lines > 100
    undisturbed = share(tmp_path, quiet)
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    kills = sorted(random.randrange(lines * 4 // 5) for _ in range(12))

    killed = run_while_killed(tmp_path, empty_url, SHARES, kills=kills, seed=seed)

    undisturbed.communicate()
    assert killed == 12
    assert journal_at(quiet) == {"signals": [], "graduated": [], **expected}
    assert journal_at(empty_url) == journal_at(quiet)
    assert refused_of(empty_url, tmp_path) >= {"MAX_ACTIVE_POSITIONS", "MAX_DAILY_TRADES"}
    assert done("verify", "--db", empty_url, folder=tmp_path).code == 0


def refused_of(url: str, folder: Path) -> set[str]:
    """Return why bots were refused: the limits that bind between the processes."""
    return {
        refusal["code"]
        for bots in SHARES.values()
        for bot in bots
        for one in done(
            "decisions", bot, "--limit", "999", "--json", "--db", url, folder=folder
        ).document["decisions"]
        for refusal in one["refusals"]
    }
