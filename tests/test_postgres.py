"""The server of the tests: where it comes from, and that nobody goes on without one."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import postgres
from postgres import cluster


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again what is otherwise asked once."""
    monkeypatch.setattr(postgres, "_binaries", postgres._binaries.__wrapped__)  # noqa: SLF001 what is tested
    monkeypatch.setattr(postgres, "server", postgres.server.__wrapped__)


def test_a_server_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    CI may have one already, and then nothing is started.
    """
    monkeypatch.setenv(postgres.VARIABLE, "postgresql://me@host:5433/postgres")

    assert (postgres.server().host, postgres.server().port) == ("host", 5433)


def test_binaries_of_the_package_are_taken_before_those_of_the_machine() -> None:
    """
    So that everybody tests with the same version.
    """
    with cluster() as own:
        assert (own.bin / "postgres").exists()
        assert own.bin.parent.name in ("pginstall", "pg")


def test_without_any_server_the_tests_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Skipped tests are green, and nobody reads how many they were.
    """
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres, "_ON_MACHINE", Path("/nowhere"))
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(AssertionError, match="no PostgreSQL: neither TRANCHER_TEST_DATABASE_URL"):
        postgres._binaries()  # noqa: SLF001 what is tested


def test_binaries_in_a_closed_home_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A server of root's runs as nobody, who may not look into root's home.
    """
    home = tmp_path / "home"
    (home / "pg" / "bin").mkdir(parents=True)
    (home / "pg" / "bin" / "initdb").touch()
    home.chmod(0o700)
    monkeypatch.setattr(postgres, "_user", lambda: "nobody")
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres, "_ON_MACHINE", home)
    monkeypatch.setattr(shutil, "which", lambda _: None)

    found = postgres._binaries()  # noqa: SLF001 what is tested

    assert home not in found.parents
    assert (found / "initdb").exists()
    assert all(place.stat().st_mode & 0o001 for place in (found, *found.parents))


STARTED = """
import time
from postgres import cluster
with cluster(fsync="off") as own:
    print(own.folder, flush=True)
    time.sleep(60)
"""


def test_a_test_that_is_killed_leaves_no_server_behind() -> None:
    """
    Whoever interrupts them a hundred times would have a hundred servers.
    """
    with subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-c", STARTED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        server = int((folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])
        process.kill()

    for _ in range(100):
        if not folder.exists() and not Path(f"/proc/{server}").exists():
            return
        time.sleep(0.1)
    raise AssertionError(folder)
