"""Every route with hostile values in its address, its query, its form and its body: no fault, no endless work, no memory that is never given back.

The routes come from the URL map and the forms from the pages, so what is new is covered by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.abuse import hostile
from tests.abuse.conftest import House, memory, watched
from tests.abuse.walk import Operation, operations

INPUTS = 5_000  # of both kinds of database together
COSTLY = "/results/<slug>/report."  # a second each
PLACE = re.compile(r"<(?:[^<>]*:)?(\w+)>")


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@st.composite
def addresses(draw: st.DrawFn, operation: Operation, action: str | None) -> str:
    """An address of the rule: as it should be, or with something else in one of its places, and with parameters."""
    path = action.partition("?")[0] if action else draw(st.sampled_from(operation.paths))
    places = PLACE.findall(operation.rule)
    if places and draw(st.integers(0, 2)) == 0:
        wrong = draw(st.sampled_from(places))
        path = PLACE.sub(lambda place: quoted(draw(hostile.short)) if place[1] == wrong else "supplier" if place[1] == "slug" else "1", operation.rule)  # fmt: skip
    names = draw(st.lists(st.sampled_from(operation.parameters), max_size=3))
    query = "&".join(f"{quoted(name)}={quoted(draw(hostile.short))}" for name in names)
    return f"{path}?{query}" if query else path


@st.composite
def bodies(draw: st.DrawFn, fields: dict[str, list[str]], token: str) -> tuple[bytes, str]:
    """A body and its kind: mostly the form with something wrong in it, else something that is no form."""
    kind = draw(st.sampled_from(("form", "form", "form", "parts", "json", "junk")))
    if kind == "json":
        return draw(st.sampled_from(hostile.JSON)), "application/json"
    if kind == "junk":
        return draw(st.binary(max_size=300)), draw(st.sampled_from(("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml", "")))  # fmt: skip
    pairs = [("csrf_token", token), *draw(hostile.fields(fields))]
    if kind == "form":
        encoded = [(n.encode("utf-8", "surrogatepass"), v.encode("utf-8", "surrogatepass")) for n, v in pairs]
        return urlencode(encoded).encode(), "application/x-www-form-urlencoded"
    lines = []
    for name, text in pairs:
        file = draw(st.sampled_from(("", "", "", '; filename="../x\\"<b>.csv"')))
        clean = re.sub(r'["\r\n]', "", name)
        lines += ["--x", f'Content-Disposition: form-data; name="{clean}"{file}', "", text]
    return "\r\n".join([*lines, "--x--", ""]).encode("utf-8", "surrogatepass"), "multipart/form-data; boundary=x"


def send(house: House, operation: Operation, draw: Callable[[st.SearchStrategy[object]], object]) -> int:
    """One hostile request; its status, which is never that of a fault."""
    if operation.for_programs:
        client, headers = house.client("nobody"), {"Authorization": f"Bearer {house.token}"}
    else:
        role = draw(st.sampled_from((*operation.roles * 2, "nobody")))
        client, headers = house.client(str(role)), {}
    action, fields = draw(st.sampled_from(operation.forms)) if operation.forms else (None, {})  # type: ignore[misc]
    address = draw(addresses(operation, action))
    headers["Accept-Language"] = str(draw(st.sampled_from(("en", "de", "*;q=x", "xx" * 500))))
    sent: dict[str, object] = {}
    if operation.method != "GET":
        token = headers["X-CSRFToken"] = house.csrf(client)  # also what is no form gets past the door
        sent["data"], sent["content_type"] = draw(bodies(fields, token))  # type: ignore[misc]
    with watched():
        reply = client.open(address, method=operation.method, headers=headers, buffered=True, **sent)
    assert reply.status_code < 500, (address[:300], reply.text[:500])
    assert "\n" not in reply.headers.get("Location", "")
    return reply.status_code


def test_nothing_that_is_sent_makes_a_fault(
    house: House, rounds: Callable[[int], int], grows_little: Callable[[int], None]
) -> None:
    every = operations(house)
    seen = Counter[int]()
    each = max(3, -(-rounds(INPUTS) // 2 // len(every)))  # fewer get no further than the door

    def ask_often(operation: Operation) -> None:
        @seed(1)
        @settings(max_examples=1 if operation.rule.startswith(COSTLY) else each, phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(st.data())
        def ask(data: st.DataObject) -> None:
            seen[send(house, operation, data.draw)] += 1

        ask()

    ask_often(every[0])
    before = memory()
    for operation in every:
        ask_often(operation)
    assert seen.total() >= 0.9 * rounds(INPUTS) // 2
    assert {200, 303, 400, 404} <= set(seen), "requests get past the door"
    grows_little(before)


MOST_FIELDS = 5
QUOTE = "x'y"  # which closes a text of SQL too early


def test_a_quote_in_any_field_is_a_quote_and_nothing_else(house: House) -> None:
    """Everywhere, one after the other: what put it into the text of a query would fail there."""
    asked = 0
    for operation in operations(house):
        if operation.for_programs or operation.rule.startswith(COSTLY):
            continue
        client = house.client("nobody" if "nobody" in operation.roles else operation.roles[-1])
        path, fields = operation.forms[0] if operation.forms else (operation.paths[0], {})
        path = path.partition("?")[0]
        for name in operation.parameters[:MOST_FIELDS]:
            with watched():
                reply = client.open(f"{path}?{name}={quoted(QUOTE)}", method=operation.method, buffered=True)
            assert reply.status_code < 500, (operation.rule, name)
        for name in sorted(fields, key=lambda name: len(fields[name][0]))[:MOST_FIELDS]:
            sent = {**fields, name: [QUOTE], "csrf_token": [house.csrf(client)]}
            with watched():
                reply = client.open(path, method=operation.method, data=sent, buffered=True)
            assert reply.status_code < 500, (operation.rule, name)
            asked += 1
    assert asked > 60
