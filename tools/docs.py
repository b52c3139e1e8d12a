"""Makes the parts of the documentation that the code already says, and checks that they are true.

    python tools/docs.py            write the pages anew
    python tools/docs.py --check    fail where a page differs from the code, or a link is dead

Made: docs/reference/lifecycle.md, docs/reference/refusals.md, docs/reference/commands.md, and what
commands print in a page that opens with transcripts.MARK, such as docs/tutorial.md.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from trancher.app.cli import app
from trancher.core.lifecycle import TRANSITIONS, State
from trancher.core.limits import MEANINGS, RefusalCode
from transcripts import MARK, Unplayable, played, unfounded

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made from the code by tools/docs.py; do not edit. -->"
COMMANDS = (
    "demo", "init", "check", "schema", "plan", "ledger", "backtest",
    "run", "add", "sell", "signal", "adopt", "correct", "stop", "pause", "resume",
    "status", "position", "decisions", "why", "journal", "report", "verify",
    "bots load", "bots set", "bots undo", "bots revert", "bots list", "bots show", "bots config",
    "db upgrade", "db backup", "db restore", "data check", "data convert",
)  # fmt: skip
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def lifecycle() -> str:
    """Return the page of the lifecycle: the diagram and the table of TRANSITIONS."""
    arrows = "\n".join(
        f"    {step.source.name} --> {step.target.name}: {step.when}" for step in TRANSITIONS
    )
    rows = "\n".join(
        f"| {step.source.name} | {step.target.name} | {step.when} |" for step in TRANSITIONS
    )
    states = ", ".join(f"`{state.name}`" for state in State)
    return (
        f"{MADE}\n# The lifecycle of a position\n\n"
        f"A position is in one of these states: {states}. These steps are allowed and no other; "
        "each is written to the journal.\n\n"
        f"```mermaid\nstateDiagram-v2\n    [*] --> CLOSED\n{arrows}\n```\n\n"
        f"| from | to | when |\n|---|---|---|\n{rows}\n"
    )


def refusals() -> str:
    """Return the page of the refusal codes."""
    rows = "\n".join(f"| `{code.value}` | {MEANINGS[code]} |" for code in RefusalCode)
    return (
        f"{MADE}\n# Why an entry was refused\n\n"
        "Every evaluation that wanted to trade leaves a decision. A refusal names every reason, "
        "each with the measured value, the limit, what is missing, and the time or the condition "
        "that would unblock it. Limits are asked about entries only: no limit ever refuses an "
        "exit. `MIN_NOTIONAL` and `MIN_QUANTITY` are the exchange's own; a step of an exit ladder "
        "that is too small for them waits for the next one.\n\n"
        f"| code | an entry is refused because |\n|---|---|\n{rows}\n"
    )


def commands() -> str:
    """Return the page of the command line, in the words of its own help."""
    parts = [f"{MADE}\n# The command line\n"]
    for command in COMMANDS:
        said = _help(command.split())
        parts.append(f"## trancher {command}\n\n```text\n{said}\n```\n")
    return "\n".join(parts)


def _help(words: list[str]) -> str:
    command = get_command(app)
    context = command.make_context("trancher", [], resilient_parsing=True)
    for word in words:
        assert isinstance(command, TyperGroup)
        command = command.commands[word]
        context = type(context)(command, info_name=word, parent=context)
    context.max_content_width = context.terminal_width = 96
    lines = (line.rstrip() for line in command.get_help(context).strip().splitlines())
    return "\n".join(lines)


def pages() -> Mapping[Path, str]:
    """Return every page that is made, by its path."""
    reference = ROOT / "docs" / "reference"
    shown = {page: page.read_text(encoding="utf-8") for page in ROOT.glob("docs/**/*.md")}
    return {
        **{page: played(text) for page, text in sorted(shown.items()) if text.startswith(MARK)},
        reference / "lifecycle.md": lifecycle(),
        reference / "refusals.md": refusals(),
        reference / "commands.md": commands(),
    }


def stale(made: Mapping[Path, str]) -> list[str]:
    """Return the pages that differ from the code."""
    return [
        f"{path.relative_to(ROOT)} differs from the code: run tools/docs.py"
        for path, text in made.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def misquoted(made: Mapping[Path, str]) -> list[str]:
    """Return the figures in the words of a page that its own commands do not print."""
    return [
        f"{path.relative_to(ROOT)} says {figure}, which none of its commands prints or names"
        for path, text in made.items()
        if text.startswith(MARK)
        for figure in unfounded(text)
    ]


def dead_links() -> list[str]:
    """Return the relative links of the documentation that lead nowhere."""
    return [
        f"{page.relative_to(ROOT)} links to {target}, which is not there"
        for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"))
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]


def main() -> int:
    """Write the pages, or say what is wrong with them."""
    parser = argparse.ArgumentParser(description="Make or check the documentation.")
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    try:
        made = pages()
    except Unplayable as problem:
        print(problem)
        return 1
    misquotes = misquoted(made)
    if parser.parse_args().check:
        wrong = stale(made) + misquotes + dead_links()
        print("\n".join(wrong) or f"{len(made)} made pages are true, every link leads somewhere")
        return 1 if wrong else 0
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print("\n".join([f"{len(made)} pages written", *misquotes]))
    return 1 if misquotes else 0


if __name__ == "__main__":
    sys.exit(main())
