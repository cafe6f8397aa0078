"""Labelled alternatives in estimation: columns as made by hand, statsmodels' fit of them, invariances, recovery, and every mistake named."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.discrete.conditional_models import ConditionalLogit as Oracle

from tests.simulated import modes, simulated
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit, HierarchicalLogit, LatentClassLogit, importance, part_worths
from wtp.estimation.coding import design_levels, prior_coding, sum_to_zero_contrasts
from wtp.estimation.labelled import fit_of, plain, seen_as, told
from wtp.estimation.synthetic_study import answered_design, assumed_tastes
from wtp.survey import Survey

FORMULA = "mode + time:mode + seat + transfers + parking + price:mode"
# By hand: what each column is.
COLUMNS = {
    "mode[T.car]": lambda f: f["mode"] == "car",
    "mode[T.bus]": lambda f: f["mode"] == "bus",
    "time (rail)[T.h4]": lambda f: (f["mode"] == "rail") & (f["time"] == "h4"),
    "time (rail)[T.h3]": lambda f: (f["mode"] == "rail") & (f["time"] == "h3"),
    "time (car)[T.h4]": lambda f: (f["mode"] == "car") & (f["time"] == "h4"),
    "time (car)[T.h3]": lambda f: (f["mode"] == "car") & (f["time"] == "h3"),
    "time (bus)[T.h4]": lambda f: (f["mode"] == "bus") & (f["time"] == "h4"),
    "seat[T.reserved]": lambda f: f["seat"] == "reserved",
    "transfers[T.one]": lambda f: f["transfers"] == "one",
    "transfers[T.direct]": lambda f: f["transfers"] == "direct",
    "parking[T.garage]": lambda f: f["parking"] == "garage",
    "price (rail)": lambda f: f["price"] * (f["mode"] == "rail"),
    "price (car)": lambda f: f["price"] * (f["mode"] == "car"),
    "price (bus)": lambda f: f["price"] * (f["mode"] == "bus"),
}


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Private travellers with equal tastes, so that a pooled logit is the model that makes their answers."""
    survey = modes(tmp_path_factory.mktemp("labelled"))
    simulation = survey.definition.simulation
    assert simulation is not None
    private = simulation.segments[1].model_copy(update={"share": 1.0})
    equal = simulation.model_copy(update={"spread": 0.0, "segments": (private,)})
    return replace(survey, definition=survey.definition.model_copy(update={"simulation": equal}))


@pytest.fixture(scope="module")
def frame(alike: Survey) -> pd.DataFrame:
    """Answers of 300 of them, all at once."""
    assert alike.design is not None
    levels, tastes = design_levels(alike.design, alike.definition), assumed_tastes(alike.definition)
    return answered_design(alike.definition, levels, tastes, {"private": 300}, np.random.default_rng(4))


def one_by_one(alike: Survey) -> pd.DataFrame:
    """Answers of 300 of them, person by person, as the bot gives them."""
    rows = []
    for r in simulated(alike, 300, seed=6).respondents:
        for c in r.choices:
            rows += [
                {"respondent": r.number, "choice_task": c.task.number, "chosen": int(a.number == c.chosen), "buys": int(bool(c.buys)), "price": a.price, **a.levels}
                for a in c.task.alternatives
            ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def data(frame: pd.DataFrame) -> ChoiceData:
    return ChoiceData.from_long(frame, FORMULA, buys="buys", labels="mode")


def test_the_columns_are_those_made_by_hand(frame: pd.DataFrame) -> None:
    data = ChoiceData.from_long(frame, FORMULA, labels="mode")
    assert set(data.names) == set(COLUMNS)
    for k, name in enumerate(data.names):
        assert (data.X[:, k] == COLUMNS[name](frame).to_numpy(dtype=float)).all(), name
    assert data.price is None
    assert data.price_parameters == ("price (rail)", "price (car)", "price (bus)")
    assert data.labels is not None
    assert data.labels.prices["bus"].tested == (20, 40, 60), "those of its own offers"
    assert {a.name: a.levels for a in data.attributes}["time (bus)"] == ("h5", "h4")


def test_the_fit_is_that_of_statsmodels(frame: pd.DataFrame) -> None:
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA, labels="mode")).fit(cov_type="nonrobust")
    exog = pd.DataFrame({name: make(frame).astype(float) for name, make in COLUMNS.items()})
    scale = exog.max()
    oracle = Oracle(frame["chosen"], exog / scale, groups=frame["respondent"] * 100 + frame["choice_task"])
    found = oracle.fit(method="newton", disp=False)
    assert fit.llf == pytest.approx(found.llf, abs=1e-5)
    wanted = pd.Series(found.params, index=list(COLUMNS)) / scale
    errors = pd.Series(found.bse, index=list(COLUMNS)) / scale
    assert fit.params[list(COLUMNS)].to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-4 * errors.max())
    assert fit.bse[list(COLUMNS)].to_numpy() == pytest.approx(errors.to_numpy(), rel=1e-3)


