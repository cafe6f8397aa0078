"""The same figures as other software: committed ones in full precision, and stock statsmodels asked afresh."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.discrete.conditional_models import ConditionalLogit as StockConditionalLogit

from tests.estimation.conftest import FORMULAS, GOLDEN, golden, golden_choices
from wtp.estimation import ConditionalLogit, ConditionalLogitResults

NAMES = ("electricity", "train", "modechoice")
REFERENCE: dict[str, Any] = json.loads((GOLDEN / "reference.json").read_text(encoding="utf-8"))
# What a program that stops early may be off; see tests/golden/README.md.
COEFFICIENTS = {
    "statsmodels ConditionalLogit": 6e-5,
    "statsmodels ConditionalLogit, Newton": 1e-6,
    "xlogit MultinomialLogit": 6e-5,
}


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest) -> tuple[str, ConditionalLogitResults]:
    return request.param, ConditionalLogit(golden_choices(request.param)).fit("nonrobust")


@pytest.mark.parametrize("program", COEFFICIENTS)
def test_log_likelihood(program: str, fitted: tuple[str, ConditionalLogitResults]) -> None:
    name, fit = fitted
    theirs = REFERENCE[name][program]["log_likelihood"]
    assert fit.llf == pytest.approx(theirs, rel=1e-10)
    # Nobody finds a higher one; 1e-9 is the rounding of sums of thousands.
    assert fit.llf >= theirs - 1e-9


@pytest.mark.parametrize("program", COEFFICIENTS)
def test_coefficients(program: str, fitted: tuple[str, ConditionalLogitResults]) -> None:
    name, fit = fitted
    assert fit.params.to_dict() == pytest.approx(REFERENCE[name][program]["params"], abs=COEFFICIENTS[program])


@pytest.mark.parametrize("program", COEFFICIENTS)
def test_standard_errors_from_the_inverse_hessian(program: str, fitted: tuple[str, ConditionalLogitResults]) -> None:
    name, fit = fitted
    assert fit.bse.to_dict() == pytest.approx(REFERENCE[name][program]["std_errors"], rel=1e-4, abs=1e-6)


def test_stock_statsmodels_finds_our_estimate_to_be_the_optimum(fitted: tuple[str, ConditionalLogitResults]) -> None:
    name, fit = fitted
    data = golden(name)
    groups = pd.factorize(pd.MultiIndex.from_frame(data[["respondent", "choice_task"]]))[0]
    stock = StockConditionalLogit(data["chosen"].to_numpy(float), data[FORMULAS[name].split(" + ")], groups=groups)
    params = fit.params.to_numpy()
    assert stock.loglike(params) == pytest.approx(fit.llf, rel=1e-11)
    step = fit.cov_params().to_numpy() @ stock.score(params)
    assert np.abs(step / fit.bse.to_numpy()).max() < 1e-5


def test_train_as_the_vignette_of_mlogit_prints_it() -> None:
    fit = ConditionalLogit(golden_choices("train")).fit()
    printed = {"price": 0.0673580, "time": 1.7205514, "change": 0.3263409, "comfort": 0.9457256}
    assert (-fit.params).to_dict() == pytest.approx(printed, abs=1e-6)
    values = (fit.params / fit.params["price"]).drop("price")
    assert values.to_numpy() == pytest.approx([25.54337, 4.84487, 14.04028], rel=1e-5)


def test_modechoice_as_greene_prints_it() -> None:
    fit = ConditionalLogit(golden_choices("modechoice")).fit()
    assert fit.llf == pytest.approx(-199.9766, abs=5e-5)


@pytest.mark.parametrize("name", NAMES)
def test_errors_clustered_by_respondent(name: str) -> None:
    theirs = REFERENCE[name]["statsmodels ConditionalLogit, Newton"]["clustered_std_errors"]
    assert ConditionalLogit(golden_choices(name)).fit().bse.to_dict() == pytest.approx(theirs, rel=1e-6)


def test_clustering_matters() -> None:
    """Answers of one person are alike: taken as independent, the errors would be a third too small."""
    model = ConditionalLogit(golden_choices("electricity"))
    assert model.fit("nonrobust").bse["pf"] == pytest.approx(0.0232, abs=5e-5)
    assert model.fit().bse["pf"] == pytest.approx(0.0335, abs=5e-5)
