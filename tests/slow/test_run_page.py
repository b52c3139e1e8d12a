"""The page about running is true: all that it says to type is typed, on a file and on a server."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = (ROOT / "docs" / "how-to" / "run.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN: Final = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVER: Final = "postgresql://trancher_app@localhost/trancher"


@pytest.mark.slow
def test_all_that_it_says_to_type_works(tmp_path: Path, server_url: str) -> None:
    """
    In its order, in one shell; what it shows is printed.
    """
    typed = "\n".join(BLOCK.findall(PAGE))
    assert SERVER in typed

    done = subprocess.run(  # noqa: S603 our own page
        ["/bin/bash", "-euo", "pipefail", "-c", typed.replace(SERVER, server_url)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    printed = [line.strip() for line in done.stdout.splitlines()]
    (shown,) = SHOWN.findall(PAGE)
    assert [line for line in shown.splitlines() if line.strip() not in printed] == []
    assert done.stdout.count("everything that is stored follows from the journal") == 4
    assert "news decided before, by the same --id chart-1:" in done.stdout
    assert "0.3 for 450.00 (1,500.00 each) -> 0.5 for 750.00 (1,500.00 each)" in done.stdout
    assert "halt 1: pause of all bots, because of the news at noon" in done.stdout
