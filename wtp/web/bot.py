"""A bot that answers a whole survey through the pages, as a person would: it reads what is shown and fills in the forms.

It finds offers, options and prices by the words on the page, in the page's language, and knows no identifier that a person does not see.
Tastes come from outside: `answers` by question, `choose` for a choice task. Demo data and end-to-end tests are both made with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from bs4 import BeautifulSoup, Tag
from werkzeug.test import Client, TestResponse

from wtp.errors import DataError
from wtp.survey import Alternative, ChoiceTask, Survey
from wtp.survey.pages import BestWorstPage, ChoiceTaskPage, Page, ProfileRatingPage, QuestionPage, ThanksPage
from wtp.survey.questions import (
    UNSURE,
    ConstantSum,
    GaborGranger,
    Kano,
    MultipleChoice,
    Number,
    OpenPrice,
    OpenText,
    Question,
    Ranking,
    Rating,
    Scale,
    SingleChoice,
    TimeGrid,
    VanWestendorp,
)
from wtp.web.i18n import amount_text, money

Choose = Callable[[ChoiceTask], tuple[int, bool]]
_ANCHORS = ("all", "some", "none")
Sort = Callable[[BestWorstPage, list[str]], Mapping[str, str]]
Rate = Callable[[Alternative, Scale], int]
_TRIES = 10


class Bot:
    """One respondent with a personal link, or without one. `choose` gives the number of an alternative and whether it would be bought.

    `answers` are by question; of a best-worst page, by its id, how much each item matters; `rate` rates an offer on a scale, `sort` tells best, worst and anchor of the items shown (by what matters, without it).
    """

    def __init__(
        self,
        client: Client,
        survey: Survey,
        token: str | None,
        *,
        answers: Mapping[str, Any],
        choose: Choose,
        rate: Rate | None = None,
        sort: Sort | None = None,
    ) -> None:
        self._client = client
        self._survey = survey
        self._token = token
        self._answers = answers
        self._choose = choose
        self._rate = rate
        self._sort = sort

    def play(self) -> str:
        """Answer every page until the end; returns "thanks", or "end" where the interview ended early.

        Raises DataError if a page does not take its answers.
        """
        slug = self._survey.slug
        address = f"/s/{slug}" + (f"/r/{self._token}" if self._token else "")
        reply = self._ask(address)
        while True:
            place = _path(reply)
            if place == f"/s/{slug}/e/end":
                return "end"
            if place == f"/s/{slug}/e/done":  # the same, after the answers were cut off from the person
                return "thanks"
            page = self._page(place)
            if reply.status_code != 200 or page is None:
                raise DataError(f"bot: {place} replied {reply.status}; allowed: a page of {slug}; look at that page.")
            if isinstance(page, ThanksPage):
                return "thanks"
            reply = self._ask(place, self._filled(reply, page))
            if _path(reply) == place:  # asked to look again, as at prices that do not rise: it means them
                reply = self._ask(place, self._filled(reply, page))
            if _path(reply) == place:
                shown = BeautifulSoup(reply.text, "html.parser").select(".mistakes")
                found = " ".join(_words(mistake) for mistake in shown) or reply.status
                raise DataError(f"bot: {place} did not take the answers: {found}; look at that page.")

    def _ask(self, place: str, data: Mapping[str, Any] | None = None) -> TestResponse:
        """The reply to a page that is opened or sent; a server that is busy is asked again, as a browser's script does."""
        for _ in range(_TRIES):
            if data is None:
                reply = self._client.get(place, follow_redirects=True)
            else:
                reply = self._client.post(place, data=data, follow_redirects=True)
            if reply.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                break
            time.sleep(float(reply.headers.get("Retry-After", 1)))
            if _path(reply) != place:  # saved; only the page after it could not be shown
                place, data = _path(reply), None
        return reply

    def _page(self, place: str) -> Page | None:
        step_id = place.removeprefix(f"/s/{self._survey.slug}/")
        pages = {page.id: page for page in self._survey.definition.pages}
        return pages.get(step_id) or pages.get(step_id.rpartition("-")[0])

    def _filled(self, reply: TestResponse, page: Page) -> dict[str, Any]:
        soup = BeautifulSoup(reply.text, "html.parser")
        form = soup.main and soup.main.find("form", method="post")
        if form is None or soup.html is None:
            raise DataError(f"bot: {_path(reply)} has no form; look at that page.")
        language = str(soup.html["lang"])
        data: dict[str, Any] = {str(i["name"]): str(i.get("value", "")) for i in form.find_all("input", type="hidden")}
        if isinstance(page, QuestionPage):
            for question in page.questions:
                if _shown(form, question.label[language]) is not None:
                    data |= self._answer(form, question, language)
        elif isinstance(page, ChoiceTaskPage):
            data |= self._choice(form, page, language)
        elif isinstance(page, BestWorstPage):
            data |= self._best_worst(form, page, language)
        elif isinstance(page, ProfileRatingPage):
            data |= self._profile(form, page, language)
        else:
            data |= {str(box["name"]): str(box["value"]) for box in form.find_all("input", type="checkbox")}
        return data

    def _answer(self, form: Tag, question: Question, language: str) -> dict[str, Any]:  # noqa: PLR0911, PLR0912
        # one case a question type
        value = self._answers.get(question.id)
        if value is None:
            return {}
        label = question.label[language]
        match question:
            case SingleChoice() | MultipleChoice():
                picked = value if isinstance(value, list) else [value]
                words = [option.label[language] for option in question.options if option.id in picked]
                if isinstance(question, SingleChoice):
                    words += [question.unsure[language]] if question.unsure and value == UNSURE else []
                return _ticked(form, label, words)
            case OpenPrice() | Number():
                if value == UNSURE:
                    box = _box(
                        form, question.unsure[language] if isinstance(question, Number) and question.unsure else ""
                    )
                    return {box: "yes"}
                return {_box(form, label): amount_text(value, language)}
            case OpenText():
                return {_box(form, label): value}
            case Rating():
                unsure = question.unsure[language] if question.unsure else ""
                rated = ((item.label[language], value.get(item.id, "")) for item in question.items)
                return _each(form, ((words, unsure if point is None else str(point)) for words, point in rated))
            case Ranking():
                labels = {item.id: item.label[language] for item in question.items}
                return {_box(form, labels[item]): str(rank) for rank, item in enumerate(value[: question.ranks], 1)}
            case ConstantSum():
                labels = {item.id: item.label[language] for item in question.items}
                return {_box(form, labels[item]): amount_text(points, language) for item, points in value.items()}
            case TimeGrid():
                bands = {band.id: band.label[language] for band in question.bands}
                days = {day.id: day.label[language] for day in question.days}
                data: dict[str, Any] = {}
                for day, picked in value.items():
                    data |= _ticked(form, days[day], [bands[band] for band in picked])
                return data
            case Kano():
                halves = (("with", question.with_it[language]), ("without", question.without_it[language]))
                return {
                    name: value_ for half, words in halves for name, value_ in (_nth(form, words, int(value[half])),)
                }
            case GaborGranger():
                definition, unit = self._survey.definition, self._survey.definition.price.unit[language]
                data = {}
                for name, price in question.items.items():
                    legend = f"{money(price, definition.currency, language)} {unit}"
                    if name in value and _shown(form, legend) is not None:
                        data |= _pick(form, legend, (question.yes if value[name] else question.no)[language])
                return data
            case VanWestendorp():
                return {
                    _box(form, getattr(question, item)[language]): amount_text(price, language)
                    for item, price in value.items()
                }
        raise TypeError(f"the bot cannot answer a {type(question).__name__}")

    def _best_worst(self, form: Tag, page: BestWorstPage, language: str) -> dict[str, str]:
        ids = {_plain(item.label[language]): item.id for item in page.items}
        fieldset = _shown(form, page.best[language])
        shown = {ids[_words(label)]: _words(label) for label in fieldset.find_all("label")} if fieldset else {}
        if self._sort:
            found = self._sort(page, list(shown))
        else:
            worth = self._answers[page.id]
            order = sorted(shown, key=worth.__getitem__)
            matter = sum(worth[item] > 0 for item in shown)
            anchor = "all" if matter == len(shown) else "some" if matter else "none"
            found = {"best": order[-1], "worst": order[0], "anchor": anchor}
        data = _pick(form, page.best[language], shown[found["best"]])
        data |= _pick(form, page.worst[language], shown[found["worst"]])
        if page.anchor:
            data |= dict([_nth(form, page.anchor[language], 1 + _ANCHORS.index(found["anchor"]))])
        return data

    def _profile(self, form: Tag, page: ProfileRatingPage, language: str) -> dict[str, str]:
        rows = (row for row in form.find_all("tr") if row.td and row.th)
        shown = {_words(row.find_all("th")[0]): _words(row.find_all("td")[0]) for row in rows}
        offer = self._offer(shown, language, 1)
        point = self._rate(offer, page.scale) if self._rate else page.scale.low
        return _pick(form, page.question[language], str(point))

    def _offer(self, shown: dict[str, str], language: str, number: int) -> Alternative:
        """An offer from its words: heading -> level or price."""
        definition = self._survey.definition
        levels = {
            _plain(a.label[language]): (a.id, {_plain(level.label[language]): level.id for level in a.levels})
            for a in definition.attributes
        }
        unit = definition.price.unit[language]
        prices = {_plain(f"{money(p, definition.currency, language)} {unit}"): p for p in definition.price.levels}
        price = prices[shown.pop(_plain(definition.price.label[language]))]
        return Alternative(number, {levels[h][0]: levels[h][1][label] for h, label in shown.items()}, price)

    def _choice(self, form: Tag, page: ChoiceTaskPage, language: str) -> dict[str, str]:
        """Read the offers from the table, as levels and prices, and choose."""
        headings = [_words(cell) for cell in form.find_all("th", scope="col")][1:]
        offers = []
        for row in (row for row in form.find_all("tr") if row.td):
            cells = dict(zip(headings, row.find_all(class_="level"), strict=True))
            shown = {heading: _words(cell) for heading, cell in cells.items() if "lacking" not in cell["class"]}
            offers.append(self._offer(shown, language, int(str(row.find_all("input")[0]["value"]))))
        number, buys = self._choose(ChoiceTask(0, "estimation", tuple(offers)))
        data = {"chosen": str(number)}
        if page.purchase_question:
            data |= dict([_nth(form, page.purchase_question[language], 1 if buys else 2)])
        return data


