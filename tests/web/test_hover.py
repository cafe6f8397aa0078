"""What is shown where the pointer rests: the survey's descriptions of attributes and levels, in the language of the page, on every chart that names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.web.figures import full
from wtp.survey import load_survey
from wtp.web.hover import definitions, with_definitions
from wtp.web.reading import Reading, labels_of
from wtp.web.sections import figure

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


@pytest.mark.parametrize("chart", ["importance", "invest", "worth", "worth_distribution", "segment_worth", "part_worths", "sensitivity"])  # fmt: skip
def test_every_mark_of_an_attribute_tells_what_it_means(app: Flask, chart: str) -> None:
    survey = load_survey(SUPPLIER)
    described = {
        "label": {"en": "Speed & care", "de": "Tempo"}, "description": {"en": "From the call <to> the solution", "de": "Vom Anruf"}
    }  # fmt: skip
    attributes = tuple(
        a.model_copy(update=described | {"levels": tuple(level.model_copy(update={"description": described["description"]}) for level in a.levels)})
        if a.id == "speed" else a
        for a in survey.definition.attributes
    )  # fmt: skip
    definition = survey.definition.model_copy(update={"attributes": attributes})
    object.__setattr__(survey, "definition", definition)
    with app.test_request_context("/?lang=en"):
        app.preprocess_request()
        reading = Reading(survey, full(survey), "all", labels_of(definition))
        drawn = with_definitions(figure(chart, reading), reading)
    told = [text for trace in drawn.data if trace.hovertext is not None for text in trace.hovertext]
    assert "From the call &lt;to&gt; the solution" in told
    assert all("%{hovertext}<extra>" in trace.hovertemplate for trace in drawn.data if trace.hovertext is not None)


def test_the_survey_says_it_in_the_language_of_the_page(app: Flask) -> None:
    survey = load_survey(SUPPLIER)
    found = {}
    for language in ("en", "de"):
        with app.test_request_context(f"/?lang={language}"):
            app.preprocess_request()
            found[language] = definitions(Reading(survey, full(survey), "all", labels_of(survey.definition)))
    assert found["en"]
    assert len(found["en"]) == len(found["de"])
    assert set(found["en"].values()).isdisjoint(found["de"].values())
