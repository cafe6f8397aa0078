"""The repeated choice task: how often it was answered the same, and what the figures would be without the slips that this implies, beside the raw ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from wtp.analysis.choice_frame import choice_frame, formula
from wtp.analysis.money import steps_from_current
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.response_error import Reliability, without_slips
from wtp.pricing.offers import own_data
from wtp.pricing.willingness_to_pay import contrast
from wtp.quality.inspection import agreed
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer

_DRAWS = 4_000
_CLEAR = 3.0  # price coefficient over its standard error, below it no ratio
_COLUMNS = (
    *("segment", "attribute", "from_level", "to_level", "part_worth", "part_worth_low", "part_worth_high"),
    *("corrected", "corrected_low", "corrected_high", "worth", "worth_low", "worth_high"),
    *("worth_corrected", "worth_corrected_low", "worth_corrected_high"),
)


def reliability_tables(
    definition: Definition, respondents: Sequence[Respondent], *, confidence: float, seed: int
) -> dict[str, pd.DataFrame]:
    """`reliability`: one row, asked, agreed, chance, kappa, attenuation, slips, note. `without_slips`: each step's part-worth and worth, raw and
    corrected, from the forced choices alone; a sensitivity view of the pooled model, and missing where the note says why. Empty if no task is repeated.
    """
    again = agreed(respondents)
    if again.empty:
        return {}
    chance = 1 / definition.choice_tasks.alternatives
    measured = Reliability(len(again), float(again.mean()), chance)
    row = {
        "segment": ALL,
        "asked": measured.asked,
        "agreed": measured.agreement,
        "chance": chance,
        "kappa": measured.kappa,
        "attenuation": measured.attenuation,
        "slips": measured.slips,
        "note": "",
    }
    tables = {}
    try:
        tables["without_slips"] = _corrected(definition, respondents, again, confidence, seed)
    except (DataError, EstimationError) as error:
        row["note"] = str(error)
    return {"reliability": pd.DataFrame([row]), **tables}


def _corrected(
    definition: Definition, respondents: Sequence[Respondent], again: pd.Series, confidence: float, seed: int
) -> pd.DataFrame:
    forced = [replace(r, choices=tuple(replace(c, buys=None) for c in r.choices)) for r in respondents]
    frame = choice_frame(definition, forced)
    terms = formula(definition).removesuffix(" + none")
    data = ChoiceData.from_long(frame, terms, labels=definition.choice_tasks.labels)
    data = own_data(data, todays_offer(definition))
    raw = ConditionalLogit(data).fit()
    clean = without_slips(data, again, np.asarray(raw.params, dtype=float))
    steps = steps_from_current(definition)
    contrasts = np.array([contrast(data, s.attribute, s.from_level, s.to_level) for s in steps])
    rng = np.random.default_rng(seed)
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    price = data.names.index(str(data.price))
    found = pd.DataFrame([(ALL, s.attribute, s.from_level, s.to_level) for s in steps], columns=list(_COLUMNS[:4]))
    both = {"": (np.asarray(raw.params), np.asarray(raw.cov_params())), "_corrected": (clean.params, clean.covariance)}
    for name, (params, covariance) in both.items():
        try:
            drawn = rng.multivariate_normal(params, covariance, size=_DRAWS, method="cholesky")
        except np.linalg.LinAlgError as error:
            raise EstimationError(
                "the repeated tasks say too little to take slips out of the part-worths; allowed: more answers or fewer slips; collect more answers."
            ) from error
        utility = "corrected" if name else "part_worth"
        found[utility] = contrasts @ params
        found[f"{utility}_low"], found[f"{utility}_high"] = np.quantile(drawn @ contrasts.T, ends, axis=0)
        if -params[price] > _CLEAR * np.sqrt(covariance[price, price]):
            found[f"worth{name}"] = contrasts @ params / -params[price]
            ratios = drawn @ contrasts.T / -drawn[:, [price]]
            found[f"worth{name}_low"], found[f"worth{name}_high"] = np.quantile(ratios, ends, axis=0)
    return found.reindex(columns=list(_COLUMNS))
