"""Made for these tests, no answers of anybody: five respondents, four choice tasks each, of the supplier study, in the layouts in which other programs write them.

`python -m tests.imports.make_files` writes the files beside this one; a test compares them with what this module makes.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wtp.survey import Alternative, Survey, load_survey

HERE = Path(__file__).parent
PEOPLE, TASKS = 5, 4
NOTHING = 0
OFFERS = 3
_PRICES = {"too_cheap": 55.0, "cheap": 72.5, "expensive": 110.0, "too_expensive": 1250.0}
_PROBLEMS = ("downtime", "cost", "growth", "cost", "downtime")


@dataclass(frozen=True)
class Task:
    """What one respondent saw, and the number of the alternative chosen, 0 for none of these."""

    person: str
    number: int
    offers: tuple[Alternative, ...]
    chosen: int


def tasks(survey: Survey) -> tuple[Task, ...]:
    """All tasks, respondent after respondent."""
    assert survey.design is not None
    made = []
    for person in range(PEOPLE):
        shown = [task for task in survey.design.versions[person + 1] if task.kind == "estimation"][:TASKS]
        for number, task in enumerate(shown, 1):
            made.append(Task(f"p-{person + 1:02}", number, task.alternatives, (person + 2 * number) % (OFFERS + 1)))
    return tuple(made)


def levels(survey: Survey, offer: Alternative, language: str = "") -> list[str]:
    """The cells of an offer without its price, as ids or as labels."""
    return [
        a.level(offer.levels[a.id]).label[language] if language else offer.levels[a.id]
        for a in survey.definition.attributes
    ]


def numbers(survey: Survey, offer: Alternative) -> list[int]:
    """The numbers of its levels from 1, the price last."""
    definition = survey.definition
    found = [a.level_ids.index(offer.levels[a.id]) + 1 for a in definition.attributes]
    return [*found, definition.price.levels.index(offer.price) + 1]


def _csv(rows: list[list[object]], *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


def _money(amount: float) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def long_german(survey: Survey) -> bytes:
    """A row an alternative: German labels, decimal commas, semicolons, Windows-1252; none is an empty row; prices of the Van Westendorp question on every row."""
    attributes = survey.definition.attributes
    rows: list[list[object]] = [
        ["Teilnehmer", "Auswahlaufgabe", "Alt", *(a.label["de"] for a in attributes), "Preis", "Gewählt", "Problem", *(f"price_sense.{item}" for item in _PRICES)]
    ]  # fmt: skip
    for task in tasks(survey):
        problem = next(q for q in survey.definition.questions if q.id == "core_problem")
        words = {o.id: o.label["de"] for o in problem.options}  # type: ignore[union-attr]
        beside = [words[_PROBLEMS[int(task.person[-2:]) - 1]], *(f"{_money(p)} €" for p in _PRICES.values())]
        rows += [
            [task.person, task.number, offer.number, *levels(survey, offer, "de"), f"{_money(offer.price)} €", "ja" if offer.number == task.chosen else "nein", *beside]
            for offer in task.offers
        ]  # fmt: skip
        rows.append(
            [task.person, task.number, 4, *[""] * (len(attributes) + 1), "ja" if not task.chosen else "nein", *beside]
        )
    return _csv(rows, delimiter=";", encoding="cp1252")


def row_a_task(survey: Survey) -> bytes:
    """A row a choice task: range_1, price_1 and so on, and the number chosen, "none" for none of these; UTF-16 with tabs."""
    attributes = [a.id for a in survey.definition.attributes]
    heading = [f"{name}_{n}" for n in range(1, OFFERS + 1) for name in (*attributes, "price")]
    rows: list[list[object]] = [["RespondentID", "Task", *heading, "Choice"]]
    for task in tasks(survey):
        cells = [cell for offer in task.offers for cell in (*levels(survey, offer), f"{offer.price:g}")]
        rows.append([task.person, task.number, *cells, task.chosen or "none"])
    return _csv(rows, delimiter="\t", encoding="utf-16")


def row_a_respondent(survey: Survey) -> bytes:
    """A row a respondent: t1_a2_price is the price of the second offer of the first task, choice_1 what was chosen; 4 is none of these."""
    attributes = [a.id for a in survey.definition.attributes]
    everything = tasks(survey)
    heading = [
        f"t{t}_a{n}_{name}"
        for t in range(1, TASKS + 1)
        for n in range(1, OFFERS + 1)
        for name in (*attributes, "price")
    ]
    rows: list[list[object]] = [["id", *heading, *(f"choice_{t}" for t in range(1, TASKS + 1)), "core_problem"]]
    for person in sorted({task.person for task in everything}):
        own = [task for task in everything if task.person == person]
        cells = [c for task in own for offer in task.offers for c in (*levels(survey, offer, "en"), f"{offer.price:g}")]
        rows.append([person, *cells, *(task.chosen or 4 for task in own), _PROBLEMS[int(person[-2:]) - 1]])
    return _csv(rows, encoding="utf-8-sig")


def lighthouse(survey: Survey) -> bytes:
    """As Lighthouse Studio writes a CBC exercise as one CSV: level numbers, none as a concept of zeros."""
    rows: list[list[object]] = [["sys_RespNum", "Task", "Concept", *(f"Att{n}" for n in range(1, 8)), "Response"]]
    for task in tasks(survey):
        rows += [
            [task.person, task.number, offer.number, *numbers(survey, offer), int(offer.number == task.chosen)]
            for offer in task.offers
        ]
        rows.append([task.person, task.number, 4, *[0] * 7, int(not task.chosen)])
    return _csv(rows)


def conjointly(survey: Survey) -> bytes:
    """As Conjointly takes it: PARTICIPANT, QES, ALT, CHOICE and level numbers; none is the alternative after the last."""
    rows: list[list[object]] = [["PARTICIPANT", "QES", "ALT", "CHOICE", *(f"A{n}" for n in range(1, 8))]]
    for task in tasks(survey):
        rows += [
            [task.person, task.number, offer.number, int(offer.number == task.chosen), *numbers(survey, offer)]
            for offer in task.offers
        ]
        rows.append([task.person, task.number, 4, int(not task.chosen), *[""] * 7])
    return _csv(rows)


def qualtrics(survey: Survey) -> bytes:
    """As Qualtrics writes a survey with a drawn design in embedded data: three head rows, the attributes of each respondent in another order, choices in words."""
    names = [*(a.label["en"] for a in survey.definition.attributes), survey.definition.price.label["en"]]
    many = len(names)
    embedded = [f"F-{t}-{n}" for t in range(1, TASKS + 1) for n in range(1, many + 1)]
    embedded += [
        f"F-{t}-{k}-{n}" for t in range(1, TASKS + 1) for k in range(1, OFFERS + 1) for n in range(1, many + 1)
    ]
    columns = ["ResponseId", "UserLanguage", *(f"C{t}" for t in range(1, TASKS + 1)), "core_problem", *embedded]
    rows: list[list[object]] = [
        columns,
        ["Response ID", "User Language", *(f"Which offer would you choose?\n({t})" for t in range(1, TASKS + 1)), "What should a supplier solve for you above all?", *embedded],
        [f'{{"ImportId":"{name}"}}' for name in columns],
    ]  # fmt: skip
    everything = tasks(survey)
    for place, person in enumerate(sorted({task.person for task in everything})):
        own = [task for task in everything if task.person == person]
        order = [(n + place) % many for n in range(many)]
        cells: dict[str, object] = {}
        for task in own:
            for at, n in enumerate(order, 1):
                cells[f"F-{task.number}-{at}"] = names[n]
                for offer in task.offers:
                    words = [*levels(survey, offer, "en"), f"{offer.price:g} EUR"]
                    cells[f"F-{task.number}-{offer.number}-{at}"] = words[n]
        picks = [f"Option {'ABC'[task.chosen - 1]}" if task.chosen else "None of these" for task in own]
        rows.append([person, "EN", *picks, _PROBLEMS[place], *(cells[name] for name in embedded)])
    return _csv(rows)


def cho(survey: Survey) -> bytes:
    """Sawtooth's .cho with a none option."""
    lines = []
    everything = tasks(survey)
    for place, person in enumerate(sorted({task.person for task in everything}), 1):
        lines += [f"{place} 2 7 {TASKS} 1", "6 1"]
        for task in (task for task in everything if task.person == person):
            lines += [f"{OFFERS} 1", *(" ".join(map(str, numbers(survey, offer))) for offer in task.offers)]
            lines.append(f"{task.chosen or OFFERS + 1} 12")
    return ("\r\n".join(lines) + "\r\n").encode()


FILES: dict[str, Callable[[Survey], bytes]] = {
    "long_german.csv": long_german,
    "row_a_task.txt": row_a_task,
    "row_a_respondent.csv": row_a_respondent,
    "lighthouse.csv": lighthouse,
    "conjointly.csv": conjointly,
    "qualtrics.csv": qualtrics,
    "study.cho": cho,
}

PACKED = ("long_german.csv", "row_a_task.txt")  # no UTF-8, so they are kept as .gz


def content(name: str) -> bytes:
    """The bytes of a file of this folder."""
    return gzip.decompress((HERE / f"{name}.gz").read_bytes()) if name in PACKED else (HERE / name).read_bytes()


if __name__ == "__main__":
    study = load_survey(HERE.parents[1] / "surveys" / "supplier")
    for name, made in FILES.items():
        if name in PACKED:
            (HERE / f"{name}.gz").write_bytes(gzip.compress(made(study), mtime=0))
        else:
            (HERE / name).write_bytes(made(study))
