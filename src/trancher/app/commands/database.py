"""`trancher verify` and `trancher db`: is what is stored true, and the database's own care."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trancher.app.commands.books import AsJson, Db, url_of
from trancher.app.output import BadInput, Json, is_there, one_line, print_json
from trancher.app.tables import console, counted, progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trancher.store.under_way import Going
    from trancher.store.verify import Verified

_SHOWN: Final = 50

db = typer.Typer(help="The database itself: upgrade, backup, restore.", no_args_is_help=True)


def verify(
    *,
    freeze: Annotated[
        bool,
        typer.Option("--freeze/--no-freeze", help="Stop the entries of bots whose books differ."),
    ] = True,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Replay the journal of every run against what is stored; exit code 1 where they differ."""
    from trancher.app import breaches
    from trancher.app.run_words import going
    from trancher.app.running_bots import now
    from trancher.app.standing import opened
    from trancher.store import verify as checking
    from trancher.store.reading import Books

    with opened(url_of(db), makers=()) as database:
        verified = checking.verify(database)
        found = verified.differences if freeze else ()
        frozen = breaches.freeze(database, found, clock=now)
        books, positions = Books(database), 0
        states = {} if verified.differences else {run.id: going(run) for run in books.runs()}
        if not verified.differences:
            positions = sum(len(bot.positions) for run in books.runs() for bot in books.bots(run))
    if json:
        print_json({**_document(verified, positions), **breaches.frozen_document(frozen)})
    else:
        _print(verified, positions, states)
        for line in breaches.frozen_in_words(frozen):
            console().print(line, style="red", soft_wrap=True)
    if verified.differences:
        raise typer.Exit(1)


@db.command()
def upgrade(*, db: Db = None) -> None:
    """Bring the database to the schema of this program."""
    from trancher.app.standing import in_one_sentence, where_is
    from trancher.store.database import upgrade_database
    from trancher.store.schema import SCHEMA

    url = url_of(db)
    with in_one_sentence(), progress("entries") as moved:
        before = upgrade_database(url, progress=moved)
    said = (
        f"is of schema {SCHEMA.head} already"
        if before == SCHEMA.head
        else (f"was of schema {before}, and is of schema {SCHEMA.head} now")
    )
    console().print(f"{where_is(url)} {said}.", soft_wrap=True)


@db.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    db: Db = None,
) -> None:
    """Copy the books, whoever is writing meanwhile, into one file."""
    from trancher.app.standing import opened
    from trancher.store import backup as copying

    _no_folder(file)
    with opened(url_of(db), makers=()) as database:
        copying.backup(database, file, force=force)
        console().print(f"{one_line(file)} holds the books of {one_line(database.where)}.")


@db.command()
def restore(
    file: Annotated[Path, typer.Argument(help="Backup to put back.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Replace the books, do not ask.")] = False,
    db: Db = None,
) -> None:
    """Put a backup in the place of the database, once its books are verified."""
    from trancher.app.standing import in_one_sentence
    from trancher.store import backup as copying
    from trancher.store.places import path_of

    if is_there(file) and file.is_dir():
        raise BadInput(f"{file}: found a folder, expected a backup")
    url = url_of(db)
    with in_one_sentence():
        target = path_of(url)
    if is_there(target) and not yes:
        if not is_there(file):
            raise BadInput(f"{file}: found no such file, expected a backup")
        if not sys.stdin.isatty():
            raise BadInput(
                f"{target}: found books that the backup would replace, expected --yes beside it"
            )
        typer.confirm(f"Replace the books in {target} by those of {file}?", abort=True, err=True)
    with in_one_sentence():
        verified = copying.restore(file, url)
    entries = sum(run.entries for run in verified.runs)
    console().print(
        f"{one_line(target)} holds the books of {one_line(file)} again: {entries:,} entries, "
        "verified."
    )


def _no_folder(file: Path) -> None:
    if is_there(file) and file.is_dir():
        raise BadInput(f"{file}: found a folder, expected the name of a file to write")


def _document(verified: "Verified", positions: int) -> dict[str, Json]:
    return {
        "verified": not verified.differences,
        "entries": sum(run.entries for run in verified.runs),
        "positions": None if verified.differences else positions,
        "loads": verified.loads,
        "runs": [
            {"id": run.run_id, "entries": run.entries, "finished": run.finished}
            for run in verified.runs
        ],
        "differences": [
            {
                "table": one.table,
                "row": one.row,
                "column": one.column,
                "stored": one.stored,
                "expected": one.expected,
            }
            for one in verified.differences
        ],
    }


def _print(verified: "Verified", positions: int, states: "Mapping[int, Going]") -> None:
    out = console()
    differences = verified.differences
    for one in differences[:_SHOWN]:
        out.print(str(one), soft_wrap=True)
    if differences:
        more = len(differences) - _SHOWN
        listed = f", {more:,} of them not shown; --json has all" if more > 0 else ""
        out.print(
            f"{counted(len(differences), 'difference')} from what the journal implies{listed}."
        )
        return
    entries = sum(run.entries for run in verified.runs)
    loads = f", {counted(verified.loads, 'load')}" if verified.loads else ""
    out.print(
        f"{entries:,} entries, {counted(positions, 'position')}{loads}: everything that is stored "
        "follows from the journal.",
        soft_wrap=True,
    )
    unended = _unended(states)
    if unended:
        out.print(f"Without an end so far: {unended}.", soft_wrap=True)


def _unended(states: "Mapping[int, Going]") -> str:
    """Return the runs that are not over, and how they go on."""
    from trancher.store.under_way import Going

    found: dict[Going, list[str]] = {}
    for run_id, state in states.items():
        if state is not Going.OVER:
            found.setdefault(state, []).append(str(run_id))
    return "; ".join(
        f"run{'' if len(ids) == 1 else 's'} {', '.join(ids)} ({state.value})"
        for state, ids in found.items()
    )
