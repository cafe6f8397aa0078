"""Chromium, a running server, and a person at the keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

Visit = Callable[..., "Visitor"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; no other browser is downloaded."""
    chromium = shutil.which("chromium")
    assert chromium, "no chromium on PATH; make test installs it"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium)
        yield launched
        launched.close()


@dataclass
class Visitor:
    """A person with a browser window, who uses the keyboard alone; everything that is asked for or complained about is kept."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(10_000)
        self.page.on("request", self._note)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)

    @property
    def step(self) -> str:
        """Last part of the address."""
        return self.page.url.partition("?")[0].rpartition("/")[2]

    def open(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.address + path)

    def focused(self) -> dict[str, Any]:
        """What the keyboard is on: tag, name, id, classes."""
        found: dict[str, Any] = self.page.evaluate(
            "() => { const e = document.activeElement;"
            " return {tag: e.tagName, name: e.name || '', id: e.id, kind: e.type || '', classes: e.className}; }"
        )
        return found

    def tab_to(self, **wanted: str) -> None:
        """Press Tab until the keyboard is on this element."""
        for _ in range(120):
            found = self.focused()
            if all(found[key] == value for key, value in wanted.items()):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {wanted} on {self.page.url}")

    def fill_in(self, pick: int = 0) -> None:
        """Answer everything on the page: the pick-th of each group, prices that rise."""
        names: list[str] = self.page.eval_on_selector_all(
            "main input:not([type=hidden]):not([tabindex])", "inputs => [...new Set(inputs.map(i => i.name))]"
        )
        for number, name in enumerate(names):
            self.tab_to(name=name)
            if self.focused()["kind"] == "text":
                self.page.keyboard.press("Control+A")
                self.page.keyboard.type(str(60 + 20 * number))
            else:
                self.page.keyboard.press("Space")
                for _ in range(pick):
                    self.page.keyboard.press("ArrowDown")

    def go_on(self) -> None:
        """Press the button with the Enter key and wait for the next page."""
        before = self.page.url
        self.tab_to(tag="BUTTON", kind="submit")
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")
        assert self.page.url != before or self.page.query_selector(".mistakes")

    def violations(self) -> list[str]:
        """What axe finds on the page."""
        found = Axe().run(self.page).response["violations"]
        return [f"{self.page.url}: {v['id']}: {[n['html'] for n in v['nodes']]}" for v in found]

    def walk(self, to: str) -> None:
        """Answer every page until this one."""
        while self.step != to:
            self.fill_in()
            self.go_on()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open a browser window of a given size, language and kind."""
    contexts = []

    def opens(width: int = 1280, height: int = 800, language: str = "en", **options: Any) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=language, **options)
        contexts.append(context)
        return Visitor(context.new_page(), address)

    yield opens
    for context in contexts:
        context.close()
