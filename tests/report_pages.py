"""Reads the page of a report without a browser: its elements, its scripts, and its data."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from trancher.app.report_packing import unpacked


class Page(HTMLParser):
    """Reads a page as a browser does: what elements begin, and what stands in the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.begun: list[tuple[str, dict[str, str | None]]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.begun.append((tag, dict(attrs)))
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data

    @property
    def data(self) -> Any:
        """The value that the page shows, with its document unpacked."""
        value = json.loads(self.scripts[0])
        if "document" in value:
            document = value["document"]
            value["document"] = unpacked(document["packed"], document["shapes"])
        return value


def page_in(file: Path) -> Page:
    """Return the page that a file holds."""
    return Page(file.read_text(encoding="utf-8"))


def without_what_differs(document: Any) -> Any:
    """Return a document without the keys that say when and where it was made."""
    kept = {"elapsed", "db", "run_id"}
    return {key: value for key, value in document.items() if key not in kept}
