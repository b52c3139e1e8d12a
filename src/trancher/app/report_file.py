"""The page of a report: one file with its data, its style and its scripts; nothing from outside.

Invariants:
1. No byte of a name, of a configuration or of a path can end the element that holds it.
2. Only the two scripts named by their hashes run, and the page may load nothing at all.
3. A report is written whole or not at all.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from trancher.app.output import BadInput, Json, is_there
from trancher.files import replacing

LIBRARY: Final = "lightweight-charts.js"
LIBRARY_VERSION: Final = "5.2.1"
LIBRARY_HASH: Final = "e21cc5caa0226ef30bd8549c50b9ef926615f2a4ee6b4e486353477a55f598cf"
"""SHA-256 of the library's file, as its makers published it on the npm registry."""
_SCRIPTS: Final = ("words.js", "charts.js", "page.js", "tables.js")
# Inside a script element these could end it, or begin another; as JSON escapes they are only text.
_HARMLESS: Final = str.maketrans({one: f"\\u{ord(one):04x}" for one in "<>&"})


def asset(name: str) -> str:
    """Return a part of the page as it lies in the package."""
    return (files("trancher.app") / "report_page" / name).read_text(encoding="utf-8")


def page(data: Mapping[str, Json], *, title: str) -> str:
    """Return the whole page, in ASCII but for the scripts."""
    library = asset(LIBRARY)
    script = "\n".join(asset(name) for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}\n}})();'
    return Template(asset("page.html")).substitute(
        title=html.escape(title),
        hashes=" ".join(_hash(one) for one in (library, script)),
        style=asset("page.css"),
        data=embedded(data),
        library=library,
        script=script,
        version=LIBRARY_VERSION,
    )


def embedded(data: Mapping[str, Json]) -> str:
    """Return data as JSON that is harmless inside a script element."""
    return json.dumps(data, separators=(",", ":")).translate(_HARMLESS)


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def check_target(target: Path | None, *, option: str, force: bool) -> None:
    """Check, before any work is done for it, that a report may be written to `target`.

    Args:
        target: None where no report is wanted; then there is nothing to overwrite.
        option: by which a person names it.

    Raises:
        BadInput: something stands there, or there is no folder for it.
    """
    if target is None:
        if force:
            raise BadInput(f"--force: found no {option} beside it, expected one to overwrite")
        return
    if is_there(target) and target.is_dir():
        raise BadInput(f"{target}: found a folder, expected the name of a file to write")
    if is_there(target) and not force:
        raise BadInput(f"{target}: found a file, expected a new name, or --force to overwrite it")
    if not is_there(target.parent):
        raise BadInput(f"{target}: found no folder {target.parent}, expected one to write into")


def write_page(target: Path, text: str) -> None:
    """Write a page whole, or leave what was there.

    Raises:
        BadInput: the place cannot be written to.
    """
    try:
        with replacing(target) as file:
            file.write(text.encode())
    except OSError as error:
        raise BadInput(
            f"{target}: found no way to write ({error.strerror}), expected a writable place"
        ) from error
