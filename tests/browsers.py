"""Debian's chromium, alone: it talks to nobody, and all that a page says and asks is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
ALONE: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_FRAMES: Final = """async () => {
  for (let frame = 0; frame < 8; frame++) {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  }
}"""


def settled(page: Page, milliseconds: int) -> None:
    """Wait for the timers of a page, and then for as long as it takes to draw what they asked for.

    Args:
        milliseconds: what the timers take on a machine with nothing else to do.
    """
    page.wait_for_timeout(milliseconds)
    page.evaluate(_FRAMES)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser, and end it after use."""
    assert CHROMIUM.exists(), f"{CHROMIUM}: found none, expected Debian's chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        yield started
        started.close()


class Opened:
    """A report in a window, with everything that it said and asked for."""

    def __init__(
        self,
        browser: Browser,
        report: Path,
        *,
        width: int,
        scheme: Any,
        script: str = "",
        touch: bool = False,
    ) -> None:
        """Open it; `script` runs before those of the page, `touch` makes it a phone's."""
        self.said: list[str] = []
        self.asked: list[str] = []
        self._context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, has_touch=touch
        )
        self._context.add_init_script(script)
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(report.as_uri())
        self.page.wait_for_selector("#h-configuration")

    def close(self) -> None:
        self._context.close()