@pytest.mark.parametrize("how", ["at once", "one by one"])
def test_known_tastes_come_back(how: str, alike: Survey, data: ChoiceData) -> None:
    """Part-worths, price coefficients and the label's worth at today's price, each within three standard errors."""
    if how == "one by one":
        frame = one_by_one(alike)
        for attribute in alike.definition.attributes:
            frame[attribute.id] = pd.Categorical(frame[attribute.id], categories=list(attribute.level_ids))
        data = ChoiceData.from_long(frame, FORMULA, buys="buys", labels="mode")
    fit = ConditionalLogit(data).fit()
    true = dict.fromkeys(data.names, 0.0)
    true |= {"price (rail)": -0.05, "price (car)": -0.05, "price (bus)": -0.08}
    for label, sensitivity in (("rail", 0.05), ("car", 0.05), ("bus", 0.08)):
        for level, amount in (("h4", 8), ("h3", 16)):
            if f"time ({label})[T.{level}]" in true:
                true[f"time ({label})[T.{level}]"] = sensitivity * amount
    true |= {"seat[T.reserved]": 0.05 * 4, "parking[T.garage]": 0.05 * 8}
    true |= {"transfers[T.one]": 0.05 * 8, "transfers[T.direct]": 0.05 * 16}
    true |= {"mode[T.car]": 0.05 * 5, "mode[T.bus]": -0.05 * 5 + (0.08 - 0.05) * 60}
    # Half buy today's train at 70: one change, 4 hours.
    true["none"] = true["time (rail)[T.h4]"] + true["transfers[T.one]"] - 0.05 * 70
    z = (fit.params - pd.Series(true)) / fit.bse
    assert (z.abs() < 3).all(), z
    assert (z**2).mean() < 2.5
    assert fit.notes == ()


def test_order_and_names_of_labels_change_nothing(frame: pd.DataFrame, data: ChoiceData) -> None:
    fit = ConditionalLogit(data).fit()
    mixed = frame.sample(frac=1, random_state=3).sort_values(["respondent", "choice_task"], kind="stable")
    again = ConditionalLogit(ChoiceData.from_long(mixed, FORMULA, buys="buys", labels="mode")).fit()
    assert again.llf == pytest.approx(fit.llf, rel=1e-12)
    assert again.params[fit.params.index].to_numpy() == pytest.approx(fit.params.to_numpy(), rel=1e-6)
    # Other names, another order, hence another base label.
    other = frame.assign(mode=frame["mode"].cat.rename_categories({"rail": "zug", "car": "auto", "bus": "fernbus"}))
    other["mode"] = other["mode"].astype(str)
    renamed = ConditionalLogit(ChoiceData.from_long(other, FORMULA, buys="buys", labels="mode")).fit()
    assert renamed.llf == pytest.approx(fit.llf, rel=1e-10)
    assert renamed.params["price (fernbus)"] == pytest.approx(fit.params["price (bus)"], rel=1e-6)
    after, before = part_worths(renamed), part_worths(fit)
    names = {"zug": "rail", "auto": "car", "fernbus": "bus"}
    mine = after[after["attribute"] == "mode"].assign(level=lambda t: t["level"].map(names)).set_index("level")
    was = before[before["attribute"] == "mode"].set_index("level")
    assert mine["estimate"].to_dict() == pytest.approx(was["estimate"].to_dict(), abs=1e-6)
    assert mine["std_error"].to_dict() == pytest.approx(was["std_error"].to_dict(), rel=1e-5)


def test_a_label_is_told_by_its_average_offer(data: ChoiceData) -> None:
    fit = ConditionalLogit(data).fit()
    p = fit.params
    average = {
        "rail": (p["time (rail)[T.h4]"] + p["time (rail)[T.h3]"]) / 3 + p["seat[T.reserved]"] / 2 + 70 * p["price (rail)"],
        "car": p["mode[T.car]"] + (p["time (car)[T.h4]"] + p["time (car)[T.h3]"]) / 3 + p["parking[T.garage]"] / 2 + 70 * p["price (car)"],
        "bus": p["mode[T.bus]"] + p["time (bus)[T.h4]"] / 2 + 40 * p["price (bus)"],
    }  # fmt: skip
    for label in ("rail", "bus"):
        average[label] += (p["transfers[T.one]"] + p["transfers[T.direct]"]) / 3
    shown = part_worths(fit).query("attribute == 'mode'").set_index("level")["estimate"]
    middle = np.mean(list(average.values()))
    assert shown.to_dict() == pytest.approx({label: value - middle for label, value in average.items()}, abs=1e-9)
    table = importance(fit, draws=100, permutations=2).set_index("attribute")["importance"]
    assert table.sum() == pytest.approx(100)
    spans = {"price (bus)": 40 * -p["price (bus)"], "price (rail)": 60 * -p["price (rail)"]}
    assert table["price (bus)"] / table["price (rail)"] == pytest.approx(spans["price (bus)"] / spans["price (rail)"])
    assert table["mode"] / table["price (rail)"] == pytest.approx(
        np.ptp(list(average.values())) / spans["price (rail)"]
    )


