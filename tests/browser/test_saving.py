"""Nothing that was typed is lost: saved as it is given, without network for a while, in two windows, on another device."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import APIRequestContext, APIResponse, Locator, Page, Route, expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_every_question import answers
from tests.web.every.people import Pages

pytestmark = pytest.mark.browser

Walk = Callable[[str], Visitor]
DRAFTS = "**/draft"


@dataclass
class Http:
    """The browser's own door without the window: cookies are shared, and pages that are not looked at go by quickly."""

    visitor: Visitor

    def get(self, path: str, headers: dict[str, str] | None = None) -> SimpleNamespace:
        return self._told(path, self._context.get(self.visitor.address + path, headers=headers, max_redirects=0))

    def post(self, path: str, data: dict[str, Any]) -> SimpleNamespace:
        return self._told(path, self._context.post(self.visitor.address + path, form=data, max_redirects=0))

    @property
    def _context(self) -> APIRequestContext:
        return self.visitor.page.context.request

    @staticmethod
    def _told(path: str, reply: APIResponse) -> SimpleNamespace:
        place = reply.headers.get("location", "")
        return SimpleNamespace(
            status_code=reply.status, location=place, text=reply.text(), request=SimpleNamespace(path=path)
        )


@pytest.fixture
def walk(visit: Visit) -> Walk:
    """Somebody who has answered everything up to a page of the survey with every question, which is open."""

    def walks(to: str) -> Visitor:
        visitor = visit(390, 844, "en")
        Pages(cast("FlaskClient", Http(visitor))).walk(to)
        visitor.open(f"/s/every/{to}")
        return visitor

    return walks


def status(page: Page) -> Locator:
    return page.get_by_role("status")


def choose(page: Page, offer: int) -> None:
    page.locator(".offers label", has_text=f"Offer {offer}").click()


def stop_the_clock(page: Page) -> None:
    """From here on the page's time moves only when the test moves it."""
    page.clock.install(time=0)
    page.reload()
    page.clock.pause_at(3_600_000)


def instead_of_the_server(page: Page, settle: Callable[[Route], None]) -> list[str]:
    """Settle drafts so, until the page's route is taken back; the tries, as they come."""
    tries: list[str] = []

    def meet(route: Route) -> None:
        tries.append(route.request.url)
        settle(route)

    page.route(DRAFTS, meet)
    return tries


def kept(page: Page) -> list[str]:
    """What waits in this browser."""
    found: list[str] = page.evaluate("Object.values(localStorage)")
    return found


def personal_link(page: Page) -> str:
    page.locator("footer summary").click()
    return page.locator(".link").inner_text()


def filled(page: Page) -> dict[str, list[str]]:
    found: dict[str, list[str]] = page.evaluate(
        """() => {
          const found = {};
          for (const field of document.querySelectorAll("main :is(input:not([type=hidden]):not([tabindex]), select, textarea)"))
            if (["radio", "checkbox"].includes(field.type) ? field.checked : field.value) (found[field.name] ??= []).push(field.value);
          return found;
        }"""
    )
    return found


def test_each_answer_is_saved_at_once_and_said_in_one_place(walk: Walk) -> None:
    visitor = walk("about")
    page = visitor.page
    expect(status(page)).to_have_count(1)
    expect(status(page)).to_be_empty()
    page.get_by_label("Yes, a company car").check()
    expect(status(page)).to_have_text("Saved")
    with page.expect_response(lambda reply: reply.url.endswith("/about/draft")) as sent:
        page.get_by_label("How old is your car?").press_sequentially("12")
    assert sent.value.status == 204
    expect(status(page)).to_have_text("Saved")
    assert kept(page) == []
    page.reload()
    assert filled(page) == {"q-has_car": ["company"], "q-age": ["12"]}
    assert visitor.complaints == []


