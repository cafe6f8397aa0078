"""Everything in money through `analyse`: the market of today's offer, limits, comparison of methods, segments, hints; complete and consistent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from wtp.analysis import Analysis, Request, analyse
from wtp.analysis.choice_frame import choice_frame, formula
from wtp.analysis.comparison import PAID_MORE, SAID_MORE, SPLIT, hints, importance_performance, performance_table
from wtp.analysis.money import steps_from_current
from wtp.customers.performance import TELL
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.export.codebook import codebook
from wtp.pricing import willingness_to_pay
from wtp.segments import declared
from wtp.survey import Answers, Definition, Survey


def test_the_market_of_every_segment_that_is_large_enough(quick: Analysis, survey: Survey) -> None:
    sizes = quick.tables["segments"].set_index("segment")["respondents"]
    full = {name for name, count in sizes.items() if count >= 75}
    for table in (
        "shares",
        "profit_curve",
        "best_price",
        "elasticities",
        "sensitivity",
        "competitive_worth",
        "best_offers",
        "equilibrium",
    ):
        assert set(quick.tables[table]["segment"]) == full, table
    shares = quick.table("shares", "all")
    assert list(shares["offer"]) == ["own", "discounter", "leader", "none"]
    assert shares["share"].sum() == pytest.approx(1)
    curve = quick.table("profit_curve", "all")
    best = quick.table("best_price", "all").set_index("objective").loc["profit"]
    assert best["value"] == pytest.approx(curve["profit"].max(), rel=0.005)
    own = quick.table("investment", "all")
    one = quick.table("competitive_worth", "all").set_index(["attribute", "to_level"])["estimate"]
    assert one["speed", "same_day"] == pytest.approx(
        quick.table("willingness_to_pay", "all").set_index("to_level").loc["same_day", "estimate"]
    )
    assert set(own["label"]) <= {"invest", "save", "keep", "undecided"}


def one_figure_a_step(found: Analysis) -> None:
    """The premium of a step is the same in both tables that have it, in every segment; a step down is at risk with its sign turned."""
    premium = found.tables["competitive_worth"].set_index(["segment", "attribute", "to_level"])
    invested = found.tables["investment"].set_index(["segment", "attribute", "to_level"])
    invested = invested[invested.index.get_level_values("segment").isin(premium.index.get_level_values("segment"))]
    premium = premium.loc[invested.index]
    assert "all" in set(premium.index.get_level_values("segment"))
    down = (invested["direction"] == "down").to_numpy()
    assert premium["estimate"].notna().all()
    np.testing.assert_allclose(invested["worth"], premium["estimate"] * np.where(down, -1, 1), rtol=1e-12)
    np.testing.assert_allclose(invested["worth_low"], np.where(down, -premium["high"], premium["low"]), rtol=1e-12)
    np.testing.assert_allclose(invested["worth_high"], np.where(down, -premium["low"], premium["high"]), rtol=1e-12)


def test_a_step_has_one_figure_on_every_page(quick: Analysis) -> None:
    one_figure_a_step(quick)
    worth = quick.tables["willingness_to_pay"].set_index(["segment", "attribute", "to_level"])["estimate"]
    invested = quick.tables["investment"].set_index(["segment", "attribute", "to_level"])
    up = invested[invested["direction"] == "up"]["worth"]
    np.testing.assert_allclose(up, worth.loc[up.index], rtol=1e-6)  # one taste: premium and trade-off value are one


def test_everybody_is_the_segments_by_their_customers(quick: Analysis, survey: Survey, answers: Answers) -> None:
    frame = choice_frame(survey.definition, answers.respondents)
    segment = declared(survey.definition, answers.respondents)
    customers = {s.id: s.customers for s in survey.definition.segments}
    each = segment.map(customers) / segment.map(segment.value_counts())
    weighted = frame.assign(weight=frame["respondent"].map(each))
    fit = ConditionalLogit(ChoiceData.from_long(weighted, formula(survey.definition), weights="weight")).fit()
    wanted = willingness_to_pay(fit, steps=steps_from_current(survey.definition))["estimate"]
    np.testing.assert_allclose(quick.table("willingness_to_pay", "all")["estimate"], wanted, rtol=1e-9)


def with_known_share(survey: Survey, share: float) -> Survey:
    raw = survey.definition.model_dump()
    raw["economics"]["known_share"] = share
    definition = Definition.model_validate(raw)
    return Survey(survey.slug, survey.folder, definition, definition.hash, survey.design)


def test_a_known_share_moves_all_segments_alike_and_every_gain_rests_on_it(
    quick: Analysis, survey: Survey, answers: Answers
) -> None:
    """Known of everybody, not of each segment: those who like the offer more still buy it more."""
    found = analyse(with_known_share(survey, 0.3), answers, Request(model="conditional"))
    before, after = (
        a.tables["shares"].query("offer == 'own' and rule == 'preference'").set_index("segment")["share"]
        for a in (quick, found)
    )
    assert after["all"] == pytest.approx(0.3, abs=1e-9)
    assert abs(before["all"] - 0.3) > 0.05
    others = before.index.drop("all")
    assert list(after[others].rank()) == list(before[others].rank())
    assert after[others].nunique() == len(others)
    gains = [a.table("investment", "all").set_index(["attribute", "direction"]) for a in (quick, found)]
    row = ("range", "down")  # no investment: the gain is in proportion to the share
    assert gains[1].loc[row, "gain"] / gains[0].loc[row, "gain"] == pytest.approx(0.3 / before["all"], rel=0.02)
    one_figure_a_step(found)
    impossible = analyse(with_known_share(survey, 0.99), answers, Request(model="conditional"))
    assert [note.code for note in impossible.notes].count("known_share") == 1
    pd.testing.assert_frame_equal(impossible.tables["investment"], quick.tables["investment"])


def test_the_codebook_explains_every_column(quick: Analysis, survey: Survey) -> None:
    explained = set(codebook(survey.definition).query("table == 'results'")["column"])
    for name, table in quick.tables.items():
        assert set(table.columns) <= explained, name


def test_wrong_labels_and_budget_follow_from_the_labels(quick: Analysis, survey: Survey) -> None:
    invested = quick.tables["investment"]
    counts = quick.tables["expected_wrong"].set_index("segment")
    own = invested[invested["segment"] == "all"].drop_duplicates("attribute")
    assert counts.loc["all", "expected_wrong"] == pytest.approx(own["wrong"].sum())
    economics = survey.definition.economics
    assert economics is not None
    assert economics.budget is not None
    budget = quick.tables["budget"]
    assert budget["investment"].sum() <= economics.budget
    assert (budget["probability"] >= 0.9).all()


def test_methods_stand_side_by_side(quick: Analysis) -> None:
    table = quick.table("triangulation", "all")
    assert list(table["method"]) == ["conjoint", "van_westendorp"]
    assert table["sentence"].str.startswith("The methods").all()
    limit = quick.table("price_limit", "all")["estimate"].iloc[0]
    careful = quick.table("cautious_limit", "all").iloc[0]
    assert careful["cautious"] == pytest.approx(limit / 1.21)
    assert "other studies" in careful["source"]


def test_the_profile_leaves_out_what_makes_the_segments(quick: Analysis) -> None:
    table = quick.tables["segment_profile"]
    assert "core_problem" not in set(table["variable"])
    assert {"employees", "importance.speed"} <= set(table["variable"])


def test_everything_survives_the_record(quick: Analysis) -> None:
    again = Analysis.from_json(quick.to_json())
    for name, table in quick.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table.reset_index(drop=True), check_index_type=False)
        assert "segment" in table.columns
        assert set(quick.only(["all"]).tables[name]["segment"]) <= {"all"}


def test_without_costs_and_competitors_no_profit_is_promised(survey: Survey, answers: Answers) -> None:
    raw = survey.definition.model_dump() | {"economics": None, "competitors": []}
    plain = Definition.model_validate(raw)
    found = analyse(
        Survey(survey.slug, survey.folder, plain, plain.hash, survey.design), answers, Request(model="conditional")
    )
    assert set(found.tables["investment"]["label"]) <= {"honoured", "not_honoured", "expected", "open"}
    assert set(found.tables["best_price"]["objective"]) == {"revenue"}
    assert found.tables["profit_curve"]["profit"].isna().all()
    assert not {"budget", "equilibrium", "competitive_limit"} & set(found.tables)
    assert list(found.table("shares", "all")["offer"]) == ["own", "none"]


def test_costs_and_rivals_may_change_while_answers_keep_their_meaning(survey: Survey) -> None:
    raw = survey.definition.model_dump()
    raw["economics"]["unit_cost"] = 65
    raw["attributes"][0]["levels"][2]["unit_cost"] = 9
    raw["competitors"] = []
    edited = Definition.model_validate(raw)
    assert edited.hash == survey.definition.hash
    assert edited.fingerprint != survey.definition.fingerprint
    raw["attributes"][0]["levels"][2]["label"] = {"en": "Nearly everything", "de": "Fast alles"}
    assert Definition.model_validate(raw).hash != survey.definition.hash


def invested(values: dict[str, float], labels: dict[str, dict[str, str]]) -> pd.DataFrame:
    return pd.DataFrame([
        {"segment": segment, "attribute": attribute, "direction": "down", "worth": values[attribute], "worth_low": values[attribute] - 0.5,
         "worth_high": values[attribute] + 0.5, "label": label}
        for segment, own in labels.items() for attribute, label in own.items()
    ])  # fmt: skip


def test_hints_tell_and_split(survey: Survey) -> None:
    names = [attribute.id for attribute in survey.definition.attributes]
    values = dict.fromkeys(names, 5.0)
    labels = {s: dict.fromkeys(names, "keep") for s in ("all", "uptime", "cost")}
    labels["uptime"]["speed"], labels["cost"]["speed"] = "invest", "save"
    verdicts = [
        ("all", "competence", TELL),
        ("all", "design", "keep_tell"),
        ("all", "brand", "fix"),
        ("all", "price", ""),
    ]
    table = hints(
        survey.definition, invested(values, labels), pd.DataFrame(verdicts, columns=["segment", "attribute", "verdict"])
    )
    found = {(row["segment"], row["attribute"]): row["hint"] for _, row in table.iterrows()}
    assert found == {("all", "competence"): TELL, ("all", "speed"): SPLIT}


def test_what_people_say_is_held_against_what_they_pay(survey: Survey) -> None:
    names = [attribute.id for attribute in survey.definition.attributes]
    values = dict(zip(names, [6.0, 5.0, 4.0, 3.0, 2.0, 1.0], strict=True))
    said = pd.DataFrame({"segment": "all", "attribute": names, "mean": [1.0, 6.0, 5.0, 4.0, 3.0, 7.0]})
    table = importance_performance(
        survey.definition, invested(values, {"all": dict.fromkeys(names, "keep")}), pd.DataFrame(), said
    )
    agreement = table.set_index("attribute")["agreement"]
    assert agreement[names[5]] == SAID_MORE  # first in words, last in money
    assert agreement[names[0]] == PAID_MORE
    assert (agreement[names[1:5]] == "agree").all()


def test_synthetic_yea_sayers_are_exposed(quick: Analysis, survey: Survey, answers: Answers) -> None:
    """Everybody says that design matters most and speed least; the choices pay for speed and hardly for design."""
    rating = survey.definition.importance_rating
    assert rating is not None
    people = []
    for respondent in answers.respondents:
        ratings = {**respondent.answers[rating.id], "design": rating.scale.high, "speed": rating.scale.low}
        people.append(replace(respondent, answers={**respondent.answers, rating.id: ratings}))
    found = analyse(survey, replace(answers, respondents=tuple(people), hash="yea"), Request(model="conditional"))
    agreement = found.table("importance_performance", "all").set_index("attribute")["agreement"]
    assert agreement["design"] == SAID_MORE
    assert agreement["speed"] == PAID_MORE
    before = quick.table("importance_performance", "all").set_index("attribute")["agreement"]
    assert before["design"] != SAID_MORE
    # words move no figure in money
    pd.testing.assert_frame_equal(found.tables["investment"], quick.tables["investment"])


def test_performance_is_compared_by_person(survey: Survey, answers: Answers) -> None:
    raw = survey.definition.model_dump()
    rating = next(q for page in raw["pages"] for q in page.get("questions", []) if q.get("measures") == "importance")
    page = next(page for page in raw["pages"] if rating in page.get("questions", []))
    page["questions"] = [
        *page["questions"],
        *(rating | {"id": n, "measures": n} for n in ("performance", "rival_performance")),
    ]
    definition = Definition.model_validate(raw)
    rng = np.random.default_rng(1)
    people = []
    for respondent in answers.respondents:
        level = rng.integers(3, 6)
        ratings = {a.id: int(level) for a in definition.attributes}
        better = ratings | {"speed": int(level + rng.integers(0, 3))}
        people.append(
            type(respondent)(**{f: getattr(respondent, f) for f in respondent.__slots__} | {"answers": {**respondent.answers, "performance": better, "rival_performance": ratings}})
        )  # fmt: skip
    table = performance_table(definition, people, 0.90).set_index("attribute")
    assert table.loc["speed", "gap"] == pytest.approx(1, abs=0.2)
    assert table.loc["speed", "gap_low"] > 0.8
    assert table.loc["brand", ["gap", "gap_low", "gap_high"]].tolist() == [0, 0, 0]
