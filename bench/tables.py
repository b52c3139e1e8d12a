"""Tables of figures as text or Markdown, and the machine that they were measured on."""

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path


def as_lines(
    table: Sequence[Sequence[str]], *, words: int, markdown: bool = False
) -> Iterator[str]:
    """Yield a table's lines: padded columns, or Markdown.

    Args:
        table: the head, then the rows.
        words: how many columns hold words; the others hold figures and go to the right.
    """
    yield from _as_markdown(table, words) if markdown else _as_text(table, words)


def _as_text(table: Sequence[Sequence[str]], words: int) -> Iterator[str]:
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    for row in table:
        named = [cell.ljust(width) for cell, width in zip(row[:words], widths, strict=False)]
        figures = [
            cell.rjust(width) for cell, width in zip(row[words:], widths[words:], strict=True)
        ]
        yield "  ".join(named + figures).rstrip()


def _as_markdown(table: Sequence[Sequence[str]], words: int) -> Iterator[str]:
    head, *body = table
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * words}{'---:|' * (len(head) - words)}"
    for row in body:
        yield f"| {' | '.join(row)} |"


def machine() -> dict[str, str | int]:
    """Return what the figures depend on besides the tools."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "python": platform.python_version(),
    }


def machine_in_words() -> str:
    """Return the same for people."""
    where = machine()
    return (
        f"{where['date']}, {where['cpu']}, {where['cores']} cores, {where['system']}, "
        f"Python {where['python']}"
    )


def _cpu_model() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