def test_the_browser_dies_at_a_half_filled_page_and_the_link_opens_it_elsewhere(walk: Walk, visit: Visit) -> None:
    visitor = walk("choice-2")
    page = visitor.page
    choose(page, 3)
    expect(status(page)).to_have_text("Saved")
    link, offers, typed = personal_link(page), page.locator("table.offers").inner_text(), filled(page)
    page.context.close()
    other = visit(390, 844, "en")
    other.page.goto(link)
    assert other.step == "choice-2"
    assert other.page.locator("table.offers").inner_text() == offers
    assert filled(other.page) == typed
    assert link.rpartition("/")[2] not in other.page.url
    expect(other.page.locator(".your-choice:visible")).to_contain_text("Your choice: offer 3")


def test_typed_without_network_in_a_tab_that_is_closed(walk: Walk) -> None:
    visitor = walk("about")
    page, context = visitor.page, visitor.page.context
    context.set_offline(True)
    page.get_by_label("No car").check()
    page.get_by_label("Yes, a company car").check()
    page.get_by_label("A chain").check()
    page.get_by_label("How old is your car?").fill("33")
    expect(status(page)).to_contain_text("Not saved yet: no connection")
    page.close()
    context.set_offline(False)

    again = Visitor(context.new_page(), visitor.address)
    again.open("/s/supplier")
    expect(again.page.locator("h1")).to_be_visible()
    assert filled(again.page) == {}
    assert len(kept(again.page)) == 1, "another study neither shows nor forgets it"
    again.open("/s/every")
    expect(status(again.page)).to_have_text("Saved")
    assert filled(again.page) == {"q-has_car": ["company"], "q-brands": ["chain"], "q-age": ["33"]}
    assert kept(again.page) == []
    again.page.reload()
    assert filled(again.page) == {"q-has_car": ["company"], "q-brands": ["chain"], "q-age": ["33"]}
    assert again.complaints == []


def test_without_network_for_a_minute_it_is_tried_again_and_again(walk: Walk) -> None:
    """Seconds between tries: 1, 2, 4, 8, then 15; by the page's clock, which the test moves."""
    visitor = walk("about")
    page = visitor.page
    stop_the_clock(page)
    tries = instead_of_the_server(page, lambda route: route.abort())
    page.get_by_label("Yes, a company car").check()
    for number, seconds in enumerate((1, 2, 4, 8, 15, 15, 15), 1):
        expect(status(page)).to_have_text(f"Not saved yet: no connection. Trying again in {seconds} s.")
        page.clock.run_for(seconds * 1000 - 1)
        assert len(tries) == number
        status(page).evaluate("e => { e.textContent = ''; }")  # so that the next words are seen to be new
        if number == 7:
            page.unroute(DRAFTS)
        page.clock.run_for(1)
    expect(status(page)).to_have_text("Saved")
    assert kept(page) == []


def test_a_busy_server_says_when_to_come_back(walk: Walk) -> None:
    visitor = walk("about")
    page = visitor.page
    stop_the_clock(page)
    tries = instead_of_the_server(page, lambda route: route.fulfill(status=503, headers={"Retry-After": "7"}))
    page.get_by_label("Yes, a company car").check()
    expect(status(page)).to_have_text("Not saved yet: the server cannot take it at the moment. Trying again in 7 s.")
    page.clock.run_for(6_999)
    assert len(tries) == 1
    page.unroute(DRAFTS)
    page.clock.run_for(1)
    expect(status(page)).to_have_text("Saved")


