"""A backtest that is killed leaves whole batches, whatever it was doing."""

from pathlib import Path

from command_line import done
from store.kept import TEXT
from store.killing import BACKTEST, killed, prepare


def test_a_killed_backtest_leaves_true_books(tmp_path: Path) -> None:
    """
    At one moment; tests/slow has many more. A run that was cut off is known as unfinished, and
    the same command again comes to its end.
    """
    prepare(tmp_path, TEXT, hours=1_500)

    found = killed(tmp_path, times=1, seed=1)
    said = done(*BACKTEST, "--json", folder=tmp_path).document

    assert [one.differences for one in found] == [()]
    assert not all(run.finished for one in found for run in one.runs)
    document = done("verify", "--db", "sqlite:///books.db", "--json", folder=tmp_path).document
    assert document["verified"] is True
    assert document["runs"][-1]["id"] == said["run_id"] == 2
    assert document["runs"][-1]["finished"] is True
