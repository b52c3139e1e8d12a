"""A process that is killed leaves whole batches, whatever it was doing."""

from pathlib import Path

from store.killing import killed


def test_a_killed_process_leaves_true_books(tmp_path: Path) -> None:
    """
    At ten moments; tests/slow has many more. A run that was cut off is known as unfinished.
    """
    found = killed(tmp_path / "books.db", times=10, seed=1)

    assert [one.differences for one in found] == [()] * 10
    assert len(found[-1].runs) >= 1
    assert not all(run.finished for run in found[-1].runs)
