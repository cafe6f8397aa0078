"""Chromium, a running server, and a person at the keyboard."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from werkzeug.serving import make_server

from tests.every import SLUG, every_question
from tests.faults.conftest import Server
from wtp.web import free_port

ROOT = Path(__file__).parents[2]
# WCAG 2.2 AA, and what axe calls good practice beyond it.
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
# What sticks out of the window, or out of its own box; things that only screen readers get are clipped on purpose.
CUT_OFF = """() => {
  const clipped = (e) => e && (getComputedStyle(e).clipPath !== "none" || clipped(e.parentElement));
  return [...document.querySelectorAll("header *, main *, footer *")].filter((e) => {
    if (!e.checkVisibility() || e.closest(".trap, .skip, option") || clipped(e)) return false;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    const hides = ["hidden", "clip"].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1;
    return box.width > 0 && (box.left < -0.5 || box.right > innerWidth + 0.5 || hides);
  }).map((e) => e.outerHTML.slice(0, 150));
}"""
SMALL = """() => [...document.querySelectorAll(
    "main input:not([type=hidden]):not([tabindex]), main select, main textarea, main button, main .button, .languages a, summary, .back, .told a"
  )].filter((e) => e.checkVisibility()).filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width < 24 || box.height < 24;
  }).map((e) => e.outerHTML.slice(0, 150))"""

PATIENCE = 30_000  # milliseconds
Visit = Callable[..., "Visitor"]
Share = Callable[[Sequence[str], bool], Sequence[str]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; no other browser is downloaded."""
    chromium = shutil.which("chromium")
    assert chromium, "no chromium on PATH; make test installs it"
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        launched = playwright.chromium.launch(executable_path=chromium)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that ships, with the supplier study and the one that has every type of question."""
    surveys, instance = tmp_path_factory.mktemp("surveys"), tmp_path_factory.mktemp("instance")
    shutil.copytree(ROOT / "surveys" / "supplier", surveys / "supplier")
    every_question(surveys)
    survey = surveys / SLUG / "survey.toml"
    survey.write_text(survey.read_text(encoding="utf-8").replace("limit = 3\n", "limit = 3000\n"), encoding="utf-8")
    port = free_port(19_000 + os.getpid() % 10_000)
    address = f"http://127.0.0.1:{port}"
    (instance / "settings.toml").write_text(f'base_url = "{address}"\n')
    server = subprocess.Popen(
        [Path(sys.executable).parent / "wtp", "serve", "--port", str(port), "--workers", "1"],
        env={**os.environ, "WTP_INSTANCE": str(instance), "WTP_SURVEYS": str(surveys)},
        stdout=subprocess.DEVNULL,
        text=True,
    )
    Server(server.pid, port, instance, server).wait_until_ready()
    yield address
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=20)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of a server of its own in this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Visitor:
    """A person with a browser window, who uses the keyboard alone; everything that is asked for or complained about is kept."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", self._note)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

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
        """Answer everything on the page with the keyboard: the pick-th of each group, what `words` says in a field, else prices that rise."""
        for number, name in enumerate(self.names()):
            if self.words.get(name) == "":
                continue
            self.tab_to(name=name)
            match self.focused()["kind"]:
                case "text" | "textarea":
                    self.page.keyboard.press("Control+A")
                    self.page.keyboard.type(self.words.get(name, str(60 + 20 * number)))
                case "select-one":
                    self.page.keyboard.type(self.words[name])
                case _:
                    self.page.keyboard.press("Space")
                    for _ in range(int(self.words.get(name, pick))):
                        self.page.keyboard.press("ArrowDown")

    def click_in(self) -> None:
        """Answer everything on the page with the mouse."""
        for number, name in enumerate(self.names()):
            fields = self.page.locator(f"main [name='{name}']")
            words = self.words.get(name)
            match fields.first.evaluate("e => e.type"):
                case "text" | "textarea":
                    fields.fill(str(60 + 20 * number) if words is None else words)
                case "select-one":
                    fields.select_option(words)
                case _ if words != "":
                    fields.nth(int(words or 0)).locator("xpath=..").click()  # its label, as a person would

    def names(self) -> list[str]:
        """What the page asks for, in order."""
        found: list[str] = self.page.eval_on_selector_all(
            "main :is(input:not([type=hidden]):not([tabindex]), select, textarea)",
            "fields => [...new Set(fields.map(f => f.name))]",
        )
        return found

    def go_on(self) -> None:
        """Press the button with the Enter key and wait for the next page."""
        before = self.page.url
        self.tab_to(tag="BUTTON", kind="submit")
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")
        assert self.page.url != before or self.page.query_selector(".mistakes")

    def press_on(self) -> None:
        """Click the button and wait for the next page."""
        before = self.step
        self.page.locator("main button").click()
        self.page.wait_for_url(lambda url: url.partition("?")[0].rpartition("/")[2] != before)

    def violations(self) -> list[str]:
        """What axe finds on the page."""
        found = Axe().run(self.page, options=AXE).response["violations"]
        return [f"{self.page.url}: {v['id']}: {[n['html'] for n in v['nodes']]}" for v in found]

    def look(self) -> None:
        """What holds on every page, whatever the window."""
        assert self.violations() == []
        self.fits()
        assert self.page.evaluate(SMALL) == [], "everything to press is at least 24 px"

    def fits(self) -> None:
        """Nothing is wider than the window."""
        wide, window = self.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert wide <= window, f"{self.page.url} scrolls sideways"
        assert self.page.evaluate(CUT_OFF) == [], f"{self.page.url} is cut off"

    def walk(self, to: str) -> None:
        """Answer every page until this one."""
        while self.step != to:
            self.fill_in()
            self.go_on()


@pytest.fixture
def share(request: pytest.FixtureRequest) -> Share:
    """Of these pages, those that the first or the second of two windows opens: every second one, with --release all."""
    whole = request.config.getoption("--release")
    return lambda pages, second: pages if whole else pages[int(second) :: 2]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open a browser window of a given size, language and kind; whatever it showed, no page may have asked another host for anything."""
    contexts, visitors = [], []

    def opens(width: int = 1280, height: int = 800, language: str = "en", **options: Any) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=language, **options)
        contexts.append(context)
        visitors.append(Visitor(context.new_page(), address))
        return visitors[-1]

    yield opens
    ours = ("http://127.0.0.1:", "data:", "blob:", "about:")
    strangers = [url for visitor in visitors for url in visitor.requests if not url.startswith(ours)]
    for context in contexts:
        context.close()
    assert strangers == []
