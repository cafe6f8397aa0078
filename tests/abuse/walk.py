"""What there is to send: every route with the values that its places may have, and every form that any page shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from bs4 import BeautifulSoup, Tag
from werkzeug.exceptions import HTTPException

from tests.abuse.conftest import House, watched
from tests.web.author import Author
from tests.web.test_rights import EVERYBODY, PROGRAMS, RIGHTS, methods, paths

Fields = dict[str, list[str]]
# What is done last, since little is left to look at after it.
LAST = ("/logout", "/delete", "/discard", "/state", "/take-back", "/forget", "/revoke", "/cancel")


FIRST_SECONDS = 8  # the first look at a page reads templates and makes figures that are kept from then on


@dataclass
class Known:
    """What pages were seen to send: fields by rule and method, names of parameters by rule."""

    forms: dict[tuple[str, str], list[tuple[str, Fields]]] = field(default_factory=lambda: defaultdict(list))
    parameters: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@dataclass(frozen=True)
class Operation:
    """A rule and a method, with who may and what is sent as a rule."""

    rule: str
    method: str
    roles: tuple[str, ...]
    paths: tuple[str, ...]
    forms: tuple[tuple[str, Fields], ...]
    parameters: tuple[str, ...]

    @property
    def for_programs(self) -> bool:
        return self.roles == PROGRAMS


def operations(house: House) -> list[Operation]:
    """Everything that the program answers to, most of it twice; what destroys comes last."""
    known = look_around(house)
    found = []
    for rule in house.app.url_map.iter_rules():
        for method in sorted(methods(rule)):
            roles = RIGHTS[rule.rule, method]
            everywhere = tuple(paths(rule.rule))
            parameters = sorted(known.parameters[rule.rule] | {"lang", "next"})
            forms = tuple(known.forms[rule.rule, method])
            found.append(Operation(rule.rule, method, roles, everywhere, forms, tuple(parameters)))
    return sorted(found, key=lambda one: (one.method == "POST" and is_last(one.rule), one.rule, one.method))


def is_last(rule: str) -> bool:
    """Whether little is left to look at after it: what deletes, and what ends accounts."""
    return rule.endswith(LAST) or rule.startswith(("/staff", "/account"))


def is_page(rule: str) -> bool:
    """Whether forms may be found there: not on files."""
    return "." not in rule and not rule.endswith(("/exports/<export>", "/pictures/<picture>", "/pictures/<name>"))


def look_around(house: House) -> Known:
    """Open every page as everybody who may, and note its forms and the parameters of its links."""
    known = Known()
    for (rule, method), roles in RIGHTS.items():
        if method != "GET" or roles == PROGRAMS or not is_page(rule):
            continue
        role = "nobody" if roles == EVERYBODY else roles[-1]
        for path in paths(rule):
            client = house.client(role)
            with watched(FIRST_SECONDS):
                reply = client.get(path, headers={"Accept-Language": "en"}, buffered=True)
            assert reply.status_code < 500, path
            if reply.mimetype == "text/html":
                note(house, known, path, BeautifulSoup(reply.text, "html.parser"))
    return known


def note(house: House, known: Known, path: str, page: BeautifulSoup) -> None:
    for form in page.select("form"):
        method, action = str(form.get("method", "get")).upper(), str(form.get("action") or path)
        if (rule := _rule_of(house, action, method)) is None:
            continue
        fields = {name: values for name, values in fields_of(form).items() if name != "csrf_token"}
        if method == "GET":
            known.parameters[rule] |= set(fields)
        elif all(set(fields) != set(other) for _, other in known.forms[rule, method]):
            known.forms[rule, method].append((action, fields))
    for link in page.select("a[href]"):
        address = urlsplit(str(link["href"]))
        if address.query and (rule := _rule_of(house, address.path or path, "GET")):
            known.parameters[rule] |= {name for name, _ in parse_qsl(address.query)}


def fields_of(form: Tag) -> Fields:
    """What a browser would send of it, every radio button and button with a name as if it were pressed once."""
    fields: Fields = Author.fields(None, form)  # type: ignore[arg-type]
    for button in form.select("button[name], input[type=radio][name], input[type=checkbox][name]"):
        fields.setdefault(str(button["name"]), [str(button.get("value", ""))])
    for box in form.select("input[type=file]"):
        fields.pop(str(box["name"]), None)
    return fields


def _rule_of(house: House, address: str, method: str) -> str | None:
    adapter = house.app.url_map.bind("localhost")
    try:
        rule, _ = adapter.match(urlsplit(address).path, method=method, return_rule=True)
    except HTTPException:
        return None
    return rule.rule
