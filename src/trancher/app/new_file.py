"""A file that a person asked for: written whole or not at all, never over another unless told."""

import os
from pathlib import Path

from trancher.app.output import BadInput, is_there


def check_new(path: Path, *, force: bool) -> None:
    """Look whether a file may be written at `path`.

    Args:
        force: whether it may take the place of a file that is there.

    Raises:
        BadInput: it may not.
    """
    if is_there(path) and path.is_dir():
        raise BadInput(f"{path}: found a folder, expected the name of a file to write")
    if is_there(path) and not force:
        raise _is_there(path)


def write_new(path: Path, content: bytes, *, force: bool) -> None:
    """Write a file as check_new allows it; nobody ever reads half of it.

    Raises:
        BadInput: it may not or cannot be written; nothing was.
    """
    check_new(path, force=force)
    try:
        _write_whole(path, content, replace=force)
    except FileExistsError:
        raise _is_there(path) from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise BadInput(
            f"{path}: found no way to write ({reason}), expected a writable place"
        ) from None


def _is_there(path: Path) -> BadInput:
    return BadInput(f"{path}: found a file, expected none; --force replaces it")


def _write_whole(path: Path, content: bytes, *, replace: bool) -> None:
    """Write `content` beside `path` and move it there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not replace:
            path.open("x").close()  # fails where a file has appeared meanwhile
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
