"""One Python environment per peer, so that no peer's versions bind another's or the project's.

The packages are those of `peers/<peer>.txt`. An environment is made once and made anew when that
file changes. uv makes it where there is one (on PATH, or in the project's `.uv/`), otherwise
`venv` and pip; both take packages from wherever they are set up to take them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from work import BENCH

# What the pinned packages are known to run on, best first; the running one comes before them.
PYTHONS = ("3.12", "3.11")


class EnvironmentNotMade(Exception):
    """A peer's environment could not be made.

    Attributes:
        peer: whose it is.
        reason: what the tool that should make it said last.
    """

    def __init__(self, *, peer: str, reason: str) -> None:
        super().__init__(f"no environment for {peer}: {reason}")
        self.peer = peer
        self.reason = reason


def requirements(peer: str) -> Path:
    """Return the file that names the peer's packages."""
    return BENCH / "peers" / f"{peer}.txt"


def python_of(peer: str, cache: Path) -> Path:
    """Return the interpreter of the peer's environment below `cache`, made if it is not there.

    Raises:
        EnvironmentNotMade: no fitting Python, or a package could not be installed.
    """
    folder = cache / "envs" / peer
    python = folder / "bin" / "python"
    wanted = requirements(peer).read_text(encoding="utf-8")
    # Written last, so an environment that was left half made is made again.
    made_from = folder / "made-from.txt"
    if made_from.exists() and made_from.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making the environment of {peer} ...", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    base = _base_python(peer)
    uv = _uv()
    if uv is None:
        _do(peer, [base, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    else:
        _do(peer, [uv, "venv", "--quiet", "--no-project", "--python", base, str(folder)])
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    _do(peer, [*install, "--requirement", str(requirements(peer))])
    made_from.write_text(wanted, encoding="utf-8")
    return python


def _uv() -> str | None:
    own = BENCH.parent / ".uv" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else None)


def _base_python(peer: str) -> str:
    """Return the running interpreter if it fits: then all tools run on one and the same Python."""
    if ".".join(str(part) for part in sys.version_info[:2]) in PYTHONS:
        return sys.executable
    for version in PYTHONS:
        named = shutil.which(f"python{version}")
        # A name on PATH may be a launcher for a version that is not chosen.
        if named is not None and _works([named, "--version"]):
            return named
    raise EnvironmentNotMade(peer=peer, reason=f"none of Python {', '.join(PYTHONS)} is here")


def _works(command: list[str]) -> bool:
    return _finished(command).returncode == 0


def _do(peer: str, command: list[str]) -> None:
    done = _finished(command)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
        raise EnvironmentNotMade(peer=peer, reason=said[-1].strip())


def _finished(command: list[str]) -> subprocess.CompletedProcess[str]:
    # copy: a cache on another disk cannot be linked to, and uv would warn of it each time.
    surroundings = {
        "UV_LINK_MODE": "copy",
        **os.environ,
        "UV_PYTHON_DOWNLOADS": "never",
    }
    return subprocess.run(  # noqa: S603 - the commands are those above
        command, env=surroundings, capture_output=True, text=True, check=False
    )
