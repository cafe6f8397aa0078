"""Declared segments: every condition must hold, the first that fits wins, who fits none has none."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.pricing.test_investment import TEXT, study
from wtp.segments import declared
from wtp.survey import Respondent
from wtp.survey.definition import Segment


def respondent(number: int, **answers: object) -> Respondent:
    return Respondent(number, False, "en", 1, datetime.now(UTC), None, answers, ())


def test_rules_decide_in_the_authors_order() -> None:
    both = Segment(id="both", label=TEXT, customers=1, when={"q": ("x",), "size": ("big", "huge")})
    one = Segment(id="one", label=TEXT, customers=1, when={"q": ("x", "y")})
    definition = study().model_copy(update={"segments": (both, one)})
    people = [
        respondent(1, q="x", size="huge"),
        respondent(2, q="x", size="small"),
        respondent(3, q="y"),
        respondent(4, q="z", size="big"),
        respondent(5),
        respondent(6, q=None),
    ]
    found = declared(definition, people)
    assert found.dropna().to_dict() == {1: "both", 2: "one", 3: "one"}
    assert list(found.index) == [1, 2, 3, 4, 5, 6]


def test_nobody_is_fine() -> None:
    assert declared(study(), []).empty