def _path(reply: TestResponse) -> str:
    return str(reply.request.path)


def _words(tag: Tag) -> str:
    return _plain(tag.get_text(" "))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _like(label: str) -> re.Pattern[str]:
    """A label as it may be shown: earlier answers may stand in it, and "(optional)" behind it."""
    parts = re.split(r"\{answer:[a-z0-9_]+\}", _plain(label))
    return re.compile(".*".join(map(re.escape, parts)))


def _shown(form: Tag, label: str) -> Tag | None:
    """What asks this: the group under the label, or the label's own box; None if the page does not ask it."""
    wanted = _like(label)
    for heading in form.find_all(["legend", "h2", "label"]):
        if (heading.name != "label" or "for" in heading.attrs) and wanted.match(_words(heading)):
            return heading.parent
    return None


def _asked(form: Tag, question: str) -> Tag:
    wanted = _like(question)
    for fieldset in form.find_all("fieldset"):
        if wanted.match(_words(fieldset.find_all("legend")[0])):
            return fieldset
    raise DataError(f"bot: found no question {question!r}; look at that page.")


def _box(form: Tag, label: str) -> str:
    """Name of the field that the label belongs to, which is also its id."""
    wanted = _like(label)
    for found in form.find_all("label"):
        if wanted.match(_words(found)):
            return str(found.get("for") or found.find_all("input")[0]["name"])
    raise DataError(f"bot: found no field {label!r}; look at that page.")


def _pick(form: Tag, question: str, answer: str) -> dict[str, str]:
    """The radio button under a question whose label begins with the answer (an end of a scale also says what it means)."""
    answer = _plain(answer)
    for label in _asked(form, question).find_all("label"):
        if _words(label) == answer or _words(label).startswith(f"{answer} ,"):
            box = label.find_all("input")[0]
            return {str(box["name"]): str(box["value"])}
    raise DataError(f"bot: found no answer {answer!r} under {question!r}; look at that page.")


def _each(form: Tag, answers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for words, answer in answers if answer for name, value in _pick(form, words, answer).items()}


def _ticked(form: Tag, question: str, answers: Sequence[str]) -> dict[str, Any]:
    """All boxes under a question with these words."""
    picked = [_pick(form, question, answer) for answer in answers]
    return {name: [one[name] for one in picked] for one in picked for name in one}


def _nth(form: Tag, question: str, number: int) -> tuple[str, str]:
    """Name and value of the number-th button under a question."""
    box = _asked(form, question).find_all("input")[number - 1]
    return str(box["name"]), str(box["value"])
