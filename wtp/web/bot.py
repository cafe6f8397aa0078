"""A bot that answers a whole survey through the pages, as a person would: it reads what is shown and fills in the forms.

It finds offers, options and prices by the words on the page, in the page's language, and knows no identifier that a person does not see.
Tastes come from outside: `answers` by question, `choose` for a choice task. Demo data and end-to-end tests are both made with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bs4 import BeautifulSoup, Tag
from werkzeug.test import Client, TestResponse

from wtp.errors import DataError
from wtp.survey import Alternative, ChoiceTask, Survey, steps
from wtp.survey.questions import (
    ChoiceTaskPage,
    GaborGranger,
    OpenPrice,
    QuestionPage,
    Rating,
    SingleChoice,
    ThanksPage,
    VanWestendorp,
)
from wtp.web.i18n import amount_text, money

Choose = Callable[[ChoiceTask], tuple[int, bool]]


class Bot:
    """One respondent with a personal link. `choose` gives the number of an alternative and whether it would be bought."""

    def __init__(
        self, client: Client, survey: Survey, token: str, *, answers: Mapping[str, Any], choose: Choose
    ) -> None:
        self._client = client
        self._survey = survey
        self._token = token
        self._answers = answers
        self._choose = choose

    def play(self) -> None:
        """Answer every page until the thanks page. Raises DataError if a page does not take its answers."""
        slug = self._survey.slug
        pages = {f"/s/{slug}/{step.id}": step.page for step in steps(self._survey.definition)}
        reply = self._client.get(f"/s/{slug}/r/{self._token}", follow_redirects=True)
        while not isinstance(pages.get(_path(reply)), ThanksPage):
            place = _path(reply)
            if reply.status_code != 200 or place not in pages:
                raise DataError(f"bot: {place} replied {reply.status}; allowed: a page of {slug}; look at that page.")
            reply = self._client.post(place, data=self._filled(reply, pages[place]), follow_redirects=True)
            if _path(reply) == place:  # asked to look again, as at prices that do not rise: it means them
                reply = self._client.post(place, data=self._filled(reply, pages[place]), follow_redirects=True)
            if _path(reply) == place:
                shown = BeautifulSoup(reply.text, "html.parser").select(".mistakes")
                found = " ".join(_words(mistake) for mistake in shown) or reply.status
                raise DataError(f"bot: {place} did not take the answers: {found}; look at that page.")

    def _filled(self, reply: TestResponse, page: object) -> dict[str, str]:
        soup = BeautifulSoup(reply.text, "html.parser")
        form = soup.select_one("main form[method=post]")
        if form is None or soup.html is None:
            raise DataError(f"bot: {_path(reply)} has no form; look at that page.")
        language = str(soup.html["lang"])
        data = {str(i["name"]): str(i.get("value", "")) for i in form.select("input[type=hidden]")}
        if isinstance(page, QuestionPage):
            for question in page.questions:
                data |= self._answer(form, question, language)
        elif isinstance(page, ChoiceTaskPage):
            data |= self._choice(form, page, language)
        else:
            data |= {str(box["name"]): str(box["value"]) for box in form.select("input[type=checkbox]")}
        return data

    def _answer(self, form: Tag, question: object, language: str) -> dict[str, str]:
        if isinstance(question, SingleChoice):
            option = next((o for o in question.options if o.id == self._answers.get(question.id)), None)
            return _pick(form, question.label[language], option.label[language]) if option else {}
        if isinstance(question, OpenPrice):
            price = self._answers.get(question.id)
            box = next(
                label
                for label in form.select("label[for]")
                if _words(label).startswith(_plain(question.label[language]))
            )
            return {} if price is None else {str(box["for"]): amount_text(price, language)}
        value: Mapping[str, Any] = self._answers.get(getattr(question, "id", "")) or {}
        if isinstance(question, Rating):
            data: dict[str, str] = {}
            for item in question.items:
                if item.id in value:
                    data |= _pick(form, item.label[language], str(value[item.id]))
            return data
        if isinstance(question, GaborGranger):
            definition, data = self._survey.definition, dict[str, str]()
            for name, price in question.items.items():
                legend = f"{money(price, definition.currency, language)} {definition.price.unit[language]}"
                if name in value:
                    data |= _pick(form, legend, (question.yes if value[name] else question.no)[language])
            return data
        if isinstance(question, VanWestendorp):
            words = {
                _plain(getattr(question, item)[language]): amount_text(price, language) for item, price in value.items()
            }
            boxes = {_words(label): str(label["for"]) for label in form.select("label[for]")}
            return {boxes[label]: price for label, price in words.items()}
        raise TypeError(f"the bot cannot answer a {type(question).__name__}")

    def _choice(self, form: Tag, page: ChoiceTaskPage, language: str) -> dict[str, str]:
        """Read the offers from the table, as levels and prices, and choose."""
        definition = self._survey.definition
        levels = {
            _plain(a.label[language]): (a.id, {_plain(level.label[language]): level.id for level in a.levels})
            for a in definition.attributes
        }
        unit = definition.price.unit[language]
        prices = {_plain(f"{money(p, definition.currency, language)} {unit}"): p for p in definition.price.levels}
        headings = [_words(cell) for cell in form.select("table thead th")][1:]
        offers = []
        for row in form.select("table tbody tr"):
            shown = dict(zip(headings, (_words(cell) for cell in row.select("td .level")), strict=True))
            price = prices[shown.pop(_plain(definition.price.label[language]))]
            named = {levels[heading][0]: levels[heading][1][label] for heading, label in shown.items()}
            offers.append(Alternative(int(str(row.select("input")[0]["value"])), named, price))
        number, buys = self._choose(ChoiceTask(0, "estimation", tuple(offers)))
        data = {"chosen": str(number)}
        if page.purchase_question:
            yes, no = _options(form, page.purchase_question[language])
            data |= dict([yes if buys else no])
        return data


def _path(reply: TestResponse) -> str:
    return str(reply.request.path)


def _words(tag: Tag) -> str:
    return _plain(tag.get_text(" "))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _pick(form: Tag, question: str, answer: str) -> dict[str, str]:
    """The radio button under a question whose label begins with the answer (an end of a scale also says what it means)."""
    answer = _plain(answer)
    for fieldset in form.select("fieldset"):
        legend = fieldset.select_one("legend")
        if legend and _words(legend).startswith(_plain(question)):
            for label in fieldset.select("label"):
                if _words(label) == answer or _words(label).startswith(f"{answer} ,"):
                    box = label.select("input")[0]
                    return {str(box["name"]): str(box["value"])}
    raise DataError(f"bot: found no answer {answer!r} under {question!r}; look at that page.")


def _options(form: Tag, question: str) -> Iterator[tuple[str, str]]:
    """Name and value of each button under a question, in the order shown."""
    fieldset = next(f for f in form.select("fieldset") if _words(f.select("legend")[0]) == _plain(question))
    return ((str(box["name"]), str(box["value"])) for box in fieldset.select("input"))
