"""A server that stops and starts again ends no run: its bots are taken up where they were."""

import time
from pathlib import Path

import pytest

from command_line import done, trancher
from postgres import cluster
from running.crowd import await_lines, candles_by, lay_out_demo, share
from running.floor import journal_at

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_run_outlives_its_server(tmp_path: Path, how: str) -> None:
    """
    Twice, for two seconds each: the process goes on by itself, and does what the backtest did.
    """
    lay_out_demo(tmp_path, hours=31 * 24)
    tested = f"sqlite:///{tmp_path}/tested.db"
    backtest = ("backtest", "c.toml", *candles_by("--data"), "--db", tested)
    assert trancher(*backtest, folder=tmp_path).code == 0
    expected = journal_at(tested)
    lines = sum(map(len, expected.values()))
    with cluster() as own:
        url = own.url.set(database="postgres").render_as_string(hide_password=False)
        process = share(tmp_path, url)
        for part in (lines // 4, lines // 2):
            await_lines(url, part, of=[process])
            assert process.poll() is None
            own.stop(how)
            time.sleep(2)
            own.start()

        _, err = process.communicate(timeout=300)

        assert process.returncode == 0, err
        assert {bot: its for bot, its in journal_at(url).items() if its} == expected
        assert done("verify", "--db", url, folder=tmp_path).code == 0