def test_a_prior_is_fair_to_every_label(data: ChoiceData) -> None:
    """Independent coefficients behind the coding give average offers of the labels equal variances and covariances."""
    T = prior_coding(data)
    assert np.linalg.matrix_rank(T) == len(data.names)
    assert data.labels is not None
    rows = next(a.contrasts for a in told(data) if a.name == "mode")
    spread = rows @ T @ T.T @ rows.T
    Q = sum_to_zero_contrasts(3)
    centred = np.eye(3) - 1 / 3
    assert centred @ spread @ centred == pytest.approx(Q @ Q.T, abs=1e-9)
    price = data.names.index("price (bus)")
    assert T[price, price] * 40 == pytest.approx(np.sqrt(2)), "by the prices of its own offers"
    assert T[data.none, data.none] == 1  # type: ignore[index]


def test_offers_of_one_label_see_their_own_columns(data: ChoiceData) -> None:
    fit = ConditionalLogit(data).fit()
    view = fit_of(fit, "bus")
    assert [a.name for a in view.data.attributes] == ["mode", "transfers", "time", "price"]
    assert view.data.price == "price (bus)"
    assert view.data.price_form is not None
    assert view.data.price_form.tested == (20, 40, 60)
    assert plain(view) is fit
    assert (view.params == fit.params).all()
    assert fit_of(view, "car").data.price == "price (car)", "a view of a view is one of the fit"
    assert seen_as(view.data, "rail").price == "price (rail)"
    with pytest.raises(DataError, match=r"ship.*rail, car, bus"):
        fit_of(fit, "ship")


def test_columns_that_labels_share_have_one_coefficient(frame: pd.DataFrame) -> None:
    shared = ChoiceData.from_long(frame, "mode + time + seat + transfers + parking + price", buys="buys", labels="mode")
    assert shared.price == "price"
    assert shared.price_form is not None
    assert shared.price_form.tested == (20, 40, 60, 80, 100)
    assert len(shared.names) == 2 + 2 + 1 + 2 + 1 + 1 + 1
    assert seen_as(shared, "bus").price_form.tested == (20, 40, 60)  # type: ignore[union-attr]
    assert seen_as(shared, "bus").price == "price"


@pytest.mark.parametrize(
    ("formula", "change", "said"),
    [
        ("time:mode + price:mode", {}, "no term 'mode'"),
        ("mode + time + time:mode + price", {}, "time alone and by label"),
        ("mode + time:mode:seat + price", {}, "time:mode:seat"),
        ("mode + np.log(price):mode", {}, "the term np.log(price):mode"),
        ("seat + price", {}, "without it"),
        (FORMULA, {"price_form": "log"}, "price_form 'log' with labels"),
    ],
)
def test_formulas_that_labels_do_not_allow_are_named(
    frame: pd.DataFrame, formula: str, change: dict[str, str], said: str
) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        ChoiceData.from_long(frame, formula, labels="mode", **change)  # type: ignore[arg-type]


def test_a_cell_that_is_empty_for_some_offers_of_a_label_is_named(frame: pd.DataFrame) -> None:
    broken = frame.copy()
    row = int(np.flatnonzero(broken["mode"] == "rail")[5])
    broken.loc[row, "seat"] = None
    with pytest.raises(DataError, match=f"'seat', row {row + 1}: empty, while other rows of rail are not"):
        ChoiceData.from_long(broken, FORMULA, labels="mode")
    with pytest.raises(DataError, match=r"'mode'.*empty"):
        ChoiceData.from_long(frame.assign(mode=frame["mode"].where(frame.index != 3)), FORMULA, labels="mode")
    with pytest.raises(DataError, match="'nothing': empty in every row"):
        ChoiceData.from_long(frame.assign(nothing=np.nan), FORMULA + " + nothing", labels="mode")


def test_what_cannot_be_told_apart_is_named(frame: pd.DataFrame) -> None:
    """A number that is the same in all offers of a label is its constant again."""
    aliased = frame.assign(length=frame["mode"].map({"rail": 1.0, "car": 2.0, "bus": 3.0}).astype(float))
    with pytest.raises(EstimationError, match=r"length|mode"):
        ConditionalLogit(ChoiceData.from_long(aliased, FORMULA + " + length", labels="mode")).fit()


def test_the_other_estimators_take_the_same_columns(data: ChoiceData) -> None:
    some = data.subset(np.arange(len(data.respondents)) < 60)
    signs = dict.fromkeys(data.price_parameters, -1)
    fit = HierarchicalLogit(some, signs=signs).fit(draws=60, warmup=60, chains=2, seed=1, stop=None)
    drawn = fit.simulate(20)
    prices = [data.names.index(name) for name in data.price_parameters]
    assert (np.asarray(drawn.values)[..., prices] < 0).all()
    classes = LatentClassLogit(data, classes=2).fit(starts=2, seed=1)
    assert classes.class_params.index.tolist() == list(data.names)