def test_a_slow_server_is_told_within_two_seconds(walk: Walk) -> None:
    visitor = walk("about")
    page = visitor.page
    stop_the_clock(page)
    held: list[Route] = []
    page.route(DRAFTS, lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    with page.expect_request(DRAFTS):
        page.get_by_label("Yes, a company car").check()
    page.clock.run_for(1_999)
    expect(status(page)).to_be_empty()
    page.clock.run_for(1)
    expect(status(page)).to_have_text("Not saved yet: the connection is slow.")
    held[0].continue_()
    expect(status(page)).to_have_text("Saved")


def test_the_end_waits_until_everything_is_saved(walk: Walk) -> None:
    """A change of an earlier page that never reached the server is sent first, and shown to be confirmed."""
    visitor = walk("check")
    page = visitor.page
    page.get_by_role("link", name="Change What is the most that you would pay?").click()
    page.wait_for_url("**/prices?then=check")
    page.route(DRAFTS, lambda route: route.abort())
    page.get_by_label("What is the most that you would pay?").fill("99")
    expect(status(page)).to_contain_text("Not saved yet")
    visitor.open("/s/every/check")
    stop_the_clock(page)
    expect(status(page)).to_contain_text("Not saved yet")
    status(page).evaluate("e => { e.textContent = ''; }")  # so that the next words are seen to be new
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url.rpartition('/')[2]}"))
    page.get_by_role("button", name="Finish").click()
    expect(status(page)).to_contain_text("Not saved yet")
    assert set(sent) == {"POST draft"}, "the page itself waits"
    page.unroute_all()
    page.clock.run_for(1_000)
    page.wait_for_url("**/prices")
    assert filled(page)["q-most"] == ["99"]
    visitor.press_on()
    page.wait_for_url("**/thanks")
    assert kept(page) == []


@pytest.mark.slow
def test_cuts_at_any_moment_of_an_interview_lose_nothing(
    visit: Visit, rounds: Callable[[int], int], dice: random.Random
) -> None:
    """Without network while a page is read, filled in or sent, or with a reply that never comes: each page goes on by itself, and has at the end what was given."""
    cuts = rounds(200)
    while cuts > 0:
        visitor = visit(390, 844, "en")
        page, given = visitor.page, {}
        visitor.open("/s/supplier")
        visitor.click_in()
        visitor.press_on()
        while visitor.step != "thanks":
            here = visitor.step
            if page.locator("main button").inner_text() == "Finish":
                for step, values in given.items():
                    visitor.open(f"/s/supplier/{step}")
                    assert filled(page) == values, step
                visitor.open(f"/s/supplier/{here}")
            visitor.words = {"chosen": str(dice.randrange(3))}
            when = dice.choice(["read", "filled in", "sent", "taken"]) if cuts > 0 else ""
            if when == "taken":
                page.route(f"**/{here}", lambda route: (route.fetch(max_redirects=0), route.abort()), times=1)
            page.context.set_offline(when == "read")
            visitor.click_in()
            page.context.set_offline(when in {"read", "filled in"})
            given[here] = filled(page)
            page.locator("main button").click(no_wait_after=True)
            if when == "sent":
                page.context.set_offline(True)
            elif when in {"read", "filled in"}:
                expect(status(page)).to_contain_text("Not saved yet")
                assert visitor.step == here
            page.wait_for_timeout(dice.uniform(0, 500))
            page.context.set_offline(False)
            page.wait_for_url(lambda url, here=here: url.startswith("http") and not url.endswith(f"/{here}"))
            cuts -= bool(when)
        assert kept(page) == []


def test_two_windows_lose_nothing(walk: Walk) -> None:
    first = walk("about")
    second = Visitor(first.page.context.new_page(), first.address)
    second.open("/s/every/about")
    first.words = answers(first)
    first.click_in()
    first.press_on()
    assert first.step == "fleet"

    page = second.page
    page.get_by_label("How old is your car?").fill("44")
    page.get_by_label("Yes, a private one").check()
    page.get_by_label("A chain").check()
    expect(status(page)).to_contain_text("this page was changed in another window")
    typed = {"q-has_car": ["private"], "q-brands": ["chain"], "q-age": ["44"]}
    assert filled(page) == typed
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".mistakes")).to_contain_text("This page was changed in another window")
    assert filled(page) == typed

    first.page.reload()
    first.page.get_by_role("link", name="Back").click()
    expect(first.page.locator("h1")).to_have_text("About you")
    assert filled(first.page)["q-age"] == ["12"], "the stale window has overwritten nothing"

    page.get_by_role("button", name="Continue").click()
    expect(page.locator("h1")).not_to_have_text("About you")
    assert second.step != "fleet", "a private car leads past the fleet"
    second.open("/s/every/about")
    assert filled(second.page) == typed
    assert kept(page) == []


