"""Forms of the pages: what each question type accepts, refuses, gives back and shows again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, g
from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

from wtp.survey import ChoiceTask, Definition, Step
from wtp.survey.pages import Page, QuestionPage
from wtp.survey.tasks import Alternative
from wtp.web import forms
from wtp.web.i18n import amount_text, money, parse_amount


@pytest.fixture
def definition(app: Flask) -> Iterator[Definition]:
    with app.test_request_context("/s/supplier"):
        g.language = "en"
        yield app.extensions["wtp_surveys"]["supplier"].definition


def page(definition: Definition, page_id: str) -> Page:
    return next(p for p in definition.pages if p.id == page_id)


def question_page(definition: Definition, page_id: str) -> QuestionPage:
    found = page(definition, page_id)
    assert isinstance(found, QuestionPage)
    return found


def judged(page: Page, typed: dict[str, str], task: ChoiceTask | None = None) -> BaseForm:
    form = forms.page_form(page, task)
    form.process(MultiDict({"revision": "0"} | typed))
    form.validate()
    return form


PRICES = {"too_cheap": "60", "cheap": "80", "expensive": "110", "too_expensive": "130"}


def prices(**changed: str) -> dict[str, str]:
    return {f"q-price_sense-{item}": price for item, price in (PRICES | changed).items()}


def test_consent_needs_the_tick(definition: Definition) -> None:
    consent = page(definition, "consent")
    assert not judged(consent, {"agree": "yes"}).errors
    assert judged(consent, {}).errors == {
        "agree": ["Tick the box if you want to take part. Without it nothing is saved."]
    }
    assert judged(consent, {"agree": "no"}).errors


def test_single_choice(definition: Definition) -> None:
    profile = question_page(definition, "profile")
    form = judged(profile, {"q-core_problem": "cost", "q-employees": "to_9"})
    assert not form.errors
    assert forms.answers(Step("profile", profile), form) == {"core_problem": "cost", "employees": "to_9", "role": None}
    errors = judged(profile, {"q-core_problem": "price", "q-role": "<b>"}).errors
    assert errors == {
        "q-core_problem": ["Choose one of the answers shown."],
        "q-employees": ["Choose an answer."],
        "q-role": ["Choose one of the answers shown."],
    }


def test_rating(definition: Definition) -> None:
    rating = question_page(definition, "importance")
    items = ["range", "speed", "price", "financing", "competence", "brand", "design"]
    typed = {f"q-importance-{item}": str(1 + i) for i, item in enumerate(items)}
    form = judged(rating, typed)
    assert not form.errors
    assert forms.answers(Step("importance", rating), form) == {
        "importance": {item: 1 + i for i, item in enumerate(items)}
    }
    assert set(judged(rating, typed | {"q-importance-price": "8"}).errors) == {"q-importance-price"}
    assert set(judged(rating, typed | {"q-importance-price": ""}).errors) == {"q-importance-price"}
    assert set(judged(rating, typed | {"q-importance-price": "٣"}).errors) == {"q-importance-price"}


def test_four_prices(definition: Definition) -> None:
    sense = question_page(definition, "prices")
    form = judged(sense, prices(cheap="80.50"))
    assert not form.errors
    expected = {"too_cheap": 60.0, "cheap": 80.5, "expensive": 110.0, "too_expensive": 130.0}
    assert forms.answers(Step("prices", sense), form) == {"price_sense": expected}
    assert judged(sense, prices(cheap="")).errors == {"q-price_sense-cheap": ["Type a price."]}
    wrong = judged(sense, prices(cheap="cheap")).errors
    assert wrong == {"q-price_sense-cheap": ["Type a price in figures, as in 99.5."]}


def test_prices_that_do_not_rise_are_asked_about_once_and_kept(definition: Definition) -> None:
    sense = question_page(definition, "prices")
    first = judged(sense, prices(cheap="150"))
    assert set(first.errors) == {"q-price_sense-checked"}
    again = judged(sense, prices(cheap="150") | {"q-price_sense-checked": first["q-price_sense-checked"].data})
    assert not again.errors
    assert forms.answers(Step("prices", sense), again)["price_sense"]["cheap"] == 150
    assert not judged(sense, prices(cheap="60")).errors  # equal neighbours are in order


def test_choice_task(definition: Definition) -> None:
    levels = {a.id: a.current for a in definition.attributes}
    task = ChoiceTask(4, "estimation", tuple(Alternative(n, levels, 80.0 + n) for n in (2, 3, 1)))
    choice = page(definition, "choice")
    assert not judged(choice, {"chosen": "3", "buys": "no"}, task).errors
    assert judged(choice, {}, task).errors == {
        "chosen": ["Choose one of the offers."],
        "buys": ["Say whether you would buy the offer that you chose."],
    }
    assert set(judged(choice, {"chosen": "4", "buys": "maybe"}, task).errors) == {"chosen", "buys"}


@pytest.mark.parametrize("page_id", ["profile", "importance", "prices"])
def test_a_saved_page_comes_back_as_it_was(definition: Definition, page_id: str) -> None:
    found = question_page(definition, page_id)
    typed = {
        "profile": {"q-core_problem": "growth", "q-employees": "to_49"},
        "importance": {
            f"q-importance-{i.id}": "6"
            for i in (definition.importance_rating.items if definition.importance_rating else ())
        },
        "prices": prices(cheap="80.50"),
    }[page_id]
    saved = forms.answers(Step(found.id, found), judged(found, typed))
    form = forms.page_form(found)
    form.process(data=forms.restore(Step(found.id, found), saved))
    shown = {name: data for name, data in form.data.items() if name in typed}
    assert shown == typed | ({"q-price_sense-cheap": "80.5"} if page_id == "prices" else {})


@pytest.mark.parametrize("given", ["", "-1", "1.0", "1" * 5000, "nan", "\0", "٣"])
def test_a_revision_that_somebody_made_up(definition: Definition, given: str) -> None:
    form = forms.page_form(page(definition, "profile"))
    form.process(MultiDict({"revision": given}))
    assert forms.revision(form) is None


@pytest.mark.parametrize(
    ("typed", "language", "meant"),
    [
        ("100", "de", 100),
        (" 100 € ", "de", 100),
        ("$99.50", "en", 99.5),
        ("99,5", "de", 99.5),
        ("99,50", "en", 99.5),
        ("99.50", "de", 99.5),
        ("1.234,56", "de", 1234.56),
        ("1.234,56", "en", 1234.56),
        ("1,234.56", "en", 1234.56),
        ("1,234.56", "de", 1234.56),
        ("1.234", "de", 1234),
        ("1,234", "en", 1234),
        ("1 234,5", "de", 1234.5),
        ("1.234.567", "en", 1234567),
        ("0", "de", 0),
        # could mean either, or nothing
        ("1.234", "en", None),
        ("1,234", "de", None),
        ("1.2345", "de", None),
        ("12.34,5", "de", None),
        ("1.234.56", "de", None),
        ("1,2,3", "de", None),
        ("-5", "de", None),
        ("+5", "de", None),
        ("1e3", "en", None),
        ("1e400", "en", None),
        ("nan", "en", None),
        ("inf", "en", None),
        ("0x10", "en", None),
        ("٣", "en", None),
        ("9" * 5000, "en", None),
        ("1_000", "en", None),
        ("", "en", None),
        (".", "en", None),
        ("5\0", "en", None),
    ],
)
def test_amounts_as_people_type_them(typed: str, language: str, meant: float | None) -> None:
    assert parse_amount(typed, language) == meant


@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("amount", [0, 5, 99.5, 80.25, 1234, 123456.75])
def test_an_amount_that_is_shown_again_means_the_same(amount: float, language: str) -> None:
    assert parse_amount(amount_text(amount, language), language) == amount


def test_money_as_people_write_it() -> None:
    assert money(100, "EUR", "de") == "100\xa0€"
    assert money(1299.5, "EUR", "de") == "1.299,50\xa0€"
    assert money(100, "EUR", "en") == "€100"
    assert money(99.5, "GBP", "en") == "£99.50"
