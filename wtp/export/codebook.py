"""The codebook: every exported column with its type, what its codes mean in every language, and whether a cell may be empty.

Answers carry the author's own words; what the program itself adds is described in English.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from wtp.export.frames import question_columns
from wtp.survey.definition import Definition
from wtp.survey.questions import GaborGranger, Rating, SingleChoice, VanWestendorp

_MAY_BE_EMPTY = "empty cell"
# (table, column, type, may be empty, text)
_FIXED = (
    ("respondents", "respondent", "whole number", False, "pseudonym, counts from 1 within the study"),
    ("respondents", "simulated", "true or false", False, "true: not a person's answers"),
    ("respondents", "language", "code", False, "language of the interview"),
    ("respondents", "design_version", "whole number", False, "version of the design that the respondent saw"),
    ("respondents", "started_at", "time", False, "consent given, UTC"),
    ("respondents", "completed_at", "time", True, "last page saved, UTC; empty: not finished"),
    ("choices", "respondent", "whole number", False, "as in respondents"),
    ("choices", "choice_task", "whole number", False, "number of the choice task in the design version"),
    ("choices", "kind", "code", False, "estimation, holdout (equal for all, not estimated) or repeat (asked again)"),
    ("choices", "order", "whole number", False, "place of the task in the interview, from 1"),
    ("choices", "position", "whole number", False, "place of the alternative on the page, from 1"),
    ("choices", "alternative", "whole number", False, "number of the alternative in the design"),
    ("choices", "chosen", "0 or 1", False, "1: chosen, 0: not"),
    ("choices", "buys", "0 or 1", True, "would the chosen one really be bought? 1 yes, 0 no, empty: not asked"),
    ("choices", "design_version", "whole number", False, "as in respondents"),
    ("choices", "simulated", "true or false", False, "as in respondents"),
    ("choices", "definition_hash", "text", False, "version of the survey's wording that was shown"),
)
# Columns of the result tables mean the same in each of them: column -> (type, text)
_RESULTS = {
    "segment": ("code", "all: everybody; else a segment of the survey"),
    "attribute": ("code", "attribute, as in choices"),
    "level": ("code", "level of the attribute"),
    "from_level": ("code", "level that is compared with: today's"),
    "to_level": ("code", "level that the figure is about"),
    "parameter": ("text", "name of the parameter or step in the model"),
    "estimate": ("number", "estimate; money in the survey's currency, part-worths in logits"),
    "std_error": ("number", "standard error, clustered by respondent"),
    "low": ("number", "lower end of the interval"),
    "high": ("number", "upper end of the interval"),
    "method": ("code", "how the interval was made"),
    "currency": ("code", "currency of the amounts"),
    "respondents": ("whole number", "respondents behind the figure"),
    "simulated_respondents": ("whole number", "simulated respondents among all of the study"),
    "note": ("text", "why a figure is withheld, or how to read it"),
    "choice_tasks": ("whole number", "estimated choice tasks"),
    "weight_of_evidence": ("code", "none: below 30 respondents; indication: 30 to 74; full"),
    "price_z": ("number", "price coefficient over its standard error, positive where a higher price repels"),
    "estimator": ("code", "what amounts and price limits come from: hierarchical, conditional or none"),
    "r_hat": ("number", "largest R-hat of the hierarchical model; at most 1.01 is final"),
    "ess": ("number", "smallest effective number of draws of the hierarchical model; at least 400 is final"),
    "pooled_hit_rate": ("share", "held-out choices that the pooled logit predicts"),
    "hit_rate": ("share", "held-out choices that the figures predict"),
    "chance": ("share", "held-out choices that chance would predict"),
    "retest": ("share", "repeated choice tasks that were answered alike"),
    "log_likelihood": ("number", "log-likelihood of the fit"),
    "mcfadden": ("number", "McFadden's pseudo R squared"),
    "importance": ("per cent", "share of the summed part-worth ranges"),
    "noise_floor": ("per cent", "importance that an attribute nobody heeds would reach"),
    "mean": ("number", "mean of the stated importance, in points of the rating"),
    "price": ("money", "price"),
    "share": ("share", "predicted share that would still buy today's offer"),
    "status": ("code", "final, preliminary or withheld"),
    "safe": ("money", "price at which three quarters would still buy"),
    "safe_low": ("money", "lower end of its interval"),
    "safe_high": ("money", "upper end of its interval"),
    "stretch": ("money", "price at which a quarter would still buy"),
    "stretch_low": ("money", "lower end of its interval"),
    "stretch_high": ("money", "upper end of its interval"),
    "direction": ("code", "up or down: one level from today's"),
    "worth": ("money", "what customers would pay for a step up, or lose by a step down"),
    "worth_low": ("money", "lower end of its interval"),
    "worth_high": ("money", "upper end of its interval"),
    "unit_cost": ("money", "extra cost of providing, a customer and purchase; negative: saved"),
    "investment": ("money", "spent once"),
    "gain": ("money", "gain a year"),
    "gain_low": ("money", "lower end of its interval"),
    "gain_high": ("money", "upper end of its interval"),
    "probability": ("share", "probability that the gain is above 0"),
    "label": ("code", "invest, save, keep, undecided; without costs honoured, not_honoured, expected, open"),
    "break_even": ("money", "largest extra cost (up) or smallest saving (down) at which the step pays, 90 per cent sure"),
    "more_answers": ("whole number", "further respondents that would decide an undecided attribute"),
    "point": ("code", "PMC, OPP, IDP or PME of Van Westendorp"),
    "excluded": ("whole number", "respondents left out because their four prices do not rise"),
    "too_cheap": ("share", "respondents to whom the price is too cheap"),
    "cheap": ("share", "respondents to whom it is a bargain"),
    "expensive": ("share", "respondents to whom it is getting expensive"),
    "too_expensive": ("share", "respondents to whom it is too expensive"),
}  # fmt: skip
_KIND_OF = {
    "single_choice": "code", "rating": "whole number", "van_westendorp": "money", "gabor_granger": "code", "open_price": "money",
}  # fmt: skip


def codebook(definition: Definition) -> pd.DataFrame:
    """table, column, code, type, missing, and one column of text a language.

    A row without a code describes the column itself; `missing` says how a value that is not there looks, if it may be missing.
    The table `results` stands for all tables of figures, in which a column always means the same.
    """
    languages = definition.languages
    rows: list[dict[str, str]] = []

    def add(table: str, column: str, code: str, kind: str, missing: str, texts: Mapping[str, str]) -> None:
        row = {"table": table, "column": column, "code": code, "type": kind, "missing": missing}
        rows.append(row | {language: texts[language] for language in languages})

    for table, column, kind, may_be_empty, text in _FIXED:
        add(table, column, "", kind, _MAY_BE_EMPTY if may_be_empty else "", dict.fromkeys(languages, text))
    for question in definition.questions:
        for column, item in question_columns(question):
            kind = _KIND_OF[question.type]
            add("respondents", column, "", kind, _MAY_BE_EMPTY, question.label)
            if isinstance(question, SingleChoice):
                for option in question.options:
                    add("respondents", column, option.id, kind, "", option.label)
            elif isinstance(question, Rating):
                label = next(i.label for i in question.items if i.id == item)
                add("respondents", column, "", kind, _MAY_BE_EMPTY, label)
                add("respondents", column, str(question.scale.low), kind, "", question.scale.low_label)
                add("respondents", column, str(question.scale.high), kind, "", question.scale.high_label)
            elif isinstance(question, GaborGranger):
                add("respondents", column, "1", kind, "", question.yes)
                add("respondents", column, "0", kind, "", question.no)
            elif isinstance(question, VanWestendorp):
                add("respondents", column, "", kind, _MAY_BE_EMPTY, getattr(question, str(item)))
    for attribute in definition.attributes:
        add("choices", attribute.id, "", "code", "", attribute.label)
        for level in attribute.levels:
            add("choices", attribute.id, level.id, "code", "", level.label)
    price = {x: f"{definition.price.label[x]}, {definition.currency} {definition.price.unit[x]}" for x in languages}
    add("choices", "price", "", "money", "", price)
    for column, (kind, text) in _RESULTS.items():
        add("results", column, "", kind, _MAY_BE_EMPTY, dict.fromkeys(languages, text))
    for segment in definition.segments:
        add("results", "segment", segment.id, "code", "", segment.label)
    return pd.DataFrame(rows)