def test_reload_back_and_double_click_on_a_half_filled_page(walk: Walk) -> None:
    visitor = walk("matters-1")
    page = visitor.page
    page.locator("[name=best]").nth(0).check()
    expect(status(page)).to_have_text("Saved")
    half = filled(page)
    page.get_by_role("link", name="Back").click()
    expect(page.locator("[name=best]")).to_have_count(0)
    page.go_back()
    expect(page.locator("[name=best]").nth(0)).to_be_checked()
    assert filled(page) == half
    page.locator("[name=worst]").nth(1).check()
    page.locator("[name=anchor]").nth(1).check()
    page.get_by_role("button", name="Continue").dblclick()
    page.wait_for_url("**/matters-2")
    page.go_back()
    page.wait_for_url("**/matters-1")
    expect(page.locator("[name=revision]")).to_have_value("1")
    assert filled(page).keys() == {"best", "worst", "anchor"}


def test_the_first_page_weighs_less_than_100_kilobytes(visit: Visit) -> None:
    """Bytes as the server sends them: page, style, script, icon, of the first page and of one with a choice task."""
    visitor = visit(390, 844, "de")
    page, loaded = visitor.page, []
    page.on("requestfinished", lambda request: loaded.append(request))  # noqa: PLW0108 - as above
    visitor.open("/s/supplier")
    weight = weigh(page, loaded)
    assert {request.resource_type for request in loaded} >= {"document", "stylesheet", "script"}
    assert 5_000 < weight < 100_000
    visitor.walk("choice-1")
    loaded.clear()
    page.reload()
    assert weigh(page, loaded) < 100_000
    assert all(url.startswith(visitor.address) for url in visitor.requests)
    assert not [url for url in visitor.requests if "plotly" in url or "chart" in url]


def weigh(page: Page, loaded: list[Any]) -> int:
    page.wait_for_load_state("networkidle")
    return sum(request.sizes()["responseBodySize"] + request.sizes()["responseHeadersSize"] for request in loaded)


def test_on_paper_the_answers_stand_and_the_controls_go(walk: Walk) -> None:
    visitor = walk("choice-1")
    page = visitor.page
    choose(page, 2)
    page.emulate_media(media="print")
    for name in (".actions", ".languages", "footer", ".skip", ".back"):
        expect(page.locator(name)).to_be_hidden()
    expect(page.locator("table.offers")).to_be_visible()
    expect(page.locator(".your-choice:visible")).to_contain_text("offer 2")
    visitor.fits()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_a_screen_reader_meets_the_choice_task_in_order(walk: Walk) -> None:
    visitor = walk("choice-1")
    heard = visitor.page.locator("body").aria_snapshot()
    order = (
        'link "Skip to the content"', 'link "Back"', 'heading "Which offer?"', "Choice 1 of 5", 'group "I choose"', 'table "Inspection"',
        'columnheader "Price"', 'radio "Offer 1"', 'radio "Offer 2"', 'radio "Offer 3"', "What do these words mean?",
        'group "Would you buy it?"', 'radio "Yes, I would buy it"', 'radio "No, I would not buy it"', 'button "Continue"', "status",
        "Pause, or continue on another device",
    )  # fmt: skip
    places = [heard.find(words) for words in order]
    assert -1 not in places, [words for words, place in zip(order, places, strict=True) if place < 0]
    assert places == sorted(places)
    first = visitor.page.get_by_role("radio", name="Offer 1")
    described = first.evaluate(
        "e => e.getAttribute('aria-describedby').split(' ').map(i => document.getElementById(i).innerText)"
    )
    assert len(described) == 3, "each attribute and the price"
    assert "per inspection" in described[-1]
